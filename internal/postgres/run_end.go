package postgres

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
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
	q := dbsqlc.New(tx)
	health := dbsqlc.NoteConnectionRunParams{WorkspaceID: row.WorkspaceID, ConnectionID: *row.ConnectionID}
	switch end.Outcome {
	case run.Succeeded:
		health.Status, health.Connected = dbsqlc.ConnectionStatus(connection.Healthy), true
	case run.Cancelled:
		return nil
	default:
		health.Status, health.Connected = dbsqlc.ConnectionStatus(connection.Degraded), end.Outcome == run.PartiallySucceeded
		health.ReasonCode, health.Message = orNull(string(end.Reason)), failureMessage(end)
	}
	return q.NoteConnectionRun(ctx, health)
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
	return q.NotifyRuns(ctx, runChanged)
}

// follow admits the run that was asked for while row was under way, as the gate
// would now: none of a connection that has been deleted, and a blocked one of a
// connection that cannot be used any more.
func (s *Runs) follow(ctx context.Context, tx pgx.Tx, row dbsqlc.Run) error {
	known, err := dbsqlc.New(tx).GetConnectionTarget(ctx, dbsqlc.GetConnectionTargetParams{
		WorkspaceID: row.WorkspaceID, ConnectionID: orZero(row.ConnectionID),
	})
	if err != nil {
		return fmt.Errorf("find the connection: %w", err)
	}
	if known.DeletedAt != nil {
		return nil
	}
	op, err := operation.Get(operation.Type(row.OperationType))
	if err != nil {
		return err
	}
	a := run.Admission{
		Scope: s.scope(id.Workspace(row.WorkspaceID)), Operation: op,
		Integration: integrationOf(row), Connection: id.Connection(orZero(row.ConnectionID)), Target: id.Target(orZero(row.TargetID)),
		Input: row.Input, Context: row.Context, Initiator: run.BySystem, InitiatedBy: id.Member(orZero(row.RerunRequestedBy)),
		DedupeKey: orZero(row.DedupeKey), ScopeKey: orZero(row.ScopeKey),
	}
	if a.InitiatedBy != 0 {
		a.Initiator = run.ByUser
	}
	e := audit.Event{
		Actor: audit.System("gate"), Action: audit.RunAccepted, Outcome: audit.Succeeded, TargetType: "run",
		Payload: map[string]any{"operation_type": row.OperationType, "follows": id.Run(row.RunID).String()},
	}
	why, ok, err := readyNow(ctx, tx, a.Integration, connection.Lifecycle(known.Lifecycle))
	if err != nil {
		return err
	}
	if !ok {
		e.Action, e.Outcome, e.Payload["reason_code"] = audit.RunBlocked, audit.Denied, string(why)
		_, err = block(ctx, tx, a, why, e)
		return err
	}
	_, _, err = s.tryAdmit(ctx, tx, a, e)
	return err
}

// readyNow returns the reason why a connection cannot be started now.
func readyNow(ctx context.Context, tx pgx.Tx, i integration.ID, lifecycle connection.Lifecycle) (why operation.Code, ok bool, err error) {
	r, err := licenceRecord(ctx, tx)
	if err != nil {
		return "", false, err
	}
	if _, ok := r.Standing().Allows(i); !ok {
		return operation.IntegrationNotLicensed, false, nil
	}
	now := connection.Connection{Lifecycle: lifecycle}
	why, ok = now.Ready()
	return why, ok, nil
}

// FinishTest ends a connection test.
func (s *Runs) FinishTest(ctx context.Context, f run.Fence, end run.Ending, t run.TestReport) (found run.Run, err error) {
	err = s.withHeld(ctx, f, func(tx pgx.Tx, row dbsqlc.Run) error {
		known, err := dbsqlc.New(tx).GetConnectionTarget(ctx, dbsqlc.GetConnectionTargetParams{
			WorkspaceID: row.WorkspaceID, ConnectionID: orZero(row.ConnectionID),
		})
		if err != nil {
			return fmt.Errorf("find the connection's target: %w", err)
		}
		if t.Target != nil && t.Target.ID != "" && known.TargetID != nil && known.ProviderTargetID != t.Target.ID {
			end, t = mismatch(end, t, known.ProviderTargetID)
		}
		if err := s.noteTest(ctx, tx, row, end, t); err != nil {
			return err
		}
		if err := s.end(ctx, tx, row, end); err != nil {
			return err
		}
		found, err = s.get(ctx, tx, f.Workspace, f.Run)
		return err
	})
	return found, err
}

