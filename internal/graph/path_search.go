package graph

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/id"
)

// pathSearch looks for shortest simple paths from both ends. It reads the graph
// in balls around the ends; every path not longer than both radii together lies
// inside what was read.
type pathSearch struct {
	view  View
	conn  id.Connection
	query PathQuery
	// from is where paths begin, in order.
	from  []EntityID
	balls [2]ball
	links map[Link]bool
	next  map[EntityID][]Link
	work  int
	// truncated is set when a bound was met.
	truncated bool
}

// ball is what was read around one end.
type ball struct {
	met      map[EntityID]bool
	frontier []EntityID
	radius   int
}

func newPathSearch(v View, c id.Connection, q PathQuery, from []EntityID) *pathSearch {
	return &pathSearch{
		view: v, conn: c, query: q, from: from, links: map[Link]bool{}, next: map[EntityID][]Link{},
		balls: [2]ball{
			{met: toSet(from), frontier: from},
			{met: map[EntityID]bool{q.To: true}, frontier: []EntityID{q.To}},
		},
	}
}

// run widens the balls until enough paths lie within, or no further ones can.
func (s *pathSearch) run(ctx context.Context) ([][]Link, error) {
	for {
		length := s.balls[From].radius + s.balls[To].radius
		if length >= s.query.Depth || s.exhausted() {
			return s.enumerate(s.query.Depth), nil
		}
		if paths := s.enumerate(length); len(paths) >= s.query.Limit {
			return paths, nil
		}
		widened, err := s.widen(ctx)
		if err != nil {
			return nil, err
		}
		if !widened {
			s.truncated = true
			return s.enumerate(s.query.Depth), nil
		}
	}
}

// exhausted reports whether one ball cannot grow: then it holds everything that
// is on its side of any path.
func (s *pathSearch) exhausted() bool {
	return len(s.balls[From].frontier) == 0 || len(s.balls[To].frontier) == 0
}

// widen grows the ball whose next layer is smaller. It returns false when both
// layers exceed the bound.
func (s *pathSearch) widen(ctx context.Context) (bool, error) {
	sides := []Side{From, To}
	if len(s.balls[To].frontier) < len(s.balls[From].frontier) {
		sides = []Side{To, From}
	}
	for most := firstExpansion; most <= lastExpansion; most *= expansionGrows {
		for _, side := range sides {
			links, err := s.view.Links(ctx, s.conn, accessKinds(), side, s.balls[side].frontier, most)
			if err != nil {
				return false, err
			}
			if len(links) < most {
				s.grow(side, links)
				return true, nil
			}
		}
	}
	return false, nil
}

func (s *pathSearch) grow(side Side, links []Link) {
	b := &s.balls[side]
	b.radius++
	b.frontier = nil
	for _, l := range links {
		if !s.links[l] {
			s.links[l] = true
			s.next[l.From] = append(s.next[l.From], l)
		}
		far := l.To
		if side == To {
			far = l.From
		}
		if !b.met[far] {
			b.met[far] = true
			b.frontier = append(b.frontier, far)
		}
	}
}

// enumerate returns the shortest simple paths among what was read, up to a
// length: shorter before longer, and then in order of the ids along them.
func (s *pathSearch) enumerate(longest int) [][]Link {
	left := s.distances()
	for _, links := range s.next {
		slices.SortFunc(links, compareLinks)
	}
	var paths [][]Link
	s.work = 0
	for length := 1; length <= longest && len(paths) < s.query.Limit; length++ {
		for _, from := range s.from {
			start, reaches := left[from]
			if !reaches || start > length {
				continue
			}
			w := pathWalk{search: s, left: left, on: map[EntityID]bool{from: true}}
			w.from(from, length)
			paths = append(paths, w.paths[:min(len(w.paths), s.query.Limit-len(paths))]...)
		}
	}
	return paths
}

// distances returns how many edges each entity is away from the far end.
func (s *pathSearch) distances() map[EntityID]int {
	back := map[EntityID][]EntityID{}
	for l := range s.links {
		back[l.To] = append(back[l.To], l.From)
	}
	left := map[EntityID]int{s.query.To: 0}
	for queue := []EntityID{s.query.To}; len(queue) > 0; queue = queue[1:] {
		for _, e := range back[queue[0]] {
			if _, seen := left[e]; !seen {
				left[e] = left[queue[0]] + 1
				queue = append(queue, e)
			}
		}
	}
	return left
}

// pathWalk collects the simple paths of exactly one length.
type pathWalk struct {
	search *pathSearch
	left   map[EntityID]int
	on     map[EntityID]bool
	links  []Link
	paths  [][]Link
}

func (w *pathWalk) from(e EntityID, length int) {
	if length == 0 {
		if e == w.search.query.To {
			w.paths = append(w.paths, slices.Clone(w.links))
		}
		return
	}
	for _, l := range w.search.next[e] {
		if len(w.paths) >= w.search.query.Limit {
			return
		}
		if w.search.work++; w.search.work > maxPathWork {
			w.search.truncated = true
			return
		}
		left, reaches := w.left[l.To]
		// A path ends when it first comes to its end.
		if !reaches || left > length-1 || w.on[l.To] || left == 0 && length > 1 {
			continue
		}
		w.on[l.To] = true
		w.links = append(w.links, l)
		w.from(l.To, length-1)
		w.links = w.links[:len(w.links)-1]
		delete(w.on, l.To)
	}
}

func compareLinks(a, b Link) int {
	return cmp.Or(bytes.Compare(a.To[:], b.To[:]), strings.Compare(string(a.Kind), string(b.Kind)))
}

func sortedByKey(edges []Edge) []Edge {
	slices.SortFunc(edges, func(a, b Edge) int { return cmp.Or(strings.Compare(a.Key, b.Key), bytes.Compare(a.ID[:], b.ID[:])) })
	return edges
}
