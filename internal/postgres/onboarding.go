package postgres

import (
	"context"
	"fmt"
	"reflect"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/idempotency"
	"github.com/gatehouse-project/gatehouse/internal/onboarding"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// Onboarding keeps onboarding sessions. It implements onboarding.Store.
type Onboarding struct {
	db     *DB
	tenant id.Tenant
}

// NewOnboarding makes the store of a data plane's onboarding sessions.
func NewOnboarding(db *DB, tenant id.Tenant) *Onboarding { return &Onboarding{db: db, tenant: tenant} }

func (s *Onboarding) scope(w id.Workspace) id.Scope { return id.Scope{Tenant: s.tenant, Workspace: w} }

// Get returns a session of the workspace, or NotFound.
func (s *Onboarding) Get(ctx context.Context, scope id.Scope, o id.Onboarding) (found onboarding.Session, err error) {
	err = s.db.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		found, err = getOnboarding(ctx, tx, scope, o)
		return err
	})
	return found, err
}

// List returns the newest sessions first.
func (s *Onboarding) List(ctx context.Context, scope id.Scope, f onboarding.Filter) (found []onboarding.Session, err error) {
	err = s.db.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		found, err = findOnboarding(ctx, tx, scope, dbsqlc.FindOnboardingParams{
			WorkspaceID: int64(scope.Workspace), Status: string(f.Status), IntegrationID: string(f.Integration), StartedBy: int64(f.StartedBy),
			Before: int64(f.Before), Most: int32(f.Limit),
		})
		return err
	})
	return found, err
}

// Create stores a new session.
func (s *Onboarding) Create(ctx context.Context, n onboarding.Session, by id.Member, once *idempotency.Request, e audit.Event) (made onboarding.Session, err error) {
	err = s.db.InWorkspace(ctx, n.Scope.Workspace, func(tx pgx.Tx) error {
		q := dbsqlc.New(tx)
		o, err := q.InsertOnboarding(ctx, dbsqlc.InsertOnboardingParams{
			WorkspaceID: int64(n.Scope.Workspace), IntegrationID: string(n.Integration), StartedBy: int64(by),
		})
		if err != nil {
			return fmt.Errorf("insert onboarding session: %w", err)
		}
		if err := takeStep(ctx, q, n.Scope, o, onboarding.IntegrationStep, by); err != nil {
			return err
		}
		if err := noteSession(ctx, tx, n.Scope, once, id.Onboarding(o)); err != nil {
			return err
		}
		e.TargetID = id.Onboarding(o).String()
		if err := record(ctx, tx, n.Scope, e); err != nil {
			return err
		}
		made, err = getOnboarding(ctx, tx, n.Scope, id.Onboarding(o))
		return err
	})
	return made, err
}

// Change locks a session and stores what fn made of it.
func (s *Onboarding) Change(ctx context.Context, ref onboarding.Ref, on onboarding.Terms, fn func(*onboarding.Session) ([]audit.Event, error)) (stored onboarding.Session, err error) {
	err = s.db.InWorkspace(ctx, ref.Scope.Workspace, func(tx pgx.Tx) error {
		// Before the session is locked, so that the same request at the same time is
		// told apart from another one, which would find the session changed.
		if err := noteSession(ctx, tx, ref.Scope, on.Once, ref.Session); err != nil {
			return err
		}
		stored, err = changeOnboarding(ctx, tx, ref.Scope, ref.Session, func(o *onboarding.Session) ([]audit.Event, error) {
			if on.IfVersion != nil && *on.IfVersion != o.Version {
				return nil, onboarding.Stale(o.Version)
			}
			return fn(o)
		})
		return err
	})
	return stored, err
}

