package postgres_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/graph"
)

// drawn is a random small graph with cycles, nesting, chains of assumption,
// denials, conditions and parallel edges.
type drawn struct {
	*estate
	principals, accounts, entitlements, resources []connector.Ref
}

func (b *accessBase) draw(tb testing.TB, t *rapid.T) drawn {
	g := drawn{estate: b.newWorkspace(tb)}
	nodes := func(kind connector.EntityKind, most int) []connector.Ref {
		var refs []connector.Ref
		for i := range rapid.IntRange(1, most).Draw(t, string(kind)) {
			refs = append(refs, g.add(kind, fmt.Sprintf("type%d", i%2), fmt.Sprintf("%s %d", kind, i)))
		}
		return refs
	}
	g.principals, g.accounts = nodes(connector.Principal, 2), nodes(connector.Account, 6)
	g.entitlements, g.resources = nodes(connector.Entitlement, 5), nodes(connector.Resource, 5)
	edges := func(kind connector.RelationshipKind, from, to []connector.Ref, most int, withActions bool) {
		for range rapid.IntRange(0, most).Draw(t, string(kind)) {
			terms := drawTerms(t, withActions)
			if kind == connector.EntitlementIncludesEntitlement {
				terms.Effect = "" // no provider has inclusions that deny, and a cycle of them says nothing
			}
			g.relate(kind, rapid.SampledFrom(from).Draw(t, "from"), rapid.SampledFrom(to).Draw(t, "to"), terms)
		}
	}
	edges(connector.AccountAssumesAccount, g.accounts, g.accounts, 6, false)
	edges(connector.AccountAssignedEntitlement, g.accounts, g.entitlements, 6, false)
	edges(connector.EntitlementIncludesEntitlement, g.entitlements, g.entitlements, 6, false)
	edges(connector.EntitlementGrantsResource, g.entitlements, g.resources, 8, true)
	for _, p := range g.principals {
		g.relate(connector.PrincipalRepresentsAccount, p, rapid.SampledFrom(g.accounts).Draw(t, "represented"), nil)
	}
	b.publish(tb, g.estate)
	return g
}

func drawTerms(t *rapid.T, withActions bool) *connector.Terms {
	terms := &connector.Terms{}
	if rapid.IntRange(0, 4).Draw(t, "deny") == 0 {
		terms.Effect = connector.Deny
	}
	switch rapid.IntRange(0, 5).Draw(t, "condition") {
	case 0:
		terms.Conditions = []byte(`{"a":1}`)
	case 1:
		terms.Given = connector.Eligible
	}
	if withActions {
		terms.Actions = rapid.SliceOfN(rapid.SampledFrom([]string{"*", "s3:*", "s3:Get", "s3:Put", "kms:*", "kms:Decrypt"}), 0, 2).Draw(t, "actions")
	}
	return terms
}

func verdictOf(r graph.AccessRow) verdict {
	return verdict{Decision: r.Decision, Kind: r.Kind, Hops: r.Nearest.Hops, Own: r.Nearest.Account == r.Account, Actions: strings.Join(r.Actions, " ")}
}

// pages asks page by page and returns the rows of all pages; a row that comes
// twice fails the test.
func pages(t *rapid.T, f graph.AccessFilter, ask func(graph.AccessFilter) (graph.AccessAnswer, error), key func(graph.AccessRow) graph.EntityID) map[graph.EntityID]verdict {
	rows := map[graph.EntityID]verdict{}
	f.Count = true
	for turn := 0; ; turn++ {
		require.Less(t, turn, 50, "paging does not end")
		answer, err := ask(f)
		require.NoError(t, err)
		require.False(t, answer.Truncated)
		require.LessOrEqual(t, len(answer.Rows), f.Limit)
		for _, r := range answer.Rows {
			_, again := rows[key(r)]
			require.False(t, again, "a row came twice")
			rows[key(r)] = verdictOf(r)
		}
		if answer.Next == nil {
			require.Equal(t, len(rows), *answer.Count)
			return rows
		}
		f.After = answer.Next
	}
}

