package graph

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"github.com/gatehouse-project/gatehouse/internal/id"
)

// comparison merges the ordered answers of two moments page by page, so that what
// is the same at both is read past, and a cursor is a place in both.
type comparison struct {
	filter CompareFilter
	// The earlier moment comes first.
	views  [2]View
	pagers [2]pager
	// whose are the principals of accounts that a side has read, by connection.
	whose [2]func(id.Connection) represented
	// look judges rows of one side at the other; nil where what is at one place at
	// one moment is nowhere else at the other.
	look        func(ctx context.Context, side int, rows []AccessRow) ([]AccessRow, error)
	connections []id.Connection
	// workspaceView is the present, for what is named as it was last.
	workspaceView View
}

func (x *comparison) access(v View, c id.Connection) access {
	f := AccessFilter{Action: x.filter.Action, Type: x.filter.Type, Limit: x.filter.Limit}
	if x.filter.After != nil {
		f.After = &x.filter.After.AccessPosition
	}
	return access{view: v, conn: c, filter: f, now: v.Moment(), represented: represented{}}
}

// fill reads on at both moments until the page is full or its work is at its
// bound.
func (x *comparison) fill(ctx context.Context, answer *CompareAnswer) error {
	var at *AccessPosition
	if x.filter.After != nil {
		at = &x.filter.After.AccessPosition
	}
	next := func(p *AccessPosition) *ComparePosition { return &ComparePosition{To: answer.To, AccessPosition: *p} }
	for examined, chunk := 0, x.filter.Limit+1; examined < maxExamined; chunk = min(4*chunk, groupChunk) {
		before, after, end, err := x.read(ctx, at, chunk)
		if err != nil {
			return err
		}
		changes, err := x.differ(ctx, before, after)
		if err != nil {
			return err
		}
		for _, c := range changes {
			if len(answer.Changes) == x.filter.Limit {
				answer.Next = next(&answer.Changes[x.filter.Limit-1].at)
				return nil
			}
			answer.Changes = append(answer.Changes, c)
		}
		if at = end; end == nil {
			return nil
		}
		examined += chunk
	}
	answer.Next = next(at)
	return nil
}

// read returns the rows of both moments behind a position, as far as both are
// known; end is how far that is, nil for to the end.
func (x *comparison) read(ctx context.Context, at *AccessPosition, want int) (before, after []AccessRow, end *AccessPosition, err error) {
	var rows [2][]AccessRow
	for i, p := range x.pagers {
		var next *AccessPosition
		if rows[i], next, err = p.page(ctx, at, want); err != nil {
			return nil, nil, nil, err
		}
		if next != nil && (end == nil || next.compare(*end) < 0) {
			end = next
		}
	}
	if end != nil {
		for i := range rows {
			rows[i] = slices.DeleteFunc(rows[i], func(r AccessRow) bool { return r.at.compare(*end) > 0 })
		}
	}
	return rows[0], rows[1], end, nil
}

// compare orders positions.
func (p AccessPosition) compare(o AccessPosition) int {
	return cmp.Or(cmp.Compare(p.Connection, o.Connection), cmp.Compare(p.Level, o.Level), bytes.Compare(p.ID[:], o.ID[:]))
}

// differ tells the rows apart that are not the same at both moments, in order of
// their places. An account that is elsewhere at the other moment, since it has to
// assume more or fewer others, is told of at its later place.
func (x *comparison) differ(ctx context.Context, before, after []AccessRow) ([]AccessChange, error) {
	var changes []AccessChange
	var elsewhere [2][]AccessRow
	note := func(b, a *AccessRow) {
		if c, ok := changeOf(b, a, x.filter.Action); ok && (x.filter.What == "" || x.filter.What == c.What) {
			changes = append(changes, c)
		}
	}
	for len(before)+len(after) > 0 {
		order := 0
		switch {
		case len(before) == 0:
			order = 1
		case len(after) == 0:
			order = -1
		default:
			order = before[0].at.compare(after[0].at)
		}
		switch {
		case order == 0:
			note(&before[0], &after[0])
		case order < 0:
			elsewhere[0] = append(elsewhere[0], before[0])
		default:
			elsewhere[1] = append(elsewhere[1], after[0])
		}
		if order <= 0 {
			before = before[1:]
		}
		if order >= 0 {
			after = after[1:]
		}
	}
	gone, err := x.others(ctx, 1, elsewhere[0])
	if err != nil {
		return nil, err
	}
	come, err := x.others(ctx, 0, elsewhere[1])
	if err != nil {
		return nil, err
	}
	for i := range elsewhere[0] {
		if row := &elsewhere[0][i]; gone[row.Account] == nil {
			note(row, nil)
		}
	}
	for i := range elsewhere[1] {
		row := &elsewhere[1][i]
		note(come[row.Account], row)
	}
	slices.SortFunc(changes, func(a, b AccessChange) int { return a.at.compare(b.at) })
	return changes, nil
}

// others are the rows of some accounts at the other moment.
func (x *comparison) others(ctx context.Context, side int, rows []AccessRow) (map[EntityID]*AccessRow, error) {
	if x.look == nil || len(rows) == 0 {
		return nil, nil
	}
	found, err := x.look(ctx, side, rows)
	if err != nil {
		return nil, err
	}
	by := make(map[EntityID]*AccessRow, len(found))
	for i := range found {
		by[found[i].Account] = &found[i]
	}
	return by, nil
}

// changeOf says what became of access; ok is false when it is the same. Of one
// action, others do not count.
func changeOf(before, after *AccessRow, action string) (c AccessChange, ok bool) {
	had, has := before != nil && before.Decision != Denied, after != nil && after.Decision != Denied
	switch {
	case has && !had:
		c.What = AccessGained
	case had && !has:
		c.What = AccessLost
	case had && has && (before.Decision != after.Decision || action == "" && !slices.Equal(before.does(), after.does())):
		c.What = AccessChanged
	default:
		return c, false
	}
	c.Before, c.After = before, after
	if after != nil {
		c.at = after.at
	} else {
		c.at = before.at
	}
	c.Connection = c.at.Connection
	return c, true
}

// does are the actions that a row is compared by: of a subject with several
// accounts, those of all of them.
func (r *AccessRow) does() []string {
	if r.all != nil {
		return r.all
	}
	return r.Actions
}
