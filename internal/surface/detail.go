package surface

import (
	"time"

	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// ProviderBackedRunDetail is one run, whoever or whatever started it.
type ProviderBackedRunDetail struct {
	RunID         int64  `json:"runId"`
	OperationType string `json:"operationType"`
	// ExecutionStatus is queued, running or completed.
	ExecutionStatus string `json:"executionStatus"`
	// Outcome is null until the run has ended.
	Outcome            *string                    `json:"outcome"`
	ProviderConnection *ProviderConnectionContext `json:"providerConnection,omitempty"`
	ProtectedScope     *ProtectedScope            `json:"protectedScope,omitempty"`
	ShortReason        *string                    `json:"shortReason"`
	NextSteps          []NextStep                 `json:"nextSteps"`
	// DiagnosticsAvailable says that there is more to see than the reason.
	DiagnosticsAvailable bool `json:"diagnosticsAvailable"`
}

// ProtectedScope is what a run has to itself, or shares with others of its kind.
type ProtectedScope struct {
	Protects             string `json:"protects"`
	ProviderConnectionID *int64 `json:"providerConnectionId,omitempty"`
	// TenantID is the organisation, which the contract calls a tenant.
	TenantID   *int64     `json:"tenantId,omitempty"`
	Shared     bool       `json:"shared"`
	Held       bool       `json:"held"`
	Since      time.Time  `json:"since"`
	LeaseUntil *time.Time `json:"leaseUntil"`
}

// Detail shows a run.
func Detail(r run.Run) ProviderBackedRunDetail {
	shown := ProviderBackedRunDetail{
		RunID: int64(r.ID), OperationType: string(r.Operation), ExecutionStatus: string(r.Status),
		NextSteps: nextSteps(r.NextSteps()), DiagnosticsAvailable: r.DiagnosticsAvailable(),
	}
	if r.Outcome != run.Pending {
		shown.Outcome = orNull(string(r.Outcome))
	}
	if r.Reason != "" {
		shown.ShortReason = orNull(operation.Explain(r.Reason).Short)
	}
	if r.Connection != 0 {
		shown.ProviderConnection = contextOf(r.Connection, r.Integration, r.ConnectionName)
	}
	if p, ok := r.Protected(); ok {
		shown.ProtectedScope = &ProtectedScope{
			Protects: string(p.Protects), ProviderConnectionID: number(p.Connection), TenantID: number(p.Target),
			Shared: p.Shared, Held: p.Held, Since: p.Since.UTC(),
		}
		if p.LeaseUntil != nil {
			until := p.LeaseUntil.UTC()
			shown.ProtectedScope.LeaseUntil = &until
		}
	}
	return shown
}

// number is nil for no id.
func number[T ~int64](n T) *int64 {
	if n == 0 {
		return nil
	}
	bare := int64(n)
	return &bare
}
