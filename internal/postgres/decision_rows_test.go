package postgres_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/graph"
)

// TestRowsAreDecidedAsQuestionsAre: in graphs of any shape a row of who-can says
// what the question about its account says, and a row of what-can what the one
// about its subject says, over all pages.
func TestRowsAreDecidedAsQuestionsAre(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	q := &graph.Questions{Store: d.db, Deciders: scripted{}}
	caller, seen := viewer(d.scope.Workspace), map[connector.Outcome]int{}
	for seed := range uint64(6) {
		c := d.connect(t, d.scope)
		random := rand.New(rand.NewPCG(seed, 3)) //nolint:gosec // the same every time
		entities, edges := drawnEstate(random)
		d.discover(t, d.scope, c, whole("alpha", "", entities, edges...))
		one := func(who graph.EntityID, resource string) graph.Route {
			a, err := q.Decide(t.Context(), caller, graph.DecisionQuery{Principal: who, Action: "read", Resource: resource})
			require.NoError(t, err)
			best := a.Routes[0]
			best.Outcome = a.Outcome
			seen[a.Outcome]++
			return best
		}
		for _, e := range entities {
			ask := q.WhatCan
			switch e.Kind {
			case connector.Resource:
				ask = q.WhoCan
			case connector.Principal, connector.Account:
			default:
				continue
			}
			f := graph.AccessFilter{Action: "read", Effective: true, Limit: 2}
			for {
				a, err := ask(t.Context(), caller, graph.NewEntityID(d.scope.Workspace, c, e.Ref), f)
				require.NoError(t, err)
				for _, row := range a.Rows {
					who, resource := a.Subject.ID, a.Entities[row.Resource].ProviderID
					if e.Kind == connector.Resource {
						who = row.Account
					}
					require.NotNil(t, row.Effective)
					require.Equal(t, one(who, resource), *row.Effective)
				}
				if f.After = a.Next; f.After == nil {
					break
				}
			}
		}
	}
	for _, outcome := range []connector.Outcome{connector.OutcomeAllowed, connector.OutcomeDepends, connector.OutcomeDenied} {
		require.Positive(t, seen[outcome], "%v", seen)
	}
}

// drawnEstate is 8 accounts that may take on one another, 3 people with some of
// them each, and 4 resources that policies let some of them read.
func drawnEstate(random *rand.Rand) (entities []connector.Entity, edges []connector.Relationship) {
	account := func(i int) string { return fmt.Sprint("account", i) }
	ref := func(kind connector.EntityKind, name string, i int) connector.Ref {
		return connector.Ref{Kind: kind, ID: fmt.Sprint(name, i)}
	}
	for i := range 8 {
		outcome := []connector.Outcome{connector.OutcomeDenied, connector.OutcomeDenied, connector.OutcomeDepends, connector.OutcomeAllowed}[random.IntN(4)]
		entities = append(entities, actor(account(i), outcome))
		if next := random.IntN(8); next != i && random.IntN(3) > 0 {
			edges = append(edges, takesOn(account(i), account(next), random.IntN(2) == 0))
		}
	}
	for i := range 3 {
		p := connector.Entity{Ref: ref(connector.Principal, "person", i), Name: fmt.Sprint("person", i), Type: "user"}
		entities = append(entities, p)
		edges = append(edges, connector.Relationship{Kind: connector.PrincipalRepresentsAccount, From: p.Ref, To: entities[2*i].Ref},
			connector.Relationship{Kind: connector.PrincipalRepresentsAccount, From: p.Ref, To: entities[2*i+1].Ref})
	}
	for i := range 4 {
		policy := connector.Entity{Ref: ref(connector.Entitlement, "policy", i), Name: fmt.Sprint("policy", i), Type: "policy"}
		bucket := connector.Entity{Ref: ref(connector.Resource, "bucket", i), Name: fmt.Sprint("bucket", i), Type: "bucket"}
		entities = append(entities, policy, bucket)
		edges = append(edges, connector.Relationship{
			Kind: connector.EntitlementGrantsResource, From: policy.Ref, To: bucket.Ref, Terms: &connector.Terms{Effect: connector.Allow, Actions: []string{"read"}},
		})
		for holder := range 8 {
			if random.IntN(3) == 0 {
				edges = append(edges, connector.Relationship{Kind: connector.AccountAssignedEntitlement, From: entities[holder].Ref, To: policy.Ref})
			}
		}
	}
	return entities, edges
}

func TestRowsThatAreNotDecided(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	entities, edges := drawnEstate(rand.New(rand.NewPCG(1, 1))) //nolint:gosec // the same every time
	d.discover(t, d.scope, c, whole("alpha", "", entities, edges...))
	of := func(e connector.Entity) graph.EntityID { return graph.NewEntityID(d.scope.Workspace, c, e.Ref) }
	able := &graph.Questions{Store: d.db, Deciders: scripted{}}
	for name, one := range map[string]struct {
		questions *graph.Questions
		filter    graph.AccessFilter
	}{
		"no action":                     {able, graph.AccessFilter{Effective: true, Limit: 1}},
		"circumstances of no request":   {able, graph.AccessFilter{Action: "read", Context: map[string][]string{"mfa": nil}, Limit: 1}},
		"nobody decides":                {&graph.Questions{Store: d.db}, graph.AccessFilter{Action: "read", Effective: true, Limit: 1}},
		"an action that is no one's":    {able, graph.AccessFilter{Action: "re?d", Effective: true, Limit: 1}},
		"more circumstances than there": {able, graph.AccessFilter{Action: "read", Effective: true, Limit: 1, Context: manyKeys()}},
	} {
		_, err := one.questions.WhoCan(t.Context(), viewer(d.scope.Workspace), of(entities[len(entities)-1]), one.filter)
		require.Equal(t, fault.Invalid, fault.KindOf(err), "%s: %v", name, err)
		_, err = one.questions.WhatCan(t.Context(), viewer(d.scope.Workspace), of(entities[0]), one.filter)
		require.Equal(t, fault.Invalid, fault.KindOf(err), "%s: %v", name, err)
	}
}

func manyKeys() map[string][]string {
	keys := map[string][]string{}
	for i := range graph.MaxContextKeys + 1 {
		keys[fmt.Sprint(i)] = nil
	}
	return keys
}
