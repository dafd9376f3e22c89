package graph

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// WhatIdentityCan answers which resources a person or workload reaches by all
// principals of the identity, in order of connection, then as [Questions.WhatCan].
func (q *Questions) WhatIdentityCan(ctx context.Context, c workspace.Caller, i IdentityID, f AccessFilter) (AccessAnswer, error) {
	var answer AccessAnswer
	if err := validAction(f.Action); err != nil {
		return answer, err
	}
	if err := f.validEffective(); err != nil {
		return answer, err
	}
	err := q.ask(ctx, c, f.AsOf, func(v View) error {
		begin, err := beginnings(ctx, v, EntityID{}, i)
		if err != nil {
			return err
		}
		answer = AccessAnswer{Identity: begin.identity, AsOf: v.Moment(), HistoryBegins: v.HistoryBegins(), Truncated: begin.truncated}
		w := newWhatAll(v, begin, f)
		if err := w.fill(ctx, &answer); err != nil {
			return err
		}
		if err := w.describe(ctx, &answer); err != nil || !f.Effective {
			return err
		}
		return q.effectiveOfAll(ctx, c, w, f, &answer)
	})
	return answer, err
}

// whatAll is what principals of several connections can reach. Access never leaves
// a connection, so that one comes after the other.
type whatAll struct {
	view   View
	filter AccessFilter
	begin  beginning
	// kind is that of what it begins at.
	kind connector.EntityKind
	// connections are those to look in, in order; parts are read when their turn
	// comes.
	connections []id.Connection
	parts       map[id.Connection]*whatCan
}

func newWhatAll(v View, begin beginning, f AccessFilter) *whatAll {
	w := &whatAll{view: v, filter: f, begin: begin, kind: connector.Principal, parts: map[id.Connection]*whatCan{}}
	for _, c := range slices.Sorted(maps.Keys(begin.at)) {
		if !f.elsewhere(Entity{Connection: c, Integration: begin.integrations[c]}) {
			w.connections = append(w.connections, c)
		}
	}
	return w
}

// part is what the principals of one connection can reach, beginning behind a
// position when it is of this connection.
func (w *whatAll) part(ctx context.Context, c id.Connection, after *AccessPosition) (*whatCan, error) {
	if known, ok := w.parts[c]; ok {
		return known, nil
	}
	f := w.filter
	f.After = after
	part := newWhatCan(w.view, c, f)
	w.parts[c] = part
	return part, part.prepare(ctx, w.kind, w.begin.of(c)...)
}

func (w *whatAll) page(ctx context.Context, after *AccessPosition, want int) (rows []AccessRow, next *AccessPosition, err error) {
	for _, c := range w.connections {
		var within *AccessPosition
		if after != nil && c < after.Connection {
			continue
		}
		if after != nil && c == after.Connection {
			within = after
		}
		part, err := w.part(ctx, c, within)
		if err != nil {
			return nil, nil, err
		}
		found, more, err := part.page(ctx, within, want-len(rows))
		if err != nil {
			return nil, nil, err
		}
		for i := range found {
			found[i].at.Connection = c
		}
		rows = append(rows, found...)
		if more != nil {
			more.Connection = c
			return rows, more, nil
		}
		if len(rows) >= want {
			return rows, &rows[len(rows)-1].at, nil
		}
	}
	return rows, nil, nil
}

// fill reads the page and, when asked, counts.
func (w *whatAll) fill(ctx context.Context, answer *AccessAnswer) error {
	rows, next, err := w.page(ctx, w.filter.After, w.filter.Limit+1)
	if err != nil {
		return err
	}
	if len(rows) > w.filter.Limit {
		rows = rows[:w.filter.Limit]
		next = &rows[len(rows)-1].at
	}
	answer.Rows, answer.Next = rows, next
	if w.filter.Count {
		if err := count(ctx, w, answer); err != nil {
			return err
		}
	}
	answer.Truncated = answer.Truncated || w.truncated()
	return nil
}

// truncated says that a bound was met in some connection.
func (w *whatAll) truncated() bool {
	for _, part := range w.parts {
		if part.truncated {
			return true
		}
	}
	return false
}

// describe names what the rows of each connection speak of, and says of all
// connections how completely they were read.
func (w *whatAll) describe(ctx context.Context, answer *AccessAnswer) error {
	answer.Entities, answer.Identities = map[EntityID]Entity{}, Described{}
	for _, c := range w.connections {
		named, principals := map[EntityID]bool{}, map[EntityID]bool{}
		for i := range answer.Rows {
			if r := &answer.Rows[i]; r.at.Connection == c {
				w.parts[c].represented.show(r, named, principals)
			}
		}
		d, err := w.view.Describe(ctx, c, keys(named), keys(principals))
		if err != nil {
			return err
		}
		maps.Copy(answer.Entities, d.Entities)
		maps.Copy(answer.Identities, d.Identities)
		answer.Coverage = append(answer.Coverage, d.Coverage)
	}
	return nil
}

// IdentityAccess is that a person or workload reaches a resource.
type IdentityAccess struct {
	// Identity is nil for an account through which nobody is known to act.
	Identity *Identity
	// Decision is the best of all ways; Kind is direct when that of one is.
	Decision Decision
	Kind     AccessKind
	// Ways are by one account each, in order of their places; at most 20.
	// Accounts is how many there are.
	Ways     []AccessRow
	Accounts int
	// by is one of the identity's principals that act through them.
	by EntityID
}

// IdentityAccessAnswer is a page of who can reach a resource, by identity.
type IdentityAccessAnswer struct {
	Subject    Entity
	Rows       []IdentityAccess
	Entities   map[EntityID]Entity
	Identities Described
	// Next and Truncated are as in [AccessAnswer].
	Next      *AccessPosition
	Truncated bool
	// Count is the number of rows over all pages and Accounts that of their
	// accounts, when asked for; CountIsLower says that there may be more.
	Count, Accounts *int
	CountIsLower    bool
	AsOf            time.Time
	HistoryBegins   *time.Time
	Coverage        []Coverage
}
