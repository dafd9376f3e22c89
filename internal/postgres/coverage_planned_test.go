package postgres_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// discoverSelection runs a discovery that was started for one stream alone.
func (d *discovery) discoverSelection(tb testing.TB, c id.Connection, stream string, readings ...reading) run.Run {
	tb.Helper()
	h := d.begin(tb, d.scope, c)
	d.exec(tb, `update runs set input = jsonb_build_object('streams', jsonb_build_array($2::text)) where run_id = $1`, h.Run.ID, stream)
	for _, r := range readings {
		h.send(tb, r.stream, r.partition, r.page, r.end)
	}
	return h.publish(tb)
}

// coverageAt is the coverage of the workspace's only connection, as lists say it.
func (d *discovery) coverageAt(tb testing.TB, at graph.Moment) graph.Coverage {
	tb.Helper()
	l, err := d.questions().ListEntities(tb.Context(), viewer(d.scope.Workspace), graph.EntityFilter{Limit: 1, AsOf: at})
	require.NoError(tb, err)
	require.Len(tb, l.Coverage, 1)
	return l.Coverage[0]
}

// Where only selections have been read, what none of them named was not observed,
// however completely the rest was.
func TestWhatNoRunPlannedIsNotObserved(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	d.exec(t, `update integrations set manifest = '{"streams": [{"name": "alpha"}, {"name": "beta"}, {"name": "gamma"}]}'`)
	c := d.connect(t, d.scope)
	require.Equal(t, graph.NotObserved, d.coverageAt(t, graph.Moment{}).Observation())

	selected := d.discoverSelection(t, c, "alpha", whole("alpha", "", accounts("a")))
	require.Equal(t, run.Succeeded, selected.Outcome)
	narrow := d.coverageAt(t, graph.Moment{})
	require.True(t, narrow.Narrowed)
	require.Equal(t, graph.PartlyObserved, narrow.Observation())
	require.Len(t, narrow.Streams, 3)
	require.Len(t, narrow.Gaps, 2)
	for i, stream := range []string{"beta", "gamma"} {
		require.Equal(t, stream, narrow.Gaps[i].Stream)
		require.Equal(t, "not_planned", narrow.Gaps[i].ReasonCode)
		require.Equal(t, string(connector.Skipped), narrow.Gaps[i].Coverage)
	}

	// Another selection leaves less.
	d.discoverSelection(t, c, "beta", whole("beta", "", accounts("b")))
	less := d.coverageAt(t, graph.Moment{})
	require.Len(t, less.Gaps, 1)
	require.Equal(t, graph.PartlyObserved, less.Observation())

	// A run of everything decides what is in scope, and selections after it take
	// nothing back.
	d.discoverPlan(t, c, whole("alpha", "", accounts("a")), whole("beta", "", accounts("b")))
	require.Equal(t, graph.Observed, d.coverageAt(t, graph.Moment{}).Observation())
	d.discoverSelection(t, c, "alpha", whole("alpha", "", accounts("a")))
	require.Equal(t, graph.Observed, d.coverageAt(t, graph.Moment{}).Observation())

	then := d.coverageAt(t, graph.Moment{Run: selected.ID})
	require.Empty(t, cmp.Diff(narrow, then), "as it was said then")
}

// Lists say the coverage of so many connections, of those that they show at first.
func TestListsSayTheCoverageOfSomeConnections(t *testing.T) {
	t.Parallel()
	b := newAccessBase(t)
	first := b.newWorkspace(t)
	_, err := b.super.Exec(t.Context(), `
		insert into connections (tenant_id, workspace_id, integration_id, connector_id, connector_version, name, config, scope, schedule)
		select 1, $1, 'aws', 'aws-discovery', '1.0.0', 'more ' || n, '{}', '{}', '{}' from generate_series(1, $2) n`, first.workspace, graph.MaxCoverages)
	require.NoError(t, err)
	last := b.newConnection(t, first.workspace, "last")
	last.add(connector.Account, "user", "ann")
	b.publish(t, last)
	l, err := b.questions().ListEntities(t.Context(), viewer(first.workspace), graph.EntityFilter{Limit: 10})
	require.NoError(t, err)
	require.Len(t, l.Entities, 1)
	require.Len(t, l.Coverage, graph.MaxCoverages)
	require.True(t, l.MoreCoverage)
	require.Equal(t, first.connection, l.Coverage[0].Connection)
	require.Equal(t, last.connection, l.Coverage[len(l.Coverage)-1].Connection)
	l, err = b.questions().ListEntities(t.Context(), viewer(first.workspace), graph.EntityFilter{Limit: 10, Connection: last.connection})
	require.NoError(t, err)
	require.Len(t, l.Coverage, 1)
	require.False(t, l.MoreCoverage)
}
