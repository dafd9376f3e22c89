package workspace

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/id"
	domain "github.com/gatehouse-project/gatehouse/internal/workspace"
)

func (o *operations) mountTenant(a huma.API) {
	tags := []string{"Tenant"}
	manage := func(op huma.Operation) huma.Operation {
		op.Tags, op.Extensions = tags, api.Needs(domain.ManageWorkspaces)
		op.Description += " Needs workspaces.manage, at the tenant level."
		return op
	}
	api.Register(a, manage(huma.Operation{
		OperationID: "list-tenant-workspaces", Method: http.MethodGet, Path: "/v1/tenant/workspaces", Summary: "List all workspaces",
		Description: "Of the tenant, in order of id, the archived ones too. The look is recorded in the tenant's log.",
	}), lister(o.workspaces.Workspaces, func(w domain.Workspace) id.Workspace { return w.ID }, fromDomain,
		func(items []Workspace, next string) TenantWorkspaceList {
			return TenantWorkspaceList{Workspaces: items, NextCursor: next}
		}))
	api.Register(a, manage(huma.Operation{
		OperationID: "create-workspace", Method: http.MethodPost, Path: "/v1/tenant/workspaces", DefaultStatus: http.StatusCreated,
		Summary: "Create a workspace",
		Description: "With owner_email, whoever signs in with that address becomes its owner and admin. Without, it comes with an admin key, " +
			"which this answer shows once.",
	}), o.create)
	api.Register(a, manage(huma.Operation{
		OperationID: "archive-workspace", Method: http.MethodPost, Path: "/v1/tenant/workspaces/{workspace_id}/archive", Summary: "Archive a workspace",
		Description: "It can only be read from then on: what runs is cancelled, schedules rest, nothing starts or changes, and nobody is given " +
			"access; access can still be ended. Archiving twice changes nothing.",
		Errors: []int{http.StatusNotFound},
	}), o.archive)
	api.Register(a, manage(huma.Operation{
		OperationID: "unarchive-workspace", Method: http.MethodPost, Path: "/v1/tenant/workspaces/{workspace_id}/unarchive",
		Summary: "Unarchive a workspace", Description: "Opens it as it was; schedules that came due meanwhile start once.", Errors: []int{http.StatusNotFound},
	}), o.unarchive)
	api.Register(a, manage(huma.Operation{
		OperationID: "transfer-workspace", Method: http.MethodPost, Path: "/v1/tenant/workspaces/{workspace_id}/transfer",
		Summary: "Transfer a workspace", Description: "Makes a person its owner and an admin: a member, or whoever signs in with an address.",
		Errors: []int{http.StatusNotFound},
	}), o.transfer)
}

// TenantWorkspaceList is a page of the tenant's workspaces.
type TenantWorkspaceList struct {
	Workspaces []Workspace `json:"workspaces" nullable:"false"`
	NextCursor string      `json:"next_cursor,omitempty"`
}

// Draft is a workspace to create.
type Draft struct {
	Name       string `json:"name" doc:"1 to 200 characters."`
	OwnerEmail string `json:"owner_email,omitempty" maxLength:"254" doc:"Who is to own it; with it, no admin key is made."`
}

type createInput struct {
	Body Draft
}

// Created is a new workspace.
type Created struct {
	Workspace
	AdminKey string `json:"admin_key,omitempty" readOnly:"true" doc:"An admin key, where no owner was named. It cannot be read again."`
}

type createOutput struct {
	Body Created
}

// Transfer names a new owner by one of its fields.
type Transfer struct {
	MemberID   *id.Member `json:"member_id,omitempty" example:"mem_123" doc:"A person of the workspace."`
	OwnerEmail string     `json:"owner_email,omitempty" maxLength:"254" doc:"Whoever has this verified address; they are invited when they are no member."`
}

type transferInput struct {
	Workspace api.PathID[id.Workspace] `path:"workspace_id"`
	Body      Transfer
}

func (o *operations) create(ctx context.Context, in *createInput) (*createOutput, error) {
	w, key, err := o.workspaces.CreateWorkspace(ctx, api.CallerFrom(ctx), in.Body.Name, in.Body.OwnerEmail)
	if err != nil {
		return nil, err
	}
	return &createOutput{Body: Created{Workspace: fromDomain(w), AdminKey: key.RevealString()}}, nil
}

func (o *operations) archive(ctx context.Context, in *getInput) (*getOutput, error) {
	return answer(o.workspaces.Archive(ctx, api.CallerFrom(ctx), in.Workspace.ID))
}

func (o *operations) unarchive(ctx context.Context, in *getInput) (*getOutput, error) {
	return answer(o.workspaces.Unarchive(ctx, api.CallerFrom(ctx), in.Workspace.ID))
}

func (o *operations) transfer(ctx context.Context, in *transferInput) (*getOutput, error) {
	var m id.Member
	if in.Body.MemberID != nil {
		m = *in.Body.MemberID
	}
	return answer(o.workspaces.Transfer(ctx, api.CallerFrom(ctx), in.Workspace.ID, m, in.Body.OwnerEmail))
}

func answer(w domain.Workspace, err error) (*getOutput, error) {
	if err != nil {
		return nil, err
	}
	return &getOutput{Body: fromDomain(w)}, nil
}
