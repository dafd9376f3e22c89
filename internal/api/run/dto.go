package run

import (
	"encoding/json"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	domain "github.com/gatehouse-project/gatehouse/internal/run"
)

// Run is a run as the API shows it.
type Run struct {
	RunID          id.Run                       `json:"run_id" doc:"Id of the run."`
	TenantID       id.Tenant                    `json:"tenant_id"`
	WorkspaceID    id.Workspace                 `json:"workspace_id"`
	OperationType  string                       `json:"operation_type" example:"discovery.run"`
	IntegrationID  string                       `json:"integration_id,omitempty" example:"aws"`
	ConnectionID   *id.Connection               `json:"connection_id,omitempty"`
	ConnectionName string                       `json:"connection_name,omitempty"`
	TargetID       *id.Target                   `json:"target_id,omitempty"`
	Status         string                       `json:"status" enum:"queued,running,completed"`
	Outcome        string                       `json:"outcome" enum:"pending,succeeded,partially_succeeded,failed,cancelled,blocked"`
	Phase          string                       `json:"phase" enum:"executing,publishing" doc:"Who has an unfinished run in hand: a worker, or the publisher."`
	ReasonCode     *string                      `json:"reason_code" doc:"Why the run did not simply succeed; null when it did or has not ended."`
	ShortReason    *string                      `json:"short_reason"`
	Explanation    string                       `json:"explanation,omitempty"`
	NextSteps      []NextStep                   `json:"next_steps"`
	FailureSummary api.Nullable[FailureSummary] `json:"failure_summary"`
	SummaryCounts  map[string]int64             `json:"summary_counts" doc:"How much was read, new, changed and closed, by name."`
	Progress       Progress                     `json:"progress"`
	Context        json.RawMessage              `json:"context" doc:"Provider, connection, target and module; never a secret."`
	Input          api.Object                   `json:"input" doc:"What the start said beside its connection."`
	ProtectedScope api.Nullable[ProtectedScope] `json:"protected_scope" doc:"What the run has to itself, or shares with others of its kind, until it ends; null when that is nothing."`
	Diagnostics    bool                         `json:"diagnostics_available" doc:"There is more to see of how the run went than its reason: failure_summary, summary_counts or coverage."`
	Initiator      string                       `json:"initiator" enum:"user,schedule,system"`
	InitiatedBy    *id.Member                   `json:"initiated_by,omitempty"`
	Attempt        int                          `json:"attempt" doc:"How often a worker has taken the run."`
	CreatedAt      time.Time                    `json:"created_at"`
	StartedAt      *time.Time                   `json:"started_at"`
	CompletedAt    *time.Time                   `json:"completed_at"`
	DeadlineAt     *time.Time                   `json:"deadline_at,omitempty" doc:"When an unfinished run is failed."`
	CancelledAt    *time.Time                   `json:"cancel_requested_at,omitempty"`
	Followed       bool                         `json:"rerun_requested" doc:"Another run starts when this one has ended, because the same was asked for while it was under way; also after a cancellation."`
	// Coverage is only in the answer about one run, once it was published.
	Coverage []Coverage `json:"coverage,omitempty" doc:"How completely each part was read."`
}

// NextStep is something a person can do.
type NextStep struct {
	Label       string `json:"label"`
	Description string `json:"description,omitempty"`
	Href        string `json:"href,omitempty"`
	ActionType  string `json:"action_type,omitempty"`
}

// ProtectedScope is what a run protects.
type ProtectedScope struct {
	Protects     string         `json:"protects" enum:"connection,target_directory,target_policies_shared,target"`
	ConnectionID *id.Connection `json:"connection_id,omitempty"`
	TargetID     *id.Target     `json:"target_id,omitempty"`
	Shared       bool           `json:"shared" doc:"Others of its kind may hold it at the same time."`
	Held         bool           `json:"held" doc:"The run holds it now."`
	Since        time.Time      `json:"since"`
	LeaseUntil   *time.Time     `json:"lease_until" doc:"When a worker that stopped responding loses the run; null while none has it."`
}

// FailureSummary says what went wrong, in words that are safe to show.
type FailureSummary struct {
	Message string   `json:"message"`
	Details []string `json:"details,omitempty"`
}

// Progress is how far the worker says it is.
type Progress struct {
	Message        string `json:"message,omitempty"`
	PartitionsDone int    `json:"partitions_done"`
	PartitionsAll  int    `json:"partitions_all"`
	Entities       int64  `json:"entities"`
	Relationships  int64  `json:"relationships"`
}

// Coverage is how completely one partition was read.
type Coverage struct {
	Stream    string `json:"stream"`
	Partition string `json:"partition,omitempty"`
	Coverage  string `json:"coverage" enum:"complete,partial,skipped"`
	Reason    string `json:"reason_code,omitempty"`
	Message   string `json:"message,omitempty"`
	Records   int64  `json:"records"`
}

// FromDomain is how the API shows a run.
func FromDomain(r domain.Run) Run {
	shown := Run{
		RunID: r.ID, TenantID: r.Scope.Tenant, WorkspaceID: r.Scope.Workspace,
		OperationType: string(r.Operation), IntegrationID: string(r.Integration), ConnectionName: r.ConnectionName,
		ConnectionID: api.NotZero(r.Connection), TargetID: api.NotZero(r.Target), InitiatedBy: api.NotZero(r.InitiatedBy),
		Status: string(r.Status), Outcome: string(r.Outcome), Phase: string(r.Phase), NextSteps: []NextStep{},
		SummaryCounts: r.Counts, Context: r.Context, Input: api.Object(r.Input), Diagnostics: r.DiagnosticsAvailable(), Initiator: string(r.Initiator), Attempt: r.Attempt,
		Progress:  Progress(r.Progress),
		CreatedAt: r.CreatedAt.UTC(), StartedAt: api.UTC(r.StartedAt), CompletedAt: api.UTC(r.CompletedAt), CancelledAt: api.UTC(r.CancelRequestedAt), Followed: r.Followed,
	}
	if r.Status != domain.Completed {
		shown.DeadlineAt = api.UTC(r.DeadlineAt)
	}
	if shown.SummaryCounts == nil {
		shown.SummaryCounts = map[string]int64{}
	}
	if p, ok := r.Protected(); ok {
		shown.ProtectedScope.Value = &ProtectedScope{
			Protects: string(p.Protects), ConnectionID: api.NotZero(p.Connection), TargetID: api.NotZero(p.Target),
			Shared: p.Shared, Held: p.Held, Since: p.Since.UTC(), LeaseUntil: api.UTC(p.LeaseUntil),
		}
	}
	if r.Failure != nil {
		shown.FailureSummary.Value = &FailureSummary{Message: r.Failure.Message, Details: r.Failure.Details}
	}
	if r.Reason != "" {
		reason, code := operation.Explain(r.Reason), string(r.Reason)
		shown.ReasonCode, shown.ShortReason, shown.Explanation = &code, &reason.Short, reason.Explanation
		shown.NextSteps = NextSteps(r.NextSteps())
	}
	return shown
}

// NextSteps is how the API shows next steps; never null.
func NextSteps(steps []operation.NextStep) []NextStep {
	shown := make([]NextStep, len(steps))
	for i, s := range steps {
		shown[i] = NextStep{Label: s.Label, Description: s.Description, Href: s.Href, ActionType: string(s.ActionType)}
	}
	return shown
}
