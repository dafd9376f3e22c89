package licence

import (
	"crypto/rand"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// maxKeys bounds how many keys a data plane trusts at once.
const maxKeys = 16

// PublicKey is a key that licences are checked with, in the form
// name+hash+key of golang.org/x/mod/sumdb/note.
type PublicKey string

// ID is the key without the key: its name and hash, as errors name it.
func (k PublicKey) ID() string {
	name, rest, _ := strings.Cut(string(k), "+")
	hash, _, _ := strings.Cut(rest, "+")
	return name + "+" + hash
}

// SigningKey signs licences. It is kept by whoever issues them, and never by a
// data plane.
type SigningKey struct {
	key secret.Secret
}

// NewKey makes a pair of keys. The name tells whose they are, such as
// "licences.example.com": 1 to 100 characters without spaces and plus signs. The
// signing key's text is for a file that only its owner reads.
func NewKey(name string) (text secret.Secret, public PublicKey, err error) {
	if !keyName(name) {
		return secret.Secret{}, "", fault.InvalidField("name", "must be 1 to 100 letters, digits, dots, dashes and slashes")
	}
	private, verifier, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		return secret.Secret{}, "", fmt.Errorf("make a key: %w", err)
	}
	return secret.FromString(private), PublicKey(verifier), nil
}

// ParseSigningKey reads the text of a signing key, spaces around it aside.
func ParseSigningKey(text string) (SigningKey, error) {
	k := SigningKey{key: secret.FromString(strings.TrimSpace(text))}
	if _, err := k.signer(); err != nil {
		return SigningKey{}, err
	}
	return k, nil
}

// ParsePublicKeys reads 1 to 16 keys, one a line; empty lines and lines that
// begin with # are left out.
func ParsePublicKeys(text string) ([]PublicKey, error) {
	var keys []PublicKey
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		keys = append(keys, PublicKey(line))
	}
	if len(keys) == 0 || len(keys) > maxKeys {
		return nil, fault.New(fault.Invalid, "there are %d public keys; 1 to %d are wanted, one a line", len(keys), maxKeys)
	}
	if _, err := verifiers(keys); err != nil {
		return nil, err
	}
	return keys, nil
}

func (k SigningKey) signer() (note.Signer, error) {
	s, err := note.NewSigner(k.key.RevealString())
	if err != nil || !keyName(s.Name()) {
		// The cause could quote the key.
		return nil, fault.New(fault.Invalid, "this is no signing key; gatehouse licence keygen makes one")
	}
	return s, nil
}

func verifiers(keys []PublicKey) (note.Verifiers, error) {
	var list []note.Verifier
	seen := map[PublicKey]bool{}
	for i, k := range keys {
		if seen[k] {
			continue
		}
		seen[k] = true
		v, err := note.NewVerifier(string(k))
		if err != nil || !keyName(v.Name()) {
			return nil, fault.New(fault.Invalid, "public key %d is none; want the line that gatehouse licence keygen wrote to the .pub file", i+1)
		}
		list = append(list, v)
	}
	return note.VerifierList(list...), nil
}

// keyName keeps names to what can be shown and typed anywhere.
func keyName(name string) bool {
	return name != "" && len(name) <= 100 && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._-/", r)
	})
}
