package onboarding

import (
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/api"
	apiconnection "github.com/gatehouse-project/gatehouse/internal/api/connection"
	apiintegration "github.com/gatehouse-project/gatehouse/internal/api/integration"
	apioperation "github.com/gatehouse-project/gatehouse/internal/api/operation"
	apirun "github.com/gatehouse-project/gatehouse/internal/api/run"
	"github.com/gatehouse-project/gatehouse/internal/id"
	domain "github.com/gatehouse-project/gatehouse/internal/onboarding"
	"github.com/gatehouse-project/gatehouse/internal/operation"
)

// Session is a session as the API shows it.
type Session struct {
	SessionID         id.Onboarding                   `json:"session_id"`
	TenantID          id.Tenant                       `json:"tenant_id"`
	WorkspaceID       id.Workspace                    `json:"workspace_id"`
	IntegrationID     string                          `json:"integration_id" example:"aws"`
	Status            string                          `json:"status" enum:"open,bootstrapping,stopped,completed,abandoned" doc:"open waits for somebody; bootstrapping goes on by itself; stopped can be resumed; the others are final."`
	Step              *string                         `json:"step" enum:"integration,connection,verify,bootstrap" doc:"The first step that is not done; null when all are."`
	Steps             []Step                          `json:"steps" nullable:"false"`
	ConnectionID      *id.Connection                  `json:"connection_id" nullable:"true"`
	ConnectionName    string                          `json:"connection_name,omitempty"`
	Verification      api.Nullable[Verification]      `json:"verification" doc:"The last test of the connection; null before the first."`
	Operations        []Operation                     `json:"operations" nullable:"false" doc:"The bootstrap, in the order in which its operations start."`
	AcceptedOperation *string                         `json:"accepted_operation" doc:"The operation whose run is queued or running."`
	PendingOperations []string                        `json:"pending_operations" nullable:"false" doc:"Those that have not started, in order."`
	OfferedOperations []string                        `json:"offered_operations" nullable:"false" doc:"What a bootstrap of this integration can start."`
	ReasonCode        *string                         `json:"reason_code" doc:"Why a stopped session stopped."`
	ShortReason       *string                         `json:"short_reason"`
	Explanation       string                          `json:"explanation,omitempty"`
	NextSteps         []apirun.NextStep               `json:"next_steps" nullable:"false"`
	PermissionPacks   []apiintegration.PermissionPack `json:"permission_packs,omitempty" doc:"What to grant at the provider, for the connection of the session, if there is one; only in the answer about one session."`
	Version           int64                           `json:"version" doc:"Counts changes; it is the ETag."`
	CreatedAt         time.Time                       `json:"created_at"`
	UpdatedAt         time.Time                       `json:"updated_at"`
	ExpiresAt         *time.Time                      `json:"expires_at" doc:"When a session that waits for somebody counts as abandoned."`
}

// TransformSchema completes the description.
func (Session) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return api.OrNull(s, "step")
}

// Step is one part of the way.
type Step struct {
	Step    string     `json:"step" enum:"integration,connection,verify,bootstrap"`
	State   string     `json:"state" enum:"pending,running,done,failed,outdated" doc:"outdated: the configuration was changed after it was verified."`
	TakenBy *id.Member `json:"taken_by" nullable:"true" doc:"Who took it last."`
	TakenAt *time.Time `json:"taken_at"`
}

// Verification is a test of the session's connection.
type Verification struct {
	RunID       id.Run                        `json:"run_id"`
	State       string                        `json:"state" enum:"running,done,failed,outdated"`
	ReasonCode  *string                       `json:"reason_code"`
	ShortReason *string                       `json:"short_reason"`
	Explanation string                        `json:"explanation,omitempty"`
	CheckedAt   *time.Time                    `json:"checked_at"`
	Remediation []apiconnection.Remediation   `json:"remediation" nullable:"false"`
	Streams     []apiconnection.StreamOutlook `json:"streams" nullable:"false" doc:"How completely each stream can be read with these credentials."`
}

// Operation is one operation of a bootstrap.
type Operation struct {
	OperationType string     `json:"operation_type" example:"discovery.run"`
	State         string     `json:"state" enum:"pending,waiting,started,ended" doc:"waiting: it is next, and another run holds what it needs."`
	Outcome       *string    `json:"outcome" enum:"succeeded,partially_succeeded,failed,cancelled,blocked"`
	ReasonCode    *string    `json:"reason_code"`
	ShortReason   *string    `json:"short_reason"`
	RunID         *id.Run    `json:"run_id" nullable:"true"`
	WaitsFor      *id.Run    `json:"waits_for_run_id" nullable:"true"`
	StartedAt     *time.Time `json:"started_at"`
	EndedAt       *time.Time `json:"ended_at"`
}

