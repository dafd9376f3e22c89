package audit

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/api"
	domain "github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/auditlog"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Filter is the part of a query that narrows; list and export have it.
type Filter struct {
	Action     string    `query:"action" maxLength:"64" example:"connection_created"`
	Outcome    string    `query:"outcome" enum:"succeeded,failed,denied"`
	TargetType string    `query:"target_type" maxLength:"64" example:"connection"`
	TargetID   string    `query:"target_id" maxLength:"128" example:"conn_123"`
	ActorID    string    `query:"actor_id" maxLength:"128" example:"mem_123"`
	Since      time.Time `query:"since" doc:"The first moment that counts."`
	Until      time.Time `query:"until" doc:"The first moment that does not count any more."`
}

func (f Filter) domain() domain.Filter {
	return domain.Filter{
		Action: domain.Action(f.Action), Outcome: domain.Outcome(f.Outcome), TargetType: f.TargetType, TargetID: f.TargetID,
		ActorID: f.ActorID, Since: f.Since, Until: f.Until,
	}
}

type listInput struct {
	api.Page
	Filter
	Total bool `query:"total" doc:"Count what passes the filter, up to 10,000; a filter that finds little makes this slow."`
}

type listOutput struct {
	Body List
}

// Mount adds the operations on audit events and their log.
func Mount(a huma.API, events *auditlog.Service) {
	api.Register(a, huma.Operation{
		OperationID: "list-audit-events", Method: http.MethodGet, Path: "/v1/audit-events", Tags: []string{"Audit"},
		Extensions:  api.Needs(workspace.ReadAudit),
		Summary:     "List audit events",
		Description: "What was done in the workspace, the newest first. An event is listed once its transaction has ended: one of a longer transaction can appear behind events that were listed before. To miss none, follow /v1/audit-log/entries or the export. Needs audit.read.",
	}, func(ctx context.Context, in *listInput) (*listOutput, error) {
		return list(ctx, events, api.CallerFrom(ctx), *in)
	})
	mountExport(a, events)
	mountLog(a, events)
	mountProof(a, events)
}

func list(ctx context.Context, events *auditlog.Service, c workspace.Caller, in listInput) (*listOutput, error) {
	before, err := api.After[id.AuditEvent](in.Page)
	if err != nil {
		return nil, err
	}
	found, err := events.List(ctx, c, in.domain(), before, in.Fetch())
	if err != nil {
		return nil, err
	}
	items, next := api.Cut(in.Page, found, func(r domain.Record) id.AuditEvent { return r.ID })
	out := &listOutput{Body: List{AuditEvents: make([]Event, len(items)), NextCursor: next}}
	for i, r := range items {
		out.Body.AuditEvents[i] = fromDomain(r)
	}
	if in.Total {
		n, err := events.Count(ctx, c, in.domain())
		if err != nil {
			return nil, err
		}
		out.Body.Total, out.Body.TotalAtMost = &n, n == domain.CountLimit
	}
	return out, nil
}
