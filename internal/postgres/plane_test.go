package postgres_test

import (
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connectors/builtin"
	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/keyring"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// plane is a data plane with two workspaces, a and b.
type plane struct {
	super       *pgxpool.Pool
	workspaces  *postgres.Workspaces
	connections *postgres.Connections
	keyring     *postgres.Keyring
	webhooks    *postgres.Webhooks
	catalog     *integration.Catalog
	a, b        id.Scope
}

func newPlane(t *testing.T) *plane {
	t.Helper()
	d := databases.New(t)
	open := func(role string) *postgres.DB {
		db, err := postgres.Open(t.Context(), postgres.Config{URL: d.URL(role), Service: "test", MaxConns: 8})
		require.NoError(t, err)
		t.Cleanup(db.Close)
		return db
	}
	integrations := open("svc_integration")
	p := &plane{
		super: d.SuperuserPool(), workspaces: postgres.NewWorkspaces(open("svc_workspace")), connections: postgres.NewConnections(integrations),
	}
	var err error
	p.catalog, err = integration.NewCatalog(builtin.Connectors())
	require.NoError(t, err)
	require.NoError(t, postgres.NewIntegrations(integrations).SyncCatalog(t.Context(), p.catalog))

	var key interface{ IsZero() bool }
	p.a, key, err = workspace.Bootstrap(t.Context(), p.workspaces, 1, "Contoso", "first")
	require.NoError(t, err)
	require.False(t, key.IsZero())
	p.keyring, p.webhooks = postgres.NewKeyring(integrations), postgres.NewWebhooks(integrations, 1)
	p.register(t, keyring.Key{Wrapper: "local", ID: "local:1"})
	p.b = id.Scope{Tenant: 1}
	require.NoError(t, p.super.QueryRow(t.Context(), `insert into workspaces (name) values ('second') returning workspace_id`).Scan(&p.b.Workspace))
	return p
}

// register lets credentials be written under a key.
func (p *plane) register(t *testing.T, key keyring.Key) {
	t.Helper()
	require.NoError(t, keyring.Use(t.Context(), p.keyring, key, nil, func(keyring.Key) bool { return true }, audit.System("test")))
}

// draft returns a connection about to be created, with a credential.
func (p *plane) draft(t *testing.T, scope id.Scope, name string) (connection.Connection, *connection.Sealed) {
	t.Helper()
	drawn, err := p.connections.NextID(t.Context())
	require.NoError(t, err)
	conn := connection.Connection{
		ID: drawn, Scope: scope, Integration: "aws", ConnectorID: "aws-discovery", ConnectorVersion: "1", Name: name,
		Config: []byte(`{"region": "us-east-1"}`), ReadScope: []byte(`{}`), Metadata: []byte(`{"team": "iam"}`),
		Schedule: connection.Schedule{Type: connection.Daily, Hour: 2}, Lifecycle: connection.Active, Status: connection.Unknown,
		CredentialType: "access_key", Version: 1,
	}
	sealed := &connection.Sealed{
		Version: 1, Type: "access_key", Algorithm: "AES-256-GCM", Wrapper: "local", KMSKeyID: "local:1",
		WrappedKey: []byte("wrapped"), Nonce: []byte("nonce"), Ciphertext: []byte("ciphertext"), SchemaVersion: "1",
	}
	return conn, sealed
}

func (p *plane) create(t *testing.T, scope id.Scope, name string) connection.Connection {
	t.Helper()
	c, sealed := p.draft(t, scope, name)
	made, err := p.connections.Create(t.Context(), connection.Creation{Connection: c, Sealed: sealed}, event(audit.ConnectionCreated))
	require.NoError(t, err)
	stored, err := p.connections.Get(t.Context(), scope, made)
	require.NoError(t, err)
	return stored
}

// actions returns what was recorded in a workspace, the newest first.
func (p *plane) actions(t *testing.T, scope id.Scope) []audit.Action {
	t.Helper()
	records, err := p.workspaces.ListEvents(t.Context(), scope, audit.Filter{}, 0, 100)
	require.NoError(t, err)
	var actions []audit.Action
	for _, r := range records {
		actions = append(actions, r.Action)
	}
	return actions
}

// count counts rows of a table, behind row-level security.
func (p *plane) count(t *testing.T, query string, args ...any) (n int) {
	t.Helper()
	require.NoError(t, p.super.QueryRow(t.Context(), "select count(*) from "+query, args...).Scan(&n))
	return n
}

func event(a audit.Action) audit.Event {
	return audit.Event{Actor: audit.System("test"), Action: a, Outcome: audit.Succeeded, TargetType: "connection"}
}
