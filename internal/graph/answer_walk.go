package graph

import (
	"bytes"
	"slices"
	"time"
)

// maxAssumptions is how many accounts may be assumed one after the other.
const maxAssumptions = 8

// out is edges by the entity they leave.
type out map[EntityID][]*Edge

// add takes edges in order of their ids, so that of several ways that are equally
// short the same is named whatever order they were read in.
func (o out) add(edges []Edge) {
	slices.SortFunc(edges, func(a, b Edge) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	for i := range edges {
		o[edges[i].From] = append(o[edges[i].From], &edges[i])
	}
}

// sessionsOf returns the accounts that can be acted as, starting with those
// given: each with the fewest assumptions, and conditional only when every way
// to it is. An edge that denies without condition removes the edges beside it.
func sessionsOf(starts []session, assumes out, now time.Time) []session {
	type state struct {
		account     EntityID
		conditional bool
	}
	depth := map[state]int{}
	var queue []session
	push := func(s session) {
		k := state{s.account, s.conditional}
		if _, seen := depth[k]; !seen {
			depth[k] = s.depth
			queue = append(queue, s)
		}
	}
	for _, s := range starts {
		push(s)
	}
	var found []session
	at := map[EntityID]int{}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		if i, seen := at[s.account]; !seen {
			at[s.account] = len(found)
			found = append(found, s)
		} else if !s.conditional {
			found[i].conditional = false
		}
		if s.depth == maxAssumptions {
			continue
		}
		for _, n := range assumable(assumes[s.account], now) {
			push(session{account: n.account, depth: s.depth + 1, conditional: s.conditional || n.conditional})
		}
	}
	return found
}

// assumable returns whom an account may assume by these edges, in their order.
func assumable(edges []*Edge, now time.Time) []session {
	type verdict struct{ allow, firm, deny, denyFirm bool }
	verdicts := map[EntityID]*verdict{}
	var order []EntityID
	for _, e := range edges {
		s := standingOf(e, now)
		if !s.active {
			continue
		}
		v := verdicts[e.To]
		if v == nil {
			v = &verdict{}
			verdicts[e.To] = v
			order = append(order, e.To)
		}
		if s.deny {
			v.deny, v.denyFirm = true, v.denyFirm || !s.conditional
		} else {
			v.allow, v.firm = true, v.firm || !s.conditional
		}
	}
	var to []session
	for _, account := range order {
		if v := verdicts[account]; v.allow && !v.denyFirm {
			to = append(to, session{account: account, conditional: !v.firm || v.deny})
		}
	}
	return to
}

// holdingsOf returns the entitlements that assignments give, with all they
// include: each at most once as what allows and once as what denies, with the
// fewest hops, and conditional only when every way to it is.
func holdingsOf(assigned []*Edge, includes out, now time.Time) []holding {
	type state struct {
		entitlement       EntityID
		deny, conditional bool
	}
	type result struct {
		entitlement EntityID
		deny        bool
	}
	seen := map[state]bool{}
	var queue []holding
	push := func(h holding, e *Edge) {
		s := standingOf(e, now)
		if !s.active {
			return
		}
		h.entitlement, h.hops = e.To, h.hops+1
		h.deny, h.conditional = h.deny || s.deny, h.conditional || s.conditional
		k := state{h.entitlement, h.deny, h.conditional}
		if !seen[k] {
			seen[k] = true
			queue = append(queue, h)
		}
	}
	for _, e := range assigned {
		push(holding{via: e.To}, e)
	}
	var found []holding
	at := map[result]int{}
	for len(queue) > 0 {
		h := queue[0]
		queue = queue[1:]
		if i, known := at[result{h.entitlement, h.deny}]; !known {
			at[result{h.entitlement, h.deny}] = len(found)
			found = append(found, h)
		} else if !h.conditional {
			found[i].conditional = false
		}
		for _, e := range includes[h.entitlement] {
			push(h, e)
		}
	}
	return found
}
