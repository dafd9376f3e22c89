package graph

import (
	"context"
	"slices"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// WhatCan answers which resources a principal, by all accounts it represents, or
// a single account reaches. As in [Questions.WhoCan], what is only denied is no
// row.
func (q *Questions) WhatCan(ctx context.Context, c workspace.Caller, who EntityID, f AccessFilter) (AccessAnswer, error) {
	var answer AccessAnswer
	if err := validAction(f.Action); err != nil {
		return answer, err
	}
	if err := f.validEffective(); err != nil {
		return answer, err
	}
	err := q.ask(ctx, c, f.AsOf, func(v View) error {
		subject, err := v.Entity(ctx, who)
		if err != nil {
			return err
		}
		if err := mustBe("path.principal_id", subject, connector.Principal, connector.Account); err != nil {
			return err
		}
		answer = AccessAnswer{Subject: subject, AsOf: v.Moment(), HistoryBegins: v.HistoryBegins()}
		w := newWhatCan(v, subject.Connection, f)
		if err := w.prepare(ctx, subject.Kind, subject.ID); err != nil {
			return err
		}
		if err := w.complete(ctx, w, &answer); err != nil || !f.Effective {
			return err
		}
		return q.effective(ctx, c, v, f, &answer)
	})
	return answer, err
}

// whatCan goes forwards: the accounts that can be acted as and all entitlements
// that they hold are read whole, the entitlements' sorted lists of resources are
// merged page by page.
type whatCan struct {
	access
	// holders says for each entitlement who holds it and how.
	holders map[EntityID][]holder
	lists   []EntityID
}

func newWhatCan(v View, c id.Connection, f AccessFilter) *whatCan {
	return &whatCan{access: access{view: v, conn: c, filter: f, now: v.Moment(), represented: represented{}}}
}

// holder is one of the subject's own accounts that holds an entitlement, as
// itself or as another.
type holder struct {
	own     EntityID
	session session
	holding holding
}

// maxHolders bounds how often one entitlement may be held in different ways, all
// entitlements together.
const maxHolders = 200_000

// prepare reads what is held by principals of the connection, or by accounts.
func (w *whatCan) prepare(ctx context.Context, kind connector.EntityKind, subjects ...EntityID) error {
	hops := []Hop{
		{Kind: connector.AccountAssumesAccount, Side: From, Spread: true, Most: maxSessions},
		{From: 1, Kind: connector.AccountAssignedEntitlement, Side: From},
		{From: 2, Kind: connector.EntitlementIncludesEntitlement, Side: From, Spread: true, Most: maxEntitlements},
		{From: 3, Kind: connector.EntitlementGrantsResource, Side: From, Heads: w.heads()},
		{Kind: connector.PrincipalRepresentsAccount, Side: To},
	}
	if kind == connector.Principal {
		// The accounts come first, and take the place of the beginning.
		for i := range hops {
			hops[i].From++
		}
		hops = slices.Insert(hops, 0, Hop{Kind: connector.PrincipalRepresentsAccount, Side: From})
	}
	read, err := w.walk(ctx, subjects, hops...)
	if err != nil {
		return err
	}
	own := toSet(subjects)
	if kind == connector.Principal {
		// Which accounts count is decided here, so the walk goes on from all.
		own = activeAccounts(read[1].Edges, w.now)
		read = read[1:]
	}
	assuming, met := within(read[1].Edges, From, own)
	var assigning []Edge
	entitled := map[EntityID]bool{}
	for i := range read[2].Edges {
		if e := &read[2].Edges[i]; met[e.From] {
			assigning = append(assigning, *e)
			entitled[e.To] = true
		}
	}
	including, entitlements := within(read[3].Edges, From, entitled)
	w.first = &read[4]
	w.represented.add(read[5].Edges, w.now)
	w.lists = keys(entitlements)
	assumes, assigned := out{}, out{}
	w.includes = out{}
	assumes.add(assuming)
	assigned.add(assigning)
	w.includes.add(including)
	w.addHolders(keys(own), assumes, assigned)
	return nil
}

// activeAccounts returns the accounts that a principal represents now.
func activeAccounts(edges []Edge, now time.Time) map[EntityID]bool {
	accounts := map[EntityID]bool{}
	for i := range edges {
		if s := standingOf(&edges[i], now); s.active && !s.deny {
			accounts[edges[i].To] = true
		}
	}
	return accounts
}

func (w *whatCan) addHolders(own []EntityID, assumes, assigned out) {
	w.holders = map[EntityID][]holder{}
	holdings := map[EntityID][]holding{}
	total := 0
	for _, start := range own {
		for _, s := range sessionsOf([]session{{account: start}}, assumes, w.now) {
			held, known := holdings[s.account]
			if !known {
				held = holdingsOf(assigned[s.account], w.includes, w.now)
				holdings[s.account] = held
			}
			if total += len(held); total > maxHolders {
				w.truncated = true
				return
			}
			for _, h := range held {
				w.holders[h.entitlement] = append(w.holders[h.entitlement], holder{own: start, session: s, holding: h})
			}
		}
	}
}

func (w *whatCan) page(ctx context.Context, after *AccessPosition, want int) (rows []AccessRow, next *AccessPosition, err error) {
	at := AccessPosition{}
	if after != nil {
		at = *after
	}
	m := newMerge(w.view, w.conn, connector.EntitlementGrantsResource, From, w.lists, at.ID, want, w.takeFirst())
	for examined := 0; examined < max(maxExamined, want); {
		candidates, err := m.next(ctx, want-len(rows))
		if err != nil {
			return nil, nil, err
		}
		if len(candidates) == 0 {
			return rows, nil, nil
		}
		examined += len(candidates)
		found, err := w.judge(ctx, candidates)
		if err != nil {
			return nil, nil, err
		}
		rows = append(rows, found...)
		at.ID = candidates[len(candidates)-1].id
		if len(rows) >= want {
			break
		}
	}
	return rows, &at, nil
}

// judge turns candidates into rows and leaves out those that nothing allows.
func (w *whatCan) judge(ctx context.Context, candidates []merged) ([]AccessRow, error) {
	var pairs []Pair
	ids := make([]EntityID, len(candidates))
	for i, c := range candidates {
		ids[i] = c.id
		for _, e := range c.of {
			pairs = append(pairs, Pair{From: e, To: c.id})
		}
	}
	edges, err := w.view.Between(ctx, w.conn, connector.EntitlementGrantsResource, pairs)
	if err != nil {
		return nil, err
	}
	grants := map[EntityID][]*Edge{}
	for i := range edges {
		grants[edges[i].To] = append(grants[edges[i].To], &edges[i])
	}
	typed := w.filter.Type != ""
	var types map[EntityID]Entity
	if typed {
		if types, err = w.view.Entities(ctx, w.conn, ids); err != nil {
			return nil, err
		}
	}
	var rows []AccessRow
	for _, resource := range ids {
		if typed && types[resource].Type != w.filter.Type {
			continue
		}
		a, all, ok := w.best(grants[resource])
		if !ok || w.filter.Kind != "" && a.Kind != w.filter.Kind {
			continue
		}
		a.Resource = resource
		rows = append(rows, AccessRow{Access: a, all: all, at: AccessPosition{ID: resource}})
	}
	return rows, nil
}

// best judges each of the subject's own accounts by itself and returns the one
// that reaches the resource best: by decision, then by fewest hops, then by id.
// The access is direct when it is for that account. all are the actions of every
// account that reaches it.
func (w *whatCan) best(grants []*Edge) (best Access, all []string, found bool) {
	held := map[EntityID][]heldGrant{}
	owners := map[EntityID]bool{}
	for _, g := range grants {
		for _, h := range w.holders[g.From] {
			owners[h.own] = true
			held[h.own] = append(held[h.own], heldGrant{session: h.session, holding: h.holding, grant: g})
		}
	}
	for _, own := range keys(owners) {
		a, ok := judge(held[own], w.filter.Action, w.now)
		if !ok {
			continue
		}
		a.Account = own
		if a.Decision != Denied {
			all = append(all, a.Actions...)
		}
		if !found || a.before(&best) {
			best, found = a, true
		}
	}
	slices.Sort(all)
	return best, slices.Compact(all), found
}

func (a *Access) before(b *Access) bool {
	if a.Decision != b.Decision {
		return better(a.Decision, b.Decision) == a.Decision
	}
	return a.Nearest.Hops < b.Nearest.Hops
}
