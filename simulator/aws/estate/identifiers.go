package estate

import (
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/simulator/enterprise"
	"github.com/gatehouse-project/gatehouse/simulator/enterprise/chance"
)

// Prefixes of unique identifiers (IAM User Guide, "IAM identifiers").
const (
	prefixUser      = "AIDA"
	prefixRole      = "AROA"
	prefixGroup     = "AGPA"
	prefixPolicy    = "ANPA"
	prefixAccessKey = "AKIA"
)

func (e *Estate) uniqueID(prefix, name string, account int) string {
	return prefix + e.draw.Letters(17, chance.Base32, "unique id/"+prefix+name, account)
}

// accountID makes the twelve digits of the index-th account. Multiplying by a
// number without common factors keeps different indexes different.
func accountID(draw chance.Source, index int) string {
	const span = 900_000_000_000
	const stride = 618_033_988_741 // no factor 2, 3 or 5
	at := draw.Uint64("account ids") % span
	for range index {
		at = (at + stride) % span
	}
	return fmt.Sprintf("%012d", 100_000_000_000+at)
}

// outsideAccount is an account that is not in the organisation: a vendor's.
func (e *Estate) outsideAccount(vendor int) string {
	return accountID(e.draw, 5000+vendor)
}

// before gives a date some days before the estate's moment, at a drawn time
// of day.
func (e *Estate) before(fewest, most int, kind string, keys ...int) time.Time {
	days := e.draw.Between(fewest, most, kind, keys...)
	seconds := e.draw.Intn(86400, kind+"/second", keys...)
	return enterprise.AsOf().AddDate(0, 0, -days).Add(-time.Duration(seconds) * time.Second)
}

// keyID names the number-th access key of a user so that the account and the
// user can be read back from it, as AWS itself reads the account from a key.
func (e *Estate) keyID(account, user, number int) string {
	var raw [10]byte
	binary.BigEndian.PutUint64(raw[:8], e.draw.Uint64("key id", account, user, number))
	place := uint32(account)<<15 | uint32(user)<<1 | uint32(number)
	place ^= e.keyMask()
	raw[6], raw[7], raw[8], raw[9] = byte(place>>24), byte(place>>16), byte(place>>8), byte(place)
	return prefixAccessKey + base32.StdEncoding.EncodeToString(raw[:])
}

func (e *Estate) keyMask() uint32 { return uint32(e.draw.Uint64("key mask")) }

// secretAlphabet is what secret access keys are made of.
const secretAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

func (e *Estate) keySecret(account, user, number int) string {
	return e.draw.Letters(40, secretAlphabet, "key secret", account, user, number)
}

// Credential is an access key that was found.
type Credential struct {
	Account int
	User    *User
	Key     AccessKey
	Secret  string
}

// CredentialByKeyID finds who owns an access key; ok is false for keys that
// do not exist.
func (e *Estate) CredentialByKeyID(id string) (c Credential, ok bool) {
	encoded, found := strings.CutPrefix(id, prefixAccessKey)
	raw, err := base32.StdEncoding.DecodeString(encoded)
	if !found || err != nil || len(raw) != 10 {
		return Credential{}, false
	}
	place := binary.BigEndian.Uint32(raw[6:]) ^ e.keyMask()
	account, user, number := int(place>>15), int(place>>1&0x3fff), int(place&1)
	if account >= len(e.Organization.Accounts) || e.keyID(account, user, number) != id {
		return Credential{}, false
	}
	users := e.Inventory(account).Users
	if user >= len(users) || number >= len(users[user].Keys) {
		return Credential{}, false
	}
	return Credential{
		Account: account, User: &users[user], Key: users[user].Keys[number], Secret: e.keySecret(account, user, number),
	}, true
}
