package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// discoverPlan runs a discovery whose plan is complete.
func (d *discovery) discoverPlan(tb testing.TB, c id.Connection, readings ...reading) run.Run {
	tb.Helper()
	h := d.begin(tb, d.scope, c)
	for _, r := range readings {
		h.send(tb, r.stream, r.partition, r.page, r.end)
	}
	return h.publishPlan(tb, true)
}

// covered lists the partitions that answers speak of.
func (d *discovery) covered(tb testing.TB, c id.Connection) (gaps []string, complete int) {
	tb.Helper()
	err := d.db.Snapshot(tb.Context(), d.scope.Workspace, func(v graph.View) error {
		coverage, err := v.Coverage(tb.Context(), c)
		for _, s := range coverage.Streams {
			complete += int(s.Complete)
		}
		for _, g := range coverage.Gaps {
			gaps = append(gaps, g.Stream+"/"+g.Partition)
		}
		return err
	})
	require.NoError(tb, err)
	return gaps, complete
}

func TestPartitionOutOfScopeIsRetired(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	d.discoverPlan(t, c, whole("alpha", "1", accounts("a", "both"), assumes("a", "both")), whole("alpha", "2", accounts("b", "both")))

	r := d.discoverPlan(t, c, whole("alpha", "1", accounts("a", "both"), assumes("a", "both")))
	require.Equal(t, run.Succeeded, r.Outcome)
	require.EqualValues(t, 1, r.Counts[graph.CountPartitionsRetired])
	requireCounts(t, r, map[string]int64{graph.CountEntitiesClosed: 1})
	d.requireGraph(t, c, "a a alpha/1", "both both alpha/1", "a>both - alpha/1")
	gaps, complete := d.covered(t, c)
	require.Empty(t, gaps)
	require.Equal(t, 1, complete)
	require.Equal(t, 1, d.number(t, `select count(*) from entities where provider_id = 'b' and valid_to is not null`), "the history stays")

	// What others showed too can be gone again.
	r = d.discoverPlan(t, c, whole("alpha", "1", accounts("a")))
	requireCounts(t, r, map[string]int64{graph.CountEntitiesClosed: 1, graph.CountRelationshipsClosed: 1})
	require.Zero(t, r.Counts[graph.CountPartitionsRetired], "once")

	// Back in scope, it counts again.
	d.discoverPlan(t, c, whole("alpha", "1", accounts("a")), whole("alpha", "2", accounts("b")))
	d.requireGraph(t, c, "a a alpha/1", "b b alpha/2")
	_, complete = d.covered(t, c)
	require.Equal(t, 2, complete)
	d.requireConsistentHistory(t, c)
}

func TestOnlyACompletePlanRetires(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	d.discoverPlan(t, c, whole("alpha", "1", accounts("a")), whole("alpha", "2", accounts("b")))
	all := []string{"a a alpha/1", "b b alpha/2"}

	r := d.discover(t, d.scope, c, whole("alpha", "1", accounts("a")))
	requireCounts(t, r, map[string]int64{graph.CountEntitiesKept: 1})
	d.requireGraph(t, c, all...)

	r = d.discoverPlan(t, c) // a plan of nothing is not believed
	require.Zero(t, r.Counts[graph.CountPartitionsRetired])
	d.requireGraph(t, c, all...)

	skipped := reading{"alpha", "2", connector.Page{}, connector.Skipped}
	r = d.discoverPlan(t, c, whole("alpha", "1", accounts("a")), skipped)
	require.Zero(t, r.Counts[graph.CountPartitionsRetired], "planned, though not read")
	d.requireGraph(t, c, all...)

	h := d.begin(t, d.scope, c)
	h.send(t, "alpha", "1", connector.Page{Entities: accounts("a")}, connector.Complete)
	_, err := d.runs.Fail(t.Context(), h.fence, failing())
	require.NoError(t, err)
	d.requireGraph(t, c, all...)
	gaps, _ := d.covered(t, c)
	require.Equal(t, []string{"alpha/2"}, gaps)
}

// A run that was given up may have made partitions known that never were.
func TestPartitionOfARunThatWasGivenUpDoesNotLast(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	d.discoverPlan(t, c, whole("alpha", "1", accounts("a", "b")), whole("alpha", "2", accounts("b")))
	h := d.begin(t, d.scope, c)
	h.send(t, "alpha", "3", connector.Page{Entities: accounts("c"), Next: "more"}, "")
	_, err := d.runs.Fail(t.Context(), h.fence, failing())
	require.NoError(t, err)

	r := d.discoverPlan(t, c, whole("alpha", "1", accounts("a")), whole("alpha", "2", nil))
	requireCounts(t, r, map[string]int64{graph.CountEntitiesClosed: 1})
	d.requireGraph(t, c, "a a alpha/1")
	gaps, complete := d.covered(t, c)
	require.Empty(t, gaps)
	require.Equal(t, 2, complete)
}
