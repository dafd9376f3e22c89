package graph

import (
	"bytes"
	"container/heap"
	"context"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// merge walks the union of many sorted lists of neighbours in order, each
// neighbour once, and reads no more of any list than it must. That is what makes
// a page cheap however long the whole answer is, and its cursor a single id.
type merge struct {
	view View
	conn id.Connection
	kind connector.RelationshipKind
	side Side

	heads  listHeap
	starve []*list // lists whose buffer is empty and that may go on
	chunk  int
	// first is what has been read of the lists already, if anything.
	first *Walked
}

// list is what is buffered of one entity's neighbours.
type list struct {
	at     EntityID
	ahead  []EntityID
	last   EntityID
	ended  bool
	refill int
}

// merged is one neighbour and whose neighbour it is.
type merged struct {
	id EntityID
	of []EntityID
}

// newMerge starts behind a neighbour, which is the zero id at the beginning;
// want is about how many will be asked for. first is what a walk has read of these
// lists, in order, or nil.
func newMerge(v View, c id.Connection, kind connector.RelationshipKind, side Side, of []EntityID, after EntityID, want int, first *Walked) *merge {
	m := &merge{view: v, conn: c, kind: kind, side: side, first: first}
	m.chunk = Heads{About: want}.Each(len(of))
	for _, at := range of {
		m.starve = append(m.starve, &list{at: at, last: after, refill: m.chunk})
	}
	return m
}

// next returns up to n more neighbours; fewer only at the end.
func (m *merge) next(ctx context.Context, n int) ([]merged, error) {
	var found []merged
	for len(found) < n {
		if err := m.feed(ctx, n-len(found)); err != nil {
			return nil, err
		}
		if len(m.heads) == 0 {
			return found, nil
		}
		// Every list that goes on has a head now, so the least head is next, and
		// all lists that hold it show it.
		one := merged{id: m.heads[0].ahead[0]}
		for len(m.heads) > 0 && m.heads[0].ahead[0] == one.id {
			l := m.heads[0]
			one.of = append(one.of, l.at)
			l.ahead = l.ahead[1:]
			if len(l.ahead) > 0 {
				heap.Fix(&m.heads, 0)
				continue
			}
			heap.Pop(&m.heads)
			if !l.ended {
				m.starve = append(m.starve, l)
			}
		}
		found = append(found, one)
	}
	return found, nil
}

// feed reads on in the lists that have nothing buffered, when so many neighbours
// are still wanted.
func (m *merge) feed(ctx context.Context, want int) error {
	if len(m.starve) == 0 {
		return nil
	}
	byID := make(map[EntityID]*list, len(m.starve))
	for _, l := range m.starve {
		byID[l.at] = l
	}
	read, most, err := m.read(ctx, want)
	if err != nil {
		return err
	}
	for _, n := range read {
		// What was read at first may have been of more lists.
		if l := byID[n.At]; l != nil {
			l.ahead = append(l.ahead, n.Far)
		}
	}
	for _, l := range m.starve {
		l.ended = len(l.ahead) < most
		l.refill = 4 * most
		if len(l.ahead) > 0 {
			l.last = l.ahead[len(l.ahead)-1]
			heap.Push(&m.heads, l)
		}
	}
	m.starve = m.starve[:0]
	return nil
}

// read returns what comes next in the lists that have nothing buffered, and how
// much that is of each at most.
func (m *merge) read(ctx context.Context, want int) ([]Neighbour, int, error) {
	if first := m.first; first != nil {
		m.first = nil
		return first.Lists, max(first.Each, 1), nil
	}
	starts := make([]Start, len(m.starve))
	// None has to give more than are wanted, and few lists may give all of them.
	most := max(m.chunk, min(want, 4*want/len(m.starve)))
	for i, l := range m.starve {
		starts[i] = Start{At: l.at, After: l.last}
		most = max(most, l.refill)
	}
	most = min(most, maxRefill)
	read, err := m.view.Neighbours(ctx, m.conn, m.kind, m.side, starts, most)
	return read, most, err
}

// maxRefill bounds what is read of one list at a time.
const maxRefill = 2000

// listHeap orders lists by their heads.
type listHeap []*list

func (h listHeap) Len() int { return len(h) }
func (h listHeap) Less(i, j int) bool {
	return bytes.Compare(h[i].ahead[0][:], h[j].ahead[0][:]) < 0
}
func (h listHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push adds a list; it is for package heap.
func (h *listHeap) Push(x any) {
	if l, ok := x.(*list); ok {
		*h = append(*h, l)
	}
}

// Pop removes the last list; it is for package heap.
func (h *listHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
