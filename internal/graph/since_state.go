package graph

import (
	"bytes"
	"slices"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
)

// state is some edges, as they were at a moment.
type state struct {
	edges map[connector.RelationshipKind]out
	now   time.Time
}

func compareIDs[T ~[16]byte](a, b T) int {
	x, y := [16]byte(a), [16]byte(b)
	return bytes.Compare(x[:], y[:])
}

// own are the accounts that principals represent; an account is its own.
func (s *state) own(from []EntityID) []EntityID {
	all := map[EntityID]bool{}
	for _, e := range from {
		represents := s.edges[connector.PrincipalRepresentsAccount][e]
		for _, r := range represents {
			if st := standingOf(r, s.now); st.active && !st.deny {
				all[r.To] = true
			}
		}
		if len(represents) == 0 {
			all[e] = true
		}
	}
	return keys(all)
}

// decide says what the best of the accounts may do, as [Questions.WhatCan] does.
func (s *state) decide(from []EntityID, to EntityID, action string) (best Decision, reaches bool) {
	for _, account := range s.own(from) {
		var all []heldGrant
		for _, as := range sessionsOf([]session{{account: account}}, s.edges[connector.AccountAssumesAccount], s.now) {
			assigned := s.edges[connector.AccountAssignedEntitlement][as.account]
			for _, h := range holdingsOf(assigned, s.edges[connector.EntitlementIncludesEntitlement], s.now) {
				for _, g := range s.edges[connector.EntitlementGrantsResource][h.entitlement] {
					if g.To == to {
						all = append(all, heldGrant{session: as, holding: h, grant: g})
					}
				}
			}
		}
		a, ok := judge(all, action, s.now)
		if !ok {
			continue
		}
		if !reaches {
			best, reaches = a.Decision, true
		}
		best = better(best, a.Decision)
	}
	return best, reaches
}

// way is the shortest way by edges that allow, of several the first in the order
// of ids.
func (s *state) way(from []EntityID, to EntityID, action string) []Step {
	came := map[EntityID]Link{}
	depth := map[EntityID]int{}
	begin := toSet(from)
	queue := keys(begin)
	for ; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		if at == to {
			break
		}
		for _, l := range s.next(at, depth[at], to, action) {
			if _, known := came[l.To]; known || begin[l.To] {
				continue
			}
			came[l.To] = l
			depth[l.To] = depth[at]
			if l.Kind == connector.AccountAssumesAccount {
				depth[l.To]++
			}
			queue = append(queue, l.To)
		}
	}
	var steps []Step
	for at := to; !begin[at]; {
		l, known := came[at]
		if !known {
			return nil
		}
		step := Step{Link: l}
		for _, e := range s.edges[l.Kind][l.From] {
			if e.To == l.To {
				step.Edges = append(step.Edges, *e)
			}
		}
		step.Edges = sortedByKey(step.Edges)
		if len(step.Edges) > maxStepEdges {
			step.Edges, step.MoreEdges = step.Edges[:maxStepEdges], true
		}
		steps = append(steps, step)
		at = l.From
	}
	slices.Reverse(steps)
	return steps
}

// next are the links on from an entity that allow; assumed is how many accounts
// have been assumed on the way there.
func (s *state) next(at EntityID, assumed int, to EntityID, action string) (links []Link) {
	if assumed < maxAssumptions {
		for _, as := range assumable(s.edges[connector.AccountAssumesAccount][at], s.now) {
			links = append(links, Link{Kind: connector.AccountAssumesAccount, From: at, To: as.account})
		}
	}
	for _, kind := range []connector.RelationshipKind{
		connector.PrincipalRepresentsAccount, connector.AccountAssignedEntitlement, connector.EntitlementIncludesEntitlement, connector.EntitlementGrantsResource,
	} {
		for _, e := range s.edges[kind][at] {
			st := standingOf(e, s.now)
			grants := kind == connector.EntitlementGrantsResource
			if !st.active || st.deny || grants && (e.To != to || action != "" && !actionsOf(e.Terms).has(action)) {
				continue
			}
			links = append(links, Link{Kind: kind, From: at, To: e.To})
		}
	}
	return links
}
