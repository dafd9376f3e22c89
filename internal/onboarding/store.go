package onboarding

import (
	"context"
	"fmt"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/idempotency"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/operation"
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

// Terms are what a change depends on; the zero value on nothing.
type Terms struct {
	// IfVersion is the version that the session has to have; with another one, the
	// error is [Stale].
	IfVersion *int64
	// Once is set when the caller may send the same request again; the error of the
	// second is [run.ErrAnswered].
	Once *idempotency.Request
}

// Store keeps sessions. Every change commits together with its audit events.
type Store interface {
	// Get returns a session of the workspace, or NotFound.
	Get(ctx context.Context, scope id.Scope, s id.Onboarding) (Session, error)
	// List returns the newest sessions first.
	List(ctx context.Context, scope id.Scope, f Filter) ([]Session, error)
	// Create stores a new session; its event gets the session's id. [run.ErrAnswered]
	// means that the same request has made one before.
	Create(ctx context.Context, s Session, by id.Member, once *idempotency.Request, e audit.Event) (Session, error)
	// Answered returns the session that the same request was answered with before, as
	// it is now; ok is false when there was none. If it was another request, the
	// error is Invalid; a Conflict when the session is no longer kept.
	Answered(ctx context.Context, scope id.Scope, once idempotency.Request) (s Session, ok bool, err error)
	// Change locks a session, calls fn with it, and stores what fn made of it if
	// its version has changed. An error of fn is returned, and nothing is stored. fn
	// may be called once at most and must not use the store.
	Change(ctx context.Context, ref Ref, on Terms, fn func(s *Session) ([]audit.Event, error)) (Session, error)
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
	// AnsweredStart is how the same start was answered before; ok is false when it was not.
	AnsweredStart(ctx context.Context, scope id.Scope, op operation.Operation, once idempotency.Request) (result run.StartResult, ok bool, err error)
}
