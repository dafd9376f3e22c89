package connection

import (
	"context"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/idempotency"
	"github.com/gatehouse-project/gatehouse/internal/integration"
)

// Filter narrows a listing; zero fields do not narrow.
type Filter struct {
	Integration integration.ID
	Target      id.Target
	Status      Status
	Lifecycle   Lifecycle
	// NamePrefix is how names begin, in upper and lower case as given.
	NamePrefix string
	// PausedOnly leaves out connections whose schedule is not paused.
	PausedOnly bool
	// DefaultsOnly leaves out connections that are no default of their target.
	DefaultsOnly bool
	// After continues a listing: only connections with a greater id.
	After id.Connection
	// Limit is the most connections to return, 1 or more.
	Limit int
}

// Page is a page of a listing.
type Page struct {
	Connections []Connection
	// Total counts what the filter lets through on all pages.
	Total int64
}

// Reader finds connections. Deleted ones are not found.
type Reader interface {
	// Get returns a connection of the workspace, or NotFound.
	Get(ctx context.Context, scope id.Scope, c id.Connection) (Connection, error)
	// Defaults returns the default connections of a target, at most one for each
	// integration, in order of id; none of a target that there is not.
	Defaults(ctx context.Context, scope id.Scope, t id.Target) ([]Connection, error)
}

// TargetReader finds targets.
type TargetReader interface {
	// GetTarget returns a target of the workspace, or NotFound.
	GetTarget(ctx context.Context, scope id.Scope, t id.Target) (Target, error)
	// ListTargets returns a page of targets in order of id.
	ListTargets(ctx context.Context, scope id.Scope, f TargetFilter) (TargetPage, error)
}

// Store keeps connections and their credentials. Every change commits together
// with its audit event.
type Store interface {
	Reader
	TargetReader
	// NextID draws the id of a connection about to be created.
	NextID(ctx context.Context) (id.Connection, error)
	// List returns a page of connections in order of id.
	List(ctx context.Context, scope id.Scope, f Filter) (Page, error)
	// Made returns what an earlier request with the same key has made; ok is false
	// when there was none. If it was another request, the error is Invalid.
	Made(ctx context.Context, scope id.Scope, once idempotency.Request) (made id.Connection, ok bool, err error)
	// Create stores a connection and, unless sealed is nil, its credential, and
	// returns its id. A name that is taken gives a Conflict. If a request with the
	// same key has made a connection meanwhile, nothing is stored, and the id is
	// that connection's.
	Create(ctx context.Context, n Creation, e audit.Event) (id.Connection, error)
	// Update stores a change if the connection still has version Was; otherwise
	// [Stale]. A name that is taken gives a Conflict. Another schedule or
	// configuration ends the pause that failures have begun, and forgets them. The
	// error has [ErrRenewedMeanwhile] in its chain if another configuration is to be
	// stored and the credential was replaced since the connection was read.
	Update(ctx context.Context, u Change, e audit.Event) (Connection, error)
	// ResumeSchedule ends the pause of a schedule and forgets its failures. It
	// records e unless the schedule was not paused, which is no error.
	ResumeSchedule(ctx context.Context, scope id.Scope, c id.Connection, e audit.Event) (Connection, error)
	// PauseSchedule keeps a schedule from starting the connection until it is
	// resumed. It records e unless the schedule was paused already, whose reason
	// then stays.
	PauseSchedule(ctx context.Context, scope id.Scope, c id.Connection, e audit.Event) (Connection, error)
	// Delete removes a connection and its credential. Its runs and events stay.
	// With a version, it is [Stale] unless the connection has that one.
	Delete(ctx context.Context, scope id.Scope, c id.Connection, ifVersion *int64, e audit.Event) error
	// Credential returns the sealed credential; ok is false when there is none.
	Credential(ctx context.Context, scope id.Scope, c id.Connection) (sealed Sealed, ok bool, err error)
	// ListTests returns the newest results of a connection's tests first, of a
	// deleted connection too; NotFound when there never was one.
	ListTests(ctx context.Context, scope id.Scope, c id.Connection, before id.Test, limit int) ([]TestResult, error)
	// TestOfRun returns the result that a run found, or NotFound.
	TestOfRun(ctx context.Context, scope id.Scope, r id.Run) (TestResult, error)
	// Disclose notes that the configuration goes to the holder of a run's lease
	// and returns what to open. It commits before it returns. A claim that is no
	// longer current is Stale; a second disclosure for one epoch a Conflict; a
	// connection that has been deleted is NotFound, and one that may not be used
	// for the run any more is Invalid.
	Disclose(ctx context.Context, claim Claim, e audit.Event) (Connection, *Sealed, error)
}

// Creation is a connection about to be stored.
type Creation struct {
	// Connection becomes the default of its target, in place of the one that was,
	// if it says that it is.
	Connection Connection
	Sealed     *Sealed
	Once       *idempotency.Request
}

// Change is an edited connection about to be stored.
type Change struct {
	Connection Connection
	// Was is the version that the edit was made to.
	Was int64
	// Reconfigured says that the configuration is another one. Sealed then
	// replaces the credential; nil removes it.
	Reconfigured bool
	Sealed       *Sealed
	// Anew says that a secret which the provider replaces was given by hand: what is
	// exchanged at the moment for the one before is not stored.
	Anew bool
	// Default makes the connection the default of its target, in place of the
	// one that was, or ends that. Nil leaves it as it is.
	Default *bool
}

// Claim proves that a worker holds a run.
type Claim struct {
	// Scope says where the run is; the tenant may be left out.
	Scope     id.Scope
	Run       id.Run
	Epoch     int64
	TokenHash [32]byte
}
