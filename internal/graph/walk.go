package graph

import (
	"context"

	"github.com/gatehouse-project/gatehouse/connector"
)

// Hop is one part of a walk over the graph: along the edges of one kind.
type Hop struct {
	// From is the hop at whose far ends this one begins. Hops are numbered from
	// 1, and 0 is where the walk begins; From is less than the hop's own number.
	From int
	Kind connector.RelationshipKind
	// Side is the end of the edges at which the hop begins.
	Side Side
	// Spread goes on at the far ends along edges of the same kind, however far;
	// cycles end. The far ends are then all entities met, with those where the
	// hop began, of which at most Most are gone on from.
	Spread bool
	Most   int
	// Among, when not nil, demands one of these at the far end of a hop that does
	// not spread.
	Among []EntityID
	// Heads, when set, reads the beginnings of sorted lists instead of edges; such
	// a hop does not spread, and none goes on from it.
	Heads *Heads
}

// Heads asks for the beginnings of the sorted lists of neighbours of all entities
// at which a hop begins.
type Heads struct {
	// After is behind which neighbour the lists begin.
	After EntityID
	// About is how many neighbours are wanted of all lists together: of each are
	// read [Heads.Each].
	About int
}

// fewHeads is the least that is read of a list; the lists overlap.
const fewHeads = 4

// Each is how many neighbours are read of each of so many lists.
func (h Heads) Each(lists int) int {
	return min(max(fewHeads*h.About/max(lists, 1), fewHeads), max(h.About, fewHeads))
}

// Walked is what a view read for a hop.
type Walked struct {
	// Edges are in no particular order.
	Edges []Edge
	// Lists has what was read of lists for a hop with Heads; Each is how many
	// neighbours that was of each at most.
	Lists []Neighbour
	Each  int
}

// MaxHopEdges is the most edges that a view reads for one hop.
const MaxHopEdges = 100_000

// walk reads hops in one exchange with the store. What belongs to hop n is at n;
// there is nothing at 0.
func (a *access) walk(ctx context.Context, from []EntityID, hops ...Hop) ([]Walked, error) {
	if len(from) == 0 {
		return make([]Walked, len(hops)+1), nil
	}
	walked, err := a.view.Walk(ctx, a.conn, from, hops)
	if err != nil {
		return nil, err
	}
	ends := make([]map[EntityID]bool, len(hops)+1)
	ends[0] = toSet(from)
	for i := range hops {
		h, n := &hops[i], i+1
		edges := walked[n].Edges
		if h.Spread {
			ends[n] = h.reach(ends[h.From], edges)
		} else {
			ends[n] = h.reach(nil, edges)
		}
		if len(edges) >= MaxHopEdges || h.Spread && len(ends[n]) > h.Most {
			a.truncated = true
		}
	}
	return walked, nil
}

// reach adds the far ends of edges to a copy of a set.
func (h *Hop) reach(begin map[EntityID]bool, edges []Edge) map[EntityID]bool {
	all := make(map[EntityID]bool, len(begin)+len(edges))
	for e := range begin {
		all[e] = true
	}
	for i := range edges {
		all[edges[i].end(1-h.Side)] = true
	}
	return all
}

func (e *Edge) end(s Side) EntityID {
	if s == From {
		return e.From
	}
	return e.To
}

// within returns those of a spread's edges that it has when it begins at fewer
// entities, and all entities met. Stores walk from every edge that may count, as
// only here is known which do.
func within(edges []Edge, side Side, from map[EntityID]bool) (found []Edge, met map[EntityID]bool) {
	at := make(map[EntityID][]int, len(edges))
	for i := range edges {
		near := edges[i].end(side)
		at[near] = append(at[near], i)
	}
	met = make(map[EntityID]bool, len(from)+len(edges))
	queue := keys(from)
	for _, e := range queue {
		met[e] = true
	}
	for ; len(queue) > 0; queue = queue[1:] {
		for _, i := range at[queue[0]] {
			found = append(found, edges[i])
			if far := edges[i].end(1 - side); !met[far] {
				met[far] = true
				queue = append(queue, far)
			}
		}
	}
	return found, met
}