func drawFilter(t *rapid.T) graph.AccessFilter {
	return graph.AccessFilter{
		Limit:  rapid.IntRange(1, 4).Draw(t, "limit"),
		Action: rapid.SampledFrom([]string{"", "", "s3:Get", "kms:Decrypt"}).Draw(t, "action"),
		Kind:   rapid.SampledFrom([]graph.AccessKind{"", "", graph.DirectAccess, graph.InheritedAccess}).Draw(t, "access"),
		Type:   rapid.SampledFrom([]string{"", "", "type1"}).Draw(t, "type"),
	}
}

// passes says whether a filter keeps a row about the i-th account or resource.
func passes(f graph.AccessFilter, v verdict, i int) bool {
	return (f.Kind == "" || f.Kind == v.Kind) && (f.Type == "" || f.Type == fmt.Sprintf("type%d", i%2))
}

func TestWhoCanAgreesWithNaiveWalk(t *testing.T) {
	t.Parallel()
	b := newAccessBase(t)
	rapid.Check(t, func(r *rapid.T) {
		g, f := b.draw(t, r), drawFilter(r)
		n := naive{edges: g.edges}
		for _, resource := range g.resources {
			want := map[graph.EntityID]verdict{}
			for i, account := range g.accounts {
				if v, ok := n.judge(n.ways(account, resource, f.Action), f.Action); ok && passes(f, v, i) {
					want[g.id(account)] = v
				}
			}
			got := pages(r, f, func(f graph.AccessFilter) (graph.AccessAnswer, error) {
				return b.questions().WhoCan(t.Context(), viewer(g.workspace), g.id(resource), f)
			}, func(r graph.AccessRow) graph.EntityID { return r.Account })
			require.Empty(r, cmp.Diff(want, got))
		}
	})
}

func TestWhatCanAgreesWithNaiveWalk(t *testing.T) {
	t.Parallel()
	b := newAccessBase(t)
	rapid.Check(t, func(r *rapid.T) {
		g, f := b.draw(t, r), drawFilter(r)
		n := naive{edges: g.edges}
		for _, account := range g.accounts {
			want := map[graph.EntityID]verdict{}
			for i, resource := range g.resources {
				if v, ok := n.judge(n.ways(account, resource, f.Action), f.Action); ok && passes(f, v, i) {
					want[g.id(resource)] = v
				}
			}
			ask := func(who connector.Ref) map[graph.EntityID]verdict {
				return pages(r, f, func(f graph.AccessFilter) (graph.AccessAnswer, error) {
					return b.questions().WhatCan(t.Context(), viewer(g.workspace), g.id(who), f)
				}, func(r graph.AccessRow) graph.EntityID { return r.Resource })
			}
			require.Empty(r, cmp.Diff(want, ask(account)))
			for _, e := range g.edges {
				if e.Kind == connector.PrincipalRepresentsAccount && e.To == account {
					require.Empty(r, cmp.Diff(want, ask(e.From)))
				}
			}
		}
	})
}

func TestPathsAgreeWithNaiveWalk(t *testing.T) {
	t.Parallel()
	b := newAccessBase(t)
	rapid.Check(t, func(r *rapid.T) {
		g := b.draw(t, r)
		n := naive{edges: g.edges}
		from := rapid.SampledFrom(append(g.principals, g.accounts...)).Draw(r, "from")
		to := rapid.SampledFrom(append(g.resources, g.entitlements...)).Draw(r, "to")
		q := graph.PathQuery{From: g.id(from), To: g.id(to), Depth: rapid.IntRange(1, 8).Draw(r, "depth"), Limit: rapid.IntRange(1, 50).Draw(r, "limit")}
		answer, err := b.questions().Paths(t.Context(), viewer(g.workspace), q)
		require.NoError(r, err)
		require.False(r, answer.Truncated)
		want := n.pathLengths(from, to, q.Depth)
		want = want[:min(len(want), q.Limit)]
		var got []int
		for _, p := range answer.Paths {
			got = append(got, len(p.Steps))
			requireSimplePath(r, q, p)
		}
		require.Equal(r, want, got)
	})
}

func requireSimplePath(t *rapid.T, q graph.PathQuery, p graph.Path) {
	at, met := q.From, map[graph.EntityID]bool{q.From: true}
	for _, s := range p.Steps {
		require.Equal(t, at, s.From)
		require.NotEmpty(t, s.Edges)
		require.False(t, met[s.To], "an entity comes twice")
		at, met[s.To] = s.To, true
	}
	require.Equal(t, q.To, at)
}
