package seal

import (
	"context"
	"fmt"
)

// Opener decrypts credentials, each with the wrapper that its record names. It
// is safe for concurrent use.
type Opener struct {
	wrappers map[string]KeyWrapper
}

// NewOpener returns an Opener that reads records of all the given wrappers. No
// two of them may share a name.
func NewOpener(wrappers ...KeyWrapper) (*Opener, error) {
	byName := make(map[string]KeyWrapper, len(wrappers))
	for _, wrapper := range wrappers {
		if _, exists := byName[wrapper.Name()]; exists {
			return nil, fmt.Errorf("two key wrappers are named %q", wrapper.Name())
		}
		byName[wrapper.Name()] = wrapper
	}
	return &Opener{wrappers: byName}, nil
}

// Open decrypts sealed, which must have been sealed for the same binding. The
// result belongs to the caller, who clears it after use. It takes any input
// without panicking.
//
// Errors: ErrBinding, ErrDamaged, ErrUnknownWrapper, ErrKeyMismatch, or what
// the wrapper returned.
func (o *Opener) Open(ctx context.Context, binding Binding, sealed Sealed) ([]byte, error) {
	dataKey, err := o.unwrap(ctx, binding, sealed)
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	defer clear(dataKey)
	plaintext, err := decrypt(dataKey, binding, sealed)
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	return plaintext, nil
}

// unwrap returns the record's data key, which the caller clears.
func (o *Opener) unwrap(ctx context.Context, binding Binding, sealed Sealed) ([]byte, error) {
	if err := binding.validate(); err != nil {
		return nil, err
	}
	if err := sealed.validate(); err != nil {
		return nil, err
	}
	wrapper, exists := o.wrappers[sealed.Wrapper]
	if !exists {
		return nil, fmt.Errorf("%w: the record was sealed with %q, which is not configured", ErrUnknownWrapper, sealed.Wrapper)
	}
	dataKey, err := wrapper.Unwrap(ctx, sealed.WrappedKey, sealed.KeyID, binding)
	if err != nil {
		clear(dataKey)
		return nil, fmt.Errorf("unwrap data key with %s: %w", wrapper.Name(), err)
	}
	if len(dataKey) != DataKeyBytes {
		defer clear(dataKey)
		return nil, fmt.Errorf("%w: unwrapped data key has %d bytes, want %d", ErrDamaged, len(dataKey), DataKeyBytes)
	}
	return dataKey, nil
}

// decrypt opens the ciphertext of a record whose lengths were checked.
func decrypt(dataKey []byte, binding Binding, sealed Sealed) ([]byte, error) {
	aead, err := newGCM(dataKey)
	if err != nil {
		return nil, err
	}
	associated := binding.associatedData(sealed.Algorithm, sealed.SchemaVersion)
	plaintext, err := aead.Open(nil, sealed.Nonce, sealed.Ciphertext, associated)
	if err != nil {
		// GCM says no more than that authentication failed.
		return nil, fmt.Errorf("%w: altered or moved from another row", ErrDamaged)
	}
	return plaintext, nil
}
