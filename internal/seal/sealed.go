package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"fmt"
)

// AlgorithmAES256GCM is the one algorithm of this version: AES-256 in Galois
// counter mode with a 12-byte nonce and a 16-byte tag at the ciphertext's end.
const AlgorithmAES256GCM = "AES-256-GCM"

// MaxPlaintextBytes bounds what is sealed: 1 MiB, far above any configuration.
const MaxPlaintextBytes = 1 << 20

const (
	nonceBytes            = 12
	tagBytes              = 16
	maxSchemaVersionBytes = 64
)

// Sealed is one encrypted credential as the database stores it, a column per
// field. Nothing in it is secret, and every field is authenticated or decides
// which key is tried: a change of any of them makes it fail to open.
type Sealed struct {
	// Algorithm is AlgorithmAES256GCM.
	Algorithm string
	// Wrapper is the name of the KeyWrapper that made WrappedKey.
	Wrapper string
	// KeyID names the key-encryption key inside that wrapper.
	KeyID string
	// WrappedKey is the data key as the wrapper encrypted it.
	WrappedKey []byte
	// Nonce has 12 bytes.
	Nonce []byte
	// Ciphertext has the plaintext's length and 16 bytes more.
	Ciphertext []byte
	// SchemaVersion is the version of the configuration schema that the
	// plaintext follows, such as "1". 1 to 64 bytes.
	SchemaVersion string
}

// validate checks every length before anything is computed from the fields.
func (s Sealed) validate() error {
	if s.Algorithm != AlgorithmAES256GCM {
		return fmt.Errorf("%w: unknown algorithm", ErrDamaged)
	}
	for _, field := range []struct {
		name               string
		have, least, limit int
	}{
		{"wrapper name", len(s.Wrapper), 1, maxWrapperNameBytes},
		{"key id", len(s.KeyID), 1, maxKeyIDBytes},
		{"wrapped key", len(s.WrappedKey), 1, maxWrappedKeyBytes},
		{"nonce", len(s.Nonce), nonceBytes, nonceBytes},
		{"schema version", len(s.SchemaVersion), 1, maxSchemaVersionBytes},
		{"ciphertext", len(s.Ciphertext), tagBytes, MaxPlaintextBytes + tagBytes},
	} {
		if field.have < field.least || field.have > field.limit {
			return fmt.Errorf("%w: %s has %d bytes, want %d to %d", ErrDamaged, field.name, field.have, field.least, field.limit)
		}
	}
	return nil
}

// newGCM returns AES-256-GCM under a key of exactly DataKeyBytes.
func newGCM(key []byte) (cipher.AEAD, error) {
	if len(key) != DataKeyBytes {
		return nil, fmt.Errorf("key has %d bytes, want %d", len(key), DataKeyBytes)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("make cipher: %w", err)
	}
	return cipher.NewGCM(block)
}
