package model

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/job"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/postgres/pgtest"
	"github.com/gatehouse-project/gatehouse/internal/run"
	"github.com/gatehouse-project/gatehouse/test/wire"
)

var databases = pgtest.Kit{Migrate: postgres.Migrate, Fingerprint: postgres.SchemaFingerprint(), Roles: []string{"svc_discovery"}}

func TestMain(m *testing.M) { os.Exit(databases.Run(m)) }

// stores are the calls that the machine makes; a planted break stands before one.
type stores struct {
	run.AdmissionStore
	run.LeaseStore
	run.SweepStore
	graph.IngestStore
	graph.PublishStore
}

// plane is a data plane as its discovery service has it, over a wire.
type plane struct {
	super   *pgxpool.Pool
	wire    *wire.Wire
	db      *postgres.DB
	stores  stores
	catalog *integration.Catalog
}

// readable declares two streams that may emit accounts. Nobody opens it here.
type readable struct{ connector.Connector }

func (readable) Manifest() connector.Manifest {
	empty := []byte(`{"type": "object", "additionalProperties": false, "properties": {}}`)
	accounts := []connector.EntityKind{connector.Account}
	return connector.Manifest{
		IntegrationID: "aws", ConnectorID: "aws-discovery", Name: "AWS", ProviderSystem: "aws", ConnectorType: "cloud", Version: "1",
		ContractVersion: connector.ContractVersion, Status: connector.Available, Configuration: empty, ConfigurationVersion: "1", Scope: empty,
		Operations: []string{string(operation.DiscoveryRun)},
		Streams:    []connector.Stream{{Name: "users", Entities: accounts}, {Name: "roles", Entities: accounts}},
	}
}

func newPlane(tb testing.TB) *plane {
	tb.Helper()
	base := databases.New(tb)
	u, err := url.Parse(base.URL("svc_discovery"))
	require.NoError(tb, err)
	p := &plane{super: base.SuperuserPool()}
	p.wire, err = wire.NewDatabase(tb.Context(), u.Host)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, p.wire.Close()) })
	u.Host = p.wire.Address()
	p.db, err = postgres.Open(tb.Context(), postgres.Config{URL: u.String(), Service: "model", MaxConns: 12})
	require.NoError(tb, err)
	tb.Cleanup(p.db.Close)
	p.catalog, err = integration.NewCatalog([]connector.Connector{readable{}})
	require.NoError(tb, err)
	queue, err := job.NewQueue(p.db.Pool())
	require.NoError(tb, err)
	runs := postgres.NewRuns(p.db, 1, p.catalog, postgres.Jobs{Publish: queue.PublishTx, Ended: queue.EndedTx})
	store := postgres.NewGraph(p.db, runs)
	p.stores = stores{runs, runs, runs, store, store}
	p.exec(tb, `insert into integrations (integration_id, name, connector_id, connector_version, connector_type, provider_system,
		required_permissions, emits_entities, emits_relationships, limits_blind_spots, supports_test, manifest)
		values ('aws', 'AWS', 'aws-discovery', '1', 'cloud', 'aws', '[]', '[]', '[]', '[]', true, '{}')`)
	return p
}

// exec does what no service may, such as ending a lease.
func (p *plane) exec(tb require.TestingT, sql string, args ...any) {
	_, err := p.super.Exec(context.Background(), sql, args...)
	require.NoError(tb, err)
}

func (p *plane) newScope(tb require.TestingT) id.Scope {
	scope := id.Scope{Tenant: 1}
	require.NoError(tb, p.super.QueryRow(context.Background(), `insert into workspaces (name) values ('model') returning workspace_id`).Scan(&scope.Workspace))
	return scope
}

func (p *plane) connect(tb require.TestingT, scope id.Scope) (c id.Connection) {
	require.NoError(tb, p.super.QueryRow(context.Background(), `
		insert into connections (tenant_id, workspace_id, integration_id, connector_id, connector_version, name, config, scope, schedule)
		values (1, $1, 'aws', 'aws-discovery', '1', 'connection ' || gen_random_uuid(), '{}', '{}', '{"type": "manual"}') returning connection_id`,
		scope.Workspace).Scan(&c))
	return c
}

// Kinds of operations that the model starts. Both take the connection for
// themselves; the second stands for an operation that is not discovery.
const (
	discovering = "discover"
	other       = "other"
)

// admission is what the gate asks the store for.
func admission(scope id.Scope, c id.Connection, kind string) run.Admission {
	all := operation.All()
	discover := slices.IndexFunc(all, func(o operation.Operation) bool { return o.Type == operation.DiscoveryRun })
	return run.Admission{
		Scope: scope, Operation: all[discover], Integration: "aws", Connection: c, Input: []byte(`{}`), Context: []byte(`{}`), Initiator: run.BySystem,
		DedupeKey: fmt.Sprintf("%s:%d", kind, c), ScopeKey: fmt.Sprintf("connection:%d", c),
	}
}

func started(action audit.Action, outcome audit.Outcome) audit.Event {
	return audit.Event{Actor: audit.System("model"), Action: action, Outcome: outcome, TargetType: "run"}
}

func failing() run.Ending {
	return run.Ending{Outcome: run.Failed, Reason: operation.Internal, Failure: &run.Failure{Message: "no luck"}, By: audit.Worker("model")}
}

// reach is what every connection of the model's reaches.
func reach(c id.Connection) run.Reached {
	return run.Reached{Target: connector.Target{ID: fmt.Sprintf("o-%d", c), Type: "organization"}}
}
