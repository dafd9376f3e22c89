package audit

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/api"
	domain "github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Event is one significant action.
type Event struct {
	EventID     id.AuditEvent  `json:"event_id" example:"aud_123"`
	TenantID    id.Tenant      `json:"tenant_id" example:"t_123"`
	WorkspaceID id.Workspace   `json:"workspace_id" example:"w_123"`
	ActorKind   string         `json:"actor_kind" enum:"member,worker,system"`
	ActorID     string         `json:"actor_id" example:"mem_123"`
	Action      string         `json:"action" example:"connection_created"`
	Outcome     string         `json:"outcome" enum:"succeeded,failed,denied"`
	TargetType  string         `json:"target_type" example:"connection"`
	TargetID    string         `json:"target_id" example:"conn_123"`
	Payload     map[string]any `json:"payload" doc:"Explains the action; never a secret."`
	CreatedAt   time.Time      `json:"created_at"`
}

// List is a page of audit events.
type List struct {
	AuditEvents []Event `json:"audit_events" nullable:"false"`
	NextCursor  string  `json:"next_cursor,omitempty"`
}

type listInput struct {
	api.Page
	Action     string `query:"action" maxLength:"64" example:"connection_created"`
	TargetType string `query:"target_type" maxLength:"64" example:"connection"`
	TargetID   string `query:"target_id" maxLength:"128" example:"conn_123"`
	ActorID    string `query:"actor_id" maxLength:"128" example:"mem_123"`
}

type listOutput struct {
	Body List
}

// Mount adds the operation on audit events.
func Mount(a huma.API, workspaces *workspace.Service) {
	api.Register(a, huma.Operation{
		OperationID: "list-audit-events", Method: http.MethodGet, Path: "/v1/audit-events", Tags: []string{"Audit"},
		Summary: "List audit events", Description: "What was done in the workspace, the newest first. Needs audit.read.",
	}, func(ctx context.Context, in *listInput) (*listOutput, error) {
		before, err := api.After[id.AuditEvent](in.Page)
		if err != nil {
			return nil, err
		}
		found, err := workspaces.AuditEvents(ctx, api.CallerFrom(ctx), domain.Filter{
			Action: domain.Action(in.Action), TargetType: in.TargetType, TargetID: in.TargetID, ActorID: in.ActorID,
			Before: before, Limit: in.Fetch(),
		})
		if err != nil {
			return nil, err
		}
		items, next := api.Cut(in.Page, found, func(r domain.Record) id.AuditEvent { return r.ID })
		out := &listOutput{Body: List{AuditEvents: make([]Event, len(items)), NextCursor: next}}
		for i, r := range items {
			out.Body.AuditEvents[i] = fromDomain(r)
		}
		return out, nil
	})
}

func fromDomain(r domain.Record) Event {
	return Event{
		EventID: r.ID, TenantID: r.Scope.Tenant, WorkspaceID: r.Scope.Workspace, ActorKind: string(r.Actor.Kind), ActorID: r.Actor.ID,
		Action: string(r.Action), Outcome: string(r.Outcome), TargetType: r.TargetType, TargetID: r.TargetID,
		Payload: r.Payload, CreatedAt: r.CreatedAt.UTC(),
	}
}
