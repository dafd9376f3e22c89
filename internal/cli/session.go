package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/gatehouse-project/gatehouse/internal/cli/contexts"
	"github.com/gatehouse-project/gatehouse/internal/cli/login"
	"github.com/gatehouse-project/gatehouse/internal/client"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// signInAgain is a problem with the way out of a session that has ended for good,
// so that it exits as one. Why may be empty.
func signInAgain(context, why string) error {
	detail := "the session has ended; sign in again with gatehouse login"
	if context != "" {
		detail += " --context " + context
	}
	if why != "" {
		detail += ": " + why
	}
	return &client.Problem{Status: http.StatusUnauthorized, Detail: detail}
}

// renew gets another session by the refresh token of the last sign-in, and keeps
// it. The token is sent to the provider that it is of and to no other one, whatever
// the server names by now. Unless the provider cannot answer, somebody has to sign
// in again when it does not work.
func (to destination) renew(ctx context.Context, version string) (secret.Secret, error) {
	if to.session.RefreshToken == "" {
		return secret.Secret{}, signInAgain(to.context, "")
	}
	anonymous, err := client.New(to.address, secret.Secret{}, version)
	if err != nil {
		return secret.Secret{}, usagef("%v", err)
	}
	provider, err := providerOf(ctx, anonymous)
	var none *noSignInError
	switch {
	case errors.As(err, &none):
		return secret.Secret{}, signInAgain(to.context, none.Error())
	case err != nil:
		return secret.Secret{}, err
	case provider.Issuer != to.session.Issuer || provider.ClientID != to.session.ClientID:
		return secret.Secret{}, signInAgain(to.context, otherProvider(to.session, provider))
	}
	tokens, err := provider.Refresh(ctx, login.Tokens{Refresh: to.session.RefreshToken, NonceVerifier: to.session.NonceVerifier})
	var down *login.UnavailableError
	switch {
	case errors.As(err, &down), errors.Is(err, context.Canceled):
		return secret.Secret{}, err
	case err != nil:
		return secret.Secret{}, signInAgain(to.context, err.Error())
	}
	made, err := anonymous.CreateSession(ctx, client.SessionDraft{IDToken: tokens.ID, NonceVerifier: tokens.NonceVerifier})
	if err != nil {
		return secret.Secret{}, err
	}
	if err := keepSession(signedIn{context: to.context, address: to.address, session: made.Value, provider: provider, tokens: tokens}); err != nil {
		return secret.Secret{}, err
	}
	return secret.FromString(made.Value.Token), nil
}

// otherProvider says how a server names another provider than the one that
// somebody signed in at.
func otherProvider(before *contexts.Session, now login.Provider) string {
	return fmt.Sprintf("the server names the identity provider %q with the client %q, and you signed in at %q with %q; ask its operator whether that is meant",
		now.Issuer, now.ClientID, before.Issuer, before.ClientID)
}

// noSignInError says that nobody can sign in at a server.
type noSignInError struct{ message string }

func (e *noSignInError) Error() string { return e.message }

// providerOf asks a server where its people sign in.
func providerOf(ctx context.Context, c *client.Client) (login.Provider, error) {
	how, err := c.SignInSettings(ctx)
	var refused *client.Problem
	if errors.As(err, &refused) && refused.Status == http.StatusNotFound {
		return login.Provider{}, &noSignInError{refused.Error()}
	}
	if err != nil {
		return login.Provider{}, err
	}
	return login.Provider{Issuer: how.Value.Issuer, ClientID: how.Value.ClientID, Scopes: how.Value.Scopes}, nil
}

// signedIn is a new session and where it is from.
type signedIn struct {
	// context is the name to keep it under, and address its server's.
	context, address string
	session          client.CreatedSession
	provider         login.Provider
	tokens           login.Tokens
	// workspace is the one to work in; it may be empty.
	workspace string
}

// keepSession keeps a session in a context, which it makes where there is none.
// The workspace stays as it was chosen, unless another is named or the person is
// no member of it.
func keepSession(s signedIn) error {
	path, known, err := loadContexts()
	if err != nil {
		return err
	}
	c, made := known.Contexts[s.context], s.session
	c.URL = s.address
	c.Session = &contexts.Session{
		Token: made.Token, Person: shownPerson(made.Person), ExpiresAt: made.ExpiresAt, RefreshToken: s.tokens.Refresh, NonceVerifier: s.tokens.NonceVerifier,
		Issuer: s.provider.Issuer, ClientID: s.provider.ClientID,
	}
	if s.workspace != "" {
		c.Workspace = s.workspace
	}
	c.Workspace = chooseWorkspace(c.Workspace, made.Workspaces)
	known.Contexts[s.context] = c
	if known.Current == "" {
		known.Current = s.context
	}
	if err := known.Save(path); err != nil {
		return fmt.Errorf("keep the session: %w", err)
	}
	return nil
}

// chooseWorkspace keeps the chosen one if it is a membership, and else takes the
// first workspace, or the tenant level where there is nothing else.
func chooseWorkspace(chosen string, places []client.Membership) string {
	first := ""
	for _, m := range places {
		name := m.WorkspaceID
		if m.Level == tenantWorkspace {
			name = tenantWorkspace
		}
		if name == chosen || m.WorkspaceID == chosen {
			return name
		}
		if first == "" || first == tenantWorkspace {
			first = name
		}
	}
	return first
}

func shownPerson(p client.Person) string {
	if p.Email == "" {
		return p.Name
	}
	return p.Name + " <" + p.Email + ">"
}
