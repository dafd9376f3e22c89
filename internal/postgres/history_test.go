package postgres_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

const tenDays = 10 * 24 * time.Hour

// ageGraph makes everything in the graph of the scope ten days older.
func (d *discovery) ageGraph(tb testing.TB) {
	tb.Helper()
	_, err := d.super.Exec(tb.Context(), `
		with p as (update publications set published_at = published_at - interval '10 days', visible_at = visible_at - interval '10 days' where workspace_id = $1),
		e as (update entities set valid_from = valid_from - interval '10 days', valid_to = valid_to - interval '10 days' where workspace_id = $1),
		s as (update stream_partitions set known_at = known_at - interval '10 days' where workspace_id = $1)
		update relationships set valid_from = valid_from - interval '10 days', valid_to = valid_to - interval '10 days' where workspace_id = $1`, d.scope.Workspace)
	require.NoError(tb, err)
}

// begins is from when on there is history.
func (d *discovery) begins(tb testing.TB) (at time.Time) {
	tb.Helper()
	require.NoError(tb, d.super.QueryRow(tb.Context(), "select coalesce((select begins_at from graph_histories where workspace_id = $1), '1970-01-01')", d.scope.Workspace).Scan(&at))
	return at
}

// Whatever is removed, in however small steps, a moment since history begins is
// answered as before, and an earlier one is refused.
func TestMomentsSinceHistoryBeginsAreAnsweredAsBefore(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	checkSeldom(t, func(rt *rapid.T) {
		d.scope = d.newScope(t)
		w := newWorld()
		about := w.drawInquiry(rt)
		one, other := d.connect(t, d.scope), d.connect(t, d.scope)
		moments := []time.Time{d.moment(t)}
		for range rapid.IntRange(2, 3).Draw(rt, "runs") {
			c := rapid.SampledFrom([]id.Connection{one, other}).Draw(rt, "connection")
			d.discover(t, d.scope, c, reading{"alpha", "", w.drawPage(rt), connector.Complete})
			moments = append(moments, d.moment(t))
		}
		d.ageGraph(t)
		for i := range moments {
			moments[i] = moments[i].Add(-tenDays)
		}
		at := func(m time.Time) answers { return d.ask(t, w, about, graph.Moment{At: m}, one, other) }
		asked := rapid.SampledFrom(moments).Draw(rt, "moment")
		before := at(asked)
		keep := d.moment(t).Sub(rapid.SampledFrom(moments).Draw(rt, "horizon"))
		most := rapid.SampledFrom([]int{1, 3, 1000}).Draw(rt, "most")
		for {
			removed, err := d.graph.ForgetHistory(t.Context(), d.scope, keep, most)
			require.NoError(rt, err)
			require.LessOrEqual(rt, removed, int64(most))
			if removed < int64(most) {
				break
			}
		}
		begins := d.begins(t)
		if !asked.Before(begins) {
			requireSame(rt, before, at(asked))
			return
		}
		_, err := d.questions().ListEntities(t.Context(), viewer(d.scope.Workspace), graph.EntityFilter{Limit: 1, AsOf: graph.Moment{At: asked}})
		require.Equal(rt, fault.Invalid, fault.KindOf(err))
		require.ErrorContains(rt, err, "history begins")
	})
}

func TestHistoryIsRemovedWithItsEvent(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	for _, names := range [][]string{{"a", "b", "c"}, {"a"}, {"a", "b"}} {
		d.discover(t, d.scope, c, reading{"alpha", "", connector.Page{Entities: accounts(names...)}, connector.Complete})
	}
	theirs := d.newScope(t)
	other := d.connect(t, theirs)
	for _, names := range [][]string{{"a", "b"}, {"a"}} {
		d.discover(t, theirs, other, reading{"alpha", "", connector.Page{Entities: accounts(names...)}, connector.Complete})
	}
	history := &graph.History{Store: d.graph, Keep: time.Hour}
	require.NoError(t, history.Round(t.Context()))
	require.Zero(t, d.number(t, `select count(*) from graph_histories`), "nothing of the last day goes")
	d.ageGraph(t)

	scopes, err := d.graph.WithHistory(t.Context(), history.Keep)
	require.NoError(t, err)
	require.Equal(t, []id.Scope{d.scope}, scopes)
	require.NoError(t, (&graph.History{Store: d.graph}).Round(t.Context()))
	require.Equal(t, 2, d.number(t, `select count(*) from entities where connection_id = $1 and valid_to is not null`, c), "kept for ever")

	d.exec(t, `alter table audit_events add constraint refused check (false) not valid`)
	require.Error(t, history.Round(t.Context()), "nothing goes without its event")
	require.Equal(t, 2, d.number(t, `select count(*) from entities where connection_id = $1 and valid_to is not null`, c))
	d.exec(t, `alter table audit_events drop constraint refused`)
	require.NoError(t, history.Round(t.Context()))
	require.Zero(t, d.number(t, `select count(*) from entities where connection_id = $1 and valid_to is not null`, c))
	require.Equal(t, 2, d.number(t, `select count(*) from entities where connection_id = $1`, c), "what is there now stays, however old")
	require.Equal(t, 1, d.number(t, `select count(*) from entities where connection_id = $1 and valid_to is not null`, other), "another workspace's is not of that age")
	require.Equal(t, 1, d.number(t, `select count(*) from audit_events where action = $1 and (payload->>'removed')::int = 2`, audit.HistoryRemoved))
	require.NoError(t, history.Round(t.Context()))
	require.Equal(t, 1, d.number(t, `select count(*) from audit_events where action = $1`, audit.HistoryRemoved), "no event for nothing")
}
