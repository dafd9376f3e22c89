package postgres_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// discovery is a data plane as its discovery service sees it.
type discovery struct {
	super   *pgxpool.Pool
	db      *postgres.DB
	catalog *integration.Catalog
	runs    *postgres.Runs
	graph   *postgres.Graph
	ingest  *graph.Ingest
	scope   id.Scope
	queue   *queue
}

// queue notes which runs were handed to the publisher, and which have ended.
type queue struct {
	mu    sync.Mutex
	refs  []run.Ref
	ended []run.Ref
}

func (q *queue) jobs() postgres.Jobs { return postgres.Jobs{Publish: q.add, Ended: q.end} }

func (q *queue) end(_ context.Context, _ pgx.Tx, r run.Ref) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ended = append(q.ended, r)
	return nil
}

func (q *queue) add(_ context.Context, _ pgx.Tx, r run.Ref) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.refs = append(q.refs, r)
	return nil
}

// graphConnector declares two streams that may emit anything and one that may
// emit accounts only. Nobody opens it here.
type graphConnector struct{ connector.Connector }

func (graphConnector) Manifest() connector.Manifest {
	empty := []byte(`{"type": "object", "additionalProperties": false, "properties": {}}`)
	all := func(name string) connector.Stream {
		return connector.Stream{Name: name, Entities: connector.EntityKinds(), Relationships: connector.RelationshipKinds()}
	}
	return connector.Manifest{
		IntegrationID: "aws", ConnectorID: "aws-discovery", Name: "AWS", ProviderSystem: "aws", ConnectorType: "cloud", Version: "1",
		ContractVersion: connector.ContractVersion, Status: connector.Available, Configuration: empty, ConfigurationVersion: "1", Scope: empty,
		Operations: []string{string(operation.ConnectionTest), string(operation.DiscoveryRun)}, SupportsTest: true,
		Streams: []connector.Stream{all("alpha"), all("beta"), {Name: "narrow", Entities: []connector.EntityKind{connector.Account}}},
	}
}

func newDiscovery(tb testing.TB) *discovery {
	tb.Helper()
	base := databases.New(tb)
	return openDiscovery(tb, base.URL("svc_discovery"), base.SuperuserPool())
}

// openDiscovery fills an empty data plane with a workspace and an integration.
func openDiscovery(tb testing.TB, url string, super *pgxpool.Pool) *discovery {
	tb.Helper()
	db, err := postgres.Open(tb.Context(), postgres.Config{URL: url, Service: "test", MaxConns: 40})
	require.NoError(tb, err)
	tb.Cleanup(db.Close)
	catalog, err := integration.NewCatalog([]connector.Connector{graphConnector{}})
	require.NoError(tb, err)
	d := &discovery{super: super, db: db, catalog: catalog, queue: &queue{}}
	d.runs = postgres.NewRuns(db, 1, catalog, d.queue.jobs())
	d.graph = postgres.NewGraph(db, d.runs)
	d.ingest = &graph.Ingest{Store: d.graph, Catalog: catalog}
	d.exec(tb, `insert into integrations (integration_id, name, connector_id, connector_version, connector_type, provider_system,
		required_permissions, emits_entities, emits_relationships, limits_blind_spots, supports_test, manifest)
		values ('aws', 'AWS', 'aws-discovery', '1', 'cloud', 'aws', '[]', '[]', '[]', '[]', true, '{}')`)
	d.scope = d.newScope(tb)
	return d
}

// exec changes what no service may, such as the time a lease ends.
func (d *discovery) exec(tb testing.TB, sql string, args ...any) {
	tb.Helper()
	_, err := d.super.Exec(tb.Context(), sql, args...)
	require.NoError(tb, err)
}

// number looks behind row-level security.
func (d *discovery) number(tb testing.TB, sql string, args ...any) (n int) {
	tb.Helper()
	require.NoError(tb, d.super.QueryRow(tb.Context(), sql, args...).Scan(&n))
	return n
}

func (d *discovery) newScope(tb testing.TB) id.Scope {
	tb.Helper()
	scope := id.Scope{Tenant: 1}
	require.NoError(tb, d.super.QueryRow(tb.Context(), `insert into workspaces (name) values ('test') returning workspace_id`).Scan(&scope.Workspace))
	return scope
}

func (d *discovery) connect(tb testing.TB, scope id.Scope) (c id.Connection) {
	tb.Helper()
	require.NoError(tb, d.super.QueryRow(tb.Context(), `
		insert into connections (tenant_id, workspace_id, integration_id, connector_id, connector_version, name, config, scope, schedule)
		values (1, $1, 'aws', 'aws-discovery', '1', 'connection ' || gen_random_uuid(), '{}', '{}', '{"type": "manual"}') returning connection_id`,
		scope.Workspace).Scan(&c))
	return c
}

// admission is what the gate asks for when a discovery is to start.
func admission(scope id.Scope, c id.Connection) run.Admission {
	all := operation.All()
	discover := slices.IndexFunc(all, func(o operation.Operation) bool { return o.Type == operation.DiscoveryRun })
	return run.Admission{
		Scope: scope, Operation: all[discover], Integration: "aws", Connection: c, Input: []byte(`{}`), Context: []byte(`{}`), Initiator: run.BySystem,
		DedupeKey: fmt.Sprintf("discovery.run:%d", c), ScopeKey: fmt.Sprintf("connection:%d", c),
	}
}

