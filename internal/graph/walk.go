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
}

// MaxHopEdges is the most edges that a view reads for one hop.
const MaxHopEdges = 100_000

// walk reads the edges of hops in one exchange with the store. The edges of hop
// n are at n; there are none at 0.
func (a *access) walk(ctx context.Context, from []EntityID, hops ...Hop) ([][]Edge, error) {
	if len(from) == 0 {
		return make([][]Edge, len(hops)+1), nil
	}
	edges, err := a.view.Walk(ctx, a.conn, from, hops)
	if err != nil {
		return nil, err
	}
	ends := make([]map[EntityID]bool, len(hops)+1)
	ends[0] = toSet(from)
	for i := range hops {
		h, n := &hops[i], i+1
		if h.Spread {
			ends[n] = h.reach(ends[h.From], edges[n])
		} else {
			ends[n] = h.reach(nil, edges[n])
		}
		if len(edges[n]) >= MaxHopEdges || h.Spread && len(ends[n]) > h.Most {
			a.truncated = true
		}
	}
	return edges, nil
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
