package graph

import (
	"context"

	"github.com/gatehouse-project/gatehouse/connector"
)

// lookHops reads what says whether accounts, which are the far ends of a hop,
// reach the resource, and unless they are counted only, whom they represent.
func (w *whoCan) lookHops(from int) []Hop {
	hops := []Hop{
		{From: from, Kind: connector.AccountAssumesAccount, Side: From, Spread: true, Most: maxSessions + maxExamined},
		{From: from + 1, Kind: connector.AccountAssignedEntitlement, Side: From, Among: w.entitlements},
	}
	if !w.counting {
		hops = append(hops, Hop{From: from, Kind: connector.PrincipalRepresentsAccount, Side: To})
	}
	return hops
}

// sight is what was read around some accounts.
type sight struct {
	of                *whoCan
	assumes, assigned out
}

// seen reads what is around some accounts.
func (w *whoCan) seen(ctx context.Context, accounts []EntityID) (*sight, error) {
	read, err := w.walk(ctx, accounts, w.lookHops(0)...)
	if err != nil {
		return nil, err
	}
	if len(read) > 3 {
		w.represented.add(read[3].Edges, w.now)
	}
	return w.sight(read[1].Edges, read[2].Edges), nil
}

func (w *whoCan) sight(assumes, assigned []Edge) *sight {
	s := &sight{of: w, assumes: out{}, assigned: out{}}
	s.assumes.add(assumes)
	s.assigned.add(assigned)
	return s
}

// levels says of accounts how many others each must assume at least to get to one
// that holds what leads to the resource. Those that are missing come to none.
func (s *sight) levels() map[EntityID]int {
	above := map[EntityID][]EntityID{}
	for from, edges := range s.assumes {
		for _, e := range edges {
			above[e.To] = append(above[e.To], from)
		}
	}
	at := map[EntityID]int{}
	var queue []EntityID
	allowing := toSet(s.of.allowing)
	for account, edges := range s.assigned {
		if leads(edges, allowing) {
			at[account] = 0
			queue = append(queue, account)
		}
	}
	for ; len(queue) > 0; queue = queue[1:] {
		for _, a := range above[queue[0]] {
			if _, known := at[a]; !known {
				at[a] = at[queue[0]] + 1
				queue = append(queue, a)
			}
		}
	}
	return at
}

// look returns the accounts, in their order, that something allows and that pass
// the filter.
func (s *sight) look(ctx context.Context, accounts []EntityID) (rows []AccessRow, err error) {
	w, typed := s.of, s.of.filter.Type != ""
	var types map[EntityID]Entity
	if typed {
		if types, err = w.view.Entities(ctx, w.conn, accounts); err != nil {
			return nil, err
		}
	}
	holdings := map[EntityID][]holding{}
	for _, account := range accounts {
		if typed && types[account].Type != w.filter.Type {
			continue
		}
		var all []heldGrant
		for _, as := range sessionsOf([]session{{account: account}}, s.assumes, w.now) {
			h, known := holdings[as.account]
			if !known {
				h = holdingsOf(s.assigned[as.account], w.includes, w.now)
				holdings[as.account] = h
			}
			for _, held := range h {
				for _, g := range w.grants[held.entitlement] {
					all = append(all, heldGrant{session: as, holding: held, grant: g})
				}
			}
		}
		a, ok := judge(all, w.filter.Action, w.now)
		if !ok || w.filter.Kind != "" && a.Kind != w.filter.Kind {
			continue
		}
		a.Account, a.Resource = account, w.resource
		rows = append(rows, AccessRow{Access: a})
	}
	return rows, nil
}
