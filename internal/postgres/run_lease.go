package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// claimSQL looks across workspaces, through a function that shows nothing else.
const claimSQL = `select workspace_id, run_id, epoch from claim_run($1::text[], $2, $3::uuid, $4::bytea, $5::interval, $6)`

// Claim takes the oldest claimable run whose connection may still be used; those
// before it whose connection may not be end.
func (s *Runs) Claim(ctx context.Context, c run.ClaimRequest) (a run.Assignment, ok bool, err error) {
	for ended := true; ended && err == nil; {
		a, ok, ended, err = s.claimOne(ctx, c)
	}
	return a, ok, err
}

func (s *Runs) claimOne(ctx context.Context, c run.ClaimRequest) (a run.Assignment, ok, ended bool, err error) {
	queues := make([]string, len(c.Queues))
	for i, q := range c.Queues {
		queues[i] = string(q)
	}
	err = pgx.BeginFunc(ctx, s.db.pool, func(tx pgx.Tx) error {
		var w, r, epoch int64
		err := tx.QueryRow(ctx, claimSQL, queues, c.Worker, c.Lease, c.TokenHash[:], run.LeaseFor, run.MaxAttempts).Scan(&w, &r, &epoch)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("claim: %w", err)
		}
		if err := enterWorkspace(ctx, tx, id.Workspace(w)); err != nil {
			return err
		}
		if ended, err = s.endUnusable(ctx, tx, id.Workspace(w), id.Run(r)); ended || err != nil {
			return err
		}
		if a, err = s.assignment(ctx, tx, id.Workspace(w), id.Run(r)); err != nil {
			return err
		}
		a.Lease, ok = c.Lease, true
		if err := notifyChanged(ctx, dbsqlc.New(tx), id.Run(r)); err != nil {
			return err
		}
		return record(ctx, tx, s.scope(id.Workspace(w)), audit.Event{
			Actor: audit.Worker(c.Worker), Action: audit.RunStarted, Outcome: audit.Succeeded, TargetType: "run", TargetID: id.Run(r).String(),
			Payload: map[string]any{"attempt": a.Run.Attempt, "epoch": epoch},
		})
	})
	return a, ok, ended, translate(err)
}

// endUnusable ends a claimed run whose connection was deleted, disabled or left
// without consent since the run was admitted.
func (s *Runs) endUnusable(ctx context.Context, tx pgx.Tx, w id.Workspace, r id.Run) (ended bool, err error) {
	q := dbsqlc.New(tx)
	row, err := q.LockRun(ctx, dbsqlc.LockRunParams{WorkspaceID: int64(w), RunID: int64(r)})
	if err != nil {
		return false, fmt.Errorf("lock a claimed run: %w", err)
	}
	end, err := unusableEnding(ctx, q, row)
	if end == nil || err != nil {
		return false, err
	}
	if err := q.UndoClaim(ctx, dbsqlc.UndoClaimParams{WorkspaceID: row.WorkspaceID, RunID: row.RunID}); err != nil {
		return false, fmt.Errorf("undo a claim: %w", err)
	}
	return true, s.complete(ctx, tx, row, *end)
}

// explainFailure gives a failure the reason that the worker cannot know: it was
// refused the configuration of a connection that may not be used any more.
func explainFailure(ctx context.Context, tx pgx.Tx, row dbsqlc.Run, end *run.Ending) error {
	if end.Outcome != run.Failed {
		return nil
	}
	unusable, err := unusableEnding(ctx, dbsqlc.New(tx), row)
	if unusable == nil || err != nil {
		return err
	}
	end.Reason = unusable.Reason
	if unusable.Outcome == run.Cancelled {
		end.Outcome, end.Failure = run.Cancelled, nil
	}
	return nil
}

// unusableEnding is how a run ends whose connection may not be used any more;
// nil when it may.
func unusableEnding(ctx context.Context, q *dbsqlc.Queries, row dbsqlc.Run) (*run.Ending, error) {
	if row.ConnectionID == nil {
		return nil, nil
	}
	known, err := q.GetConnectionTarget(ctx, dbsqlc.GetConnectionTargetParams{WorkspaceID: row.WorkspaceID, ConnectionID: *row.ConnectionID})
	if err != nil {
		return nil, fmt.Errorf("find the connection: %w", err)
	}
	now := connection.Connection{Lifecycle: connection.Lifecycle(known.Lifecycle)}
	why, usable := now.Ready(operation.Type(row.OperationType))
	switch {
	case known.DeletedAt != nil:
		return &run.Ending{Outcome: run.Cancelled, Reason: operation.Cancelled, By: audit.System("gate")}, nil
	case !usable:
		return &run.Ending{Outcome: run.Blocked, Reason: why, By: audit.System("gate")}, nil
	}
	return nil, nil
}

