package graph

import (
	"context"
	"maps"
	"slices"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// validEffective checks what is asked of the rows of a list.
func (f *AccessFilter) validEffective() error {
	if f.Effective && f.Action == "" {
		return fault.InvalidField("query.effective", "needs an action: name the one that is to be decided, such as action=s3:GetObject")
	}
	if !f.Effective && len(f.Context) > 0 {
		return fault.InvalidField("query.context", "is about a request that would be decided; ask for that with effective=true")
	}
	return validContext(f.Context)
}

// effective decides the action for each row: of who can, for the row's account on
// the resource that was asked about; of what can, for the accounts of the subject
// on the row's resource. Rows that the bounds of the work leave undecided make the
// answer truncated.
func (q *Questions) effective(ctx context.Context, c workspace.Caller, v View, f AccessFilter, answer *AccessAnswer) error {
	s, err := q.search(v, c, answer.Subject)
	if err != nil {
		return err
	}
	var accounts []connector.Ref
	if answer.Subject.Kind != connector.Resource {
		if accounts, err = s.accountsOf(ctx, answer.Subject); err != nil {
			return err
		}
		accounts = append([]connector.Ref{}, accounts...)
	}
	if answer.Entities == nil {
		answer.Entities = map[EntityID]Entity{}
	}
	truncated, err := s.rows(ctx, f, pointers(answer.Rows), accounts, answer.Entities)
	answer.Truncated = answer.Truncated || truncated
	return err
}

// effectiveOfAll decides the action for each row of what an identity can reach, by
// all of its accounts in the row's connection. Where requests are not decided, rows
// stay without; when they are nowhere, the question is refused.
func (q *Questions) effectiveOfAll(ctx context.Context, c workspace.Caller, w *whatAll, f AccessFilter, answer *AccessAnswer) error {
	decided, used := 0, 0
	var refused error
	for _, conn := range w.connections {
		s, err := q.search(w.view, c, Entity{Connection: conn, Integration: w.begin.integrations[conn]})
		if err != nil {
			refused = err
			continue
		}
		decided++
		s.decisions = used
		accounts, err := s.accountsOfAll(ctx, w.begin.of(conn))
		if err != nil {
			return err
		}
		var rows []*AccessRow
		for i := range answer.Rows {
			if r := &answer.Rows[i]; r.at.Connection == conn {
				rows = append(rows, r)
			}
		}
		truncated, err := s.rows(ctx, f, rows, accounts, answer.Entities)
		if err != nil {
			return err
		}
		answer.Truncated = answer.Truncated || truncated
		used = s.decisions
	}
	if decided == 0 {
		return refused
	}
	return nil
}

// effectiveWays decides the action for each way of rows by identity.
func (q *Questions) effectiveWays(ctx context.Context, c workspace.Caller, v View, f AccessFilter, answer *IdentityAccessAnswer) error {
	s, err := q.search(v, c, answer.Subject)
	if err != nil {
		return err
	}
	var ways []*AccessRow
	for i := range answer.Rows {
		ways = append(ways, pointers(answer.Rows[i].Ways)...)
	}
	truncated, err := s.rows(ctx, f, ways, nil, answer.Entities)
	answer.Truncated = answer.Truncated || truncated
	return err
}

func pointers(rows []AccessRow) []*AccessRow {
	all := make([]*AccessRow, len(rows))
	for i := range rows {
		all[i] = &rows[i]
	}
	return all
}

// rows decides the action for rows of the search's connection: for some accounts,
// or when they are nil, for the row's own. named has what rows speak of, and takes
// what decisions do.
func (s *search) rows(ctx context.Context, f AccessFilter, rows []*AccessRow, accounts []connector.Ref, named map[EntityID]Entity) (truncated bool, err error) {
	s.action, s.context = f.Action, f.Context
	var mentioned []EntityID
	for _, row := range rows {
		if s.decisions >= maxDecisions {
			truncated = true
			break
		}
		acting := accounts
		if acting == nil {
			of := named[row.Account]
			acting = []connector.Ref{{Kind: of.Kind, ID: of.ProviderID}}
		}
		s.about(named[row.Resource].ProviderID)
		found, err := s.routes(ctx, acting)
		if err != nil {
			return truncated, err
		}
		truncated = truncated || found.truncated
		if len(found.routes) == 0 {
			continue // a principal that acts by no account
		}
		best := found.routes[0]
		best.Outcome = found.outcome
		row.Effective = &best
		mentioned = append(mentioned, s.mentioned(best)...)
	}
	more, err := s.view.Entities(ctx, s.conn, distinct(mentioned))
	maps.Copy(named, more)
	return truncated, err
}

// about turns to another resource: what accounts get is decided anew, whom they
// may take on is not.
func (s *search) about(resource string) {
	if s.resource != resource {
		s.resource, s.own = resource, map[connector.Ref]connector.AccessDecision{}
	}
}

// accountsOfAll are the accounts that act for some principals of the connection.
func (s *search) accountsOfAll(ctx context.Context, principals []EntityID) ([]connector.Ref, error) {
	found, err := s.view.Entities(ctx, s.conn, principals)
	if err != nil {
		return nil, err
	}
	all := []connector.Ref{}
	for _, p := range principals {
		of, ok := found[p]
		if !ok {
			continue
		}
		accounts, err := s.accountsOf(ctx, of)
		if err != nil {
			return nil, err
		}
		for _, a := range accounts {
			if !slices.Contains(all, a) {
				all = append(all, a)
			}
		}
	}
	return all, nil
}
