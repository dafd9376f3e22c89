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

// operations are the HTTP operations on workspaces.
type operations struct {
	workspaces *domain.Service
}

// Mount adds the operations on workspaces, members and API keys.
func Mount(a huma.API, workspaces *domain.Service) {
	o := &operations{workspaces: workspaces}
	tags := []string{"Workspaces"}
	api.Register(a, huma.Operation{
		OperationID: "list-workspaces", Method: http.MethodGet, Path: "/v1/workspaces", Tags: tags,
		Summary: "List workspaces", Description: "The workspace of the API key. Needs administration.read.",
	}, o.list)
	api.Register(a, huma.Operation{
		OperationID: "get-workspace", Method: http.MethodGet, Path: "/v1/workspaces/{workspace_id}", Tags: tags,
		Summary: "Get a workspace", Description: "Any other workspace than that of the API key is not found. Needs administration.read.",
		Errors: []int{http.StatusNotFound},
	}, o.get)
	api.Register(a, huma.Operation{
		OperationID: "list-members", Method: http.MethodGet, Path: "/v1/members", Tags: tags,
		Summary:     "List members",
		Description: "People and API keys of the workspace in order of id, also those that were removed: audit events name them. Needs administration.read.",
	}, o.listMembers)
	api.Register(a, huma.Operation{
		OperationID: "list-api-keys", Method: http.MethodGet, Path: "/v1/api-keys", Tags: tags,
		Summary: "List API keys", Description: "Without the keys themselves, also those that were revoked. Needs administration.read.",
	}, o.listKeys)
	api.Register(a, huma.Operation{
		OperationID: "create-api-key", Method: http.MethodPost, Path: "/v1/api-keys", Tags: tags, DefaultStatus: http.StatusCreated,
		Summary: "Create an API key", Description: "The answer is the only place where the key is ever shown. Needs members.manage.",
	}, o.createKey)
	api.Register(a, huma.Operation{
		OperationID: "revoke-api-key", Method: http.MethodDelete, Path: "/v1/api-keys/{member_id}", Tags: tags,
		DefaultStatus: http.StatusNoContent, Summary: "Revoke an API key",
		Description: "Ends the key at once. Revoking twice changes nothing. Needs members.manage.",
		Errors:      []int{http.StatusNotFound},
	}, o.revokeKey)
}

type listInput struct {
	api.Page
}

// List is the workspaces of the caller.
type List struct {
	Workspaces []Workspace `json:"workspaces" nullable:"false"`
	NextCursor string      `json:"next_cursor,omitempty"`
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
	w, err := o.workspaces.Current(ctx, api.CallerFrom(ctx))
	if err != nil {
		return nil, err
	}
	out := &listOutput{Body: List{Workspaces: []Workspace{}}}
	if w.ID > after {
		out.Body.Workspaces = append(out.Body.Workspaces, fromDomain(w))
	}
	return out, nil
}

func (o *operations) get(ctx context.Context, in *getInput) (*getOutput, error) {
	w, err := o.workspaces.Current(ctx, api.CallerFrom(ctx))
	if err != nil {
		return nil, err
	}
	if w.ID != in.Workspace.ID {
		return nil, fault.New(fault.NotFound, "there is no such workspace")
	}
	return &getOutput{Body: fromDomain(w)}, nil
}

// MemberList is a page of members.
type MemberList struct {
	Members    []Member `json:"members" nullable:"false"`
	NextCursor string   `json:"next_cursor,omitempty"`
}

type listMembersOutput struct {
	Body MemberList
}

func (o *operations) listMembers(ctx context.Context, in *listInput) (*listMembersOutput, error) {
	after, err := api.After[id.Member](in.Page)
	if err != nil {
		return nil, err
	}
	found, err := o.workspaces.Members(ctx, api.CallerFrom(ctx), after, in.Fetch())
	if err != nil {
		return nil, err
	}
	items, next := api.Cut(in.Page, found, func(m domain.Member) id.Member { return m.ID })
	out := &listMembersOutput{Body: MemberList{Members: make([]Member, len(items)), NextCursor: next}}
	for i, m := range items {
		out.Body.Members[i] = memberFromDomain(m)
	}
	return out, nil
}
