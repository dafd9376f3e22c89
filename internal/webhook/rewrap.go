package webhook

import (
	"context"
	"errors"
	"fmt"

	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// SecretRef names one secret of an endpoint.
type SecretRef struct {
	Scope   id.Scope
	Webhook id.Webhook
	Version int64
}

// SecretStore finds secrets across workspaces, and moves them from one
// key-encryption key to another.
type SecretStore interface {
	// NotUnder returns secrets that are not under the key, in one order and
	// behind after.
	NotUnder(ctx context.Context, wrapper, keyID string, after SecretRef, most int) ([]SecretRef, error)
	// Read returns a secret as it is sealed; ok is false when it has gone.
	Read(ctx context.Context, r SecretRef) (sealed connection.Sealed, ok bool, err error)
	// Move stores a secret whose data key was wrapped anew, with an event, if it is
	// still what was read.
	Move(ctx context.Context, r SecretRef, was []byte, now connection.Sealed) (moved bool, err error)
}

// Rewrapper moves the secrets of all endpoints under one key-encryption key. It
// may be ended at any moment and run again.
type Rewrapper struct {
	Store SecretStore
	// Wrapper and KeyID name the key that Rewrap wraps with.
	Wrapper, KeyID string
	// Rewrap returns the record with its data key under that key.
	// [connection.ErrUnreadable] when this one does not open.
	Rewrap func(ctx context.Context, r SecretRef, sealed connection.Sealed) (connection.Sealed, error)
}

// Rewrapped counts secrets.
type Rewrapped struct {
	Moved, Unreadable int64
}

// rewrapMost is how many secrets are looked for at once.
const rewrapMost = 200

// Run moves all secrets. One that does not open stays as it is and is counted.
func (r *Rewrapper) Run(ctx context.Context) (done Rewrapped, err error) {
	var after SecretRef
	for {
		refs, err := r.Store.NotUnder(ctx, r.Wrapper, r.KeyID, after, rewrapMost)
		if err != nil || len(refs) == 0 {
			return done, err
		}
		for _, ref := range refs {
			moved, err := r.one(ctx, ref)
			switch {
			case errors.Is(err, connection.ErrUnreadable):
				done.Unreadable++
			case err != nil:
				return done, fmt.Errorf("secret %d of %s: %w", ref.Version, ref.Webhook, err)
			case moved:
				done.Moved++
			}
		}
		after = refs[len(refs)-1]
	}
}

func (r *Rewrapper) one(ctx context.Context, ref SecretRef) (bool, error) {
	sealed, ok, err := r.Store.Read(ctx, ref)
	if err != nil || !ok {
		return false, err
	}
	now, err := r.Rewrap(ctx, ref, sealed)
	if err != nil {
		return false, err
	}
	return r.Store.Move(ctx, ref, sealed.WrappedKey, now)
}
