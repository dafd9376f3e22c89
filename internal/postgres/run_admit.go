package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// admitTries bounds how often a start looks again because the run that stood in
// its way ended in between.
const admitTries = 10

// Admit makes a queued run unless an unfinished one holds what it would; unique
// indexes and an exclusion constraint decide. A start that is accepted takes one
// exchange with the server, which it may share with others, and one that is
// deduped two.
func (s *Runs) Admit(ctx context.Context, a run.Admission, e audit.Event) (admitted run.Admitted, err error) {
	if a.Moves == nil && a.Onboarding == nil && a.Once == nil {
		admitted, err = s.admitAlone(ctx, a, e)
		if !errors.Is(err, pgx.ErrNoRows) {
			return admitted, err
		}
	}
	err = s.db.InWorkspace(ctx, a.Scope.Workspace, func(tx pgx.Tx) error {
		for range admitTries {
			admitted, err = s.tryAdmit(ctx, tx, a, e)
			if errors.Is(err, pgx.ErrNoRows) {
				continue
			}
			if err != nil {
				return err
			}
			if err := moveDueTime(ctx, tx, a); err != nil {
				return err
			}
			if err := noteAnswer(ctx, tx, a, admitted.Status, admitted.Run.ID); err != nil {
				return err
			}
			return s.noteOnboarding(ctx, tx, a, e, admitted.Status, admitted.Run)
		}
		return fault.New(fault.Unavailable, "the connection is in constant use; try again")
	})
	if err != nil {
		return run.Admitted{}, err
	}
	if admitted.Status == run.Accepted {
		s.ready.ring(ctx)
	}
	return admitted, nil
}

// admitAlone is for starts of which a single statement is all that there is to do:
// those that are accepted, and those that join a run without changing it. For all
// others it returns pgx.ErrNoRows.
func (s *Runs) admitAlone(ctx context.Context, a run.Admission, e audit.Event) (run.Admitted, error) {
	r, err := s.together.admit(ctx, a, e)
	if err == nil {
		s.ready.ring(ctx)
		return run.Admitted{Status: run.Accepted, Run: r}, nil
	}
	if !errors.Is(err, pgx.ErrNoRows) || a.DedupeKey == "" {
		return run.Admitted{}, err
	}
	found, err := s.db.read(a.Scope.Workspace).FindDuplicate(ctx, dbsqlc.FindDuplicateParams{
		WorkspaceID: int64(a.Scope.Workspace), DedupeKey: &a.DedupeKey, RequestedBy: numberOrNull(a.InitiatedBy),
	})
	if err == nil && found.Marks {
		err = pgx.ErrNoRows
	}
	if err != nil {
		return run.Admitted{}, err
	}
	r, err = runFromRow(s.tenant, found.Run, a.ConnectionName)
	return run.Admitted{Status: run.Deduped, Run: r}, err
}

// tryAdmit inserts the run or finds what stands in its way. It returns
// pgx.ErrNoRows when that has ended in between.
func (s *Runs) tryAdmit(ctx context.Context, tx pgx.Tx, a run.Admission, e audit.Event) (admitted run.Admitted, err error) {
	q := dbsqlc.New(tx)
	w := int64(a.Scope.Workspace)
	admitted.Run, err = insertRun(ctx, q, a, e)
	if err == nil {
		admitted.Status = run.Accepted
		return admitted, nil
	}
	if !errors.Is(err, pgx.ErrNoRows) {
		return admitted, err
	}
	admitted.Status = run.Deduped
	var other int64
	if a.DedupeKey != "" {
		other, err = q.JoinDuplicate(ctx, dbsqlc.JoinDuplicateParams{
			WorkspaceID: w, DedupeKey: &a.DedupeKey, RequestedBy: numberOrNull(a.InitiatedBy), Follow: a.Onboarding == nil,
		})
	}
	if errors.Is(err, pgx.ErrNoRows) {
		admitted.Status = run.ScopeBusy
		first, end, shared := heldColumns(a.Holds)
		other, err = q.FindHolder(ctx, dbsqlc.FindHolderParams{
			WorkspaceID: w, ScopeKey: orNull(a.ScopeKey), DedupeKey: orNull(a.DedupeKey), TargetID: numberOrNull(a.Target),
			HeldFirst: first, HeldEnd: end, HeldShared: shared,
		})
	}
	if err != nil {
		return admitted, err
	}
	admitted.Run, err = s.get(ctx, tx, a.Scope.Workspace, id.Run(other))
	return admitted, err
}

// heldColumns is how a hold of a target is stored; nulls for none.
func heldColumns(h *operation.TargetHold) (first, end *int32, shared bool) {
	if h == nil {
		return nil, nil, false
	}
	return &h.Parts.First, &h.Parts.End, h.Shared
}

