package run

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// tokenPrefix starts every run-scoped token.
const tokenPrefix = "gr_"

// tokenSecretBytes of randomness are in a token; 256 bits need no slow hash.
const tokenSecretBytes = 32

// Token is what the bearer of a run-scoped token claims to hold. The hash has to
// be compared with the stored one before anything of it is believed.
type Token struct {
	Workspace id.Workspace
	Run       id.Run
	Epoch     int64
	Hash      [sha256.Size]byte
}

// tokenSecret is the random part of a token, made before the run is known.
type tokenSecret string

func newTokenSecret() tokenSecret {
	random := make([]byte, tokenSecretBytes)
	rand.Read(random) // never fails: crypto/rand ends the process instead
	return tokenSecret(base64.RawURLEncoding.EncodeToString(random))
}

// hash is what the database keeps; it binds nothing but the secret, because the
// row it is kept in is what binds it to run and epoch.
func (s tokenSecret) hash() [sha256.Size]byte { return sha256.Sum256([]byte(s)) }

func (s tokenSecret) token(w id.Workspace, r id.Run, epoch int64) secret.Secret {
	return secret.FromString(fmt.Sprintf("%s%d.%d.%d.%s", tokenPrefix, int64(w), int64(r), epoch, s))
}

// ParseToken reads a run-scoped token. The error is Unauthenticated.
func ParseToken(text string) (Token, error) {
	malformed := fault.New(fault.Unauthenticated, "the run token is not valid")
	rest, ok := strings.CutPrefix(text, tokenPrefix)
	parts := strings.SplitN(rest, ".", 4)
	if !ok || len(parts) != 4 || len(parts[3]) != base64.RawURLEncoding.EncodedLen(tokenSecretBytes) {
		return Token{}, malformed
	}
	var numbers [3]int64
	for i := range numbers {
		n, err := strconv.ParseInt(parts[i], 10, 64)
		if err != nil || n < 1 {
			return Token{}, malformed
		}
		numbers[i] = n
	}
	return Token{
		Workspace: id.Workspace(numbers[0]), Run: id.Run(numbers[1]), Epoch: numbers[2],
		Hash: tokenSecret(parts[3]).hash(),
	}, nil
}
