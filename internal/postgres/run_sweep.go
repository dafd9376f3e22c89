package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// Sweep ends overdue runs and returns those left unpublished. One that cannot be
// ended does not keep it from the others.
func (s *Runs) Sweep(ctx context.Context, most int) (swept int, publishable []run.Ref, err error) {
	refs, err := s.acrossWorkspaces(ctx, `select workspace_id, run_id from sweepable_runs($1, $2)
		union select workspace_id, run_id from runs_of_archived_workspaces($2)`, run.MaxAttempts, most)
	if err != nil {
		return 0, nil, fmt.Errorf("find overdue runs: %w", err)
	}
	var failures error
	for _, ref := range refs {
		ended, publish, err := s.sweepOne(ctx, id.Workspace(ref[0]), id.Run(ref[1]))
		if err != nil {
			failures = errors.Join(failures, fmt.Errorf("sweep %s: %w", id.Run(ref[1]), err))
			continue
		}
		if ended {
			swept++
		}
		if publish {
			publishable = append(publishable, run.Ref{Scope: s.scope(id.Workspace(ref[0])), Run: id.Run(ref[1])})
		}
	}
	return swept, publishable, failures
}

// sweepOne looks again, now with the run locked, and ends it if it is overdue. A
// run that someone has in hand is left to them.
func (s *Runs) sweepOne(ctx context.Context, w id.Workspace, r id.Run) (ended, publish bool, err error) {
	err = s.db.InWorkspace(ctx, w, func(tx pgx.Tx) error {
		q := dbsqlc.New(tx)
		_, mine, err := takePublishing(ctx, tx, w, r)
		if err != nil {
			return err
		}
		row, err := q.TryLockRun(ctx, dbsqlc.TryLockRunParams{WorkspaceID: int64(w), RunID: int64(r)})
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		if row.Status == dbsqlc.RunStatusCompleted || row.Phase == dbsqlc.RunPhasePublishing && !mine {
			return nil
		}
		now, err := q.Now(ctx)
		if err != nil {
			return err
		}
		gone, err := connectionGone(ctx, q, row)
		if err != nil {
			return err
		}
		end, overdue := overdueEnding(row, now, gone)
		switch {
		case !overdue && gone && row.Phase == dbsqlc.RunPhaseExecuting:
			return s.askToStop(ctx, tx, row, audit.System("sweeper"))
		case !overdue:
			publish = row.Phase == dbsqlc.RunPhasePublishing
			return nil
		}
		ended = true
		return s.complete(ctx, tx, row, end)
	})
	return ended, publish, err
}

// connectionGone reports whether the run's connection has been deleted, or
// archived with its workspace.
func connectionGone(ctx context.Context, q *dbsqlc.Queries, row dbsqlc.Run) (bool, error) {
	w, err := q.GetWorkspace(ctx, row.WorkspaceID)
	if err != nil || w.ArchivedAt != nil {
		return true, err
	}
	if row.ConnectionID == nil {
		return false, nil
	}
	c, err := q.GetConnectionTarget(ctx, dbsqlc.GetConnectionTargetParams{WorkspaceID: row.WorkspaceID, ConnectionID: *row.ConnectionID})
	return c.DeletedAt != nil, err
}

// overdueEnding says how a run ends that nobody else will end. A run whose
// connection is gone is cancelled as if someone had asked for it.
func overdueEnding(row dbsqlc.Run, now time.Time, gone bool) (run.Ending, bool) {
	end := run.Ending{Outcome: run.Failed, By: audit.System("sweeper")}
	unheld := row.LeaseUntil == nil || row.LeaseUntil.Before(now)
	executing := row.Phase == dbsqlc.RunPhaseExecuting
	switch {
	case row.DeadlineAt != nil && row.DeadlineAt.Before(now):
		end.Reason = operation.DeadlineExceeded
		end.Failure = &run.Failure{Message: "the run did not end within its time limit"}
	case executing && unheld && (row.CancelRequestedAt != nil || gone):
		end.Outcome, end.Reason = run.Cancelled, operation.Cancelled
	case executing && unheld && row.LeaseUntil != nil && row.Attempt >= run.MaxAttempts:
		end.Reason = operation.WorkerLost
		end.Failure = &run.Failure{Message: fmt.Sprintf("%d workers took the run and stopped responding", row.Attempt)}
	default:
		return run.Ending{}, false
	}
	return end, true
}

// acrossWorkspaces calls a function that finds work in every workspace and
// returns workspace and row ids.
func (s *Runs) acrossWorkspaces(ctx context.Context, sql string, args ...any) ([][2]int64, error) {
	rows, err := plain{s.db}.Query(ctx, sql, args...)
	if err != nil {
		return nil, translate(err)
	}
	refs, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (ref [2]int64, err error) {
		err = row.Scan(&ref[0], &ref[1])
		return ref, err
	})
	return refs, translate(err)
}

func integrationOf(row dbsqlc.Run) integration.ID { return integration.ID(orZero(row.IntegrationID)) }
