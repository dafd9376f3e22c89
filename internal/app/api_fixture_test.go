package app

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/postgres/pgtest"
	"github.com/gatehouse-project/gatehouse/internal/secret"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// canary is a secret that must come back in no answer, log line or table.
const canary = "canary-wJalrXUtnFEMI-K7MDENG-bPxRfiCY"

// apiBench is the integrations and workspaces services on one listener, with a
// key of each role in workspace a and an admin key in workspace b.
type apiBench struct {
	url      string
	database *pgtest.Database
	super    *pgxpool.Pool
	log      *logBuffer
	keyFile  string
	// protection is the keys of credentials; with none named it is keyFile.
	protection KeySettings
	// auditKey is the file of the key that signs the audit log.
	auditKey string
	store    *postgres.Workspaces
	a, b     id.Scope
	keys     map[workspace.Role]secret.Secret
	foreign  secret.Secret
	document *document
	// services are what is served.
	services []*service
}

// logBuffer takes log lines from many goroutines.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// newAPIBench serves the API; discoveryURL is where tests are started.
func newAPIBench(t *testing.T, discoveryURL func(*apiBench) string) *apiBench {
	t.Helper()
	return newAPIBenchUnder(t, KeySettings{}, nil, discoveryURL)
}

// newAPIBenchUnder is newAPIBench with other keys of credentials, and with
// references to secrets that are allowed.
func newAPIBenchUnder(t *testing.T, protection KeySettings, allowRefs []string, discoveryURL func(*apiBench) string) *apiBench {
	t.Helper()
	b := &apiBench{
		protection: protection, database: databases.New(t), log: &logBuffer{}, keys: map[workspace.Role]secret.Secret{},
		keyFile: filepath.Join(t.TempDir(), "local.key"), auditKey: filepath.Join(t.TempDir(), "audit.key"),
	}
	if b.protection.Write == "" {
		b.protection.Write = "local:" + b.keyFile
	}
	b.super = b.database.SuperuserPool()
	log := slog.New(slog.NewTextHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	db, err := postgres.Open(t.Context(), postgres.Config{URL: b.database.URL("svc_workspace"), Service: "test", MaxConns: 2})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	b.store = postgres.NewWorkspaces(db)
	b.a, _, err = workspace.Bootstrap(t.Context(), b.store, 1, "Contoso", "first")
	require.NoError(t, err)
	b.b = id.Scope{Tenant: 1}
	require.NoError(t, b.super.QueryRow(t.Context(), `insert into workspaces (name) values ('second') returning workspace_id`).Scan(&b.b.Workspace))
	for _, role := range []workspace.Role{workspace.Viewer, workspace.ConnectorBuilder, workspace.Admin} {
		b.keys[role] = b.newKey(t, b.a, role)
	}
	b.foreign = b.newKey(t, b.b, workspace.Admin)

	catalog, err := newCatalog(ConnectorSettings{})
	require.NoError(t, err)
	integrations, err := newIntegrations(t.Context(), integrationsConfig{
		databaseURL: b.database.URL("svc_integration"), keys: b.protection, allowRefs: allowRefs,
		discoveryURL: discoveryURL(b), metrics: newMetrics(), catalog: catalog, log: log,
	})
	require.NoError(t, err)
	t.Cleanup(integrations.close)
	workspaces, err := newWorkspaces(t.Context(), workspacesConfig{
		databaseURL: b.database.URL("svc_workspace"), auditKeyFile: b.auditKey, metrics: newMetrics(), log: log,
	})
	require.NoError(t, err)
	t.Cleanup(workspaces.close)
	b.serve(t, integrations, workspaces)
	return b
}

// serve serves services, of which the last finds callers, in place of those before.
func (b *apiBench) serve(t *testing.T, services ...*service) {
	t.Helper()
	last := services[len(services)-1]
	handler, err := (&host{
		version: "test", callers: last.callers, denials: last.denials, log: slog.New(slog.NewTextHandler(b.log, nil)),
		services: services, metrics: newMetrics(),
	}).handler()
	require.NoError(t, err)
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	b.services, b.url = services, server.URL
	b.document = readDocument(t, b.send(t, b.foreign, http.MethodGet, "/openapi.json", "").text)
}

// nowhere is for tests that start nothing.
func nowhere(*apiBench) string { return "http://127.0.0.1:1" }

func (b *apiBench) newKey(t *testing.T, scope id.Scope, role workspace.Role) secret.Secret {
	t.Helper()
	key, hash, hint := workspace.NewKey(scope.Workspace)
	_, err := b.store.CreateKey(t.Context(), scope, workspace.NewKeyRow{Name: string(role), Role: role, Hash: hash, Hint: hint},
		audit.Event{Actor: audit.System("test"), Action: audit.APIKeyCreated, Outcome: audit.Succeeded, TargetType: "member"})
	require.NoError(t, err)
	return key
}

// answer is one answer of the API.
type answer struct {
	status int
	header http.Header
	text   string
}

// decoded returns the answer's body as a JSON object.
func (a answer) decoded(t *testing.T) map[string]any {
	t.Helper()
	var object map[string]any
	require.NoError(t, json.Unmarshal([]byte(a.text), &object), a.text)
	return object
}

// call makes a request whose answer has to be one that the API documents.
func (b *apiBench) call(t *testing.T, key secret.Secret, method, path, body string, header ...string) answer {
	t.Helper()
	got := b.send(t, key, method, path, body, header...)
	b.document.requireFits(t, method, path, got)
	return got
}

// send makes a request whose answer must not hold the secret.
func (b *apiBench) send(t *testing.T, key secret.Secret, method, path, body string, header ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, b.url+path, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+key.RevealString())
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NotContains(t, string(text), canary)
	for _, values := range res.Header {
		require.NotContains(t, strings.Join(values, " "), canary)
	}
	return answer{status: res.StatusCode, header: res.Header, text: string(text)}
}

// builder calls as a connector builder.
func (b *apiBench) builder(t *testing.T, method, path, body string, header ...string) answer {
	t.Helper()
	return b.call(t, b.keys[workspace.ConnectorBuilder], method, path, body, header...)
}

// awsDraft is a valid connection of the given name.
func awsDraft(name string) string {
	return `{"integration_id":"aws","name":"` + name + `","scope":{"aws_accounts":["123456789012"]},` +
		`"schedule":{"type":"daily","hour":2,"minute":0},` +
		`"configuration":{"access_key_id":"AKIAIOSFODNN7EXAMPLE","secret_access_key":"` + canary + `","region":"us-east-1"}}`
}

// newConnection creates a connection and returns its public id.
func (b *apiBench) newConnection(t *testing.T, name string) string {
	t.Helper()
	created := b.builder(t, http.MethodPost, "/v1/connections", awsDraft(name))
	require.Equal(t, http.StatusCreated, created.status, created.text)
	connID, ok := created.decoded(t)["connection_id"].(string)
	require.True(t, ok)
	return connID
}
