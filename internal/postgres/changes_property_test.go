package postgres_test

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// kept is a row of the graph as changes are told of it.
type kept struct{ content, partition string }

// state is every current row of a connection by its id.
func (d *discovery) state(tb testing.TB, c id.Connection) map[string]kept {
	tb.Helper()
	rows, err := d.super.Query(tb.Context(), `
		select 'e' || replace(entity_id::text, '-', ''), content_hash::text, s.stream || '/' || s.partition_key
		from entities e join stream_partitions s using (partition_id) where e.connection_id = $1 and valid_to is null
		union all
		select 'r' || replace(relationship_id::text, '-', ''), content_hash::text, s.stream || '/' || s.partition_key
		from relationships e join stream_partitions s using (partition_id) where e.connection_id = $1 and valid_to is null`, c)
	require.NoError(tb, err)
	found := map[string]kept{}
	var key, content, partition string
	_, err = pgx.ForEachRow(rows, []any{&key, &content, &partition}, func() error {
		found[key] = kept{content, partition}
		return nil
	})
	require.NoError(tb, err)
	return found
}

// told is a change in the form in which both sides are compared.
func told(c graph.Change) string {
	key := ""
	if e := c.Entity(); e != nil {
		key = "e" + hex.EncodeToString(e.ID[:])
	} else if e := c.Edge(); e != nil {
		key = "r" + hex.EncodeToString(e.ID[:])
	}
	return fmt.Sprint(c.Run, " ", c.What, " ", key)
}

// difference is what a publication changed, by the plainest comparison. observed
// are the partitions that had been read completely before, retired those that it
// found out of scope.
func difference(of id.Run, before, after map[string]kept, observed, retired map[string]bool) (changes []string) {
	for key, now := range after {
		was, known := before[key]
		switch {
		case !known && observed[now.partition]:
			changes = append(changes, fmt.Sprint(of, " added ", key))
		case !known:
			changes = append(changes, fmt.Sprint(of, " first_observed ", key))
		case was.content != now.content:
			changes = append(changes, fmt.Sprint(of, " changed ", key))
		}
	}
	for key, was := range before {
		if _, still := after[key]; still {
			continue
		}
		what := " removed "
		if retired[was.partition] {
			what = " no_longer_observed "
		}
		changes = append(changes, fmt.Sprint(of, what, key))
	}
	// Entities before relationships, each by id.
	slices.SortFunc(changes, func(a, b string) int {
		return strings.Compare(a[strings.LastIndex(a, " "):], b[strings.LastIndex(b, " "):])
	})
	return changes
}

// allChanges reads page by page.
func (d *discovery) allChanges(tb testing.TB, t *rapid.T, f graph.ChangeFilter) (all []string) {
	tb.Helper()
	f.Limit = rapid.IntRange(1, 20).Draw(t, "limit")
	for turn := 0; ; turn++ {
		require.Less(t, turn, 500, "paging does not end")
		answer, err := d.questions().Changes(tb.Context(), viewer(d.scope.Workspace), f)
		require.NoError(t, err)
		require.LessOrEqual(t, len(answer.Changes), f.Limit)
		for _, c := range answer.Changes {
			all = append(all, told(c))
		}
		if answer.Next == nil {
			return all
		}
		f.After = answer.Next
	}
}

// Changes are exactly what a comparison of the graph before and after each
// publication gives, whatever the page size; and of an entity, those at it.
func TestChangesAreTheDifferencesOfPublications(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	checkSeldom(t, func(rt *rapid.T) {
		d.scope = d.newScope(t)
		c := d.connect(t, d.scope)
		d.discover(t, d.scope, c, whole("alpha", "x", accounts("first")))
		observed := map[string]bool{"alpha/x": true}
		inScope := map[string]bool{"alpha/x": true}
		begin := d.moment(t)
		var want, last []string
		var middle int
		var at graph.Moment
		for i := range rapid.IntRange(1, 5).Draw(rt, "runs") {
			before := d.state(t, c)
			parts := drawRun(rt)
			h := d.begin(t, d.scope, c)
			for _, p := range parts {
				for _, r := range p.pages(rt) {
					h.send(t, r.stream, r.partition, r.page, r.end)
				}
			}
			planComplete := rapid.Bool().Draw(rt, "plan complete")
			r := h.publishPlan(t, planComplete)
			planned, retired := map[string]bool{}, map[string]bool{}
			for _, p := range parts {
				planned[p.name] = true
			}
			for name := range inScope {
				if planComplete && len(parts) > 0 && !planned[name] {
					retired[name] = true
				}
			}
			last = difference(r.ID, before, d.state(t, c), observed, retired)
			want = append(want, last...)
			for name := range retired {
				delete(observed, name)
				delete(inScope, name)
			}
			for _, p := range parts {
				inScope[p.name] = true
				if p.end == connector.Complete {
					observed[p.name] = true
				}
			}
			if i == 1 {
				at, middle = graph.Moment{At: d.moment(t)}, len(want)
			}
		}
		require.Empty(rt, cmp.Diff(want, d.allChanges(t, rt, graph.ChangeFilter{From: graph.Moment{At: begin}}), cmpopts.EquateEmpty()))
		require.Empty(rt, cmp.Diff(last, d.allChanges(t, rt, graph.ChangeFilter{}), cmpopts.EquateEmpty()))
		if middle > 0 {
			require.Empty(rt, cmp.Diff(want[middle:], d.allChanges(t, rt, graph.ChangeFilter{From: at}), cmpopts.EquateEmpty()), "from a moment between")
			require.Empty(rt, cmp.Diff(want[:middle], d.allChanges(t, rt, graph.ChangeFilter{From: graph.Moment{At: begin}, To: at}), cmpopts.EquateEmpty()), "to a moment between")
		}
		d.requireChangesOf(t, rt, c, graph.Moment{At: begin}, want)
	})
}

// requireChangesOf compares what is told of one account with what all changes say.
func (d *discovery) requireChangesOf(tb testing.TB, t *rapid.T, c id.Connection, from graph.Moment, all []string) {
	subject := graph.NewEntityID(d.scope.Workspace, c, connector.Ref{Kind: connector.Account, ID: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "subject")})
	ends := map[string]bool{"e" + hex.EncodeToString(subject[:]): true}
	rows, err := d.super.Query(tb.Context(), `
		select distinct 'r' || replace(relationship_id::text, '-', '') from relationships where connection_id = $1 and (from_id = $2 or to_id = $2)`, c, [16]byte(subject))
	require.NoError(tb, err)
	edges, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(tb, err)
	for _, e := range edges {
		ends[e] = true
	}
	var want []string
	for _, change := range all {
		if ends[change[strings.LastIndex(change, " ")+1:]] {
			want = append(want, change)
		}
	}
	if d.number(tb, `select count(*) from entities where connection_id = $1 and entity_id = $2`, c, [16]byte(subject)) == 0 {
		return // it never was
	}
	require.Empty(t, cmp.Diff(want, d.allChanges(tb, t, graph.ChangeFilter{From: from, Subject: subject}), cmpopts.EquateEmpty()))
}