// assignment gathers where the reading of a run stands.
func (s *Runs) assignment(ctx context.Context, tx pgx.Tx, w id.Workspace, r id.Run) (run.Assignment, error) {
	var a run.Assignment
	var err error
	if a.Run, err = s.get(ctx, tx, w, r); err != nil {
		return a, err
	}
	q := dbsqlc.New(tx)
	ingest, err := q.GetIngest(ctx, dbsqlc.GetIngestParams{WorkspaceID: int64(w), RunID: int64(r)})
	if errors.Is(err, pgx.ErrNoRows) {
		// What an earlier attempt left when a crash emptied it: gone, so that
		// tables without progress always mean a crash during this attempt.
		return a, dropStaging(ctx, tx, r)
	}
	if err != nil {
		return a, err
	}
	a.NextBatch = ingest.NextBatch
	rows, err := q.ListRunPartitions(ctx, dbsqlc.ListRunPartitionsParams{WorkspaceID: int64(w), RunID: int64(r)})
	for _, p := range rows {
		a.Partitions = append(a.Partitions, run.PartitionState{
			Partition: connector.Partition{Stream: p.Stream, Key: p.PartitionKey}, Cursor: connector.Cursor(p.NextCursor), Ended: p.Coverage != nil,
		})
	}
	return a, err
}

// held locks a run for whoever holds the fence; Stale for everybody else.
func held(ctx context.Context, tx pgx.Tx, f run.Fence) (dbsqlc.Run, error) {
	row, err := dbsqlc.New(tx).LockFencedRun(ctx, dbsqlc.LockFencedRunParams{
		WorkspaceID: int64(f.Workspace), RunID: int64(f.Run), Epoch: f.Epoch,
		LeaseID: pgtype.UUID{Bytes: f.Lease, Valid: true}, TokenHash: f.TokenHash[:],
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return dbsqlc.Run{}, notHeld(f)
	}
	return row, err
}

func notHeld(f run.Fence) error {
	return fault.New(fault.Stale, "run %s is no longer held by this lease", f.Run)
}

// withHeld runs fn in a transaction in which the fence's holder holds the run. One
// that has to start over can be claimed at once: its worker is alive, and told to
// let go, so there is nobody whose lease is worth waiting for.
func (s *Runs) withHeld(ctx context.Context, f run.Fence, fn func(tx pgx.Tx, row dbsqlc.Run) error) error {
	err := s.holding(ctx, f, fn)
	if !errors.Is(err, errStagingGone) {
		return err
	}
	ended := s.holding(ctx, f, func(tx pgx.Tx, row dbsqlc.Run) error {
		q := dbsqlc.New(tx)
		if err := q.EndLease(ctx, dbsqlc.EndLeaseParams{WorkspaceID: row.WorkspaceID, RunID: row.RunID}); err != nil {
			return fmt.Errorf("end a lease: %w", err)
		}
		if err := notifyChanged(ctx, q, f.Run); err != nil {
			return err
		}
		return q.NotifyRuns(ctx, runReady)
	})
	if ended != nil && fault.KindOf(ended) != fault.Stale {
		return ended // the worker asks again, and comes here again
	}
	return err
}

func (s *Runs) holding(ctx context.Context, f run.Fence, fn func(tx pgx.Tx, row dbsqlc.Run) error) error {
	return s.db.InWorkspace(ctx, f.Workspace, func(tx pgx.Tx) error {
		row, err := held(ctx, tx, f)
		if err != nil {
			return err
		}
		return fn(tx, row)
	})
}

// Current returns the run that the fence's holder holds.
func (s *Runs) Current(ctx context.Context, f run.Fence) (current run.Run, err error) {
	err = s.withHeld(ctx, f, func(_ pgx.Tx, row dbsqlc.Run) error {
		current, err = runFromRow(s.tenant, row, "")
		return err
	})
	return current, err
}

// Heartbeat extends the lease and stores progress.
func (s *Runs) Heartbeat(ctx context.Context, f run.Fence, p run.Progress) (cancel bool, err error) {
	p.Message = run.Sanitise(p.Message)
	progress, err := json.Marshal(p)
	if err != nil {
		return false, fmt.Errorf("encode progress: %w", err)
	}
	err = s.withHeld(ctx, f, func(tx pgx.Tx, row dbsqlc.Run) error {
		q := dbsqlc.New(tx)
		now, err := q.Now(ctx)
		if err != nil {
			return err
		}
		cancel = row.CancelRequestedAt != nil || row.DeadlineAt != nil && row.DeadlineAt.Before(now)
		err = q.ExtendLease(ctx, dbsqlc.ExtendLeaseParams{WorkspaceID: row.WorkspaceID, RunID: row.RunID, LeaseFor: run.LeaseFor, Progress: progress})
		if err != nil {
			return err
		}
		return notifyChanged(ctx, q, f.Run)
	})
	return cancel, err
}

// Abandon ends a lease by its id, as when its holder hands the run back.
func (s *Runs) Abandon(ctx context.Context, lease run.LeaseID) error {
	return translate(pgx.BeginFunc(ctx, s.db.pool, func(tx pgx.Tx) error {
		var w, r int64
		err := tx.QueryRow(ctx, "select workspace_id, run_id from abandon_claim($1)", lease).Scan(&w, &r)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("abandon a claim: %w", err)
		}
		q := dbsqlc.New(tx)
		if err := notifyChanged(ctx, q, id.Run(r)); err != nil {
			return err
		}
		return q.NotifyRuns(ctx, runReady)
	}))
}