// TransformSchema completes the description.
func (Operation) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return api.OrNull(s, "outcome")
}

// BootstrapOutcome is the gate's answer to the first operation that is to start,
// and what the session makes of it.
type BootstrapOutcome struct {
	apioperation.StartResult
	AcceptedOperation *string  `json:"accepted_operation" doc:"The operation whose run is queued or running; null when none is."`
	PendingOperations []string `json:"pending_operations" nullable:"false" doc:"Those that start as each predecessor ends."`
	Session           Session  `json:"session"`
}

func (o *operations) fromDomain(s domain.Session) Session {
	dto := Session{
		SessionID: s.ID, TenantID: s.Scope.Tenant, WorkspaceID: s.Scope.Workspace, IntegrationID: string(s.Integration), Status: string(s.Status),
		Step: textOrNil(s.Step()), Steps: []Step{}, ConnectionID: api.NotZero(s.Connection), ConnectionName: s.ConnectionName, Operations: []Operation{},
		AcceptedOperation: textOrNil(s.AcceptedOperation()), PendingOperations: texts(s.PendingOperations()), OfferedOperations: []string{},
		NextSteps: apirun.NextSteps(s.NextSteps()), Version: s.Version, CreatedAt: s.CreatedAt.UTC(), UpdatedAt: s.UpdatedAt.UTC(),
	}
	for _, op := range o.sessions.Offered(s.Integration) {
		dto.OfferedOperations = append(dto.OfferedOperations, string(op.Type))
	}
	for _, step := range domain.Steps() {
		shown := Step{Step: string(step), State: string(s.StateOf(step))}
		if taken, ok := s.Taken[step]; ok {
			shown.TakenBy, shown.TakenAt = api.NotZero(taken.By), api.UTC(&taken.At)
		}
		dto.Steps = append(dto.Steps, shown)
	}
	for _, op := range s.Operations {
		shown := Operation{
			OperationType: string(op.Type), State: string(op.State), Outcome: textOrNil(op.Outcome), RunID: api.NotZero(op.Run), WaitsFor: api.NotZero(op.WaitsFor),
			StartedAt: api.UTC(op.StartedAt), EndedAt: api.UTC(op.EndedAt),
		}
		shown.ReasonCode, shown.ShortReason, _ = reason(op.Reason)
		dto.Operations = append(dto.Operations, shown)
	}
	dto.ReasonCode, dto.ShortReason, dto.Explanation = reason(s.Reason)
	if v := s.Verification; v != nil {
		shown := &Verification{
			RunID: v.Run, State: string(s.StateOf(domain.VerifyStep)), CheckedAt: api.UTC(v.CompletedAt),
			Remediation: apiconnection.Remediations(s.Remediation()), Streams: apiconnection.Outlooks(v.Outlook),
		}
		shown.ReasonCode, shown.ShortReason, shown.Explanation = reason(v.Reason)
		dto.Verification.Value = shown
	}
	if at, waits := s.ExpiresAt(); waits {
		dto.ExpiresAt = api.UTC(&at)
	}
	return dto
}

// outcome shows the gate's answer; without one, what the session's operation that
// is under way says of it.
func (o *operations) outcome(out domain.Outcome) BootstrapOutcome {
	shown := BootstrapOutcome{Session: o.fromDomain(out.Session)}
	shown.AcceptedOperation, shown.PendingOperations = shown.Session.AcceptedOperation, shown.Session.PendingOperations
	if out.Start != nil {
		shown.StartResult = apioperation.FromDomain(*out.Start)
	} else {
		shown.StartResult = apioperation.FromDomain(out.Session.Standing())
	}
	return shown
}

func reason(code operation.Code) (shown, short *string, explanation string) {
	if code == "" {
		return nil, nil, ""
	}
	r, text := operation.Explain(code), string(code)
	return &text, &r.Short, r.Explanation
}

func textOrNil[T ~string](v T) *string {
	if v == "" {
		return nil
	}
	text := string(v)
	return &text
}

func texts[T ~string](given []T) []string {
	list := make([]string, len(given))
	for i, t := range given {
		list[i] = string(t)
	}
	return list
}
