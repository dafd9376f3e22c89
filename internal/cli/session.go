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

// errSignInAgain is the way out of a session that has ended for good.
var errSignInAgain = errors.New("the session has ended; sign in again with gatehouse login")

// signInAgain is a problem with the way out, so that it exits as one.
func signInAgain(context string) error {
	detail := errSignInAgain.Error()
	if context != "" {
		detail += " --context " + context
	}
	return &client.Problem{Status: http.StatusUnauthorized, Detail: detail}
}

// renew gets another session by the refresh token of the last sign-in, and keeps
// it. Whatever goes wrong, somebody has to sign in again.
func (to destination) renew(ctx context.Context, version string) (secret.Secret, error) {
	if to.session.RefreshToken == "" {
		return secret.Secret{}, signInAgain(to.context)
	}
	anonymous, err := client.New(to.address, secret.Secret{}, version)
	if err != nil {
		return secret.Secret{}, usagef("%v", err)
	}
	provider, err := providerOf(ctx, anonymous)
	if err != nil {
		return secret.Secret{}, err
	}
	tokens, err := provider.Refresh(ctx, login.Tokens{Refresh: to.session.RefreshToken, NonceVerifier: to.session.NonceVerifier})
	if err != nil {
		return secret.Secret{}, signInAgain(to.context)
	}
	made, err := anonymous.CreateSession(ctx, client.SessionDraft{IDToken: tokens.ID, NonceVerifier: tokens.NonceVerifier})
	if err != nil {
		return secret.Secret{}, err
	}
	if err := keepSession(to.context, to.address, made.Value, tokens, ""); err != nil {
		return secret.Secret{}, err
	}
	return secret.FromString(made.Value.Token), nil
}

// providerOf asks a server where its people sign in.
func providerOf(ctx context.Context, c *client.Client) (login.Provider, error) {
	how, err := c.SignInSettings(ctx)
	if err != nil {
		return login.Provider{}, err
	}
	return login.Provider{Issuer: how.Value.Issuer, ClientID: how.Value.ClientID, Scopes: how.Value.Scopes}, nil
}

// keepSession keeps a session in a context, which it makes where there is none.
// The workspace stays as it was chosen, unless another is named or the person is
// no member of it.
func keepSession(name, address string, s client.CreatedSession, tokens login.Tokens, workspace string) error {
	path, known, err := loadContexts()
	if err != nil {
		return err
	}
	c := known.Contexts[name]
	c.URL = address
	c.Session = &contexts.Session{
		Token: s.Token, Person: shownPerson(s.Person), ExpiresAt: s.ExpiresAt, RefreshToken: tokens.Refresh, NonceVerifier: tokens.NonceVerifier,
	}
	if workspace != "" {
		c.Workspace = workspace
	}
	c.Workspace = chooseWorkspace(c.Workspace, s.Workspaces)
	known.Contexts[name] = c
	if known.Current == "" {
		known.Current = name
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
