package workspace

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strconv"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// KeyPrefix starts every API key, so that scanners can find one that leaked.
const KeyPrefix = "gk_"

// tokenSecretBytes of randomness are in a key and in a session's token; 256 bits
// need no slow hash.
const tokenSecretBytes = 32

// KeyHash is the SHA-256 of a key, the only form in which it is stored. It is
// found by equality of the hash, which tells nothing of the key: whoever can
// choose keys cannot choose their hashes.
type KeyHash [sha256.Size]byte

// NewKey makes an API key of a workspace, the hash to store, and a hint to
// recognise it by. The key names its workspace, so that it can be looked up
// without looking into any other.
func NewKey(w id.Workspace) (key secret.Secret, hash KeyHash, hint string) {
	text := fmt.Sprintf("%s%d_%s", KeyPrefix, int64(w), randomText())
	return secret.FromString(text), sha256.Sum256([]byte(text)), text[:strings.LastIndexByte(text, '_')+5]
}

// ParseKey returns the workspace a key belongs to and its hash. An
// Unauthenticated error means that the text cannot be a key.
func ParseKey(text string) (id.Workspace, KeyHash, error) {
	malformed := fault.New(fault.Unauthenticated, "the API key is not valid; keys look like %s<workspace>_<secret>", KeyPrefix)
	rest, ok := strings.CutPrefix(text, KeyPrefix)
	if !ok {
		return 0, KeyHash{}, malformed
	}
	number, random, ok := strings.Cut(rest, "_")
	if !ok || len(random) != tokenEncoding().EncodedLen(tokenSecretBytes) {
		return 0, KeyHash{}, malformed
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 1 {
		return 0, KeyHash{}, malformed
	}
	return id.Workspace(n), sha256.Sum256([]byte(text)), nil
}

// randomText is 256 random bits in lower-case letters and digits.
func randomText() string {
	random := make([]byte, tokenSecretBytes)
	rand.Read(random) // never fails: crypto/rand ends the process instead
	return strings.ToLower(tokenEncoding().EncodeToString(random))
}

func tokenEncoding() *base32.Encoding { return base32.StdEncoding.WithPadding(base32.NoPadding) }
