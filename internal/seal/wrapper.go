package seal

import (
	"context"
)

// DataKeyBytes is the length of a data key: AES-256.
const DataKeyBytes = 32

// Limits of what a wrapper may return and a record may hold.
const (
	maxWrapperNameBytes = 64
	maxKeyIDBytes       = 2048
	maxWrappedKeyBytes  = 8192
)

// KeyWrapper encrypts data keys under a key-encryption key that it never gives
// out. Implementations are safe for concurrent use.
//
// Their errors carry no key material and no text taken from the wrapped key.
// [ErrKeyMismatch] in the chain of an error means that the wrapper works but
// holds another key, [ErrDamaged] that the wrapped key is not what was once
// wrapped for this binding; every other error may be one of reaching a service
// and worth another try.
type KeyWrapper interface {
	// Wrap encrypts dataKey, which has DataKeyBytes bytes, under the key that
	// KeyID names, bound to binding as far as the service can. The result has
	// 1 to 8192 bytes. Wrap neither changes nor keeps dataKey: the caller
	// clears it, so Wrap returns only when nothing uses it any more.
	Wrap(ctx context.Context, dataKey []byte, binding Binding) ([]byte, error)

	// Unwrap decrypts what Wrap returned for the same binding, when KeyID was
	// keyID. The result has DataKeyBytes bytes, belongs to the caller, who
	// clears it, and shares no memory with wrapped. Unwrap takes any input
	// without panicking, and checks lengths itself before it passes wrapped to
	// a library that does not. On error the result is nil.
	Unwrap(ctx context.Context, wrapped []byte, keyID string, binding Binding) ([]byte, error)

	// KeyID names the key that Wrap uses now, stored beside each wrapped key.
	// 1 to 2048 bytes, no secret, and constant for the wrapper's life.
	KeyID() string

	// Name tells wrappers of one Opener apart and is stored beside each wrapped
	// key: a word such as "local", 1 to 64 bytes, constant.
	Name() string
}
