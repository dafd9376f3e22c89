package postgres_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

func TestOneOfManyPublishersPublishes(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	h := d.begin(t, d.scope, d.connect(t, d.scope))
	h.send(t, "alpha", "", connector.Page{Entities: accounts("a")}, connector.Complete)
	_, err := d.runs.FinishReading(t.Context(), h.fence, false)
	require.NoError(t, err)
	var wg sync.WaitGroup
	published, failures := make([]bool, 8), make([]error, 8)
	for i := range published {
		wg.Go(func() { published[i], failures[i] = d.graph.Publish(t.Context(), d.scope, h.Run.ID) })
	}
	wg.Wait()
	for _, err := range failures {
		require.NoError(t, err)
	}
	require.Len(t, slices.DeleteFunc(published, func(p bool) bool { return !p }), 1)
	require.Equal(t, 1, d.number(t, `select count(*) from publications`))
	require.Equal(t, 1, d.number(t, `select count(*) from audit_events where action = 'run_succeeded'`))
}

// While a publisher has a connection's graph in hand, starts join its run, the
// sweeper passes by, and other publishers leave it alone.
func TestNobodyWaitsForAPublisher(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	h := d.begin(t, d.scope, c)
	h.send(t, "alpha", "", connector.Page{Entities: accounts("a")}, connector.Complete)
	_, err := d.runs.FinishReading(t.Context(), h.fence, false)
	require.NoError(t, err)
	_, publishable := d.sweep(t)
	require.Empty(t, publishable, "its job has only just been queued")
	d.exec(t, `update runs set phase_since = now() - interval '1 minute'`)

	tx, err := d.super.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), `select pg_advisory_xact_lock(hashtextextended('gatehouse publish', $1))`, c)
	require.NoError(t, err)
	published, err := d.graph.Publish(t.Context(), d.scope, h.Run.ID)
	require.NoError(t, err)
	require.False(t, published)
	require.NoError(t, d.graph.AbandonPublishing(t.Context(), d.scope, h.Run.ID, failing()))
	swept, publishable := d.sweep(t)
	require.Zero(t, swept)
	require.Empty(t, publishable)
	require.Equal(t, run.Deduped, d.admit(t, admission(d.scope, c)).Status)
	_, err = d.runs.RequestCancel(t.Context(), d.scope, h.Run.ID, failing().By)
	require.Equal(t, fault.Conflict, fault.KindOf(err))
	other := d.connect(t, d.scope)
	d.discover(t, d.scope, other, whole("alpha", "", accounts("a")))
	require.NoError(t, tx.Rollback(t.Context()))

	_, publishable = d.sweep(t)
	require.Equal(t, []run.Ref{{Scope: d.scope, Run: h.Run.ID}}, publishable)
	published, err = d.graph.Publish(t.Context(), d.scope, h.Run.ID)
	require.NoError(t, err)
	require.True(t, published)
	require.NotEqual(t, h.Run.ID, d.claim(t).Run.ID, "the start that joined is covered by one more run")
}

func TestAbandonedRunLeavesTheGraphAsItWas(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	d.discover(t, d.scope, c, whole("alpha", "", accounts("a")))
	h := d.begin(t, d.scope, c)
	h.send(t, "alpha", "", connector.Page{Entities: accounts("b")}, connector.Complete)
	_, err := d.runs.FinishReading(t.Context(), h.fence, false)
	require.NoError(t, err)
	publisher := graph.Publisher{Store: d.graph}
	require.NoError(t, publisher.GiveUp(t.Context(), run.Ref{Scope: d.scope, Run: h.Run.ID}))
	ended := d.get(t, h.Run)
	require.Equal(t, run.Failed, ended.Outcome)
	require.Equal(t, operation.Internal, ended.Reason)
	d.requireGraph(t, c, "a a alpha/")
	d.discover(t, d.scope, c, whole("alpha", "", accounts("b")))
	d.requireGraph(t, c, "b b alpha/")
}

