package graph

import (
	"context"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Changes answers what publications changed, in the order in which they became
// visible. What came and went between two moments is told twice: it is a list of
// what happened, and no comparison of two states.
func (q *Questions) Changes(ctx context.Context, c workspace.Caller, f ChangeFilter) (ChangeAnswer, error) {
	var answer ChangeAnswer
	err := q.ask(ctx, c, Moment{}, func(v View) (err error) {
		query, err := f.resolve(ctx, v)
		if err != nil {
			return err
		}
		answer.To = query.Until
		if !f.From.Now() {
			answer.From = &query.After
		}
		if f.Subject != (EntityID{}) {
			if err := query.narrow(ctx, v, f.Subject); err != nil {
				return err
			}
		}
		// One more than the page tells whether there is a next page.
		query.Limit = f.Limit + 1
		found, end, err := v.Changes(ctx, query)
		if err != nil {
			return err
		}
		if len(found) > f.Limit {
			found = found[:f.Limit]
			at := found[len(found)-1].Position(query.Until)
			end = &at
		}
		answer.Changes, answer.Next = found, end
		if f.Subject == (EntityID{}) {
			summary, err := v.ChangeSummary(ctx, query)
			if err != nil {
				return err
			}
			answer.Summary = &summary
		}
		return answer.explain(ctx, v, query)
	})
	return answer, err
}

// resolve turns moments into times.
func (f *ChangeFilter) resolve(ctx context.Context, v View) (ChangeQuery, error) {
	query := ChangeQuery{
		Until: v.Moment(), Run: f.Run, Connection: f.Connection, EntityKind: f.EntityKind, RelationshipKind: f.RelationshipKind, Behind: f.After,
		Last: f.From.Now() && f.Run == 0,
	}
	if f.Run != 0 && (!f.From.Now() || !f.To.Now()) {
		return query, fault.InvalidField("query.run_id", "goes without from and to: a run stands for what it changed, at one moment")
	}
	if f.Run != 0 {
		if _, err := v.At(ctx, Moment{Run: f.Run, Parameter: "query.run_id"}); err != nil {
			return query, err
		}
	}
	if f.Connection != 0 {
		known, _, err := v.Coverages(ctx, f.Connection, nil)
		if err != nil {
			return query, err
		}
		if len(known) == 0 {
			return query, fault.New(fault.NotFound, "there is no connection %s", f.Connection)
		}
	}
	for _, bound := range []struct {
		at   Moment
		into *time.Time
	}{{f.From, &query.After}, {f.To, &query.Until}} {
		if bound.at.Now() {
			continue
		}
		then, err := v.At(ctx, bound.at)
		if err != nil {
			return query, err
		}
		*bound.into = then.Moment()
	}
	if f.After != nil {
		// Never later than now, whoever made the cursor up.
		if f.After.Until.Before(query.Until) {
			query.Until = f.After.Until
		}
	}
	if query.After.After(query.Until) {
		return query, f.From.Refuse("is later than to; changes are told from the earlier moment to the later one")
	}
	return query, nil
}

// narrow limits a query to what concerns an entity. It may have left the graph.
func (q *ChangeQuery) narrow(ctx context.Context, v View, subject EntityID) error {
	found, err := v.Ever(ctx, subject)
	if err != nil {
		return err
	}
	if q.Connection != 0 && q.Connection != found.Connection {
		return fault.InvalidField("query.connection_id", "the subject is of %s; leave the connection out", found.Connection)
	}
	q.Connection, q.Subjects = found.Connection, []EntityID{subject}
	if found.Kind != connector.Principal {
		return nil
	}
	accounts, err := v.EverRepresented(ctx, found.Connection, subject)
	q.Subjects = append(q.Subjects, accounts...)
	return err
}

// explain fills in what the changes name, and coverage.
func (a *ChangeAnswer) explain(ctx context.Context, v View, query ChangeQuery) error {
	ends := map[id.Connection]map[EntityID]bool{}
	partitions := map[int64]bool{}
	for i := range a.Changes {
		c := &a.Changes[i]
		if err := c.compare(); err != nil {
			return err
		}
		if c.Partition != 0 {
			partitions[c.Partition] = true
		}
		if e := c.Edge(); e != nil {
			if ends[c.Connection] == nil {
				ends[c.Connection] = map[EntityID]bool{}
			}
			ends[c.Connection][e.From], ends[c.Connection][e.To] = true, true
		}
	}
	a.Entities = map[EntityID]Entity{}
	for of, named := range ends {
		found, err := v.EverNamed(ctx, of, keys(named))
		if err != nil {
			return err
		}
		for e, entity := range found {
			a.Entities[e] = entity
		}
	}
	ids := make([]int64, 0, len(partitions))
	for p := range partitions {
		ids = append(ids, p)
	}
	var err error
	if a.Partitions, err = v.Partitions(ctx, ids); err != nil {
		return err
	}
	then, err := v.At(ctx, Moment{At: query.Until})
	if err != nil {
		return err
	}
	a.HistoryBegins = then.HistoryBegins()
	var of []id.Connection
	for i := range a.Changes {
		of = append(of, a.Changes[i].Connection)
	}
	a.Coverage, a.MoreCoverage, err = then.Coverages(ctx, query.Connection, of)
	return err
}
