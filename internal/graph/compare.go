package graph

import (
	"context"
	"slices"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// AccessChangeKind is what became of access between two moments. What is denied
// does not reach.
type AccessChangeKind string

// The kinds of changes of access. It is changed when it is there at both moments,
// by another decision or with other actions.
const (
	AccessGained  AccessChangeKind = "gained"
	AccessLost    AccessChangeKind = "lost"
	AccessChanged AccessChangeKind = "changed"
)

// maxReasons bounds the edges that are named for one change.
const maxReasons = 20

// CompareFilter says which moments are compared, and narrows the answer.
type CompareFilter struct {
	// From is the earlier moment, which must be given, and To the later one.
	From, To Moment
	// Action and Type are as in [AccessFilter].
	Action, Type string
	// What leaves out other changes.
	What AccessChangeKind
	// After continues an answer.
	After *ComparePosition
	// Limit is the most rows of a page, at least 1.
	Limit int
}

// ComparePosition is a place in a comparison, whose later moment does not move
// while pages are read.
type ComparePosition struct {
	To time.Time
	AccessPosition
}

// AccessChange is that an account's access to a resource is not what it was.
type AccessChange struct {
	What AccessChangeKind
	// Before and After are the access at the two moments; nil when nothing allows.
	Before, After *AccessRow
	// Connection is where it is.
	Connection id.Connection
	// Steps are the shortest way at the later moment, or of what was lost, at the
	// earlier one.
	Steps []Step
	// Reasons are the edges on any way at one of the moments that are not the same
	// at the other, at most 20; MoreReasons says that there are more.
	Reasons     []EdgeChange
	MoreReasons bool
	// Uncertain says that a reason is an edge that was first observed, or is no
	// longer: the access may have been so before, or be so still.
	Uncertain bool

	at AccessPosition
}

// Expired is the change of an edge that ended by itself.
const Expired ChangeKind = "expired"

// EdgeChange is that an edge is not what it was.
type EdgeChange struct {
	What ChangeKind
	// At is when it became visible, and Run saw it; zero when it expired.
	At  time.Time
	Run id.Run
	// Before and After are the edge at the two moments, nil where it was not there.
	Before, After *Edge
}

// Edge returns the version that says more: the later one.
func (c *EdgeChange) Edge() *Edge {
	if c.After != nil {
		return c.After
	}
	return c.Before
}

// CompareAnswer is a page of how access at one moment differs from that at
// another.
type CompareAnswer struct {
	// Subject is the entity that was asked about; Identity is set instead when an
	// identity was, with the principals that it has at the later moment.
	Subject  Entity
	Identity *Identity
	Changes  []AccessChange
	// Entities are named as they were last.
	Entities   map[EntityID]Entity
	Identities Described
	Partitions map[int64]PartitionName
	// Next and Truncated are as in [AccessAnswer].
	Next      *ComparePosition
	Truncated bool
	// From and To are the two moments, each with how completely was looked.
	From, To      time.Time
	HistoryBegins *time.Time
	Before, After []Coverage
}

// CompareWhoCan answers who gained and who lost reach of a resource between two
// moments, by account, in the order of [Questions.WhoCan].
func (q *Questions) CompareWhoCan(ctx context.Context, c workspace.Caller, resource EntityID, f CompareFilter) (CompareAnswer, error) {
	return q.compare(ctx, c, f, func(x *comparison, answer *CompareAnswer) (err error) {
		if answer.Subject, err = x.views[0].Ever(ctx, resource); err != nil {
			return err
		}
		if err := mustBe("path.resource_id", answer.Subject, connector.Resource); err != nil {
			return err
		}
		conn := answer.Subject.Connection
		var sides [2]*whoCan
		for i, v := range x.views {
			w := &whoCan{access: x.access(v, conn), resource: resource}
			if err := w.prepare(ctx); err != nil {
				return err
			}
			sides[i], x.pagers[i] = w, w
			x.whose[i] = func(id.Connection) represented { return w.represented }
		}
		x.look = func(ctx context.Context, side int, rows []AccessRow) ([]AccessRow, error) {
			accounts := make([]EntityID, len(rows))
			for i := range rows {
				accounts[i] = rows[i].Account
			}
			s, err := sides[side].seen(ctx, accounts)
			if err != nil {
				return nil, err
			}
			return s.look(ctx, accounts)
		}
		x.connections = []id.Connection{conn}
		if err := x.fill(ctx, answer); err != nil {
			return err
		}
		answer.Truncated = answer.Truncated || sides[0].truncated || sides[1].truncated
		return x.explain(ctx, answer, func(id.Connection, *AccessChange) []EntityID { return nil })
	})
}

// CompareWhatCan answers which resources a principal, an account or, when that is
// set, an identity gained and lost between two moments, in the order of
// [Questions.WhatIdentityCan]. An identity is asked about with the principals that
// it has at the later moment, or when it has gone by then, at the earlier one.
func (q *Questions) CompareWhatCan(ctx context.Context, c workspace.Caller, who EntityID, i IdentityID, f CompareFilter) (CompareAnswer, error) {
	return q.compare(ctx, c, f, func(x *comparison, answer *CompareAnswer) error {
		begin, err := x.begins(ctx, who, i)
		if err != nil {
			return err
		}
		answer.Subject, answer.Identity = begin.entity, begin.identity
		kind := connector.Principal
		if begin.identity == nil {
			kind = begin.entity.Kind
		}
		var sides [2]*whatAll
		for i, v := range x.views {
			w := newWhatAll(v, begin, AccessFilter{Action: f.Action, Type: f.Type, Limit: f.Limit})
			w.kind = kind
			sides[i], x.pagers[i] = w, w
			x.whose[i] = func(c id.Connection) represented {
				if part := w.parts[c]; part != nil {
					return part.represented
				}
				return represented{}
			}
		}
		x.connections = sides[1].connections
		if err := x.fill(ctx, answer); err != nil {
			return err
		}
		answer.Truncated = answer.Truncated || begin.truncated || sides[0].truncated() || sides[1].truncated()
		return x.explain(ctx, answer, func(c id.Connection, _ *AccessChange) []EntityID { return begin.of(c) })
	})
}

// compare opens both moments and refuses what cannot be compared.
func (q *Questions) compare(ctx context.Context, c workspace.Caller, f CompareFilter, ask func(x *comparison, answer *CompareAnswer) error) (CompareAnswer, error) {
	var answer CompareAnswer
	if err := validAction(f.Action); err != nil {
		return answer, err
	}
	if f.From.Now() {
		return answer, fault.InvalidField("query.from", "is missing; name the earlier moment: a time, or a run")
	}
	err := q.ask(ctx, c, Moment{}, func(v View) error {
		if f.To.Now() {
			// As any other moment, so that further pages see the same.
			f.To = Moment{At: v.Moment(), Parameter: "query.to"}
		}
		if f.After != nil && f.After.To.Before(v.Moment()) {
			f.To = Moment{At: f.After.To, Parameter: "query.cursor"}
		}
		x := &comparison{filter: f, workspaceView: v}
		for i, m := range []Moment{f.From, f.To} {
			then, err := v.At(ctx, m)
			if err != nil {
				return err
			}
			x.views[i] = then
		}
		if x.views[0].Moment().After(x.views[1].Moment()) {
			return f.From.Refuse("is later than to; moments are compared from the earlier one to the later one")
		}
		answer = CompareAnswer{From: x.views[0].Moment(), To: x.views[1].Moment(), HistoryBegins: x.views[1].HistoryBegins()}
		return ask(x, &answer)
	})
	return answer, err
}

// begins is what the question what can is about. It may have left the graph.
func (x *comparison) begins(ctx context.Context, who EntityID, i IdentityID) (b beginning, err error) {
	if i == (IdentityID{}) {
		e, err := x.views[1].Ever(ctx, who)
		if err != nil {
			return b, err
		}
		if err := mustBe("path.principal_id", e, connector.Principal, connector.Account); err != nil {
			return b, err
		}
		return beginning{
			entity: e, at: map[id.Connection][]EntityID{e.Connection: {e.ID}},
		}, nil
	}
	b, err = beginnings(ctx, x.views[1], EntityID{}, i)
	if fault.KindOf(err) == fault.NotFound {
		if then, earlier := beginnings(ctx, x.views[0], EntityID{}, i); earlier == nil {
			return then, nil
		}
	}
	return b, err
}

// sorted are connections in order.
func sorted(of []id.Connection) []id.Connection {
	of = slices.Clone(of)
	slices.Sort(of)
	return of
}