func TestNothingIsPublishedForADeletedConnection(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	h := d.begin(t, d.scope, c)
	h.send(t, "alpha", "", connector.Page{Entities: accounts("a")}, connector.Complete)
	_, err := d.runs.FinishReading(t.Context(), h.fence, false)
	require.NoError(t, err)
	d.exec(t, `update connections set deleted_at = now(), is_default = false, next_run_at = null where connection_id = $1`, c)
	published, err := d.graph.Publish(t.Context(), d.scope, h.Run.ID)
	require.NoError(t, err)
	require.False(t, published)
	ended := d.get(t, h.Run)
	require.Equal(t, run.Failed, ended.Outcome)
	require.Equal(t, operation.ConnectionMissing, ended.Reason)
	require.Zero(t, d.number(t, `select count(*) from entities`))
}

func TestConnectionsPublishSideBySide(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	var holds []*hold
	for range 6 {
		scope := d.newScope(t)
		h := d.begin(t, scope, d.connect(t, scope))
		h.send(t, "alpha", "", connector.Page{Entities: accounts("a", "b"), Relationships: []connector.Relationship{assumes("a", "b")}}, connector.Complete)
		_, err := d.runs.FinishReading(t.Context(), h.fence, false)
		require.NoError(t, err)
		holds = append(holds, h)
	}
	var wg sync.WaitGroup
	failures := make([]error, len(holds))
	for i, h := range holds {
		wg.Go(func() { _, failures[i] = d.graph.Publish(t.Context(), h.Run.Scope, h.Run.ID) })
	}
	wg.Wait()
	for i, h := range holds {
		require.NoError(t, failures[i])
		require.Equal(t, run.Succeeded, d.get(t, h.Run).Outcome)
		d.requireGraph(t, h.Run.Connection, "a a alpha/", "b b alpha/", "a>b - alpha/")
	}
}

// Every publication renames everything; no reader ever meets two names.
func TestReadersNeverSeeAMixture(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	const generations, nodes = 8, 40
	estate := func(generation int) reading {
		var page connector.Page
		for i := range nodes {
			page.Entities = append(page.Entities, account(fmt.Sprint(i), fmt.Sprint(generation)))
			edge := assumes(fmt.Sprint(i), fmt.Sprint((i+1)%nodes))
			edge.Attributes = fmt.Appendf(nil, `{"g": "%d"}`, generation)
			page.Relationships = append(page.Relationships, edge)
		}
		return reading{"alpha", "", page, connector.Complete}
	}
	d.discover(t, d.scope, c, estate(0))
	ctx, cancel := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	failures := make(chan error, 4)
	for range 2 {
		readers.Go(func() {
			for ctx.Err() == nil {
				if err := d.readWhole(t.Context(), c, nodes); err != nil {
					failures <- err
					return
				}
			}
		})
	}
	for g := range generations {
		d.discover(t, d.scope, c, estate(g+1))
	}
	cancel()
	readers.Wait()
	close(failures)
	for err := range failures {
		require.NoError(t, err)
	}
}

// readWhole reads a connection's graph by two statements of one snapshot, and
// fails unless both are complete and of one generation.
func (d *discovery) readWhole(ctx context.Context, c id.Connection, want int) error {
	return pgx.BeginTxFunc(ctx, d.db.Pool(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `select set_config('gatehouse.workspace_id', $1, true)`, fmt.Sprint(int64(d.scope.Workspace))); err != nil {
			return err
		}
		var entities, edges int
		var least, most, edgeLeast, edgeMost string
		err := tx.QueryRow(ctx, `select count(*), min(name), max(name) from entities where connection_id = $1 and valid_to is null`, c).Scan(&entities, &least, &most)
		if err != nil {
			return err
		}
		err = tx.QueryRow(ctx, `select count(*), min(attributes->>'g'), max(attributes->>'g') from relationships where connection_id = $1 and valid_to is null`, c).Scan(&edges, &edgeLeast, &edgeMost)
		if err != nil {
			return err
		}
		if entities != want || edges != want || least != most || edgeLeast != edgeMost || least != edgeLeast {
			return fmt.Errorf("a mixture: %d entities of %s to %s, %d relationships of %s to %s", entities, least, most, edges, edgeLeast, edgeMost)
		}
		return nil
	})
}
