package postgres_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// day is a moment and what was so then.
type day struct {
	at    time.Time
	run   id.Run
	edges []connector.Relationship
}

// since asks about an account of the world.
func (d *discovery) since(tb testing.TB, c id.Connection, from, to connector.Ref) graph.SinceAnswer {
	tb.Helper()
	of := func(r connector.Ref) graph.EntityID { return graph.NewEntityID(d.scope.Workspace, c, r) }
	answer, err := d.questions().Since(tb.Context(), viewer(d.scope.Workspace), graph.SinceQuery{From: of(from), Resource: of(to)})
	require.NoError(tb, err)
	return answer
}

// at is the interval that a moment is in.
func at(a graph.SinceAnswer, moment time.Time) *graph.Interval {
	for i := range a.Intervals {
		interval := &a.Intervals[i]
		if !moment.Before(interval.From) && (interval.Until == nil || moment.Before(*interval.Until)) {
			return interval
		}
	}
	return nil
}

// What is told of each day is what a naive walk finds in what that day's run
// showed; and since when is the first day of those without a break.
func TestSinceAgreesWithNaiveWalkOnEachDay(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	checkSeldom(t, func(rt *rapid.T) {
		d.scope = d.newScope(t)
		w, c := newWorld(), d.connect(t, d.scope)
		var days []day
		for range rapid.IntRange(1, 5).Draw(rt, "days") {
			page := w.drawPage(rt)
			for _, ref := range w.all() { // whoever is asked about was there once
				if len(days) == 0 {
					page.Entities = append(page.Entities, connector.Entity{Ref: ref, Name: ref.ID, Type: "type0"})
				}
			}
			r := d.discover(t, d.scope, c, reading{"alpha", "", page, connector.Complete})
			days = append(days, day{d.moment(t), r.ID, complete(page)})
		}
		for _, resource := range w.resources {
			for _, account := range w.accounts {
				answer := d.since(t, c, account, resource)
				var first *graph.Interval
				for i := len(days) - 1; i >= 0; i-- {
					n := naive{edges: days[i].edges}
					want, reaches := n.judge(n.ways(account, resource, ""), "")
					got := at(answer, days[i].at)
					require.Equal(rt, reaches, got != nil)
					if !reaches {
						break
					}
					require.Equal(rt, want.Decision, got.Decision)
					require.Len(rt, got.Steps, want.Hops, "the shortest way")
					require.Empty(rt, got.NotObserved)
					require.NotZero(rt, got.BeganBy)
					if want.Decision == graph.Denied {
						break
					}
					first = got
				}
				if first == nil {
					require.Nil(rt, answer.Since)
					continue
				}
				require.NotNil(rt, answer.Since)
				require.False(rt, answer.Since.After(first.From))
			}
		}
	})
}

// A part that could not be read is told as not observed while its edges stay, and
// the first reading of it as one that proves nothing about before.
func TestSinceTellsWhatWasNotObserved(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	account, group := connector.Ref{Kind: connector.Account, ID: "ann"}, connector.Ref{Kind: connector.Entitlement, ID: "group"}
	bucket := connector.Ref{Kind: connector.Resource, ID: "bucket"}
	page := connector.Page{
		Entities: []connector.Entity{{Ref: account, Name: "ann", Type: "user"}, {Ref: group, Name: "group", Type: "group"}, {Ref: bucket, Name: "bucket", Type: "bucket"}},
		Relationships: []connector.Relationship{
			{Kind: connector.AccountAssignedEntitlement, From: account, To: group}, {Kind: connector.EntitlementGrantsResource, From: group, To: bucket},
		},
	}
	left := page
	left.Relationships = page.Relationships[1:]
	seen := d.discover(t, d.scope, c, reading{"alpha", "x", page, connector.Complete})
	torn := d.discover(t, d.scope, c, reading{"alpha", "x", connector.Page{}, connector.Partial})
	answer := d.since(t, c, account, bucket)
	require.Len(t, answer.Intervals, 1)
	now := answer.Intervals[0]
	require.Equal(t, graph.BeganObserved, now.Began)
	require.Equal(t, seen.ID, now.BeganBy)
	require.Nil(t, now.Until)
	require.Len(t, now.NotObserved, 1)
	require.Nil(t, now.NotObserved[0].Until)
	require.Equal(t, now.From, *answer.Since, "kept, and held as far as is known")
	require.NotZero(t, torn.ID)

	gone := d.discover(t, d.scope, c, reading{"alpha", "x", left, connector.Complete})
	answer = d.since(t, c, account, bucket)
	require.Nil(t, answer.Since)
	require.Len(t, answer.Intervals, 1)
	require.Equal(t, gone.ID, answer.Intervals[0].EndedBy)
	require.Equal(t, answer.Intervals[0].Until, answer.Intervals[0].NotObserved[0].Until)

	back := d.discover(t, d.scope, c, reading{"alpha", "x", page, connector.Complete})
	answer = d.since(t, c, account, bucket)
	require.Len(t, answer.Intervals, 2)
	require.Equal(t, graph.BeganAdded, answer.Intervals[0].Began, "it had been looked, and was not there")
	require.Equal(t, back.ID, answer.Intervals[0].BeganBy)
	require.Empty(t, answer.Intervals[0].NotObserved)
	require.Equal(t, answer.Intervals[0].From, *answer.Since)
}
