package graph

import (
	"context"
	"slices"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// WhoCan answers which accounts reach a resource, and the principals that they
// represent. An account that no grant allows anything is no row, even when one
// denies; an account whose allows are all denied is a row that says so.
func (q *Questions) WhoCan(ctx context.Context, c workspace.Caller, resource EntityID, f AccessFilter) (AccessAnswer, error) {
	var answer AccessAnswer
	if err := validAction(f.Action); err != nil {
		return answer, err
	}
	if err := f.validEffective(); err != nil {
		return answer, err
	}
	err := q.ask(ctx, c, f.AsOf, func(v View) error {
		subject, err := v.Entity(ctx, resource)
		if err != nil {
			return err
		}
		if err := mustBe("path.resource_id", subject, connector.Resource); err != nil {
			return err
		}
		answer = AccessAnswer{Subject: subject, AsOf: v.Moment(), HistoryBegins: v.HistoryBegins()}
		w := &whoCan{access: access{view: v, conn: subject.Connection, filter: f, now: v.Moment(), represented: represented{}}, resource: resource}
		if err := w.prepare(ctx); err != nil {
			return err
		}
		if err := w.complete(ctx, w, &answer); err != nil || !f.Effective {
			return err
		}
		return q.effective(ctx, c, v, f, &answer)
	})
	return answer, err
}

// whoCan goes backwards from a resource: first to all entitlements that lead to
// it, which are few, then along their sorted lists of holders. Accounts that
// only come by assuming others follow level by level; the lists to merge are
// then those of the accounts on the level before that may be assumed.
type whoCan struct {
	access
	resource EntityID
	grants   out
	// entitlements lead to the resource; allowing are those of them that hold,
	// or include, one whose grant allows.
	entitlements []EntityID
	allowing     []EntityID
	// targets[k] are the accounts of level k that may be assumed.
	targets [][]EntityID
}

func (w *whoCan) prepare(ctx context.Context) error {
	// Which grants count is decided here, so the walk goes on from all of them.
	hops := []Hop{
		{Kind: connector.EntitlementGrantsResource, Side: To},
		{From: 1, Kind: connector.EntitlementIncludesEntitlement, Side: To, Spread: true, Most: maxEntitlements},
	}
	begin := w.begin()
	if begin.Level == 0 {
		hops = append(hops, Hop{From: 2, Kind: connector.AccountAssignedEntitlement, Side: To, Heads: w.heads()})
	}
	read, err := w.walk(ctx, []EntityID{w.resource}, hops...)
	if err != nil {
		return err
	}
	if begin.Level == 0 {
		w.first = &read[3]
	}
	w.grants = out{}
	granting, allowing := map[EntityID]bool{}, map[EntityID]bool{}
	for i := range read[1].Edges {
		e := &read[1].Edges[i]
		s := standingOf(e, w.now)
		if !s.active || w.filter.Action != "" && !actionsOf(e.Terms).has(w.filter.Action) {
			continue
		}
		w.grants[e.From] = append(w.grants[e.From], e)
		granting[e.From] = true
		if !s.deny {
			allowing[e.From] = true
		}
	}
	includes, met := within(read[2].Edges, To, granting)
	w.includes = out{}
	w.includes.add(includes)
	w.entitlements = keys(met)
	if w.filter.Kind != DirectAccess {
		allowing = upward(allowing, includes)
	}
	w.allowing = keys(allowing)
	return nil
}

// upward adds all that include one of the entitlements, over any depth.
func upward(entitlements map[EntityID]bool, includes []Edge) map[EntityID]bool {
	above := map[EntityID][]EntityID{}
	for i := range includes {
		above[includes[i].To] = append(above[includes[i].To], includes[i].From)
	}
	for queue := keys(entitlements); len(queue) > 0; queue = queue[1:] {
		for _, e := range above[queue[0]] {
			if !entitlements[e] {
				entitlements[e] = true
				queue = append(queue, e)
			}
		}
	}
	return entitlements
}

func (w *whoCan) page(ctx context.Context, after *AccessPosition, want int) (rows []AccessRow, next *AccessPosition, err error) {
	at := AccessPosition{}
	if after != nil {
		at = *after
	}
	examined := 0
	for ; at.Level <= maxAssumptions; at = (AccessPosition{Level: at.Level + 1}) {
		kind, lists, err := w.level(ctx, at.Level)
		if err != nil {
			return nil, nil, err
		}
		if len(lists) == 0 {
			return rows, nil, nil
		}
		m := newMerge(w.view, w.conn, kind, To, lists, at.ID, want, w.takeFirst())
		for {
			if examined >= max(maxExamined, want) {
				return rows, &at, nil
			}
			candidates, err := m.next(ctx, want-len(rows))
			if err != nil {
				return nil, nil, err
			}
			if len(candidates) == 0 {
				break
			}
			examined += len(candidates)
			found, err := w.judge(ctx, at.Level, candidates)
			if err != nil {
				return nil, nil, err
			}
			rows = append(rows, found...)
			at.ID = candidates[len(candidates)-1].id
			if len(rows) >= want {
				return rows, &at, nil
			}
		}
		if w.filter.Kind == DirectAccess {
			break
		}
	}
	return rows, nil, nil
}

// level returns what to merge for a level of assumption.
func (w *whoCan) level(ctx context.Context, level int) (connector.RelationshipKind, []EntityID, error) {
	if level == 0 {
		return connector.AccountAssignedEntitlement, w.allowing, nil
	}
	for k := len(w.targets); k < level; k++ {
		kind, to := connector.AccountAssumesAccount, w.allowing
		if k == 0 {
			kind = connector.AccountAssignedEntitlement
		} else {
			to = w.targets[k-1]
		}
		var found []EntityID
		if len(to) > 0 {
			var err error
			if found, err = w.view.Assumable(ctx, w.conn, kind, to, maxSessions); err != nil {
				return "", nil, err
			}
		}
		w.truncated = w.truncated || len(found) >= maxSessions
		earlier := toSet(w.targets...)
		found = slices.DeleteFunc(found, func(e EntityID) bool { return earlier[e] })
		w.targets = append(w.targets, found)
	}
	return connector.AccountAssumesAccount, w.targets[level-1], nil
}

// judge turns candidates of a level into rows and leaves out those that belong
// to an earlier level or that nothing allows.
func (w *whoCan) judge(ctx context.Context, level int, candidates []merged) ([]AccessRow, error) {
	accounts := make([]EntityID, len(candidates))
	for i, c := range candidates {
		accounts[i] = c.id
	}
	s, err := w.seen(ctx, accounts)
	if err != nil {
		return nil, err
	}
	if level > 0 {
		at := s.levels()
		accounts = slices.DeleteFunc(accounts, func(a EntityID) bool { return at[a] < level })
	}
	rows, err := s.look(ctx, accounts)
	for i := range rows {
		rows[i].at = AccessPosition{Level: level, ID: rows[i].Account}
	}
	return rows, err
}
