package postgres

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/onboarding"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

func noOnboarding(err error, o id.Onboarding) error {
	if o == 0 {
		return notFound(err, "there is no such onboarding session")
	}
	return notFound(err, "there is no onboarding session %s", o)
}

func getOnboarding(ctx context.Context, tx pgx.Tx, scope id.Scope, o id.Onboarding) (onboarding.Session, error) {
	if o == 0 { // to the query, zero means any
		return onboarding.Session{}, noOnboarding(pgx.ErrNoRows, o)
	}
	found, err := findOnboarding(ctx, tx, scope, dbsqlc.FindOnboardingParams{WorkspaceID: int64(scope.Workspace), SessionID: int64(o), Most: 1})
	if err != nil {
		return onboarding.Session{}, err
	}
	if len(found) == 0 {
		return onboarding.Session{}, noOnboarding(pgx.ErrNoRows, o)
	}
	return found[0], nil
}

// findOnboarding reads sessions with their steps, operations and verifications.
func findOnboarding(ctx context.Context, tx pgx.Tx, scope id.Scope, p dbsqlc.FindOnboardingParams) ([]onboarding.Session, error) {
	q := dbsqlc.New(tx)
	rows, err := q.FindOnboarding(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("find onboarding sessions: %w", err)
	}
	found := make([]onboarding.Session, len(rows))
	ids, of := make([]int64, len(rows)), make(map[int64]*onboarding.Session, len(rows))
	for i, r := range rows {
		found[i] = onboarding.Session{
			ID: id.Onboarding(r.SessionID), Scope: scope, Integration: integration.ID(r.IntegrationID), Status: onboarding.Status(r.Status),
			Connection: id.Connection(r.ConnectionID), ConnectionName: r.ConnectionName, Scheduled: r.ConnectionScheduled, Taken: map[onboarding.Step]onboarding.Taken{},
			Surface: r.Surface, Reason: operation.Code(r.ReasonCode), Version: r.Version, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
		}
		ids[i], of[r.SessionID] = r.SessionID, &found[i]
	}
	if len(found) == 0 {
		return nil, nil
	}
	steps, err := q.ListOnboardingSteps(ctx, dbsqlc.ListOnboardingStepsParams{WorkspaceID: p.WorkspaceID, Sessions: ids})
	if err != nil {
		return nil, fmt.Errorf("list steps: %w", err)
	}
	for _, r := range steps {
		of[r.SessionID].Taken[onboarding.Step(r.Step)] = onboarding.Taken{By: id.Member(r.TakenBy), At: r.TakenAt}
	}
	operations, err := q.ListOnboardingOperations(ctx, dbsqlc.ListOnboardingOperationsParams{WorkspaceID: p.WorkspaceID, Sessions: ids})
	if err != nil {
		return nil, fmt.Errorf("list operations: %w", err)
	}
	for _, r := range operations {
		s := of[r.SessionID]
		s.Operations = append(s.Operations, onboarding.Operation{
			Position: int(r.Position), Type: operation.Type(r.OperationType), State: onboarding.OperationState(r.State),
			Run: id.Run(r.RunID), WaitsFor: id.Run(r.WaitsFor), Outcome: run.Outcome(r.Outcome), Reason: operation.Code(r.ReasonCode),
			Now:       onboarding.RunNow{Status: run.Status(r.RunStatus), Outcome: run.Outcome(r.RunOutcome), Reason: operation.Code(r.RunReasonCode)},
			StartedAt: r.StartedAt, EndedAt: r.EndedAt,
		})
	}
	verifications, err := q.ListVerifications(ctx, dbsqlc.ListVerificationsParams{WorkspaceID: p.WorkspaceID, Sessions: ids})
	if err != nil {
		return nil, fmt.Errorf("list verifications: %w", err)
	}
	for _, r := range verifications {
		if of[r.SessionID].Verification, err = verification(r); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func verification(r dbsqlc.ListVerificationsRow) (*onboarding.Verification, error) {
	v := &onboarding.Verification{
		Run: id.Run(r.RunID), RunStatus: run.Status(r.Status), Reason: operation.Code(r.ReasonCode), Success: r.Result == "success",
		CompletedAt: r.CompletedAt, Current: r.Current,
	}
	for _, column := range []struct {
		name string
		raw  json.RawMessage
		into any
	}{{"remediation", r.Remediation, &v.Remediation}, {"outlook", r.Outlook, &v.Outlook}} {
		if len(column.raw) == 0 {
			continue
		}
		if err := json.Unmarshal(column.raw, column.into); err != nil {
			return nil, fmt.Errorf("decode the %s of %s: %w", column.name, v.Run, err)
		}
	}
	return v, nil
}

var _ onboarding.Store = (*Onboarding)(nil)
