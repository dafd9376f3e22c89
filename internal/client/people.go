package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// SignIn says how to sign in at a server.
type SignIn struct {
	Issuer   string   `json:"issuer"`
	ClientID string   `json:"client_id"`
	Scopes   []string `json:"scopes"`
}

// SessionDraft is a sign-in to exchange for a session.
type SessionDraft struct {
	IDToken       string `json:"id_token"`
	NonceVerifier string `json:"nonce_verifier,omitempty"`
}

// Person is somebody who signed in.
type Person struct {
	PersonID string `json:"person_id"`
	Name     string `json:"name"`
	Email    string `json:"email"`
}

// Session is a person's session.
type Session struct {
	SessionID   string    `json:"session_id"`
	CreatedAt   time.Time `json:"created_at"`
	ExpiresAt   time.Time `json:"expires_at"`
	IdleSeconds int       `json:"idle_seconds"`
}

// CreatedSession is a new session. The server shows Token this once.
type CreatedSession struct {
	Session
	Token      string       `json:"token"`
	Person     Person       `json:"person"`
	Workspaces []Membership `json:"workspaces"`
}

// Membership is a place that the caller has.
type Membership struct {
	WorkspaceID string     `json:"workspace_id"`
	Level       string     `json:"level"`
	Name        string     `json:"name"`
	MemberID    string     `json:"member_id"`
	Role        string     `json:"role"`
	ArchivedAt  *time.Time `json:"archived_at"`
}

// Identity is whom credentials stand for. Person and Session are nil for a key.
type Identity struct {
	Kind       string       `json:"kind"`
	Name       string       `json:"name"`
	Person     *Person      `json:"person"`
	Session    *Session     `json:"session"`
	Workspaces []Membership `json:"workspaces"`
}

// Member is a person or an API key with one role.
type Member struct {
	MemberID  string     `json:"member_id"`
	Kind      string     `json:"kind"`
	Name      string     `json:"name"`
	Email     string     `json:"email"`
	Source    string     `json:"source"`
	Role      string     `json:"role"`
	CreatedAt time.Time  `json:"created_at"`
	RemovedAt *time.Time `json:"removed_at"`
}

// Invitation lets a person become a member.
type Invitation struct {
	InvitationID string    `json:"invitation_id"`
	WorkspaceID  string    `json:"workspace_id"`
	Email        string    `json:"email"`
	Role         string    `json:"role"`
	MakesOwner   bool      `json:"makes_owner"`
	Status       string    `json:"status"`
	CreatedAt    time.Time `json:"created_at"`
	ExpiresAt    time.Time `json:"expires_at"`
	AcceptedBy   *string   `json:"accepted_by"`
}

// InvitationDraft is a person to invite.
type InvitationDraft struct {
	Email     string     `json:"email"`
	Role      string     `json:"role"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

// ClaimMapping gives a role to people with a claim.
type ClaimMapping struct {
	MappingID string    `json:"mapping_id"`
	Claim     string    `json:"claim"`
	Value     string    `json:"value"`
	Role      string    `json:"role"`
	CreatedAt time.Time `json:"created_at"`
}

// ClaimMappingDraft is a claim to map.
type ClaimMappingDraft struct {
	Claim string `json:"claim"`
	Value string `json:"value"`
	Role  string `json:"role"`
}

// SignInSettings asks how to sign in.
func (c *Client) SignInSettings(ctx context.Context) (Answer[SignIn], error) {
	return send[SignIn](ctx, c, call{method: http.MethodGet, path: "/v1/sign-in"})
}

// CreateSession exchanges an ID token for a session.
func (c *Client) CreateSession(ctx context.Context, d SessionDraft) (Answer[CreatedSession], error) {
	return send[CreatedSession](ctx, c, call{method: http.MethodPost, path: "/v1/sessions", body: d})
}

// WhoAmI asks whom the credentials stand for.
func (c *Client) WhoAmI(ctx context.Context) (Answer[Identity], error) {
	return send[Identity](ctx, c, call{method: http.MethodGet, path: "/v1/session"})
}

// SignOut ends the session, or all of the person's.
func (c *Client) SignOut(ctx context.Context, everywhere bool) error {
	what := call{method: http.MethodDelete, path: "/v1/session"}
	if everywhere {
		what.query = url.Values{"everywhere": {"true"}}
	}
	_, err := send[struct{}](ctx, c, what)
	return err
}

// Members lists the members of the workspace.
func (c *Client) Members(ctx context.Context, pages Pages) (List[Member], error) {
	return list[Member](ctx, c, "/v1/members", "members", nil, pages)
}

// SetMemberRole changes a person's role.
func (c *Client) SetMemberRole(ctx context.Context, id, role string) (Answer[Member], error) {
	return send[Member](ctx, c, call{method: http.MethodPatch, path: "/v1/members/" + url.PathEscape(id), body: map[string]string{"role": role}})
}

// RemoveMember ends a membership.
func (c *Client) RemoveMember(ctx context.Context, id string) error {
	_, err := send[struct{}](ctx, c, call{method: http.MethodDelete, path: "/v1/members/" + url.PathEscape(id)})
	return err
}

// Invitations lists the invitations to the workspace.
func (c *Client) Invitations(ctx context.Context, pages Pages) (List[Invitation], error) {
	return list[Invitation](ctx, c, "/v1/invitations", "invitations", nil, pages)
}

// Invite invites a person.
func (c *Client) Invite(ctx context.Context, d InvitationDraft) (Answer[Invitation], error) {
	return send[Invitation](ctx, c, call{method: http.MethodPost, path: "/v1/invitations", body: d})
}

// RevokeInvitation ends an invitation.
func (c *Client) RevokeInvitation(ctx context.Context, id string) error {
	_, err := send[struct{}](ctx, c, call{method: http.MethodDelete, path: "/v1/invitations/" + url.PathEscape(id)})
	return err
}

// ClaimMappings lists the claim mappings of the workspace.
func (c *Client) ClaimMappings(ctx context.Context, pages Pages) (List[ClaimMapping], error) {
	return list[ClaimMapping](ctx, c, "/v1/claim-mappings", "claim_mappings", nil, pages)
}

// CreateClaimMapping maps a claim to a role.
func (c *Client) CreateClaimMapping(ctx context.Context, d ClaimMappingDraft) (Answer[ClaimMapping], error) {
	return send[ClaimMapping](ctx, c, call{method: http.MethodPost, path: "/v1/claim-mappings", body: d})
}

// DeleteClaimMapping takes a mapping away.
func (c *Client) DeleteClaimMapping(ctx context.Context, id string) error {
	_, err := send[struct{}](ctx, c, call{method: http.MethodDelete, path: "/v1/claim-mappings/" + url.PathEscape(id)})
	return err
}
