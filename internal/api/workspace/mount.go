package workspace

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	domain "github.com/gatehouse-project/gatehouse/internal/workspace"
)

// operations are the HTTP operations on workspaces and people.
type operations struct {
	workspaces *domain.Service
}

// Mount adds the operations on workspaces, members, invitations, claim mappings,
// API keys, sessions and the tenant level.
func Mount(a huma.API, workspaces *domain.Service) {
	o := &operations{workspaces: workspaces}
	tags := []string{"Workspaces"}
	api.Register(a, huma.Operation{
		OperationID: "list-workspaces", Method: http.MethodGet, Path: "/v1/workspaces", Tags: tags, Extensions: api.NeedsCredentials(),
		Summary: "List your workspaces", Description: "Those that the caller is a member of, all on one page: a person's, or the one of an API key.",
	}, o.list)
	api.Register(a, huma.Operation{
		OperationID: "get-workspace", Method: http.MethodGet, Path: "/v1/workspaces/{workspace_id}", Tags: tags,
		Extensions: api.Needs(domain.ReadAdministration),
		Summary:    "Get a workspace", Description: "Any other workspace than the one that the request works in is not found. Needs administration.read.",
		Errors: []int{http.StatusNotFound},
	}, o.get)
	o.mountMembers(a)
	o.mountInvitations(a)
	o.mountMappings(a)
	o.mountKeys(a)
	o.mountSessions(a)
	o.mountTenant(a)
}

type listInput struct {
	api.Page
}

// List is the workspaces of the caller.
type List struct {
	Workspaces []Membership `json:"workspaces" nullable:"false"`
	NextCursor string       `json:"next_cursor,omitempty"`
}

type listOutput struct {
	Body List
}

type getInput struct {
	Workspace api.PathID[id.Workspace] `path:"workspace_id"`
}

type getOutput struct {
	Body Workspace
}

func (o *operations) list(ctx context.Context, in *listInput) (*listOutput, error) {
	after, err := api.After[id.Workspace](in.Page)
	if err != nil {
		return nil, err
	}
	found, err := o.workspaces.Mine(ctx, api.CallerFrom(ctx))
	if err != nil {
		return nil, err
	}
	var left []domain.Membership
	for _, m := range found {
		if m.Workspace.ID > after {
			left = append(left, m)
		}
	}
	items, next := api.Cut(in.Page, left, func(m domain.Membership) id.Workspace { return m.Workspace.ID })
	return &listOutput{Body: List{Workspaces: fromAll(items, membershipFromDomain), NextCursor: next}}, nil
}

func (o *operations) get(ctx context.Context, in *getInput) (*getOutput, error) {
	w, err := o.workspaces.Current(ctx, api.CallerFrom(ctx))
	if err != nil {
		return nil, err
	}
	if w.ID != in.Workspace.ID {
		return nil, fault.New(fault.NotFound, "there is no workspace %s that this request works in; name it by the header %s", in.Workspace.ID, api.WorkspaceHeader)
	}
	return &getOutput{Body: fromDomain(w)}, nil
}

// page makes one page of a list out of what was found.
func page[D, T any, I api.Identifier](p api.Page, found []D, idOf func(D) I, convert func(D) T) (items []T, next string) {
	cut, next := api.Cut(p, found, idOf)
	return fromAll(cut, convert), next
}

// fromAll converts each item. The list is never null.
func fromAll[D, T any](items []D, convert func(D) T) []T {
	all := make([]T, len(items))
	for i, item := range items {
		all[i] = convert(item)
	}
	return all
}
