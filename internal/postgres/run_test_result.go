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
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// FinishTest ends a connection test.
func (s *Runs) FinishTest(ctx context.Context, f run.Fence, end run.Ending, t run.TestReport) (found run.Run, err error) {
	err = s.withHeld(ctx, f, func(tx pgx.Tx, row dbsqlc.Run) error {
		if t.Reached == nil {
			if err := explainFailure(ctx, tx, row, &end); err != nil {
				return err
			}
		}
		former, err := replaced(ctx, tx, row)
		if err != nil {
			return err
		}
		if t.Reached != nil {
			_, wrong, err := s.noteReached(ctx, tx, row, *t.Reached, t.Success && !former)
			if err != nil {
				return err
			}
			if wrong != nil {
				end, t = wrongEnding(wrong, end.By), wrongReport(wrong, t)
			}
		}
		if former {
			t.Remediation = append(t.Remediation, connector.Remediation{
				Category: connector.RemedyCredentials, Message: "the configuration was changed during the test, which used the former one",
				Action: "Test the connection again",
			})
		}
		if err := s.noteTest(ctx, tx, row, end, t); err != nil {
			return err
		}
		if !former {
			if err := noteHealth(ctx, tx, row, end, t); err != nil {
				return err
			}
		}
		if err := s.end(ctx, tx, row, end); err != nil {
			return err
		}
		found, err = s.get(ctx, tx, f.Workspace, f.Run)
		return err
	})
	return found, err
}

// wrongReport is what a test found whose credentials are not this connection's.
func wrongReport(wrong *wrongReach, t run.TestReport) run.TestReport {
	steps := operation.NextSteps(wrong.reason, "")
	return run.TestReport{Outlook: t.Outlook, Remediation: []connector.Remediation{
		{Category: connector.RemedyScope, Message: wrong.message, Action: steps[0].Instruction()},
	}}
}

// noteTest stores a test's result.
func (s *Runs) noteTest(ctx context.Context, tx pgx.Tx, row dbsqlc.Run, end run.Ending, t run.TestReport) error {
	conn := orZero(row.ConnectionID)
	test := dbsqlc.InsertConnectionTestParams{
		TenantID: int64(s.tenant), WorkspaceID: row.WorkspaceID, ConnectionID: conn, RunID: row.RunID,
		Status: "failure", ReasonCode: orNull(string(end.Reason)),
	}
	if t.Success {
		test.Status = "success"
	}
	var err error
	if test.Remediation, err = json.Marshal(sanitiseRemediation(t.Remediation)); err != nil {
		return fmt.Errorf("encode remediation: %w", err)
	}
	if test.Outlook, err = json.Marshal(append([]connector.StreamOutlook{}, t.Outlook...)); err != nil {
		return fmt.Errorf("encode outlook: %w", err)
	}
	if err := dbsqlc.New(tx).InsertConnectionTest(ctx, test); err != nil {
		return fmt.Errorf("insert test: %w", err)
	}
	return record(ctx, tx, s.scope(id.Workspace(row.WorkspaceID)), audit.Event{
		Actor: end.By, Action: audit.ConnectionTested, Outcome: endOutcome(end.Outcome), TargetType: "connection", TargetID: id.Connection(conn).String(),
		Payload: map[string]any{"status": test.Status, "reason_code": string(end.Reason), "run_id": id.Run(row.RunID).String()},
	})
}

// noteHealth stores what a test says of its connection.
func noteHealth(ctx context.Context, tx pgx.Tx, row dbsqlc.Run, end run.Ending, t run.TestReport) error {
	health := dbsqlc.NoteConnectionTestParams{
		WorkspaceID: row.WorkspaceID, ConnectionID: orZero(row.ConnectionID), Connected: t.Reached != nil, ScopesGranted: []byte("[]"),
		Status: dbsqlc.ConnectionStatus(connection.Degraded), ReasonCode: orNull(string(end.Reason)), Message: failureMessage(end),
	}
	if t.Success {
		health.Status = dbsqlc.ConnectionStatus(connection.Healthy)
	}
	if len(t.Granted) > 0 {
		granted, err := json.Marshal(t.Granted)
		if err != nil {
			return fmt.Errorf("encode granted scopes: %w", err)
		}
		health.ScopesGranted = granted
	}
	if err := dbsqlc.New(tx).NoteConnectionTest(ctx, health); err != nil {
		return fmt.Errorf("note health: %w", err)
	}
	return nil
}

func sanitiseRemediation(items []connector.Remediation) []connector.Remediation {
	clean := make([]connector.Remediation, len(items))
	for i, m := range items {
		clean[i] = connector.Remediation{Category: m.Category, Message: run.Sanitise(m.Message), Action: run.Sanitise(m.Action)}
	}
	return clean
}
