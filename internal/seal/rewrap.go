package seal

import (
	"context"
	"fmt"
)

// Rewrap returns sealed with its data key wrapped by to instead of by the key
// that the record names. Ciphertext, nonce and binding stay as they are. The
// credential is decrypted once, to make sure that what is wrapped anew is the
// key that opens it, and is cleared at once.
//
// It costs one call of each key service. Errors are those of Open and Seal.
func (o *Opener) Rewrap(ctx context.Context, binding Binding, sealed Sealed, to KeyWrapper) (Sealed, error) {
	dataKey, err := o.unwrap(ctx, binding, sealed)
	if err != nil {
		return Sealed{}, fmt.Errorf("rewrap: %w", err)
	}
	defer clear(dataKey)
	plaintext, err := decrypt(dataKey, binding, sealed)
	if err != nil {
		return Sealed{}, fmt.Errorf("rewrap: %w", err)
	}
	clear(plaintext)
	rewrapped, err := NewSealer(to).wrap(ctx, binding, dataKey, sealed)
	if err != nil {
		return Sealed{}, fmt.Errorf("rewrap: %w", err)
	}
	return rewrapped, nil
}
