package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// DueConnections returns connections whose schedule is due, the longest due first.
func (s *Runs) DueConnections(ctx context.Context, after run.DueConnection, most int) ([]run.DueConnection, error) {
	conn, err := s.db.borrow(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	rows, err := conn.Query(ctx, `select workspace_id, connection_id, due, seen from due_connections($1, $2, $3)`, after.Due, after.Connection, most)
	if err != nil {
		return nil, translate(fmt.Errorf("find due connections: %w", err))
	}
	due, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (d run.DueConnection, err error) {
		err = row.Scan(&d.Scope.Workspace, &d.Connection, &d.Due, &d.Seen)
		d.Scope = s.scope(d.Scope.Workspace)
		return d, err
	})
	if err != nil {
		return nil, translate(fmt.Errorf("find due connections: %w", err))
	}
	return due, nil
}

// moveDueTime moves a connection's due time on for a scheduled start, in its
// transaction. It comes after the run, because endings lock run and connection in
// this order.
func moveDueTime(ctx context.Context, tx pgx.Tx, a run.Admission) error {
	if a.Moves == nil {
		return nil
	}
	n, err := dbsqlc.New(tx).MoveDueTime(ctx, dbsqlc.MoveDueTimeParams{
		WorkspaceID: int64(a.Scope.Workspace), ConnectionID: int64(a.Connection), Due: &a.Moves.Due, NextRunAt: a.Moves.Next,
	})
	if err != nil {
		return fmt.Errorf("move the due time: %w", err)
	}
	if n == 0 {
		return run.ErrNotDue
	}
	return nil
}

// noteBlockedSchedule is for a scheduled start that was blocked.
func noteBlockedSchedule(ctx context.Context, tx pgx.Tx, a run.Admission, why operation.Code) error {
	if a.Initiator != run.BySchedule || !connection.CountsAsFailure(why) {
		return nil
	}
	return countScheduleFailure(ctx, tx, a.Scope, a.Connection, why)
}

// noteEndedSchedule is for a discovery that has ended with the connection's present
// configuration, whoever started it: a success ends a pause, and a failure counts
// when it was the schedule's.
func (s *Runs) noteEndedSchedule(ctx context.Context, tx pgx.Tx, row dbsqlc.Run, end run.Ending) error {
	scope, c := s.scope(id.Workspace(row.WorkspaceID)), id.Connection(orZero(row.ConnectionID))
	switch {
	case end.Outcome == run.Succeeded || end.Outcome == run.PartiallySucceeded:
		return resumeSchedule(ctx, tx, scope, audit.Event{
			Actor: audit.System("schedule"), Action: audit.ScheduleResumed, Outcome: audit.Succeeded, TargetType: "connection", TargetID: c.String(),
			Payload: map[string]any{"run_id": id.Run(row.RunID).String()},
		}, c, false)
	case end.Outcome == run.Failed && run.Initiator(row.Initiator) == run.BySchedule:
		return countScheduleFailure(ctx, tx, scope, c, end.Reason)
	}
	return nil
}

func countScheduleFailure(ctx context.Context, tx pgx.Tx, scope id.Scope, c id.Connection, why operation.Code) error {
	if why == "" {
		why = operation.Internal
	}
	counted, err := dbsqlc.New(tx).CountScheduleFailure(ctx, dbsqlc.CountScheduleFailureParams{
		WorkspaceID: int64(scope.Workspace), ConnectionID: int64(c), TooMany: connection.FailuresToPause, ReasonCode: string(why),
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil // deleted meanwhile
	}
	if err != nil {
		return fmt.Errorf("count a failure of the schedule: %w", err)
	}
	if !counted.PausedNow {
		return nil
	}
	err = dbsqlc.New(tx).NotifyAdminsOfPause(ctx, dbsqlc.NotifyAdminsOfPauseParams{WorkspaceID: int64(scope.Workspace), ConnectionID: int64(c)})
	if err != nil {
		return fmt.Errorf("tell the admins: %w", err)
	}
	return record(ctx, tx, scope, audit.Event{
		Actor: audit.System("schedule"), Action: audit.SchedulePaused, Outcome: audit.Succeeded, TargetType: "connection", TargetID: c.String(),
		Payload: map[string]any{"reason_code": string(why), "failures": counted.ScheduleFailures},
	})
}

// resumeSchedule forgets the failures of a schedule, and records e if it was
// paused for them, or, where somebody requests it, for any reason.
func resumeSchedule(ctx context.Context, tx pgx.Tx, scope id.Scope, e audit.Event, c id.Connection, requested bool) error {
	was, err := dbsqlc.New(tx).ResumeSchedule(ctx, dbsqlc.ResumeScheduleParams{
		WorkspaceID: int64(scope.Workspace), ConnectionID: int64(c), Requested: requested,
	})
	if errors.Is(err, pgx.ErrNoRows) || err == nil && !was {
		return nil
	}
	if err != nil {
		return fmt.Errorf("resume the schedule: %w", err)
	}
	return record(ctx, tx, scope, e)
}

// ResumeSchedule ends the pause of a schedule.
func (s *Connections) ResumeSchedule(ctx context.Context, scope id.Scope, c id.Connection, e audit.Event) (found connection.Connection, err error) {
	err = s.db.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		if err := resumeSchedule(ctx, tx, scope, e, c, true); err != nil {
			return err
		}
		found, err = getConnection(ctx, dbsqlc.New(tx), scope.Workspace, c)
		return err
	})
	return found, err
}

// PauseSchedule keeps a schedule from starting the connection.
func (s *Connections) PauseSchedule(ctx context.Context, scope id.Scope, c id.Connection, e audit.Event) (found connection.Connection, err error) {
	err = s.db.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		q := dbsqlc.New(tx)
		paused, err := q.PauseSchedule(ctx, dbsqlc.PauseScheduleParams{WorkspaceID: int64(scope.Workspace), ConnectionID: int64(c)})
		if err != nil {
			return fmt.Errorf("pause the schedule: %w", err)
		}
		if paused > 0 {
			if err := record(ctx, tx, scope, e); err != nil {
				return err
			}
		}
		found, err = getConnection(ctx, q, scope.Workspace, c)
		return err
	})
	return found, err
}