// Block records a start that cannot be.
func (s *Runs) Block(ctx context.Context, a run.Admission, why operation.Code, e audit.Event) (blocked run.Run, err error) {
	err = s.db.InWorkspace(ctx, a.Scope.Workspace, func(tx pgx.Tx) error {
		r, err := s.block(ctx, tx, a, why, e)
		if err != nil {
			return err
		}
		if err := noteBlockedSchedule(ctx, tx, a, why); err != nil {
			return err
		}
		if err := moveDueTime(ctx, tx, a); err != nil {
			return err
		}
		if blocked, err = s.get(ctx, tx, a.Scope.Workspace, r); err != nil {
			return err
		}
		if err := noteAnswer(ctx, tx, a, run.StartBlocked, r); err != nil {
			return err
		}
		return s.noteOnboarding(ctx, tx, a, e, run.StartBlocked, blocked)
	})
	return blocked, err
}

// block inserts a blocked run, which has ended with that, and its event.
func (s *Runs) block(ctx context.Context, tx pgx.Tx, a run.Admission, why operation.Code, e audit.Event) (id.Run, error) {
	reason := string(why)
	r, err := dbsqlc.New(tx).InsertBlockedRun(ctx, dbsqlc.InsertBlockedRunParams{
		WorkspaceID: int64(a.Scope.Workspace), OperationType: string(a.Operation.Type), IntegrationID: orNull(string(a.Integration)),
		ConnectionID: numberOrNull(a.Connection), TargetID: numberOrNull(a.Target), Queue: string(a.Operation.Queue),
		Input: a.Input, Context: a.Context, ReasonCode: &reason, Initiator: string(a.Initiator), InitiatedBy: numberOrNull(a.InitiatedBy),
	})
	if violatesForeignKey(err) {
		return 0, fault.New(fault.NotFound, "there is no target %s", a.Target)
	}
	if err != nil {
		return 0, fmt.Errorf("insert blocked run: %w", err)
	}
	e.TargetID = id.Run(r).String()
	if err := record(ctx, tx, a.Scope, e); err != nil {
		return 0, err
	}
	return id.Run(r), s.tellEnded(ctx, tx, a.Scope, id.Run(r))
}

// RequestCancel asks for a run to end; one that no worker holds ends at once.
func (s *Runs) RequestCancel(ctx context.Context, scope id.Scope, r id.Run, by audit.Actor) (found run.Run, err error) {
	err = s.db.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		q := dbsqlc.New(tx)
		row, err := q.LockRun(ctx, dbsqlc.LockRunParams{WorkspaceID: int64(scope.Workspace), RunID: int64(r)})
		if errors.Is(err, pgx.ErrNoRows) {
			return fault.New(fault.NotFound, "there is no run %s", r)
		}
		if err != nil {
			return err
		}
		switch {
		case row.Status == dbsqlc.RunStatusCompleted:
			return fault.New(fault.Conflict, "run %s has already ended: %s", r, row.Outcome)
		case row.Phase == dbsqlc.RunPhasePublishing:
			return fault.New(fault.Conflict, "run %s has been read and is being published; it can no longer be cancelled", r)
		}
		if err := s.askToStop(ctx, tx, row, by); err != nil {
			return err
		}
		if !row.LeaseID.Valid {
			err = s.complete(ctx, tx, row, run.Ending{Outcome: run.Cancelled, Reason: operation.Cancelled, By: by})
			if err != nil {
				return err
			}
		}
		found, err = s.get(ctx, tx, scope.Workspace, r)
		return err
	})
	return found, err
}

// askToStop tells whoever holds a run that the transaction has locked to stop.
// It is told, and recorded, once.
func (s *Runs) askToStop(ctx context.Context, tx pgx.Tx, row dbsqlc.Run, by audit.Actor) error {
	if row.CancelRequestedAt != nil {
		return nil
	}
	q := dbsqlc.New(tx)
	err := q.RequestRunCancel(ctx, dbsqlc.RequestRunCancelParams{WorkspaceID: row.WorkspaceID, RunID: row.RunID})
	if err != nil {
		return fmt.Errorf("request cancel: %w", err)
	}
	if err := notifyChanged(ctx, q, id.Run(row.RunID)); err != nil {
		return err
	}
	return record(ctx, tx, s.scope(id.Workspace(row.WorkspaceID)), audit.Event{
		Actor: by, Action: audit.RunCancelRequested, Outcome: audit.Succeeded, TargetType: "run", TargetID: id.Run(row.RunID).String(),
	})
}
