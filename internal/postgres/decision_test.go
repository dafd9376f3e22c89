package postgres_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/integration"
)

// scripted decides what the records say: an account's own outcome is among its
// attributes, and an assumption with conditions depends on them.
type scripted struct{}

func (scripted) Decider(integration.ID) (connector.Decider, bool) { return scripted{}, true }

func (scripted) Decide(ctx context.Context, r connector.AccessRequest, records connector.Records) (connector.AccessDecision, error) {
	e, found, err := records.Entity(ctx, r.Account)
	if err != nil || !found {
		return connector.AccessDecision{}, fmt.Errorf("%s is not there: %w", r.Account.ID, err)
	}
	var a struct{ Outcome connector.Outcome }
	err = json.Unmarshal(e.Attributes, &a)
	return connector.AccessDecision{Outcome: a.Outcome, Action: r.Action, Resource: r.Resource}, err
}

func (scripted) Assumable(ctx context.Context, account connector.Ref, records connector.Records) ([]connector.Ref, error) {
	edges, _, err := records.From(ctx, connector.AccountAssumesAccount, account)
	var to []connector.Ref
	for _, e := range edges {
		to = append(to, e.To)
	}
	return to, err
}

func (scripted) DecideAssumption(ctx context.Context, from, to connector.Ref, _ map[string][]string, records connector.Records) (connector.AccessDecision, error) {
	edges, _, err := records.To(ctx, connector.AccountAssumesAccount, to)
	d := connector.AccessDecision{Outcome: connector.OutcomeDenied, Action: "assume", Resource: to.ID}
	for _, e := range edges {
		if e.From != from {
			continue
		}
		if d.Outcome = connector.OutcomeAllowed; e.Terms != nil && len(e.Terms.Conditions) > 0 {
			d.Outcome = connector.OutcomeDepends
		}
	}
	return d, err
}

// actor is an account that gets this by itself.
func actor(name string, outcome connector.Outcome) connector.Entity {
	raw, _ := json.Marshal(map[string]any{"outcome": outcome})
	return connector.Entity{Ref: connector.Ref{Kind: connector.Account, ID: name}, Name: name, Type: "user", Attributes: raw}
}

// takesOn lets one account act as another, with or without a condition.
func takesOn(from, to string, conditional bool) connector.Relationship {
	r := connector.Relationship{
		Kind: connector.AccountAssumesAccount, From: connector.Ref{Kind: connector.Account, ID: from}, To: connector.Ref{Kind: connector.Account, ID: to},
	}
	if conditional {
		r.Terms = &connector.Terms{Conditions: json.RawMessage(`{"Bool":{"mfa":"true"}}`)}
	}
	return r
}

func (d *discovery) decide(t *testing.T, account graph.EntityID, at graph.Moment) (connector.Outcome, []string) {
	t.Helper()
	q := graph.Questions{Store: d.db, Deciders: scripted{}}
	a, err := q.Decide(t.Context(), viewer(d.scope.Workspace), graph.DecisionQuery{Principal: account, Action: "read", Resource: "anything", AsOf: at})
	require.NoError(t, err)
	require.NotEmpty(t, a.Routes)
	var names []string
	for _, e := range a.Routes[0].Accounts {
		names = append(names, a.Entities[e].Name)
	}
	require.Len(t, a.Routes[0].Steps, len(names))
	return a.Outcome, names
}

