package keyring

import (
	"context"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// Key names a key-encryption key: the wrapper, such as "awskms", and the key
// inside it.
type Key struct {
	Wrapper string
	ID      string
}

// String returns both, as messages name a key.
func (k Key) String() string { return k.Wrapper + " key " + k.ID }

// Registered is a key that the data plane has been used with and that has not
// been retired.
type Registered struct {
	Key
	// CheckValue tells for a key from a file whether it is that key; nil for
	// others.
	CheckValue []byte
	Since      time.Time
}

// Ref names a credential.
type Ref struct {
	Workspace  id.Workspace
	Connection id.Connection
}

// Credential is a sealed credential and what it is sealed to.
type Credential struct {
	Scope      id.Scope
	Connection id.Connection
	Sealed     connection.Sealed
}

// Rewrapped is a credential whose data key has been wrapped anew.
type Rewrapped struct {
	Connection id.Connection
	// Was is the wrapped key that was read, Wrapped what replaces it.
	Was, Wrapped []byte
}

// ErrUnreadable is in the chain of a [Cipher]'s error when it is this one
// credential that does not open. Every other error concerns all of them.
var ErrUnreadable = connection.ErrUnreadable

// Cipher moves data keys from one key-encryption key to another.
type Cipher interface {
	// Rewrap returns the record with its data key under the current key. The
	// ciphertext stays as it is, and was opened once to see that it does. One
	// that does not open gives ErrUnreadable, a key service that cannot be
	// reached Unavailable.
	Rewrap(ctx context.Context, c Credential) (connection.Sealed, error)
}

// Store keeps the names of keys, and finds credentials across workspaces.
type Store interface {
	// Keys returns the registered keys, the oldest first.
	Keys(ctx context.Context) ([]Registered, error)
	// Register adds a key that credentials will be written under, with an event
	// in the first workspace. fit is called with the keys registered before,
	// while no other process can register one; its error is returned and nothing
	// is registered. A key registered before is left as it was; one that was
	// retired gives a Conflict.
	Register(ctx context.Context, key Key, checkValue []byte, fit func(before []Registered) error, e audit.Event) error
	// Retire removes a key for good, with an event in the first workspace. One that a
	// credential is under gives a Conflict, one not registered NotFound.
	Retire(ctx context.Context, key Key, e audit.Event) error
	// Count returns how many credentials are under each key.
	Count(ctx context.Context) (map[Key]int64, error)
	// NotUnder returns up to most credentials, in order of workspace and
	// connection and behind after, that are not under the key.
	NotUnder(ctx context.Context, key Key, after Ref, most int) ([]Ref, error)
	// Read returns those of a workspace's credentials that are still there and
	// not under the key.
	Read(ctx context.Context, w id.Workspace, connections []id.Connection, key Key) ([]Credential, error)
	// Move stores wrapped keys made under the key, each where the record is
	// still what was read, with an event that counts them. All of them commit
	// together. moved is how many were stored; an event is written unless none.
	Move(ctx context.Context, scope id.Scope, key Key, changes []Rewrapped, e audit.Event) (moved int, err error)
}

// Retire removes a key that no credential is under, so that nothing can be
// written under it again.
func Retire(ctx context.Context, s Store, key Key, by audit.Actor) error {
	if key.Wrapper == "" || key.ID == "" {
		return fault.InvalidField("key", "must be the wrapper and the id of a key, as gatehouse keys list shows them")
	}
	return s.Retire(ctx, key, audit.Event{
		Actor: by, Action: audit.EncryptionKeyRetired, Outcome: audit.Succeeded, TargetType: "encryption_key", TargetID: key.ID,
		Payload: map[string]any{"wrapper": key.Wrapper},
	})
}
