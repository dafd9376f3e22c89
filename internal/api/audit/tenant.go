package audit

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/auditlog"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// The fields of listInput again: parameters of an embedded type are found only
// where it is exported.
type listAcrossInput struct {
	api.Page
	Filter
	Total     bool                     `query:"total" doc:"As in list-audit-events."`
	Workspace api.PathID[id.Workspace] `path:"workspace_id"`
}

// MountTenant adds what tenant administrators read of the events of any
// workspace.
func MountTenant(a huma.API, events *auditlog.Service, workspaces *workspace.Service) {
	api.Register(a, huma.Operation{
		OperationID: "list-workspace-audit-events", Method: http.MethodGet, Path: "/v1/tenant/workspaces/{workspace_id}/audit-events", Tags: []string{"Tenant"},
		Extensions:  api.Needs(workspace.ReadAuditAcross),
		Summary:     "List the audit events of any workspace",
		Description: "As list-audit-events, for a tenant administrator. The workspace's own record says that it was read. Needs audit.read_across.",
		Errors:      []int{http.StatusNotFound},
	}, func(ctx context.Context, in *listAcrossInput) (*listOutput, error) {
		auditor, err := workspaces.AsAuditor(ctx, api.CallerFrom(ctx), in.Workspace.ID)
		if err != nil {
			return nil, err
		}
		return list(ctx, events, auditor, listInput{Page: in.Page, Filter: in.Filter, Total: in.Total})
	})
}
