package graph

import (
	"context"
	"maps"
	"slices"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// decideForAll decides a request of whichever account of a person or workload gets
// furthest, connection after connection.
func (q *Questions) decideForAll(ctx context.Context, c workspace.Caller, d DecisionQuery) (DecisionAnswer, error) {
	var answer DecisionAnswer
	err := q.ask(ctx, c, d.AsOf, func(v View) error {
		begin, err := beginnings(ctx, v, EntityID{}, d.Identity)
		if err != nil {
			return err
		}
		resource, of, err := resourceName(ctx, v, d.Resource, "")
		if err != nil {
			return err
		}
		answer = DecisionAnswer{
			Identity: begin.identity, Action: d.Action, Resource: resource, Outcome: connector.OutcomeDenied, Truncated: begin.truncated,
			AsOf: v.Moment(), HistoryBegins: v.HistoryBegins(), Entities: map[EntityID]Entity{},
		}
		var looked []id.Connection
		used := 0
		for _, conn := range slices.Sorted(maps.Keys(begin.at)) {
			if of != "" && begin.integrations[conn] != of {
				continue
			}
			looked = append(looked, conn)
			s, err := q.search(v, c, Entity{Connection: conn, Integration: begin.integrations[conn]})
			if err != nil {
				answer.Undecided = append(answer.Undecided, conn)
				continue
			}
			s.action, s.resource, s.context, s.sessionPolicy, s.decisions = d.Action, resource, d.Context, d.SessionPolicy, used
			if err := answer.add(ctx, s, begin.of(conn)); err != nil {
				return err
			}
			used = s.decisions
		}
		if len(looked) == len(answer.Undecided) {
			return fault.New(fault.Invalid, "requests of this identity cannot be decided: none of its principals is of an integration that says what comes of statements; ask what-can or why")
		}
		slices.SortStableFunc(answer.Routes, func(a, b Route) int { return rankOf(b.Outcome) - rankOf(a.Outcome) })
		answer.Routes = answer.Routes[:min(len(answer.Routes), maxRoutes)]
		if answer.Truncated && answer.Outcome == connector.OutcomeDenied {
			answer.Outcome = connector.OutcomeDepends
		}
		answer.Coverage, err = coverageOf(ctx, v, looked...)
		return err
	})
	return answer, err
}

// add decides the request in one connection more.
func (a *DecisionAnswer) add(ctx context.Context, s *search, principals []EntityID) error {
	accounts, err := s.accountsOfAll(ctx, principals)
	if err != nil {
		return err
	}
	found, err := s.routes(ctx, accounts)
	if err != nil {
		return err
	}
	if rankOf(found.outcome) > rankOf(a.Outcome) {
		a.Outcome = found.outcome
	}
	a.Truncated = a.Truncated || found.truncated
	a.Routes = append(a.Routes, found.routes...)
	var ids []EntityID
	for _, r := range found.routes {
		ids = append(ids, s.mentioned(r)...)
	}
	named, err := s.view.Entities(ctx, s.conn, distinct(ids))
	maps.Copy(a.Entities, named)
	return err
}
