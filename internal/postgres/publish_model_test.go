package postgres_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// record is an entity or a relationship of the model: what it says, which
// partition owns it, whether others showed it too, and, of a relationship, its
// ends.
type record struct {
	content, partition string
	shared             bool
	from, to           string
}

// model is the current graph as plain maps, by provider id and by "from>to", and
// the partitions there ever were, with whether they are in scope.
type model struct {
	entities, edges map[string]record
	partitions      map[string]bool
}

// counts are what a publication is expected to report.
type counts struct{ created, changed, closed, kept int64 }

// shown is what one partition of a run shows, by the same names; the partition
// of each record is this one.
type shown struct {
	name            string // "stream/partition"
	stream, key     string
	entities, edges map[string]record
	end             connector.Coverage
}

// publish says what the graph is after a run, in the plainest way.
func (m *model) publish(parts []shown, planComplete bool) (entities, edges counts, dangling, retired int64) {
	complete := map[string]bool{}
	for _, p := range parts {
		complete[p.name] = p.end == connector.Complete
		m.partitions[p.name] = true
	}
	whole := true
	for name, inScope := range m.partitions {
		_, planned := complete[name]
		switch {
		case planned || inScope && !(planComplete && len(parts) > 0):
			whole = whole && complete[name]
		case inScope:
			retired++
			m.partitions[name], complete[name] = false, true
		}
	}
	entities = merge(m.entities, staged(m.entities, parts, func(p shown) map[string]record { return p.entities }), complete, whole)
	kept := staged(m.edges, parts, func(p shown) map[string]record { return p.edges })
	lost := func(r record) bool {
		_, from := m.entities[r.from]
		_, to := m.entities[r.to]
		return !from || !to
	}
	var orphaned int64
	for name, r := range m.edges {
		if lost(r) {
			delete(m.edges, name)
			delete(kept, name)
			orphaned++
		}
	}
	for name, r := range kept {
		if lost(r) {
			delete(kept, name)
			dangling++
		}
	}
	edges = merge(m.edges, kept, complete, whole)
	edges.closed += orphaned
	return entities, edges, dangling, retired
}

// staged picks one reading of each record: the owner's, else the first
// partition's. What several partitions show is shared.
func staged(current map[string]record, parts []shown, of func(shown) map[string]record) map[string]record {
	picked := map[string]record{}
	for _, p := range slices.SortedFunc(slices.Values(parts), func(a, b shown) int {
		return cmp.Or(cmp.Compare(a.stream, b.stream), cmp.Compare(a.key, b.key))
	}) {
		for name, r := range of(p) {
			earlier, again := picked[name]
			if again && current[name].partition != p.name {
				r = earlier
			}
			r.shared = again
			picked[name] = r
		}
	}
	return picked
}

// merge brings what was read into what is known. What nobody shows any more goes
// when its owner was read completely or, if it is shared, when everything was; a
// partition that was not read completely keeps its hold on what it showed.
func merge(current, read map[string]record, complete map[string]bool, whole bool) (n counts) {
	for name, old := range current {
		if _, ok := read[name]; ok {
			continue
		}
		if whole || complete[old.partition] && !old.shared {
			delete(current, name)
			n.closed++
		} else {
			n.kept++
		}
	}
	for name, r := range read {
		old, known := current[name]
		switch {
		case !known:
			n.created++
		case old.content != r.content:
			n.changed++
		}
		if known && !whole {
			lost := complete[old.partition] && r.partition != old.partition
			r.shared = r.shared || old.shared || r.partition != old.partition && !lost
			if !complete[old.partition] || old.shared {
				r.partition = old.partition
			}
		}
		current[name] = r
	}
	return n
}

// rows is the model in the form of [discovery.current].
func (m *model) rows() (rows []string) {
	for name, r := range m.entities {
		rows = append(rows, fmt.Sprintf("%s %s %s", name, r.content, r.partition))
	}
	for name, r := range m.edges {
		rows = append(rows, fmt.Sprintf(`%s {"v": %s} %s`, name, r.content, r.partition))
	}
	return rows
}

