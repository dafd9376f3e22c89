package workspace

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	domain "github.com/gatehouse-project/gatehouse/internal/workspace"
)

// maxSignInBytes bounds the body of a sign-in: an ID token with many groups.
const maxSignInBytes = 128 << 10

func (o *operations) mountSessions(a huma.API) {
	tags := []string{"Sign-in"}
	api.Register(a, huma.Operation{
		OperationID: "get-sign-in", Method: http.MethodGet, Path: "/v1/sign-in", Tags: tags, Security: api.NoKey(),
		Summary: "Get how to sign in", Description: "The OpenID Connect provider to get an ID token from. Not found where sign-in is not set up.",
		Errors: []int{http.StatusNotFound},
	}, o.getSignIn)
	api.Register(a, huma.Operation{
		OperationID: "create-session", Method: http.MethodPost, Path: "/v1/sessions", Tags: tags, Security: api.NoKey(),
		DefaultStatus: http.StatusCreated, Summary: "Sign in", MaxBodyBytes: maxSignInBytes,
		Description: "Exchanges an ID token, which is good once and for ten minutes, for a session. The answer is the only place where its token is " +
			"ever shown. Invitations to the person's verified address are accepted, and claim mappings applied, on the way. " +
			"A person who is a member of nothing gets 403; a provider that does not answer gives 503.",
		Errors: []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity},
	}, o.signIn)
	api.Register(a, huma.Operation{
		OperationID: "get-session", Method: http.MethodGet, Path: "/v1/session", Tags: tags, Extensions: api.NeedsCredentials(),
		Summary: "Get who you are", Description: "Whom the credentials stand for, and the workspaces that they are a member of.",
	}, o.getSession)
	api.Register(a, huma.Operation{
		OperationID: "delete-session", Method: http.MethodDelete, Path: "/v1/session", Tags: tags, Extensions: api.NeedsCredentials(),
		DefaultStatus: http.StatusNoContent, Summary: "Sign out",
		Description: "Ends the session at once, or all of the person's. An API key is not found here: revoke it instead.",
	}, o.signOut)
}

// SignIn says how to sign in.
type SignIn struct {
	Issuer   string   `json:"issuer" example:"https://login.example.com" doc:"The OpenID Connect provider; its endpoints are in its discovery document."`
	ClientID string   `json:"client_id" doc:"A public client: authorization code with PKCE on a loopback address, or the device flow."`
	Scopes   []string `json:"scopes" nullable:"false"`
}

type signInSettingsOutput struct {
	Body SignIn
}

func (o *operations) getSignIn(context.Context, *struct{}) (*signInSettingsOutput, error) {
	s, err := o.workspaces.SignInSettings()
	if err != nil {
		return nil, err
	}
	return &signInSettingsOutput{Body: SignIn{Issuer: s.Issuer, ClientID: s.ClientID, Scopes: s.Scopes}}, nil
}

// SessionDraft is a sign-in to exchange for a session.
type SessionDraft struct {
	IDToken       string `json:"id_token" maxLength:"100000" doc:"As the provider issued it."`
	NonceVerifier string `json:"nonce_verifier,omitempty" maxLength:"256" doc:"The nonce of the ID token is its base64url SHA-256. A token with a nonce needs it."`
}

type signInInput struct {
	Body SessionDraft
}

// Person is somebody who signed in.
type Person struct {
	PersonID id.Person `json:"person_id" example:"per_123"`
	Name     string    `json:"name"`
	Email    string    `json:"email" doc:"Empty when the provider tells none."`
}

// Membership is a place that the caller has.
type Membership struct {
	WorkspaceID id.Workspace `json:"workspace_id" example:"w_123"`
	TenantID    id.Tenant    `json:"tenant_id" example:"t_123"`
	Level       string       `json:"level" enum:"workspace,tenant"`
	Name        string       `json:"name"`
	MemberID    id.Member    `json:"member_id" example:"mem_123"`
	Role        string       `json:"role" enum:"viewer,connector_builder,admin,tenant_admin"`
	ArchivedAt  *time.Time   `json:"archived_at"`
	CreatedAt   time.Time    `json:"created_at"`
}

