package workspace

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/id"
	domain "github.com/gatehouse-project/gatehouse/internal/workspace"
)

func (o *operations) mountInvitations(a huma.API) {
	tags := []string{"Members"}
	api.Register(a, huma.Operation{
		OperationID: "list-invitations", Method: http.MethodGet, Path: "/v1/invitations", Tags: tags, Extensions: api.Needs(domain.ReadAdministration),
		Summary: "List invitations", Description: "In order of id, the ended ones too. Needs administration.read.",
	}, lister(o.workspaces.Invitations, func(i domain.Invitation) id.Invitation { return i.ID }, invitationFromDomain,
		func(items []Invitation, next string) InvitationList {
			return InvitationList{Invitations: items, NextCursor: next}
		}))
	api.Register(a, huma.Operation{
		OperationID: "create-invitation", Method: http.MethodPost, Path: "/v1/invitations", Tags: tags, Extensions: api.Needs(domain.ManageMembers),
		DefaultStatus: http.StatusCreated, Summary: "Invite a person",
		Description: "Whoever signs in with this address, verified by the identity provider, becomes a member; the first one only. " +
			"No mail is sent: tell them to sign in. Needs members.manage.",
	}, o.invite)
	api.Register(a, huma.Operation{
		OperationID: "revoke-invitation", Method: http.MethodDelete, Path: "/v1/invitations/{invitation_id}", Tags: tags,
		Extensions: api.Needs(domain.ManageMembers), DefaultStatus: http.StatusNoContent, Summary: "Revoke an invitation",
		Description: "An accepted one is a conflict: remove the member instead. Revoking twice changes nothing. Needs members.manage.",
		Errors:      []int{http.StatusNotFound},
	}, o.revokeInvitation)
}

// Invitation lets a person become a member.
type Invitation struct {
	InvitationID id.Invitation `json:"invitation_id" example:"inv_123"`
	WorkspaceID  id.Workspace  `json:"workspace_id" example:"w_123"`
	Email        string        `json:"email"`
	Role         string        `json:"role" enum:"viewer,connector_builder,admin,tenant_admin"`
	MakesOwner   bool          `json:"makes_owner" doc:"Whoever accepts becomes the workspace's owner."`
	Status       string        `json:"status" enum:"open,accepted,revoked,expired"`
	InvitedBy    *id.Member    `json:"invited_by" nullable:"true" example:"mem_123" doc:"Null for an invitation from the tenant level."`
	CreatedAt    time.Time     `json:"created_at"`
	ExpiresAt    time.Time     `json:"expires_at"`
	AcceptedAt   *time.Time    `json:"accepted_at"`
	AcceptedBy   *id.Member    `json:"accepted_by" nullable:"true" example:"mem_123"`
	RevokedAt    *time.Time    `json:"revoked_at"`
}

func invitationFromDomain(i domain.Invitation) Invitation {
	status := "open"
	switch {
	case i.AcceptedAt != nil:
		status = "accepted"
	case i.RevokedAt != nil:
		status = "revoked"
	case !i.ExpiresAt.After(time.Now()):
		status = "expired"
	}
	return Invitation{
		InvitationID: i.ID, WorkspaceID: i.Workspace, Email: i.Email, Role: string(i.Role), MakesOwner: i.MakesOwner, Status: status,
		InvitedBy: memberOrNull(i.InvitedBy), CreatedAt: i.CreatedAt.UTC(), ExpiresAt: i.ExpiresAt.UTC(),
		AcceptedAt: api.UTC(i.AcceptedAt), AcceptedBy: memberOrNull(i.AcceptedBy), RevokedAt: api.UTC(i.RevokedAt),
	}
}

// InvitationList is a page of invitations.
type InvitationList struct {
	Invitations []Invitation `json:"invitations" nullable:"false"`
	NextCursor  string       `json:"next_cursor,omitempty"`
}

// InvitationDraft is a person to invite.
type InvitationDraft struct {
	Email     string     `json:"email" maxLength:"254" doc:"Compared without regard to case."`
	Role      string     `json:"role" enum:"viewer,connector_builder,admin,tenant_admin" doc:"tenant_admin at the tenant level, and only there."`
	ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"In 7 days, when left out; within 90."`
}

type inviteInput struct {
	Body InvitationDraft
}

type inviteOutput struct {
	Body Invitation
}

type invitationInput struct {
	Invitation api.PathID[id.Invitation] `path:"invitation_id"`
}

func (o *operations) invite(ctx context.Context, in *inviteInput) (*inviteOutput, error) {
	var expires time.Time
	if in.Body.ExpiresAt != nil {
		expires = *in.Body.ExpiresAt
	}
	i, err := o.workspaces.Invite(ctx, api.CallerFrom(ctx), in.Body.Email, domain.Role(in.Body.Role), expires)
	if err != nil {
		return nil, err
	}
	return &inviteOutput{Body: invitationFromDomain(i)}, nil
}

func (o *operations) revokeInvitation(ctx context.Context, in *invitationInput) (*struct{}, error) {
	return nil, o.workspaces.RevokeInvitation(ctx, api.CallerFrom(ctx), in.Invitation.ID)
}
