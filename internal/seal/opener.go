package seal

import (
	"context"
	"fmt"
)

// Opener decrypts credentials, each with the key that its record names. It is
// safe for concurrent use.
type Opener struct {
	wrappers map[Key]KeyWrapper
}

// Key names a key-encryption key: the wrapper, and the key inside it.
type Key struct {
	// Wrapper is the name of the KeyWrapper, such as "local".
	Wrapper string
	// ID is what the wrapper calls the key.
	ID string
}

// KeyOf returns the key that a wrapper wraps with.
func KeyOf(w KeyWrapper) Key { return Key{Wrapper: w.Name(), ID: w.KeyID()} }

// NewOpener returns an Opener that reads records of all the given keys. None
// may be given twice.
func NewOpener(wrappers ...KeyWrapper) (*Opener, error) {
	byKey := make(map[Key]KeyWrapper, len(wrappers))
	for _, wrapper := range wrappers {
		key := KeyOf(wrapper)
		if _, exists := byKey[key]; exists {
			return nil, fmt.Errorf("the %s key %s is given twice", key.Wrapper, key.ID)
		}
		byKey[key] = wrapper
	}
	return &Opener{wrappers: byKey}, nil
}

// Opens reports whether records of a key can be opened.
func (o *Opener) Opens(key Key) bool {
	_, exists := o.wrappers[key]
	return exists
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
	wrapper, err := o.find(Key{Wrapper: sealed.Wrapper, ID: sealed.KeyID})
	if err != nil {
		return nil, err
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

// find returns the wrapper of a key.
func (o *Opener) find(key Key) (KeyWrapper, error) {
	if wrapper, exists := o.wrappers[key]; exists {
		return wrapper, nil
	}
	for known := range o.wrappers {
		if known.Wrapper == key.Wrapper {
			return nil, fmt.Errorf("%w: the record needs the %s key %q, which is not configured", ErrKeyMismatch, key.Wrapper, key.ID)
		}
	}
	return nil, fmt.Errorf("%w: the record was sealed with %q, which is not configured", ErrUnknownWrapper, key.Wrapper)
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
