package postgres

import (
	"encoding/json"
	"fmt"

	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// runFromRow maps a row to a run.
func runFromRow(tenant id.Tenant, row dbsqlc.Run, connectionName string) (run.Run, error) {
	r := run.Run{
		ID:             id.Run(row.RunID),
		Scope:          id.Scope{Tenant: tenant, Workspace: id.Workspace(row.WorkspaceID)},
		Operation:      operation.Type(row.OperationType),
		Integration:    integration.ID(orZero(row.IntegrationID)),
		Connection:     id.Connection(orZero(row.ConnectionID)),
		ConnectionName: connectionName,
		Target:         id.Target(orZero(row.TargetID)),
		Status:         run.Status(row.Status),
		Outcome:        run.Outcome(row.Outcome),
		Phase:          run.Phase(row.Phase),
		Reason:         operation.Code(orZero(row.ReasonCode)),
		Context:        row.Context,
		Input:          row.Input,
		Initiator:      run.Initiator(row.Initiator),
		InitiatedBy:    id.Member(orZero(row.InitiatedBy)),
		Attempt:        int(row.Attempt),
		Epoch:          row.Epoch,
		Worker:         orZero(row.Worker),
		LeaseUntil:     row.LeaseUntil, DeadlineAt: row.DeadlineAt, CancelRequestedAt: row.CancelRequestedAt, Followed: row.RerunRequested,
		CreatedAt: row.CreatedAt, StartedAt: row.StartedAt, CompletedAt: row.CompletedAt,
	}
	for _, column := range []struct {
		name string
		raw  json.RawMessage
		into any
	}{{"failure_summary", row.FailureSummary, &r.Failure}, {"summary_counts", row.SummaryCounts, &r.Counts}, {"progress", row.Progress, &r.Progress}} {
		if len(column.raw) == 0 {
			continue
		}
		if err := json.Unmarshal(column.raw, column.into); err != nil {
			return run.Run{}, fmt.Errorf("decode %s of %s: %w", column.name, r.ID, err)
		}
	}
	return r, nil
}

// holdOf is what a run holds of its target; nil for nothing.
func holdOf(row dbsqlc.Run) *operation.TargetHold {
	if !row.HeldParts.Valid {
		return nil
	}
	return &operation.TargetHold{
		Parts: operation.Parts{First: row.HeldParts.Lower.Int32, End: row.HeldParts.Upper.Int32}, Shared: row.HeldShared,
	}
}

// orZero is what p points to, or the zero value for null.
func orZero[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// orNull is a pointer to v, or null for the zero value.
func orNull[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// numberOrNull is an id's number, or null for the zero id.
func numberOrNull[T ~int64](v T) *int64 { return orNull(int64(v)) }