// TestDecisionsFollowWhatAccountsTakeOn: a request is decided by the best way,
// the certain ones first, whatever cycles there are, and as of any moment.
func TestDecisionsFollowWhatAccountsTakeOn(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	of := func(name string) graph.EntityID {
		return graph.NewEntityID(d.scope.Workspace, c, connector.Ref{Kind: connector.Account, ID: name})
	}
	estate := []connector.Entity{
		actor("user", connector.OutcomeDenied), actor("first", connector.OutcomeDenied), actor("second", connector.OutcomeDenied), actor("goal", connector.OutcomeAllowed),
		actor("perhaps", connector.OutcomeDenied), actor("alone", connector.OutcomeDenied), actor("own", connector.OutcomeDepends),
	}
	edges := []connector.Relationship{
		takesOn("user", "first", false), takesOn("first", "second", false), takesOn("second", "user", false), takesOn("second", "second", false),
		takesOn("second", "goal", false), takesOn("user", "goal", true), takesOn("perhaps", "goal", true), takesOn("own", "perhaps", false),
	}
	first := d.discover(t, d.scope, c, whole("alpha", "", estate, edges...))

	for name, want := range map[string]struct {
		outcome connector.Outcome
		route   []string
	}{
		"goal":    {connector.OutcomeAllowed, []string{"goal"}},
		"user":    {connector.OutcomeAllowed, []string{"user", "first", "second", "goal"}}, // and not the short way, which depends
		"perhaps": {connector.OutcomeDepends, []string{"perhaps", "goal"}},
		"alone":   {connector.OutcomeDenied, []string{"alone"}},
		"own":     {connector.OutcomeDepends, []string{"own"}},
	} {
		outcome, route := d.decide(t, of(name), graph.Moment{})
		require.Equal(t, want.outcome, outcome, name)
		require.Equal(t, want.route, route, name)
	}

	estate[3] = actor("goal", connector.OutcomeDenied)
	d.discover(t, d.scope, c, whole("alpha", "", estate, edges[:2]...))
	outcome, _ := d.decide(t, of("user"), graph.Moment{})
	require.Equal(t, connector.OutcomeDenied, outcome)
	outcome, route := d.decide(t, of("user"), graph.Moment{Run: first.ID})
	require.Equal(t, connector.OutcomeAllowed, outcome, "as it was")
	require.Len(t, route, 4)
}

// TestLongChainsAreNotDenied: what lies beyond the bounds may allow.
func TestLongChainsAreNotDenied(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	var estate []connector.Entity
	var edges []connector.Relationship
	for i := range 20 {
		estate = append(estate, actor(fmt.Sprint(i), connector.OutcomeDenied))
		edges = append(edges, takesOn(fmt.Sprint(i), fmt.Sprint((i+1)%20), false))
	}
	d.discover(t, d.scope, c, whole("alpha", "", estate, edges...))
	q := graph.Questions{Store: d.db, Deciders: scripted{}}
	a, err := q.Decide(t.Context(), viewer(d.scope.Workspace), graph.DecisionQuery{
		Principal: graph.NewEntityID(d.scope.Workspace, c, estate[0].Ref), Action: "read", Resource: "anything",
	})
	require.NoError(t, err)
	require.True(t, a.Truncated)
	require.Equal(t, connector.OutcomeDepends, a.Outcome)
}

func TestDecisionsThatAreRefused(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	d.discover(t, d.scope, c, whole("alpha", "", []connector.Entity{actor("user", connector.OutcomeDenied)}))
	user := graph.NewEntityID(d.scope.Workspace, c, connector.Ref{Kind: connector.Account, ID: "user"})
	many := map[string][]string{}
	for i := range graph.MaxContextKeys + 1 {
		many[fmt.Sprint(i)] = nil
	}
	able := &graph.Questions{Store: d.db, Deciders: scripted{}}
	for name, c := range map[string]struct {
		questions *graph.Questions
		query     graph.DecisionQuery
		want      fault.Kind
	}{
		"no action":      {able, graph.DecisionQuery{Principal: user, Resource: "x"}, fault.Invalid},
		"many actions":   {able, graph.DecisionQuery{Principal: user, Resource: "x", Action: "s3:*"}, fault.Invalid},
		"no resource":    {able, graph.DecisionQuery{Principal: user, Resource: " ", Action: "read"}, fault.Invalid},
		"no such id":     {able, graph.DecisionQuery{Principal: user, Resource: graph.EntityID{9}.String(), Action: "read"}, fault.NotFound},
		"half an id":     {able, graph.DecisionQuery{Principal: user, Resource: "ent_12", Action: "read"}, fault.Invalid},
		"not a resource": {able, graph.DecisionQuery{Principal: user, Resource: user.String(), Action: "read"}, fault.Invalid},
		"no principal":   {able, graph.DecisionQuery{Principal: graph.EntityID{9}, Resource: "x", Action: "read"}, fault.NotFound},
		"much context":   {able, graph.DecisionQuery{Principal: user, Resource: "x", Action: "read", Context: many}, fault.Invalid},
		"nobody decides": {&graph.Questions{Store: d.db}, graph.DecisionQuery{Principal: user, Resource: "x", Action: "read"}, fault.Invalid},
	} {
		_, err := c.questions.Decide(t.Context(), viewer(d.scope.Workspace), c.query)
		require.Equal(t, c.want, fault.KindOf(err), "%s: %v", name, err)
	}
	foreign := d.newScope(t)
	_, err := able.Decide(t.Context(), viewer(foreign.Workspace), graph.DecisionQuery{Principal: user, Resource: "x", Action: "read"})
	require.Equal(t, fault.NotFound, fault.KindOf(err), "another workspace's account")
}
