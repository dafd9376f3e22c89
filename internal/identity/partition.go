package identity

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"slices"

	"github.com/gatehouse-project/gatehouse/internal/graph"
)

// Partition finds out which of some principals are one. Principals are numbered
// from 0, in order of their ids.
//
// The groups given to [Partition.Same] are followed in their order; what a split
// keeps apart stays apart, so that of two groups that contradict each other over
// a split the earlier wins. Without splits this is the connected components, in
// any order.
type Partition struct {
	parent []int32
	// apart holds, for each root in whose part somebody is split off from
	// somebody, who: parts without are most.
	apart  map[int32][]int32
	splits map[int32][]int32
}

// NewPartition starts with everybody by themselves.
func NewPartition(principals int) *Partition {
	p := &Partition{parent: make([]int32, principals), apart: map[int32][]int32{}, splits: map[int32][]int32{}}
	for i := range p.parent {
		p.parent[i] = int32(i)
	}
	return p
}

// Split keeps two principals apart. All splits come before the first group.
func (p *Partition) Split(a, b int32) {
	for _, pair := range [][2]int32{{a, b}, {b, a}} {
		if len(p.splits[pair[0]]) == 0 {
			p.apart[pair[0]] = []int32{pair[0]}
		}
		p.splits[pair[0]] = append(p.splits[pair[0]], pair[1])
	}
}

// Same joins a group, in order of number: each with the first part of the group
// before it that no split keeps it from.
func (p *Partition) Same(group []int32) {
	var parts []int32
	for _, n := range group {
		joined := false
		for _, part := range parts {
			if p.join(part, n) {
				joined = true
				break
			}
		}
		if !joined {
			parts = append(parts, n)
		}
	}
}

// join makes two parts one, and returns false when a split forbids it.
func (p *Partition) join(a, b int32) bool {
	a, b = p.Part(a), p.Part(b)
	if a == b {
		return true
	}
	for _, n := range p.apart[a] {
		if slices.ContainsFunc(p.splits[n], func(other int32) bool { return p.Part(other) == b }) {
			return false
		}
	}
	if b < a {
		a, b = b, a
	}
	p.parent[b] = a
	if moved := p.apart[b]; len(moved) > 0 {
		p.apart[a] = append(p.apart[a], moved...)
		delete(p.apart, b)
	}
	return true
}

// Part returns the least number of those that are one with n.
func (p *Partition) Part(n int32) int32 {
	for p.parent[n] != n {
		p.parent[n] = p.parent[p.parent[n]]
		n = p.parent[n]
	}
	return n
}

// Node is a principal whose identity is found anew.
type Node struct {
	Principal graph.EntityID
	// Was is its identity so far; zero when it is new and those that it founded
	// once have gone on without it.
	Was graph.IdentityID
}

// Assign names the parts: for each node, in order, the identity that it has now.
//
// An identity stays with the part that holds most of its principals; of equal
// parts, with the one that has the principal it was founded by, whose number it
// bears, and then with the one of the least principal. A part that keeps several
// identities goes on as the one that most of its principals had; of those, as the
// least. A part that keeps none is founded by its least principal, or, where
// that one's number is somebody else's identity by now, gets a number at random.
func Assign(nodes []Node, parts *Partition) ([]graph.IdentityID, error) {
	claims := claimsOf(nodes, parts)
	kept := make(map[int32]claim, len(claims))
	taken := make(map[graph.IdentityID]bool, len(claims))
	for was, of := range claims {
		taken[was] = true
		won := slices.MinFunc(of, claim.compare)
		if best, has := kept[won.part]; !has || won.nodes > best.nodes || won.nodes == best.nodes && bytes.Compare(was[:], best.was[:]) < 0 {
			kept[won.part] = won
		}
	}
	now := make([]graph.IdentityID, len(nodes))
	founded := map[int32]graph.IdentityID{}
	for i := range nodes {
		part := parts.Part(int32(i))
		if c, has := kept[part]; has {
			now[i] = c.was
			continue
		}
		if _, has := founded[part]; !has {
			own := nodes[part].Principal.OwnIdentity()
			if taken[own] {
				if _, err := rand.Read(own[:]); err != nil {
					return nil, fmt.Errorf("number an identity: %w", err)
				}
			}
			taken[own] = true
			founded[part] = own
		}
		now[i] = founded[part]
	}
	return now, nil
}

// claim is that a part holds principals of an identity.
type claim struct {
	was     graph.IdentityID
	part    int32
	nodes   int
	founder bool
}

// compare puts the part first that the identity stays with.
func (c claim) compare(d claim) int {
	switch {
	case c.nodes != d.nodes:
		return d.nodes - c.nodes
	case c.founder != d.founder:
		if c.founder {
			return -1
		}
		return 1
	}
	return int(c.part - d.part)
}

// claimsOf returns by identity which parts hold how many of its principals.
func claimsOf(nodes []Node, parts *Partition) map[graph.IdentityID][]claim {
	type holding struct {
		was  graph.IdentityID
		part int32
	}
	at := make(map[holding]int, len(nodes))
	claims := make(map[graph.IdentityID][]claim, len(nodes))
	for i, n := range nodes {
		if n.Was == (graph.IdentityID{}) {
			continue
		}
		h := holding{n.Was, parts.Part(int32(i))}
		place, has := at[h]
		if !has {
			place = len(claims[h.was])
			at[h] = place
			claims[h.was] = append(claims[h.was], claim{was: h.was, part: h.part})
		}
		c := &claims[h.was][place]
		c.nodes++
		c.founder = c.founder || n.Principal.OwnIdentity() == n.Was
	}
	return claims
}
