package graph

import (
	"bytes"
	"slices"
)

// leads reports whether one of the edges leads into the set.
func leads(edges []*Edge, set map[EntityID]bool) bool {
	return slices.ContainsFunc(edges, func(e *Edge) bool { return set[e.To] })
}

func toSet(lists ...[]EntityID) map[EntityID]bool {
	set := map[EntityID]bool{}
	for _, l := range lists {
		for _, e := range l {
			set[e] = true
		}
	}
	return set
}

// keys returns the ids of a set in order.
func keys(set map[EntityID]bool) []EntityID {
	ids := make([]EntityID, 0, len(set))
	for e := range set {
		ids = append(ids, e)
	}
	return distinct(ids)
}

// distinct sorts ids and leaves each once.
func distinct(ids []EntityID) []EntityID {
	slices.SortFunc(ids, func(a, b EntityID) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(ids)
}

// before is the id that comes right before this one in their order; of the first,
// itself.
func (e EntityID) before() EntityID {
	for i := len(e) - 1; i >= 0; i-- {
		e[i]--
		if e[i] != 0xff {
			return e
		}
	}
	return EntityID{}
}