// HandBack ends the lease without counting the attempt.
func (s *Runs) HandBack(ctx context.Context, f run.Fence) error {
	return s.withHeld(ctx, f, func(tx pgx.Tx, row dbsqlc.Run) error {
		q := dbsqlc.New(tx)
		if err := q.ReleaseLease(ctx, dbsqlc.ReleaseLeaseParams{WorkspaceID: row.WorkspaceID, RunID: row.RunID}); err != nil {
			return err
		}
		if err := notifyChanged(ctx, q, f.Run); err != nil {
			return err
		}
		return q.NotifyRuns(ctx, runReady)
	})
}

// FinishReading ends the worker's part of a discovery.
func (s *Runs) FinishReading(ctx context.Context, f run.Fence, planComplete bool) (found run.Run, err error) {
	err = s.withHeld(ctx, f, func(tx pgx.Tx, row dbsqlc.Run) error {
		if row.CancelRequestedAt != nil {
			return fault.New(fault.Stale, "run %s has been cancelled", f.Run)
		}
		if row.ReachedEpoch != row.Epoch {
			return fault.New(fault.Conflict, "run %s has not said which organisation it reaches, so nothing of it is published", f.Run)
		}
		q := dbsqlc.New(tx)
		// A run whose connector planned nothing has no batch; the row says that
		// this is so, and not that a crash has emptied what there was.
		begun, err := q.BeginIngest(ctx, dbsqlc.BeginIngestParams{WorkspaceID: row.WorkspaceID, RunID: row.RunID})
		if err != nil {
			return err
		}
		if begun > 0 {
			emptied, err := stagingExists(ctx, tx, f.Run)
			if err != nil {
				return err
			}
			if emptied {
				return startsOver(f.Run)
			}
		}
		err = q.NotePlan(ctx, dbsqlc.NotePlanParams{WorkspaceID: row.WorkspaceID, RunID: row.RunID, PlanComplete: planComplete})
		if err != nil {
			return fmt.Errorf("note the plan: %w", err)
		}
		if err := q.BeginPublishing(ctx, dbsqlc.BeginPublishingParams{WorkspaceID: row.WorkspaceID, RunID: row.RunID}); err != nil {
			return err
		}
		if err := s.jobs.Publish(ctx, tx, run.Ref{Scope: s.scope(f.Workspace), Run: f.Run}); err != nil {
			return fmt.Errorf("enqueue publishing: %w", err)
		}
		if err := notifyChanged(ctx, q, f.Run); err != nil {
			return err
		}
		found, err = s.get(ctx, tx, f.Workspace, f.Run)
		return err
	})
	return found, err
}

// Fail ends a run that cannot go on.
func (s *Runs) Fail(ctx context.Context, f run.Fence, end run.Ending) (found run.Run, err error) {
	err = s.withHeld(ctx, f, func(tx pgx.Tx, row dbsqlc.Run) error {
		if err := explainFailure(ctx, tx, row, &end); err != nil {
			return err
		}
		if err := s.complete(ctx, tx, row, end); err != nil {
			return err
		}
		found, err = s.get(ctx, tx, f.Workspace, f.Run)
		return err
	})
	return found, err
}
