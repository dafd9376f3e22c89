package postgres

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// complete ends a run that the transaction has locked: its row, its audit event,
// its connection's health, and the run that was asked to follow it.
func (s *Runs) complete(ctx context.Context, tx pgx.Tx, row dbsqlc.Run, end run.Ending) error {
	if err := s.end(ctx, tx, row, end); err != nil {
		return err
	}
	if row.ConnectionID == nil || operation.Type(row.OperationType) == operation.ConnectionTest {
		return nil
	}
	former, err := replaced(ctx, tx, row)
	if err != nil {
		return err
	}
	q := dbsqlc.New(tx)
	if former {
		return q.NoteFormerConnectionRun(ctx, dbsqlc.NoteFormerConnectionRunParams{WorkspaceID: row.WorkspaceID, ConnectionID: *row.ConnectionID})
	}
	health := dbsqlc.NoteConnectionRunParams{WorkspaceID: row.WorkspaceID, ConnectionID: *row.ConnectionID}
	switch end.Outcome {
	case run.Succeeded:
		health.Status, health.Connected = dbsqlc.ConnectionStatus(connection.Healthy), true
	case run.Cancelled, run.Blocked:
		return nil
	default:
		health.Status, health.Connected = dbsqlc.ConnectionStatus(connection.Degraded), end.Outcome == run.PartiallySucceeded
		health.ReasonCode, health.Message = orNull(string(end.Reason)), failureMessage(end)
	}
	if err := q.NoteConnectionRun(ctx, health); err != nil {
		return err
	}
	return s.noteEndedSchedule(ctx, tx, row, end)
}

// end completes a run's row with everything that any ending writes.
func (s *Runs) end(ctx context.Context, tx pgx.Tx, row dbsqlc.Run, end run.Ending) error {
	q := dbsqlc.New(tx)
	failure, err := json.Marshal(end.Failure)
	if err != nil {
		return fmt.Errorf("encode failure: %w", err)
	}
	if end.Failure == nil {
		failure = nil
	}
	counts, err := json.Marshal(end.Counts)
	if err != nil {
		return fmt.Errorf("encode counts: %w", err)
	}
	if end.Counts == nil {
		counts = []byte("{}")
	}
	err = q.CompleteRun(ctx, dbsqlc.CompleteRunParams{
		WorkspaceID: row.WorkspaceID, RunID: row.RunID, Outcome: dbsqlc.RunOutcome(end.Outcome),
		ReasonCode: orNull(string(end.Reason)), FailureSummary: failure, SummaryCounts: counts,
	})
	if err != nil {
		return fmt.Errorf("complete run: %w", err)
	}
	scope := s.scope(id.Workspace(row.WorkspaceID))
	payload := map[string]any{"operation_type": row.OperationType, "reason_code": string(end.Reason)}
	if end.Counts != nil {
		payload["counts"] = end.Counts
	}
	err = record(ctx, tx, scope, audit.Event{
		Actor: end.By, Action: endAction(end.Outcome), Outcome: endOutcome(end.Outcome),
		TargetType: "run", TargetID: id.Run(row.RunID).String(), Payload: payload,
	})
	if err != nil {
		return err
	}
	if err := q.DeleteIngest(ctx, dbsqlc.DeleteIngestParams{WorkspaceID: row.WorkspaceID, RunID: row.RunID}); err != nil {
		return err
	}
	if err := q.DeleteRunPartitions(ctx, dbsqlc.DeleteRunPartitionsParams{WorkspaceID: row.WorkspaceID, RunID: row.RunID}); err != nil {
		return err
	}
	if operation.Type(row.OperationType) == operation.DiscoveryRun {
		if err := dropStaging(ctx, tx, id.Run(row.RunID)); err != nil {
			return err
		}
	}
	if row.RerunRequested {
		if err := s.follow(ctx, tx, row); err != nil {
			return err
		}
	}
	if err := s.tellEnded(ctx, tx, scope, id.Run(row.RunID)); err != nil {
		return err
	}
	return notifyChanged(ctx, q, id.Run(row.RunID))
}

// tellEnded has it told in the background that a run has ended.
func (s *Runs) tellEnded(ctx context.Context, tx pgx.Tx, scope id.Scope, r id.Run) error {
	if err := s.jobs.Ended(ctx, tx, run.Ref{Scope: scope, Run: r}); err != nil {
		return fmt.Errorf("queue what follows the end of a run: %w", err)
	}
	return nil
}

// follow admits the run that was asked for while row was under way, as the gate
// would now: none of a connection that has been deleted, and a blocked one where
// a prerequisite is missing.
func (s *Runs) follow(ctx context.Context, tx pgx.Tx, row dbsqlc.Run) error {
	conn, err := getConnection(ctx, dbsqlc.New(tx), id.Workspace(row.WorkspaceID), id.Connection(orZero(row.ConnectionID)))
	if fault.KindOf(err) == fault.NotFound {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find the connection: %w", err)
	}
	op, err := operation.Get(operation.Type(row.OperationType))
	if err != nil {
		return err
	}
	a := run.Admission{
		Scope: s.scope(id.Workspace(row.WorkspaceID)), Operation: op,
		Integration: integrationOf(row), Connection: id.Connection(orZero(row.ConnectionID)), ConnectionName: conn.Name, Target: id.Target(orZero(row.TargetID)),
		Input: row.Input, Context: row.Context, Initiator: run.BySystem, InitiatedBy: id.Member(orZero(row.RerunRequestedBy)),
		DedupeKey: orZero(row.DedupeKey), ScopeKey: orZero(row.ScopeKey), Holds: holdOf(row),
	}
	if a.InitiatedBy != 0 {
		a.Initiator = run.ByUser
	}
	e := audit.Event{
		Actor: audit.System("gate"), Action: audit.RunAccepted, Outcome: audit.Succeeded, TargetType: "run",
		Payload: map[string]any{"operation_type": row.OperationType, "follows": id.Run(row.RunID).String()},
	}
	r, err := licenceRecord(ctx, tx)
	if err != nil {
		return err
	}
	why, ok, err := a.Recheck(r.Standing(), s.catalog, &conn)
	if err != nil {
		return fmt.Errorf("ask whether %s may be followed: %w", id.Run(row.RunID), err)
	}
	if !ok {
		e.Action, e.Outcome, e.Payload["reason_code"] = audit.RunBlocked, audit.Denied, string(why)
		_, err = s.block(ctx, tx, a, why, e)
		return err
	}
	if _, err = s.tryAdmit(ctx, tx, a, e); err != nil {
		return err
	}
	return dbsqlc.New(tx).NotifyRuns(ctx, runReady)
}

func failureMessage(end run.Ending) *string {
	if end.Failure == nil {
		return nil
	}
	return orNull(end.Failure.Message)
}

func endAction(o run.Outcome) audit.Action {
	switch o {
	case run.Succeeded:
		return audit.RunSucceeded
	case run.PartiallySucceeded:
		return audit.RunPartiallySucceeded
	case run.Cancelled:
		return audit.RunCancelled
	case run.Blocked:
		return audit.RunBlocked
	}
	return audit.RunFailed
}

func endOutcome(o run.Outcome) audit.Outcome {
	switch o {
	case run.Failed:
		return audit.Failed
	case run.Blocked:
		return audit.Denied
	}
	return audit.Succeeded
}