// mismatch is how a test ends whose credentials reach another organisation than
// the connection's.
func mismatch(end run.Ending, t run.TestReport, want string) (run.Ending, run.TestReport) {
	message := run.Sanitise(fmt.Sprintf("the credentials reach %s; the connection is for %s", t.Target.ID, want))
	steps := operation.NextSteps(operation.TargetMismatch, "")
	failed := run.Ending{Outcome: run.Failed, Reason: operation.TargetMismatch, Failure: &run.Failure{Message: message}, By: end.By}
	return failed, run.TestReport{Outlook: t.Outlook, Remediation: []connector.Remediation{
		{Category: connector.RemedyScope, Message: message, Action: steps[0].Instruction()},
	}}
}

// noteTest stores a test's result and what it says of the connection.
func (s *Runs) noteTest(ctx context.Context, tx pgx.Tx, row dbsqlc.Run, end run.Ending, t run.TestReport) error {
	q := dbsqlc.New(tx)
	conn := orZero(row.ConnectionID)
	test := dbsqlc.InsertConnectionTestParams{
		TenantID: int64(s.tenant), WorkspaceID: row.WorkspaceID, ConnectionID: conn, RunID: row.RunID,
		Status: "failure", ReasonCode: orNull(string(end.Reason)),
	}
	health := dbsqlc.NoteConnectionTestParams{
		WorkspaceID: row.WorkspaceID, ConnectionID: conn, Connected: t.Target != nil,
		Status: dbsqlc.ConnectionStatus(connection.Degraded), ReasonCode: orNull(string(end.Reason)), Message: failureMessage(end),
	}
	if t.Success {
		test.Status, health.Status = "success", dbsqlc.ConnectionStatus(connection.Healthy)
	}
	var err error
	if test.Remediation, err = json.Marshal(sanitiseRemediation(t.Remediation)); err != nil {
		return fmt.Errorf("encode remediation: %w", err)
	}
	if test.Outlook, err = json.Marshal(append([]connector.StreamOutlook{}, t.Outlook...)); err != nil {
		return fmt.Errorf("encode outlook: %w", err)
	}
	if err := q.InsertConnectionTest(ctx, test); err != nil {
		return fmt.Errorf("insert test: %w", err)
	}
	if err := q.NoteConnectionTest(ctx, health); err != nil {
		return fmt.Errorf("note health: %w", err)
	}
	if t.Target != nil && t.Target.ID != "" {
		if err := noteTarget(ctx, q, row.WorkspaceID, conn, t.Target); err != nil {
			return err
		}
	}
	return record(ctx, tx, s.scope(id.Workspace(row.WorkspaceID)), audit.Event{
		Actor: end.By, Action: audit.ConnectionTested, Outcome: endOutcome(end.Outcome), TargetType: "connection", TargetID: id.Connection(conn).String(),
		Payload: map[string]any{"status": test.Status, "reason_code": string(end.Reason), "run_id": id.Run(row.RunID).String()},
	})
}

// noteTarget finds or creates the organisation a test reached, for a connection
// that has none yet.
func noteTarget(ctx context.Context, q *dbsqlc.Queries, w, conn int64, t *connector.Target) error {
	known, err := q.GetConnectionTarget(ctx, dbsqlc.GetConnectionTargetParams{WorkspaceID: w, ConnectionID: conn})
	if err != nil || known.TargetID != nil || known.DeletedAt != nil {
		return err
	}
	name := t.Name
	if name == "" {
		name = t.ID
	}
	target, err := q.UpsertTarget(ctx, dbsqlc.UpsertTargetParams{
		WorkspaceID: w, ProviderSystem: known.ProviderSystem, ProviderTargetID: t.ID, TargetType: t.Type, Name: name,
	})
	if err != nil {
		return fmt.Errorf("store target: %w", err)
	}
	return q.SetConnectionTarget(ctx, dbsqlc.SetConnectionTargetParams{WorkspaceID: w, ConnectionID: conn, TargetID: &target})
}

func sanitiseRemediation(items []connector.Remediation) []connector.Remediation {
	clean := make([]connector.Remediation, len(items))
	for i, m := range items {
		clean[i] = connector.Remediation{Category: m.Category, Message: run.Sanitise(m.Message), Action: run.Sanitise(m.Action)}
	}
	return clean
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
	}
	return audit.RunFailed
}

func endOutcome(o run.Outcome) audit.Outcome {
	if o == run.Failed {
		return audit.Failed
	}
	return audit.Succeeded
}
