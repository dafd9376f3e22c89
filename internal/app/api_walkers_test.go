package app

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/secret"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// walker is all services on one listener, and everybody who may call them.
type walker struct {
	*apiBench
	people *workspace.Service
	tenant workspace.Caller
	// made counts things, so that each has a name of its own.
	made int
	// lastConnection is what {connection} in a body stands for.
	lastConnection string
}

// walkingCaller is somebody who calls every operation.
type walkingCaller struct {
	name   string
	token  secret.Secret
	header []string
	role   workspace.Role
	// session says that the token is a session's, foreign that the workspace is
	// another one, and stranger that the credentials are not good.
	session, foreign, stranger bool
	// ended says that a stranger's credentials were good once.
	ended bool
}

// trusting is an identity provider whose ID tokens are addresses.
type trusting struct{}

func (trusting) Settings() workspace.SignInSettings { return workspace.SignInSettings{} }

func (trusting) Verify(_ context.Context, email, _ string) (workspace.Identity, error) {
	if !strings.Contains(email, "@") {
		return workspace.Identity{}, fault.New(fault.Unauthenticated, "no address")
	}
	return workspace.Identity{
		Issuer: "https://login.example.com", Subject: email, Email: email, EmailVerified: true, Name: email,
		TokenHash: sha256.Sum256([]byte(email)), TokenExpires: time.Now().Add(time.Hour),
	}, nil
}

func newWalk(t *testing.T) *walker {
	t.Helper()
	w := &walker{apiBench: newAPIBench(t, nowhere)}
	catalog, err := newCatalog(ConnectorSettings{})
	require.NoError(t, err)
	discovery, err := newDiscovery(t.Context(), discoveryConfig{
		databaseURL: w.database.URL("svc_discovery"), workerToken: secret.FromString(strings.Repeat("t", 32)), catalog: catalog, log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	t.Cleanup(discovery.close)
	w.serve(t, discovery, w.services[0], w.services[1])
	w.people = &workspace.Service{
		Store: w.store, Provider: trusting{}, Sessions: workspace.SessionLimits{Idle: time.Hour, Lifetime: time.Hour},
	}
	return w
}

func (w *walker) documentText(t *testing.T) string {
	t.Helper()
	return w.send(t, w.foreign, http.MethodGet, "/openapi.json", "").text
}

// everybody returns callers of every role, by key and by session, and strangers.
func (w *walker) everybody(t *testing.T) (all []walkingCaller) {
	t.Helper()
	ctx := t.Context()
	tenantKey, err := workspace.IssueTenantKey(ctx, w.store, "tenant")
	require.NoError(t, err)
	w.tenant = w.callerOf(t, tenantKey, "")
	admin := w.callerOf(t, w.keys[workspace.Admin], "")
	for _, role := range []workspace.Role{workspace.Viewer, workspace.ConnectorBuilder, workspace.Admin} {
		all = append(all, walkingCaller{name: string(role), token: w.keys[role], role: role},
			walkingCaller{
				name: string(role) + "'s session", token: w.session(t, admin, role), header: []string{"Gatehouse-Workspace", w.a.Workspace.String()},
				role: role, session: true,
			})
	}
	foreign := w.callerOf(t, w.foreign, "")
	all = append(all,
		walkingCaller{name: "foreign", token: w.foreign, role: workspace.Admin, foreign: true},
		walkingCaller{
			name: "foreign session", token: w.session(t, foreign, workspace.Admin), header: []string{"Gatehouse-Workspace", w.b.Workspace.String()},
			role: workspace.Admin, session: true, foreign: true,
		},
		walkingCaller{name: "tenant", token: tenantKey, role: workspace.TenantAdmin},
		walkingCaller{
			name: "tenant session", token: w.session(t, w.tenant, workspace.TenantAdmin), header: []string{"Gatehouse-Workspace", "tenant"},
			role: workspace.TenantAdmin, session: true,
		})
	return append(all, w.strangers(t, admin)...)
}

// strangers returns credentials that are not good, or not any more.
func (w *walker) strangers(t *testing.T, admin workspace.Caller) (all []walkingCaller) {
	t.Helper()
	add := func(name string, token secret.Secret, ended bool) {
		all = append(all, walkingCaller{name: name, token: token, header: []string{"Gatehouse-Workspace", w.a.Workspace.String()}, stranger: true, ended: ended})
	}
	stranger := func(name string, token secret.Secret) { add(name, token, false) }
	former := func(name string, token secret.Secret) { add(name, token, true) }
	stranger("nobody", secret.FromString(""))
	stranger("guesser of keys", secret.FromString("gk_1_"+strings.Repeat("a", 52)))
	stranger("guesser of sessions", secret.FromString("gs_"+strings.Repeat("a", 52)))
	revoked, key, err := w.people.CreateKey(t.Context(), admin, "revoked", workspace.Admin, nil)
	require.NoError(t, err)
	require.NoError(t, w.people.RevokeKey(t.Context(), admin, revoked.ID))
	former("revoked", key)
	later := time.Now().Add(time.Hour)
	expired, key, err := w.people.CreateKey(t.Context(), admin, "expired", workspace.Admin, &later)
	require.NoError(t, err)
	_, err = w.super.Exec(t.Context(), "update api_keys set expires_at = now() where member_id = $1", int64(expired.ID))
	require.NoError(t, err)
	former("expired", key)
	ended := w.session(t, admin, workspace.Admin)
	require.NoError(t, w.people.SignOut(t.Context(), w.callerOf(t, ended, ""), false))
	former("signed out", ended)
	return all
}

func (w *walker) callerOf(t *testing.T, token secret.Secret, in string) workspace.Caller {
	t.Helper()
	c, err := workspace.Authenticate(t.Context(), w.store, workspace.Credentials{Token: token.RevealString(), Workspace: in})
	require.NoError(t, err)
	return c
}

// session signs somebody in whom a member invited.
func (w *walker) session(t *testing.T, by workspace.Caller, role workspace.Role) secret.Secret {
	t.Helper()
	email := w.name(string(role)) + "@example.com"
	_, err := w.people.Invite(t.Context(), by, email, role, time.Time{})
	require.NoError(t, err)
	made, err := w.people.SignIn(t.Context(), email, "")
	require.NoError(t, err)
	return made.Token
}

func (w *walker) name(kind string) string {
	w.made++
	return fmt.Sprintf("%s-%d", strings.ReplaceAll(kind, "_", "-"), w.made)
}

// member makes a person of workspace a, and returns its public id.
func (w *walker) member(t *testing.T) string {
	t.Helper()
	token := w.session(t, w.callerOf(t, w.keys[workspace.Admin], ""), workspace.Viewer)
	return w.callerOf(t, token, w.a.Workspace.String()).Member.String()
}

// workspace makes a workspace of the tenant's.
func (w *walker) workspace(t *testing.T) id.Workspace {
	t.Helper()
	made, _, err := w.people.CreateWorkspace(t.Context(), w.tenant, w.name("workspace"), "owner@example.com")
	require.NoError(t, err)
	return made.ID
}
