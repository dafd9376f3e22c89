package postgres_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// heard is what was answered at a moment.
type heard struct {
	at      time.Time
	run     id.Run
	answers answers
	// edges are what the second connection has, when that is known.
	edges []connector.Relationship
}

// Whatever is published, every question about an earlier moment is answered as
// it was then, coverage included, and as a naive walk over what was there.
func TestEarlierMomentsAreAnsweredAsTheyWere(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	checkSeldom(t, func(rt *rapid.T) {
		d.scope = d.newScope(t)
		w := newWorld()
		about := w.drawInquiry(rt)
		torn, tidy := d.connect(t, d.scope), d.connect(t, d.scope)
		record := func(of id.Run, edges []connector.Relationship) heard {
			at := d.moment(t)
			return heard{at, of, d.ask(t, w, about, graph.Moment{}, torn, tidy), edges}
		}
		history := []heard{record(0, nil)}
		var edges []connector.Relationship
		for range rapid.IntRange(2, 4).Draw(rt, "runs") {
			var of id.Run
			switch rapid.SampledFrom([]string{"torn", "torn", "tidy", "tidy", "failed"}).Draw(rt, "run") {
			case "tidy":
				page := w.drawPage(rt)
				edges = complete(page)
				of = d.discover(t, d.scope, tidy, reading{"alpha", "", page, connector.Complete}).ID
			case "torn":
				of = d.drawTornRun(t, rt, w, torn)
			case "failed":
				// What becomes known only counts as not looked at.
				h := d.begin(t, d.scope, torn)
				h.send(t, "beta", rapid.SampledFrom([]string{"1", "2"}).Draw(rt, "partition"), connector.Page{Next: "more"}, "")
				_, err := d.runs.Fail(t.Context(), h.fence, failing())
				require.NoError(t, err)
			}
			history = append(history, record(of, edges))
		}
		for range 3 {
			h := rapid.SampledFrom(history).Draw(rt, "moment")
			requireSame(rt, h.answers, d.ask(t, w, about, graph.Moment{At: h.at}, torn, tidy))
			if h.run != 0 {
				requireSame(rt, h.answers, d.ask(t, w, about, graph.Moment{Run: h.run}, torn, tidy))
			}
			d.requireNaive(t, rt, w, tidy, h)
		}
	})
}

// drawTornRun publishes a run whose partitions are read in whole or in part, of a
// plan that names all or not.
func (d *discovery) drawTornRun(tb testing.TB, t *rapid.T, w world, c id.Connection) id.Run {
	h := d.begin(tb, d.scope, c)
	for _, at := range [][2]string{{"alpha", "x"}, {"alpha", "y"}, {"beta", ""}} {
		switch end := rapid.SampledFrom([]connector.Coverage{connector.Complete, connector.Complete, connector.Partial, connector.Skipped, "not planned"}).Draw(t, "end"); end {
		case "not planned":
		case connector.Skipped:
			h.send(tb, at[0], at[1], connector.Page{}, end)
		default:
			h.send(tb, at[0], at[1], w.drawPage(t), end)
		}
	}
	return h.publishPlan(tb, rapid.Bool().Draw(t, "plan complete")).ID
}

// requireNaive compares who can reach what at a moment with a naive walk.
func (d *discovery) requireNaive(tb testing.TB, t *rapid.T, w world, c id.Connection, h heard) {
	n := naive{edges: h.edges}
	for _, resource := range w.resources {
		want := map[graph.EntityID]verdict{}
		for _, account := range w.accounts {
			if v, ok := n.judge(n.ways(account, resource, ""), ""); ok {
				want[graph.NewEntityID(d.scope.Workspace, c, account)] = v
			}
		}
		got := map[graph.EntityID]verdict{}
		answer, err := d.questions().WhoCan(tb.Context(), viewer(d.scope.Workspace), graph.NewEntityID(d.scope.Workspace, c, resource),
			graph.AccessFilter{Limit: 50, AsOf: graph.Moment{At: h.at}})
		if err == nil {
			for _, r := range answer.Rows {
				got[r.Account] = verdictOf(r)
			}
		}
		require.Empty(t, cmp.Diff(want, got))
	}
}
