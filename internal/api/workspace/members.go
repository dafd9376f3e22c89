package workspace

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/id"
	domain "github.com/gatehouse-project/gatehouse/internal/workspace"
)

func (o *operations) mountMembers(a huma.API) {
	tags := []string{"Members"}
	api.Register(a, huma.Operation{
		OperationID: "list-members", Method: http.MethodGet, Path: "/v1/members", Tags: tags, Extensions: api.Needs(domain.ReadAdministration),
		Summary:     "List members",
		Description: "People and API keys of the workspace in order of id, also those that were removed: audit events name them. Needs administration.read.",
	}, lister(o.workspaces.Members, func(m domain.Member) id.Member { return m.ID }, memberFromDomain,
		func(items []Member, next string) MemberList { return MemberList{Members: items, NextCursor: next} }))
	api.Register(a, huma.Operation{
		OperationID: "set-member-role", Method: http.MethodPatch, Path: "/v1/members/{member_id}", Tags: tags, Extensions: api.Needs(domain.ManageMembers),
		Summary: "Change a person's role",
		Description: "From the next request on. The owner and the last admin keep theirs, and so does somebody whose role follows claims: " +
			"each is a conflict that says the way out. Needs members.manage.",
		Errors: []int{http.StatusNotFound},
	}, o.setRole)
	api.Register(a, huma.Operation{
		OperationID: "remove-member", Method: http.MethodDelete, Path: "/v1/members/{member_id}", Tags: tags, Extensions: api.Needs(domain.ManageMembers),
		DefaultStatus: http.StatusNoContent, Summary: "Remove a person",
		Description: "Ends their membership and the API keys that they made, at once, also in an archived workspace. The owner and the last admin " +
			"are a conflict. Removing twice changes nothing. Needs members.manage.",
		Errors: []int{http.StatusNotFound},
	}, o.removeMember)
}

// MemberList is a page of members.
type MemberList struct {
	Members    []Member `json:"members" nullable:"false"`
	NextCursor string   `json:"next_cursor,omitempty"`
}

// RoleChange is a role to give.
type RoleChange struct {
	Role string `json:"role" enum:"viewer,connector_builder,admin,tenant_admin" doc:"tenant_admin at the tenant level, and only there."`
}

type setRoleInput struct {
	Member api.PathID[id.Member] `path:"member_id"`
	Body   RoleChange
}

type setRoleOutput struct {
	Body Member
}

type memberInput struct {
	Member api.PathID[id.Member] `path:"member_id"`
}

func (o *operations) setRole(ctx context.Context, in *setRoleInput) (*setRoleOutput, error) {
	m, err := o.workspaces.SetRole(ctx, api.CallerFrom(ctx), in.Member.ID, domain.Role(in.Body.Role))
	if err != nil {
		return nil, err
	}
	return &setRoleOutput{Body: memberFromDomain(m)}, nil
}

func (o *operations) removeMember(ctx context.Context, in *memberInput) (*struct{}, error) {
	return nil, o.workspaces.RemoveMember(ctx, api.CallerFrom(ctx), in.Member.ID)
}
