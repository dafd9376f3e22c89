package workspace

import (
	"context"
	"net/http"
	"slices"

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
	}, lister(o.mine, func(m domain.Membership) id.Workspace { return m.Workspace.ID }, membershipFromDomain,
		func(items []Membership, next string) List { return List{Workspaces: items, NextCursor: next} }))
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

type getInput struct {
	Workspace api.PathID[id.Workspace] `path:"workspace_id"`
}

type getOutput struct {
	Body Workspace
}

// mine returns the caller's memberships behind a workspace; the service has them
// all.
func (o *operations) mine(ctx context.Context, c domain.Caller, after id.Workspace, limit int) ([]domain.Membership, error) {
	found, err := o.workspaces.Mine(ctx, c)
	if err != nil {
		return nil, err
	}
	found = slices.DeleteFunc(found, func(m domain.Membership) bool { return m.Workspace.ID <= after })
	return found[:min(len(found), limit)], nil
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

// page is the answer to a list.
type page[B any] struct {
	Body B
}

// lister is the operation that lists what find returns behind an id, as the body
// that is made of a page's items and the cursor of the next one.
func lister[D, T, B any, I api.Identifier](
	find func(context.Context, domain.Caller, I, int) ([]D, error), idOf func(D) I, convert func(D) T, body func(items []T, next string) B,
) func(context.Context, *listInput) (*page[B], error) {
	return func(ctx context.Context, in *listInput) (*page[B], error) {
		after, err := api.After[I](in.Page)
		if err != nil {
			return nil, err
		}
		found, err := find(ctx, api.CallerFrom(ctx), after, in.Fetch())
		if err != nil {
			return nil, err
		}
		cut, next := api.Cut(in.Page, found, idOf)
		return &page[B]{Body: body(fromAll(cut, convert), next)}, nil
	}
}

// fromAll converts each item. The list is never null.
func fromAll[D, T any](items []D, convert func(D) T) []T {
	all := make([]T, len(items))
	for i, item := range items {
		all[i] = convert(item)
	}
	return all
}