// Answered returns the session that the same request was answered with before.
func (s *Onboarding) Answered(ctx context.Context, scope id.Scope, once idempotency.Request) (found onboarding.Session, ok bool, err error) {
	text, ok, err := findRequest(ctx, s.db.read(scope.Workspace), scope.Workspace, once)
	if err != nil || !ok {
		return onboarding.Session{}, false, err
	}
	var o id.Onboarding
	if err := o.UnmarshalText([]byte(text)); err != nil {
		return onboarding.Session{}, false, fmt.Errorf("read an earlier answer: %w", err)
	}
	found, err = s.Get(ctx, scope, o)
	if fault.KindOf(err) == fault.NotFound {
		err = fault.New(fault.Conflict, "the same request was answered with %s before, which is no longer kept; send a new %s", o, idempotency.Header)
	}
	return found, err == nil, err
}

// noteSession notes that a request is answered with a session, in the transaction
// that does what it asks, which comes to nothing if the same request did it at the
// same time.
func noteSession(ctx context.Context, tx pgx.Tx, scope id.Scope, once *idempotency.Request, o id.Onboarding) error {
	if once == nil {
		return nil
	}
	_, found, err := claimRequest(ctx, tx, scope.Workspace, *once, o.String())
	if err == nil && found {
		err = run.ErrAnswered
	}
	return err
}

// changeOnboarding locks a session for the rest of the transaction and stores
// what fn made of it, if that is another version.
func changeOnboarding(ctx context.Context, tx pgx.Tx, scope id.Scope, o id.Onboarding, fn func(*onboarding.Session) ([]audit.Event, error)) (onboarding.Session, error) {
	q := dbsqlc.New(tx)
	_, err := q.LockOnboarding(ctx, dbsqlc.LockOnboardingParams{WorkspaceID: int64(scope.Workspace), SessionID: int64(o)})
	if err != nil {
		return onboarding.Session{}, noOnboarding(err, o)
	}
	was, err := getOnboarding(ctx, tx, scope, o)
	if err != nil {
		return onboarding.Session{}, err
	}
	now := was.Clone()
	events, err := fn(&now)
	if err != nil || now.Version == was.Version {
		return now, err
	}
	if err := saveOnboarding(ctx, q, was, now); err != nil {
		return onboarding.Session{}, fmt.Errorf("store %s: %w", o, err)
	}
	for _, e := range events {
		if err := record(ctx, tx, scope, e); err != nil {
			return onboarding.Session{}, err
		}
	}
	return getOnboarding(ctx, tx, scope, o)
}

func saveOnboarding(ctx context.Context, q *dbsqlc.Queries, was, now onboarding.Session) error {
	w, o := int64(now.Scope.Workspace), int64(now.ID)
	verification := dbsqlc.UpdateOnboardingParams{
		WorkspaceID: w, SessionID: o, ConnectionID: numberOrNull(now.Connection), Status: string(now.Status), Surface: now.Surface,
		ReasonCode: orNull(string(now.Reason)), Version: now.Version,
	}
	if now.Verification != nil {
		verification.VerifyRunID = numberOrNull(now.Verification.Run)
	}
	if err := q.UpdateOnboarding(ctx, verification); err != nil {
		return err
	}
	kept := []string{}
	for step, taken := range now.Taken {
		kept = append(kept, string(step))
		if taken.At.IsZero() {
			if err := takeStep(ctx, q, now.Scope, o, step, taken.By); err != nil {
				return err
			}
		}
	}
	if len(was.Taken) > len(now.Taken) {
		if err := q.DeleteOnboardingSteps(ctx, dbsqlc.DeleteOnboardingStepsParams{WorkspaceID: w, SessionID: o, Steps: kept}); err != nil {
			return err
		}
	}
	if len(was.Operations) > len(now.Operations) {
		err := q.DeleteOnboardingOperations(ctx, dbsqlc.DeleteOnboardingOperationsParams{WorkspaceID: w, SessionID: o, Most: int32(len(now.Operations))})
		if err != nil {
			return err
		}
	}
	for i, op := range now.Operations {
		if i < len(was.Operations) && reflect.DeepEqual(op, was.Operations[i]) {
			continue
		}
		err := q.PutOnboardingOperation(ctx, dbsqlc.PutOnboardingOperationParams{
			WorkspaceID: w, SessionID: o, Position: int32(op.Position), OperationType: string(op.Type), State: string(op.State),
			RunID: numberOrNull(op.Run), WaitsFor: numberOrNull(op.WaitsFor), Outcome: orNull(string(op.Outcome)), ReasonCode: orNull(string(op.Reason)),
		})
		if err != nil {
			return fmt.Errorf("operation %d: %w", op.Position, err)
		}
	}
	return nil
}

