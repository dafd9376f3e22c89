package seal

import (
	"context"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// LocalName is the name of the local wrapper.
const LocalName = "local"

const (
	localKeyBytes     = 32
	localWrappedBytes = nonceBytes + DataKeyBytes + tagBytes
)

// Local wraps data keys with AES-256-GCM under a key from a file on this
// machine. It keeps the expanded key in memory for its life. A random nonce is
// safe for 2³² wraps under one key, far above what credentials are written.
type Local struct {
	aead       cipher.AEAD
	keyID      string
	checkValue []byte
}

var _ KeyWrapper = (*Local)(nil)

// newLocal takes over key and clears it.
func newLocal(key []byte) (*Local, error) {
	defer clear(key)
	aead, err := newGCM(key)
	if err != nil {
		return nil, fmt.Errorf("local key: %w", err)
	}
	id := sha256.New()
	id.Write([]byte("gatehouse key id"))
	id.Write(key)
	check := hmac.New(sha256.New, key)
	check.Write([]byte("gatehouse key check value"))
	return &Local{
		aead:       aead,
		keyID:      "local:" + hex.EncodeToString(id.Sum(nil))[:16],
		checkValue: check.Sum(nil),
	}, nil
}

// Wrap returns nonce, encrypted data key and tag: 60 bytes.
func (l *Local) Wrap(_ context.Context, dataKey []byte, binding Binding) ([]byte, error) {
	if len(dataKey) != DataKeyBytes {
		return nil, fmt.Errorf("data key has %d bytes, want %d", len(dataKey), DataKeyBytes)
	}
	wrapped := make([]byte, nonceBytes, localWrappedBytes)
	_, _ = rand.Read(wrapped)
	return l.aead.Seal(wrapped, wrapped, dataKey, binding.WrapData()), nil
}

// Unwrap reverses Wrap.
func (l *Local) Unwrap(_ context.Context, wrapped []byte, keyID string, binding Binding) ([]byte, error) {
	if keyID != l.keyID {
		return nil, fmt.Errorf("%w: the record needs another local key than %s", ErrKeyMismatch, l.keyID)
	}
	if len(wrapped) != localWrappedBytes {
		return nil, fmt.Errorf("%w: wrapped key has %d bytes, want %d", ErrDamaged, len(wrapped), localWrappedBytes)
	}
	dataKey, err := l.aead.Open(nil, wrapped[:nonceBytes], wrapped[nonceBytes:], binding.WrapData())
	if err != nil {
		return nil, fmt.Errorf("%w: wrapped key altered or moved from another row", ErrDamaged)
	}
	return dataKey, nil
}

// KeyID returns "local:" and 16 hexadecimal digits derived from the key.
func (l *Local) KeyID() string { return l.keyID }

// Name returns LocalName.
func (*Local) Name() string { return LocalName }

// CheckValue returns 32 bytes that depend on the key and say nothing about it.
// The database keeps them beside the key id, so that a service finds out at
// start, and not at the first credential, that its key file is another one.
func (l *Local) CheckValue() []byte { return append([]byte(nil), l.checkValue...) }

// Check compares the check value that the database keeps with this key's. The
// error is ErrKeyMismatch.
func (l *Local) Check(stored []byte) error {
	if !hmac.Equal(stored, l.checkValue) {
		return fmt.Errorf("%w: the database was set up with another local key than %s; "+
			"restore the key file that belongs to this database", ErrKeyMismatch, l.keyID)
	}
	return nil
}
