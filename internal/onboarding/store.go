package onboarding

import (
	"context"
	"fmt"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// Filter narrows a listing; zero fields do not narrow.
type Filter struct {
	Status      Status
	Integration integration.ID
	// StartedBy is who began the session.
	StartedBy id.Member
	// Before continues a listing: only sessions older than this id.
	Before id.Onboarding
	// Limit is the most sessions to return, 1 or more.
	Limit int
}

// Ref names a session and its workspace.
type Ref struct {
	Scope   id.Scope
	Session id.Onboarding
}

// Store keeps sessions. Every change commits together with its audit events.
type Store interface {
	// Get returns a session of the workspace, or NotFound.
	Get(ctx context.Context, scope id.Scope, s id.Onboarding) (Session, error)
	// List returns the newest sessions first.
	List(ctx context.Context, scope id.Scope, f Filter) ([]Session, error)
	// Create stores a new session; its event gets the session's id.
	Create(ctx context.Context, s Session, by id.Member, e audit.Event) (Session, error)
	// Change locks a session, calls fn with it, and stores what fn made of it if
	// its version has changed. An error of fn is returned, and nothing is stored. fn
	// may be called once at most and must not use the store. With a version, the
	// error is [Stale] unless the session has that one.
	Change(ctx context.Context, ref Ref, ifVersion *int64, fn func(s *Session) ([]audit.Event, error)) (Session, error)
	// Following returns the sessions that go on when a run has ended.
	Following(ctx context.Context, r run.Ref) ([]Ref, error)
	// Overdue returns sessions, at most that many of each kind and in no order: those
	// that could go on, and those that nobody has touched for [Lifetime].
	Overdue(ctx context.Context, most int) (advance, expire []Ref, err error)
}

// StaleError is the error of a change to an older version than the given one.
type StaleError struct {
	Version int64
}

func (e *StaleError) Error() string { return fmt.Sprintf("the session is at version %d", e.Version) }

// Stale returns the error of a change that was made to another version than the
// present one.
func Stale(version int64) error {
	return fault.Wrap(fault.Stale, &StaleError{Version: version},
		"the session has changed since it was read and is at version %d; read it again and repeat what you want", version)
}

// Gate starts operations on behalf of sessions.
type Gate interface {
	// StartOnboarding asks the gate. The session notes the answer in the
	// transaction of the decision; [run.ErrNotNext] means that it did not want it,
	// and nothing was started.
	StartOnboarding(ctx context.Context, s run.OnboardingStart) (run.StartResult, error)
}