func accepted() audit.Event {
	return audit.Event{Actor: audit.System("test"), Action: audit.RunAccepted, Outcome: audit.Succeeded, TargetType: "run"}
}

func (d *discovery) admit(tb testing.TB, a run.Admission) run.Admitted {
	tb.Helper()
	admitted, err := d.runs.Admit(tb.Context(), a, accepted())
	require.NoError(tb, err)
	return admitted
}

// start makes a queued discovery.
func (d *discovery) start(tb testing.TB, scope id.Scope, c id.Connection) run.Run {
	tb.Helper()
	admitted := d.admit(tb, admission(scope, c))
	require.Equal(tb, run.Accepted, admitted.Status)
	return admitted.Run
}

// hold is a claimed run in the hands of a worker.
type hold struct {
	run.Assignment
	fence run.Fence
	d     *discovery
	next  int64
}

// tryClaim takes a run of any queue; nil when there is none.
func (d *discovery) tryClaim(ctx context.Context) (*hold, error) {
	req := run.ClaimRequest{Queues: operation.Queues(), Worker: "worker-1"}
	rand.Read(req.Lease[:])
	rand.Read(req.TokenHash[:])
	a, ok, err := d.runs.Claim(ctx, req)
	if err != nil || !ok {
		return nil, err
	}
	h := &hold{Assignment: a, d: d, next: a.NextBatch, fence: run.Fence{
		Workspace: a.Run.Scope.Workspace, Run: a.Run.ID, Epoch: a.Run.Epoch, Lease: a.Lease, TokenHash: req.TokenHash,
	}}
	if a.Run.Operation == operation.DiscoveryRun {
		_, err = d.runs.Reach(ctx, h.fence, reached("o-test"))
	}
	return h, err
}

// reached is what credentials without an identity of their own reach.
func reached(target string) run.Reached {
	return run.Reached{Target: connector.Target{ID: target, Type: "organization"}}
}

func (d *discovery) claim(tb testing.TB) *hold {
	tb.Helper()
	h, err := d.tryClaim(tb.Context())
	require.NoError(tb, err)
	require.NotNil(tb, h, "nothing to claim")
	return h
}

func (d *discovery) claimNothing(tb testing.TB) {
	tb.Helper()
	h, err := d.tryClaim(tb.Context())
	require.NoError(tb, err)
	require.Nil(tb, h, "something was there to claim")
}

// begin starts a discovery and claims it.
func (d *discovery) begin(tb testing.TB, scope id.Scope, c id.Connection) *hold {
	tb.Helper()
	started := d.start(tb, scope, c)
	h := d.claim(tb)
	require.Equal(tb, started.ID, h.Run.ID)
	return h
}

// batch makes the next batch of a partition; its digest is of its number and
// what it was given.
func (h *hold) batch(stream, partition string, page connector.Page, end connector.Coverage) graph.Batch {
	return graph.Batch{
		Number: h.next, Stream: stream, Partition: partition, Page: page, End: end,
		Digest: sha256.Sum256(fmt.Appendf(nil, "%d %s %s %+v %s", h.next, stream, partition, page, end)),
	}
}

func (h *hold) take(ctx context.Context, b graph.Batch) error {
	return h.d.ingest.Take(ctx, h.fence, b.Number, func() (graph.Batch, error) { return b, nil })
}

// send stages the next batch.
func (h *hold) send(tb testing.TB, stream, partition string, page connector.Page, end connector.Coverage) {
	tb.Helper()
	require.NoError(tb, h.take(tb.Context(), h.batch(stream, partition, page, end)))
	h.next++
}

// publish ends the reading and merges what was read.
func (h *hold) publish(tb testing.TB) run.Run {
	tb.Helper()
	return h.publishPlan(tb, false)
}

// publishPlan is publish for a plan that may be complete.
func (h *hold) publishPlan(tb testing.TB, complete bool) run.Run {
	tb.Helper()
	_, err := h.d.runs.FinishReading(tb.Context(), h.fence, complete)
	require.NoError(tb, err)
	published, err := h.d.graph.Publish(tb.Context(), h.Run.Scope, h.Run.ID)
	require.NoError(tb, err)
	require.True(tb, published)
	return h.d.get(tb, h.Run)
}

func (d *discovery) get(tb testing.TB, r run.Run) run.Run {
	tb.Helper()
	found, err := d.runs.Get(tb.Context(), r.Scope, r.ID)
	require.NoError(tb, err)
	return found
}

// events lists what was recorded about a run, the oldest first.
func (d *discovery) events(tb testing.TB, r run.Run) (actions []audit.Action) {
	tb.Helper()
	rows, err := d.super.Query(tb.Context(), `select action from audit_events where workspace_id = $1 and target_id = $2 order by event_id`,
		r.Scope.Workspace, r.ID.String())
	require.NoError(tb, err)
	actions, err = pgx.CollectRows(rows, pgx.RowTo[audit.Action])
	require.NoError(tb, err)
	return actions
}

func account(providerID, name string) connector.Entity {
	return connector.Entity{Ref: connector.Ref{Kind: connector.Account, ID: providerID}, Name: name, Type: "user"}
}

func assumes(from, to string) connector.Relationship {
	return connector.Relationship{
		Kind: connector.AccountAssumesAccount,
		From: connector.Ref{Kind: connector.Account, ID: from}, To: connector.Ref{Kind: connector.Account, ID: to},
	}
}

func accounts(ids ...string) (all []connector.Entity) {
	for _, i := range ids {
		all = append(all, account(i, i))
	}
	return all
}
