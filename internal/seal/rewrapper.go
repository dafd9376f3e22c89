package seal

import (
	"bytes"
	"context"
	"fmt"
)

// Rewrapper moves records to another key-encryption key, of the same wrapper or
// another. It is safe for concurrent use.
type Rewrapper struct {
	from *Opener
	to   *Sealer
}

// NewRewrapper returns a Rewrapper that reads by from and wraps by to.
func NewRewrapper(from *Opener, to *Sealer) *Rewrapper { return &Rewrapper{from: from, to: to} }

// Rewrap returns sealed with its data key wrapped anew: Wrapper, KeyID and
// WrappedKey change, all else is the same and shares memory with the argument.
// Before it answers it has opened the record by the old and the new wrapping,
// so that storing the result cannot lose a readable credential. A caller that
// stores it compares the old WrappedKey in the same statement.
//
// Errors: as Opener.Open, or what the new wrapper returned.
func (r *Rewrapper) Rewrap(ctx context.Context, binding Binding, sealed Sealed) (Sealed, error) {
	dataKey, err := r.from.unwrap(ctx, binding, sealed)
	if err != nil {
		return Sealed{}, fmt.Errorf("rewrap: %w", err)
	}
	defer clear(dataKey)
	plaintext, err := decrypt(dataKey, binding, sealed)
	if err != nil {
		return Sealed{}, fmt.Errorf("rewrap: %w", err)
	}
	clear(plaintext)

	rewrapped, err := r.to.wrap(ctx, binding, dataKey, sealed)
	if err != nil {
		return Sealed{}, fmt.Errorf("rewrap: %w", err)
	}
	readBack, err := r.to.wrapper.Unwrap(ctx, rewrapped.WrappedKey, rewrapped.KeyID, binding)
	defer clear(readBack)
	if err != nil {
		return Sealed{}, fmt.Errorf("rewrap: read the new wrapping back: %w", err)
	}
	if !bytes.Equal(readBack, dataKey) {
		return Sealed{}, fmt.Errorf("rewrap: wrapper %s gave another data key back than it was given", rewrapped.Wrapper)
	}
	return rewrapped, nil
}
