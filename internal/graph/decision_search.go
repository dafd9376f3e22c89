package graph

import (
	"context"
	"errors"
	"slices"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// Bounds of the work behind one question.
const (
	maxRoutes    = 20
	maxDecisions = 2000
)

// search decides requests of one connection's accounts, and what they may take
// on. Decisions are kept: many accounts come to the same roles.
type search struct {
	view             View
	workspace        id.Workspace
	conn             id.Connection
	decider          connector.Decider
	records          *records
	action, resource string
	context          map[string][]string
	sessionPolicy    string

	refs        map[connector.Ref]EntityID
	own         map[connector.Ref]connector.AccessDecision
	assumptions map[[2]connector.Ref]connector.AccessDecision
	decisions   int
}

// outcomes is what the routes from some accounts come to.
type outcomes struct {
	outcome   connector.Outcome
	routes    []Route
	truncated bool
}

// chain is a way to an account.
type chain struct {
	accounts []connector.Ref
	steps    []connector.AccessDecision
	outcome  connector.Outcome
}

func (c chain) last() connector.Ref { return c.accounts[len(c.accounts)-1] }

// routes tries each account as itself, and then what each may take on, the
// certain ways before those that depend on something: so the first time that an
// account is met is by the best way to it, and cycles end. It stops at the first
// certain way through.
func (s *search) routes(ctx context.Context, accounts []connector.Ref) (outcomes, error) {
	found := outcomes{outcome: connector.OutcomeDenied}
	var certain, uncertain []chain
	met := map[connector.Ref]bool{}
	for _, a := range accounts {
		certain = append(certain, chain{accounts: []connector.Ref{a}, outcome: connector.OutcomeAllowed})
	}
	for len(certain)+len(uncertain) > 0 {
		var c chain
		if len(certain) > 0 {
			c, certain = certain[0], certain[1:]
		} else {
			c, uncertain = uncertain[0], uncertain[1:]
		}
		if met[c.last()] {
			continue
		}
		met[c.last()] = true
		if s.decisions >= maxDecisions || len(c.accounts) > maxAssumptions {
			found.truncated = true
			continue
		}
		request, err := s.decide(ctx, c.last())
		if err != nil {
			return found, err
		}
		found.add(s, c, request)
		if found.outcome == connector.OutcomeAllowed {
			break
		}
		next, err := s.decider.Assumable(ctx, c.last(), s.records)
		if err != nil {
			return found, err
		}
		for _, to := range next {
			if met[to] {
				continue
			}
			if s.decisions >= maxDecisions {
				found.truncated = true
				break
			}
			d, err := s.assume(ctx, c.last(), to)
			if err != nil {
				return found, err
			}
			longer := chain{append(slices.Clone(c.accounts), to), append(slices.Clone(c.steps), d), worse(c.outcome, d.Outcome)}
			switch longer.outcome {
			case connector.OutcomeAllowed:
				certain = append(certain, longer)
			case connector.OutcomeDepends:
				uncertain = append(uncertain, longer)
			}
		}
	}
	slices.SortStableFunc(found.routes, func(a, b Route) int { return rankOf(b.Outcome) - rankOf(a.Outcome) })
	if len(found.routes) > maxRoutes {
		found.routes = found.routes[:maxRoutes]
	}
	if found.truncated && found.outcome == connector.OutcomeDenied {
		found.outcome = connector.OutcomeDepends
	}
	return found, nil
}

// add keeps a route that is not denied, and what an account gets as itself.
func (o *outcomes) add(s *search, c chain, request connector.AccessDecision) {
	r := Route{Steps: append(slices.Clone(c.steps), request), Outcome: worse(c.outcome, request.Outcome)}
	if r.Outcome == connector.OutcomeDenied && len(c.accounts) > 1 {
		return
	}
	for _, a := range c.accounts {
		r.Accounts = append(r.Accounts, s.entity(a))
	}
	o.routes = append(o.routes, r)
	if rankOf(r.Outcome) > rankOf(o.outcome) {
		o.outcome = r.Outcome
	}
}

// rankOf orders outcomes by how much they let through.
func rankOf(o connector.Outcome) int {
	switch o {
	case connector.OutcomeAllowed:
		return 2
	case connector.OutcomeDepends:
		return 1
	}
	return 0
}

func worse(a, b connector.Outcome) connector.Outcome {
	if rankOf(a) < rankOf(b) {
		return a
	}
	return b
}

func (s *search) decide(ctx context.Context, account connector.Ref) (connector.AccessDecision, error) {
	if known, ok := s.own[account]; ok {
		return known, nil
	}
	s.decisions++
	d, err := s.decider.Decide(ctx, connector.AccessRequest{
		Account: account, Action: s.action, Resource: s.resource, Context: s.context, SessionPolicy: s.sessionPolicy,
	}, s.records)
	var wrong *connector.RequestError
	switch {
	case errors.As(err, &wrong):
		return d, fault.InvalidField("query."+wrong.Part, "%s", wrong.Message)
	case err == nil:
		s.own[account] = d
	}
	return d, err
}

func (s *search) assume(ctx context.Context, from, to connector.Ref) (connector.AccessDecision, error) {
	pair := [2]connector.Ref{from, to}
	if known, ok := s.assumptions[pair]; ok {
		return known, nil
	}
	s.decisions++
	d, err := s.decider.DecideAssumption(ctx, from, to, s.context, s.records)
	if err == nil {
		s.assumptions[pair] = d
	}
	return d, err
}

func (s *search) entity(ref connector.Ref) EntityID {
	known, ok := s.refs[ref]
	if !ok {
		known = NewEntityID(s.workspace, s.conn, ref)
		s.refs[ref] = known
	}
	return known
}

// accountsOf are the accounts that act for an entity.
func (s *search) accountsOf(ctx context.Context, e Entity) ([]connector.Ref, error) {
	ref := connector.Ref{Kind: e.Kind, ID: e.ProviderID}
	if e.Kind == connector.Account {
		return []connector.Ref{ref}, nil
	}
	represents, _, err := s.records.From(ctx, connector.PrincipalRepresentsAccount, ref)
	if err != nil {
		return nil, err
	}
	var accounts []connector.Ref
	for _, r := range represents {
		accounts = append(accounts, r.To)
	}
	return accounts, nil
}

// complete names what the answer speaks of.
func (s *search) complete(ctx context.Context, a *DecisionAnswer) error {
	var ids []EntityID
	for _, r := range a.Routes {
		ids = append(ids, s.mentioned(r)...)
	}
	var err error
	if a.Entities, err = s.view.Entities(ctx, s.conn, distinct(ids)); err != nil {
		return err
	}
	coverage, err := s.view.Coverage(ctx, s.conn)
	a.Coverage = []Coverage{coverage}
	return err
}

// mentioned are the entities of a route: accounts, and what holds its
// statements.
func (s *search) mentioned(r Route) []EntityID {
	ids := slices.Clone(r.Accounts)
	for _, step := range r.Steps {
		for _, statement := range step.Statements {
			ids = append(ids, s.entity(statement.Record))
		}
	}
	return ids
}
