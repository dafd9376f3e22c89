package postgres_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
)

// someDecide decides requests of one integration only.
type someDecide struct{ of integration.ID }

func (s someDecide) Decider(i integration.ID) (connector.Decider, bool) {
	return scripted{}, s.of == i
}

// A request of a person gets as far as that of the principal that gets furthest, in
// whichever connection; and rows of lists say the same as the single question.
func TestRequestsOfAPersonAreDecidedByAllAccounts(t *testing.T) {
	t.Parallel()
	j := newJoining(t)
	j.admin = j.adminOf(t, j.scope)
	q := &graph.Questions{Store: j.db, Deciders: scripted{}}
	caller, seen := viewer(j.scope.Workspace), map[connector.Outcome]int{}
	var connections []id.Connection
	for range 2 {
		connections = append(connections, j.connect(t, j.scope))
	}
	for seed := range uint64(6) {
		var person connector.Ref
		var buckets []connector.Entity
		for n, c := range connections {
			entities, edges := drawnEstate(rand.New(rand.NewPCG(seed, uint64(n)))) //nolint:gosec // the same every time
			buckets = nil
			for i := range entities {
				switch e := &entities[i]; e.Kind {
				case connector.Principal:
					person = e.Ref
					e.Identifiers = []connector.Identifier{email(e.Ref.ID + "@example.com")}
				case connector.Resource:
					buckets = append(buckets, *e)
				}
			}
			j.discover(t, j.scope, c, whole("alpha", "", entities, edges...))
		}
		i := j.identityOf(t, graph.NewEntityID(j.scope.Workspace, connections[0], person))
		decide := func(d graph.DecisionQuery) graph.DecisionAnswer {
			d.Action, d.Resource = "read", buckets[0].Ref.ID
			a, err := q.Decide(t.Context(), caller, d)
			require.NoError(t, err)
			return a
		}
		best := map[connector.Outcome]int{connector.OutcomeDenied: 0, connector.OutcomeDepends: 1, connector.OutcomeAllowed: 2}
		want, single := connector.OutcomeDenied, map[id.Connection]graph.Route{}
		for _, c := range connections {
			a := decide(graph.DecisionQuery{Principal: graph.NewEntityID(j.scope.Workspace, c, person)})
			if best[a.Outcome] > best[want] {
				want = a.Outcome
			}
			single[c] = a.Routes[0]
		}
		got := decide(graph.DecisionQuery{Identity: i})
		require.Equal(t, want, got.Outcome)
		require.Equal(t, i, got.Identity.ID)
		require.Len(t, got.Coverage, 2)
		require.Empty(t, got.Undecided)
		require.Equal(t, got.Outcome, got.Routes[0].Outcome)
		seen[want]++

		f := graph.AccessFilter{Action: "read", Effective: true, Limit: 3}
		for {
			a, err := q.WhatIdentityCan(t.Context(), caller, i, f)
			require.NoError(t, err)
			for _, row := range a.Rows {
				require.NotNil(t, row.Effective)
				if in := a.Entities[row.Resource]; in.ProviderID == buckets[0].Ref.ID {
					require.Equal(t, single[in.Connection].Accounts, row.Effective.Accounts)
				}
			}
			if f.After = a.Next; f.After == nil {
				break
			}
		}
		f = graph.AccessFilter{Action: "read", Effective: true, Limit: 50}
		bucket := graph.NewEntityID(j.scope.Workspace, connections[0], buckets[0].Ref)
		by, err := q.WhoCanByIdentity(t.Context(), caller, bucket, f)
		require.NoError(t, err)
		alone, err := q.WhoCan(t.Context(), caller, bucket, f)
		require.NoError(t, err)
		rows := map[graph.EntityID]*graph.Route{}
		for _, row := range alone.Rows {
			rows[row.Account] = row.Effective
		}
		for _, row := range by.Rows {
			for _, way := range row.Ways {
				require.Equal(t, rows[way.Account], way.Effective)
			}
		}

		// Where nobody decides, the question is refused rather than answered in part.
		q := &graph.Questions{Store: j.db, Deciders: someDecide{"another"}}
		_, err = q.Decide(t.Context(), caller, graph.DecisionQuery{Identity: i, Action: "read", Resource: "anything"})
		require.Equal(t, fault.Invalid, fault.KindOf(err))
		_, err = q.WhatIdentityCan(t.Context(), caller, i, f)
		require.Equal(t, fault.Invalid, fault.KindOf(err))
	}
	require.Greater(t, len(seen), 1, "%v", seen)
}