func membershipFromDomain(m domain.Membership) Membership {
	return Membership{
		WorkspaceID: m.Workspace.ID, TenantID: m.Workspace.Tenant, Level: string(m.Workspace.Level), Name: m.Workspace.Name,
		MemberID: m.Member, Role: string(m.Role), ArchivedAt: api.UTC(m.Workspace.ArchivedAt), CreatedAt: m.Workspace.CreatedAt.UTC(),
	}
}

// Session is a person's session, without its token.
type Session struct {
	SessionID   id.Session `json:"session_id" example:"ses_123"`
	CreatedAt   time.Time  `json:"created_at"`
	ExpiresAt   time.Time  `json:"expires_at"`
	IdleSeconds int        `json:"idle_seconds" doc:"It ends earlier when it is not used for so long."`
}

func sessionFromDomain(s domain.SessionInfo) Session {
	return Session{SessionID: s.ID, CreatedAt: s.CreatedAt.UTC(), ExpiresAt: s.ExpiresAt.UTC(), IdleSeconds: int(s.IdleFor.Seconds())}
}

func personFromDomain(p domain.PersonProfile) Person {
	return Person{PersonID: p.ID, Name: p.Name, Email: p.Email}
}

// CreatedSession is a new session, whose token is shown this once.
type CreatedSession struct {
	Session
	Token      string       `json:"token" readOnly:"true" doc:"For the Authorization header. It cannot be read again."`
	Person     Person       `json:"person"`
	Workspaces []Membership `json:"workspaces" nullable:"false"`
}

type createSessionOutput struct {
	Body CreatedSession
}

func (o *operations) signIn(ctx context.Context, in *signInInput) (*createSessionOutput, error) {
	made, err := o.workspaces.SignIn(ctx, in.Body.IDToken, in.Body.NonceVerifier)
	if err != nil {
		return nil, err
	}
	return &createSessionOutput{Body: CreatedSession{
		Session: sessionFromDomain(made.Session), Token: made.Token.RevealString(), Person: personFromDomain(made.Session.Person),
		Workspaces: fromAll(made.Memberships, membershipFromDomain),
	}}, nil
}

// Identity is whom credentials stand for.
type Identity struct {
	Kind       string       `json:"kind" enum:"person,api_key"`
	Name       string       `json:"name"`
	Person     *Person      `json:"person,omitempty" doc:"Left out for an API key."`
	Session    *Session     `json:"session,omitempty" doc:"Left out for an API key."`
	Workspaces []Membership `json:"workspaces" nullable:"false" doc:"What the header Gatehouse-Workspace may name."`
}

type identityOutput struct {
	Body Identity
}

func (o *operations) getSession(ctx context.Context, _ *struct{}) (*identityOutput, error) {
	caller := api.CallerFrom(ctx)
	places, err := o.workspaces.Mine(ctx, caller)
	if err != nil {
		return nil, err
	}
	out := &identityOutput{Body: Identity{Kind: string(domain.APIKey), Name: caller.Name, Workspaces: fromAll(places, membershipFromDomain)}}
	if caller.Session == 0 {
		return out, nil
	}
	s, err := o.workspaces.Session(ctx, caller)
	if fault.KindOf(err) == fault.NotFound {
		return nil, fault.New(fault.Unauthenticated, "the session has just ended; sign in again")
	}
	if err != nil {
		return nil, err
	}
	person, session := personFromDomain(s.Person), sessionFromDomain(s)
	out.Body.Kind, out.Body.Person, out.Body.Session = string(domain.Person), &person, &session
	return out, nil
}

type signOutInput struct {
	Everywhere bool `query:"everywhere" doc:"End all sessions of the person."`
}

func (o *operations) signOut(ctx context.Context, in *signOutInput) (*struct{}, error) {
	return nil, o.workspaces.SignOut(ctx, api.CallerFrom(ctx), in.Everywhere)
}
