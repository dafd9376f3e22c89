package connection

import (
	"context"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
)

// Filter narrows a listing; zero fields do not narrow.
type Filter struct {
	Integration integration.ID
	// After continues a listing: only connections with a greater id.
	After id.Connection
	// Limit is the most connections to return, 1 or more.
	Limit int
}

// Reader finds connections. Deleted ones are not found.
type Reader interface {
	// Get returns a connection of the workspace, or NotFound.
	Get(ctx context.Context, scope id.Scope, c id.Connection) (Connection, error)
	// GetDefault returns the default connection of a target, or NotFound.
	GetDefault(ctx context.Context, scope id.Scope, t id.Target) (Connection, error)
}

// Store keeps connections and their credentials. Every change commits together
// with its audit event.
type Store interface {
	Reader
	// NextID draws the id of a connection about to be created.
	NextID(ctx context.Context) (id.Connection, error)
	List(ctx context.Context, scope id.Scope, f Filter) ([]Connection, error)
	// Create stores a connection and, unless sealed is nil, its credential. A
	// name that is taken gives a Conflict.
	Create(ctx context.Context, c Connection, sealed *Sealed, e audit.Event) (Connection, error)
	// Update stores a change if the connection still has version Was; otherwise
	// [Stale]. A name that is taken gives a Conflict.
	Update(ctx context.Context, u Change, e audit.Event) (Connection, error)
	// Delete removes a connection and its credential. Its runs and events stay.
	Delete(ctx context.Context, scope id.Scope, c id.Connection, e audit.Event) error
	// Credential returns the sealed credential; ok is false when there is none.
	Credential(ctx context.Context, scope id.Scope, c id.Connection) (sealed Sealed, ok bool, err error)
	// ListTests returns the newest results of a connection's tests first.
	ListTests(ctx context.Context, scope id.Scope, c id.Connection, before id.Test, limit int) ([]TestResult, error)
	// TestOfRun returns the result that a run found, or NotFound.
	TestOfRun(ctx context.Context, scope id.Scope, r id.Run) (TestResult, error)
	// Disclose notes that the configuration goes to the holder of a run's lease
	// and returns what to open. It commits before it returns. A claim that is no
	// longer current is Stale; a second disclosure for one epoch a Conflict.
	Disclose(ctx context.Context, claim Claim, e audit.Event) (Connection, *Sealed, error)
}

// Change is an edited connection about to be stored.
type Change struct {
	Connection Connection
	// Was is the version that the edit was made to.
	Was int64
	// Sealed replaces the credential; nil removes it.
	Sealed *Sealed
	// Default makes the connection the default of its target, in place of the
	// one that was, or ends that. Nil leaves it as it is.
	Default *bool
}

// Stale is the error of an edit made to an older version than the given one.
func Stale(version int64) error {
	return fault.New(fault.Stale, "the connection has changed since you read it (it is at version %d now); read it again and repeat your change", version)
}

// Claim proves that a worker holds a run.
type Claim struct {
	// Scope says where the run is; the tenant may be left out.
	Scope     id.Scope
	Run       id.Run
	Epoch     int64
	TokenHash [32]byte
}