// drawRun draws what the partitions of a run show.
func drawRun(t *rapid.T) (parts []shown) {
	nodes := []string{"a", "b", "c", "d"}
	content := rapid.SampledFrom([]string{"1", "1", "1", "2"}) // mostly the same
	for _, at := range [][2]string{{"alpha", "x"}, {"alpha", "y"}, {"beta", ""}} {
		end := rapid.SampledFrom([]connector.Coverage{
			connector.Complete, connector.Complete, connector.Complete, connector.Partial, connector.Skipped, "", "not planned",
		}).Draw(t, "end")
		if end == "not planned" {
			continue
		}
		p := shown{name: at[0] + "/" + at[1], stream: at[0], key: at[1], entities: map[string]record{}, edges: map[string]record{}, end: end}
		if end != connector.Skipped {
			for _, n := range nodes {
				if rapid.Bool().Draw(t, "entity") {
					p.entities[n] = record{content: content.Draw(t, "content"), partition: p.name}
				}
			}
			for range rapid.IntRange(0, 5).Draw(t, "edges") {
				from, to := rapid.SampledFrom(nodes).Draw(t, "from"), rapid.SampledFrom(nodes).Draw(t, "to")
				p.edges[from+">"+to] = record{content: content.Draw(t, "content"), partition: p.name, from: from, to: to}
			}
		}
		parts = append(parts, p)
	}
	return parts
}

// pages are the batches of a partition: its records, some of them twice.
func (p shown) pages(t *rapid.T) []reading {
	var first, second connector.Page
	page := func() *connector.Page {
		if rapid.Bool().Draw(t, "second page") {
			return &second
		}
		return &first
	}
	for _, name := range slices.Sorted(maps.Keys(p.entities)) {
		e := account(name, p.entities[name].content)
		for range rapid.SampledFrom([]int{1, 1, 2}).Draw(t, "copies") {
			at := page()
			at.Entities = append(at.Entities, e)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.edges)) {
		r := p.edges[name]
		edge := assumes(r.from, r.to)
		edge.Attributes = fmt.Appendf(nil, `{"v":%s}`, r.content)
		at := page()
		at.Relationships = append(at.Relationships, edge)
	}
	first.Next = "second"
	return []reading{{p.stream, p.key, first, ""}, {p.stream, p.key, second, p.end}}
}

// Any sequence of runs leaves the graph that the model says, reports what the
// model counts, and a history without holes in its logic.
func TestPublishedGraphIsTheModels(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	checkSeldom(t, func(rt *rapid.T) {
		c := d.connect(t, d.scope)
		m := model{entities: map[string]record{}, edges: map[string]record{}, partitions: map[string]bool{}}
		for range rapid.IntRange(1, 6).Draw(rt, "runs") {
			parts := drawRun(rt)
			h := d.begin(t, d.scope, c)
			for _, p := range rapid.Permutation(parts).Draw(rt, "order") {
				for _, r := range p.pages(rt) {
					h.send(t, r.stream, r.partition, r.page, r.end)
				}
			}
			planComplete := rapid.Bool().Draw(rt, "plan complete")
			ended := h.publishPlan(t, planComplete)
			entities, edges, dangling, retired := m.publish(parts, planComplete)
			if len(parts) == 0 {
				entities.kept, edges.kept = 0, 0 // nothing was staged, so nothing was compared
			}
			require.ElementsMatch(rt, m.rows(), d.current(t, c))
			require.Equal(rt, outcomeOf(parts), ended.Outcome)
			require.Equal(rt, []counts{entities, edges, {created: dangling, closed: retired}}, []counts{
				{
					ended.Counts[graph.CountEntitiesNew], ended.Counts[graph.CountEntitiesChanged],
					ended.Counts[graph.CountEntitiesClosed], ended.Counts[graph.CountEntitiesKept],
				},
				{
					ended.Counts[graph.CountRelationshipsNew], ended.Counts[graph.CountRelationshipsChanged],
					ended.Counts[graph.CountRelationshipsClosed], ended.Counts[graph.CountRelationshipsKept],
				},
				{created: ended.Counts[graph.CountDangling], closed: ended.Counts[graph.CountPartitionsRetired]},
			})
			d.requireConsistentHistory(t, c)
		}
	})
}

func outcomeOf(parts []shown) run.Outcome {
	complete, records := 0, 0
	for _, p := range parts {
		if p.end == connector.Complete {
			complete++
		}
		records += len(p.entities) + len(p.edges)
	}
	switch {
	case complete == len(parts):
		return run.Succeeded
	case complete == 0 && records == 0:
		return run.Failed
	}
	return run.PartiallySucceeded
}
