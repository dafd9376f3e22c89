package seal

import (
	"context"
	"crypto/rand"
	"fmt"
)

// Sealer encrypts credentials. It is safe for concurrent use.
type Sealer struct {
	wrapper KeyWrapper
}

// NewSealer returns a Sealer that has its data keys wrapped by wrapper.
func NewSealer(wrapper KeyWrapper) *Sealer { return &Sealer{wrapper: wrapper} }

// Seal encrypts plaintext, which may be empty and has at most
// MaxPlaintextBytes, under a new data key. schemaVersion, of 1 to 64 bytes, is
// the version of the configuration schema that plaintext follows. Seal neither changes nor keeps
// plaintext, and the result shares no memory with it.
//
// Errors: ErrBinding, ErrTooLong, or what the wrapper returned.
func (s *Sealer) Seal(ctx context.Context, binding Binding, schemaVersion string, plaintext []byte) (Sealed, error) {
	if err := binding.validate(); err != nil {
		return Sealed{}, fmt.Errorf("seal: %w", err)
	}
	if schemaVersion == "" || len(schemaVersion) > maxSchemaVersionBytes {
		return Sealed{}, fmt.Errorf("seal: %w: schema version has %d bytes, want 1 to %d", ErrBinding, len(schemaVersion), maxSchemaVersionBytes)
	}
	if len(plaintext) > MaxPlaintextBytes {
		return Sealed{}, fmt.Errorf("seal: %w: %d bytes, limit %d", ErrTooLong, len(plaintext), MaxPlaintextBytes)
	}
	dataKey := make([]byte, DataKeyBytes)
	defer clear(dataKey)
	nonce := make([]byte, nonceBytes)
	// crypto/rand.Read always fills its argument and returns no error.
	_, _ = rand.Read(dataKey)
	_, _ = rand.Read(nonce)

	aead, err := newGCM(dataKey)
	if err != nil {
		return Sealed{}, fmt.Errorf("seal: %w", err)
	}
	sealed := Sealed{
		Algorithm:     AlgorithmAES256GCM,
		Nonce:         nonce,
		Ciphertext:    aead.Seal(nil, nonce, plaintext, binding.associatedData(AlgorithmAES256GCM, schemaVersion)),
		SchemaVersion: schemaVersion,
	}
	sealed, err = s.wrap(ctx, binding, dataKey, sealed)
	if err != nil {
		return Sealed{}, fmt.Errorf("seal: %w", err)
	}
	return sealed, nil
}

// wrap fills in the three columns that say how the data key is kept.
func (s *Sealer) wrap(ctx context.Context, binding Binding, dataKey []byte, sealed Sealed) (Sealed, error) {
	wrapped, err := s.wrapper.Wrap(ctx, dataKey, binding)
	if err != nil {
		return Sealed{}, fmt.Errorf("wrap data key with %s: %w", s.wrapper.Name(), err)
	}
	sealed.Wrapper, sealed.KeyID, sealed.WrappedKey = s.wrapper.Name(), s.wrapper.KeyID(), wrapped
	// A record that could not be opened again must never be stored.
	if err := sealed.validate(); err != nil {
		return Sealed{}, fmt.Errorf("wrapper %s broke its contract: %w", s.wrapper.Name(), err)
	}
	return sealed, nil
}