func takeStep(ctx context.Context, q *dbsqlc.Queries, scope id.Scope, o int64, step onboarding.Step, by id.Member) error {
	err := q.TakeOnboardingStep(ctx, dbsqlc.TakeOnboardingStepParams{
		WorkspaceID: int64(scope.Workspace), SessionID: o, Step: string(step), TakenBy: int64(by),
	})
	if err != nil {
		return fmt.Errorf("take the step %s: %w", step, err)
	}
	return nil
}

// Following returns the sessions that go on when a run has ended.
func (s *Onboarding) Following(ctx context.Context, r run.Ref) (refs []onboarding.Ref, err error) {
	err = s.db.InWorkspace(ctx, r.Scope.Workspace, func(tx pgx.Tx) error {
		sessions, err := dbsqlc.New(tx).FollowingOnboarding(ctx, dbsqlc.FollowingOnboardingParams{
			WorkspaceID: int64(r.Scope.Workspace), RunID: numberOrNull(r.Run),
		})
		for _, o := range sessions {
			refs = append(refs, onboarding.Ref{Scope: r.Scope, Session: id.Onboarding(o)})
		}
		return err
	})
	return refs, err
}

// Overdue returns sessions that could go on, and those that nobody has touched
// for long.
func (s *Onboarding) Overdue(ctx context.Context, most int) (advance, expire []onboarding.Ref, err error) {
	advance, err = s.across(ctx, "select workspace_id, session_id from onboarding_to_advance($1)", most)
	if err != nil {
		return nil, nil, fmt.Errorf("find sessions to advance: %w", err)
	}
	expire, err = s.across(ctx, "select workspace_id, session_id from onboarding_to_abandon($1, $2)", onboarding.Lifetime, most)
	if err != nil {
		return nil, nil, fmt.Errorf("find sessions to abandon: %w", err)
	}
	return advance, expire, nil
}

// Forget deletes sessions that ended long enough ago.
func (s *Onboarding) Forget(ctx context.Context) error {
	return forgetAll(func() (int64, error) {
		return s.db.plain().ForgetOnboarding(ctx, dbsqlc.ForgetOnboardingParams{Kept: onboarding.KeptFor, Most: forgetMost})
	})
}

func (s *Onboarding) across(ctx context.Context, sql string, args ...any) ([]onboarding.Ref, error) {
	rows, err := plain{s.db}.Query(ctx, sql, args...)
	if err != nil {
		return nil, translate(err)
	}
	refs, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (ref onboarding.Ref, err error) {
		var w, o int64
		err = row.Scan(&w, &o)
		return onboarding.Ref{Scope: s.scope(id.Workspace(w)), Session: id.Onboarding(o)}, err
	})
	return refs, translate(err)
}

// noteOnboarding has the onboarding session of a start take the decision, in its
// transaction. It comes after the run, as a schedule's due time does.
func (s *Runs) noteOnboarding(ctx context.Context, tx pgx.Tx, a run.Admission, e audit.Event, status run.StartStatus, r run.Run) error {
	if a.Onboarding == nil {
		return nil
	}
	_, err := changeOnboarding(ctx, tx, a.Scope, a.Onboarding.Session, func(o *onboarding.Session) ([]audit.Event, error) {
		if a.Onboarding.Position == 0 {
			return o.NoteVerification(a.Connection, r.ID, a.InitiatedBy, e.Actor)
		}
		return nil, o.NoteStart(a.Onboarding.Position, a.Connection, status, r.ID, r.Status)
	})
	if fault.KindOf(err) == fault.NotFound {
		return run.ErrNotNext
	}
	return err
}
