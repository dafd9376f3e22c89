package postgres_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// world is what there may be in a connection at one time or another.
type world struct {
	principals, accounts, entitlements, resources []connector.Ref
}

func newWorld() (w world) {
	nodes := func(kind connector.EntityKind, n int) (refs []connector.Ref) {
		for i := range n {
			refs = append(refs, connector.Ref{Kind: kind, ID: fmt.Sprintf("%s %d", kind, i)})
		}
		return refs
	}
	w.principals, w.accounts = nodes(connector.Principal, 1), nodes(connector.Account, 3)
	w.entitlements, w.resources = nodes(connector.Entitlement, 3), nodes(connector.Resource, 2)
	return w
}

func (w world) all() []connector.Ref {
	return slices.Concat(w.principals, w.accounts, w.entitlements, w.resources)
}

// drawPage draws what a run shows of a world: most of it, now and then changed.
func (w world) drawPage(t *rapid.T) (page connector.Page) {
	for _, ref := range w.all() {
		if rapid.IntRange(0, 7).Draw(t, "left out") > 0 {
			name := rapid.SampledFrom([]string{ref.ID, ref.ID, ref.ID, "renamed"}).Draw(t, "name")
			page.Entities = append(page.Entities, connector.Entity{Ref: ref, Name: name, Type: "type0"})
		}
	}
	relate := func(kind connector.RelationshipKind, from, to []connector.Ref) {
		for i, f := range from {
			for j, o := range to {
				if f == o || rapid.IntRange(0, 3).Draw(t, "no edge") > 1 {
					continue
				}
				terms := drawTerms(t, kind == connector.EntitlementGrantsResource)
				if kind == connector.EntitlementIncludesEntitlement {
					terms.Effect = ""
				}
				page.Relationships = append(page.Relationships, connector.Relationship{Kind: kind, From: f, To: o, Key: fmt.Sprintf("%d %d", i, j), Terms: terms})
			}
		}
	}
	relate(connector.PrincipalRepresentsAccount, w.principals, w.accounts)
	relate(connector.AccountAssumesAccount, w.accounts, w.accounts)
	relate(connector.AccountAssignedEntitlement, w.accounts, w.entitlements)
	relate(connector.EntitlementIncludesEntitlement, w.entitlements, w.entitlements)
	relate(connector.EntitlementGrantsResource, w.entitlements, w.resources)
	return page
}

// complete is the edges of a page that are not left out.
func complete(page connector.Page) (edges []connector.Relationship) {
	shown := map[connector.Ref]bool{}
	for _, e := range page.Entities {
		shown[e.Ref] = true
	}
	for _, r := range page.Relationships {
		if shown[r.From] && shown[r.To] {
			edges = append(edges, r)
		}
	}
	return edges
}

func (d *discovery) questions() *graph.Questions { return &graph.Questions{Store: d.db} }

// answers is what was answered to many questions at once, or how it was refused.
type answers map[string]any

// inquiry is what questions are about.
type inquiry struct {
	entity, account, resource connector.Ref
}

// drawInquiry draws what is asked about at all moments.
func (w world) drawInquiry(t *rapid.T) inquiry {
	return inquiry{
		rapid.SampledFrom(w.all()).Draw(t, "entity"), rapid.SampledFrom(w.accounts).Draw(t, "account"), rapid.SampledFrom(w.resources).Draw(t, "resource"),
	}
}

// ask puts every question to the connections' graph.
func (d *discovery) ask(tb testing.TB, w world, about inquiry, at graph.Moment, connections ...id.Connection) answers {
	tb.Helper()
	q, me, ctx := d.questions(), viewer(d.scope.Workspace), tb.Context()
	all := answers{}
	note := func(question string, answer any, err error) {
		if err != nil {
			// What is not there at a moment is told with the moment.
			require.Equal(tb, fault.NotFound, fault.KindOf(err), "%s: %v", question, err)
			answer = "nothing"
		}
		all[question] = answer
	}
	listed, err := q.ListEntities(ctx, me, graph.EntityFilter{Limit: 100, AsOf: at})
	note("list", unlisted(listed), err)
	listed, err = q.ListEntities(ctx, me, graph.EntityFilter{Limit: 100, AsOf: at, Kind: connector.Account, NamePrefix: "A"})
	note("list accounts", unlisted(listed), err)
	for _, c := range connections {
		of := func(ref connector.Ref) graph.EntityID { return graph.NewEntityID(d.scope.Workspace, c, ref) }
		listed, err = q.ListEntities(ctx, me, graph.EntityFilter{Limit: 3, AsOf: at, Connection: c})
		note(fmt.Sprint("list ", c), unlisted(listed), err)
		found, err := q.ShowEntity(ctx, me, of(about.entity), at)
		found.AsOf, found.HistoryBegins = time.Time{}, nil
		note(fmt.Sprint("get ", c), found, err)
		who, err := q.WhoCan(ctx, me, of(about.resource), graph.AccessFilter{Limit: 50, Count: true, AsOf: at})
		note(fmt.Sprint("who ", c), undated(who), err)
		ways, err := q.Paths(ctx, me, graph.PathQuery{From: of(w.principals[0]), To: of(about.resource), Depth: 8, Limit: 5, AsOf: at})
		note(fmt.Sprint("paths ", c), unowned(ways), err)
		for _, ref := range []connector.Ref{w.principals[0], about.account} {
			found, err := q.WhatCan(ctx, me, of(ref), graph.AccessFilter{Limit: 50, AsOf: at})
			note(fmt.Sprint("what ", c, ref), undated(found), err)
		}
	}
	return all
}

// undated leaves out when the question was inquiry, and which partition an edge
// belongs to: a row that moves to another partition is no other version.
func undated(a graph.AccessAnswer) graph.AccessAnswer {
	a.AsOf, a.HistoryBegins = time.Time{}, nil
	for i := range a.Rows {
		r := &a.Rows[i]
		r.Nearest.Grant.Partition = 0
		for _, grounds := range [][]graph.Ground{r.Allows, r.Denies} {
			for j := range grounds {
				grounds[j].Grant.Partition = 0
			}
		}
	}
	return a
}

func unlisted(l graph.EntityList) graph.EntityList {
	l.AsOf, l.HistoryBegins = time.Time{}, nil
	return l
}

func unowned(a graph.PathAnswer) graph.PathAnswer {
	a.AsOf, a.HistoryBegins, a.Partitions = time.Time{}, nil, nil
	for _, p := range a.Paths {
		for _, s := range p.Steps {
			for i := range s.Edges {
				s.Edges[i].Partition = 0
			}
		}
	}
	return a
}

// requireSame compares answers, edges in whatever order they came.
func requireSame(tb require.TestingT, want, got answers) {
	require.Empty(tb, cmp.Diff(want, got, cmpopts.IgnoreUnexported(graph.AccessRow{}), cmpopts.EquateEmpty()))
}

// moment is the time by the database's clock.
func (d *discovery) moment(tb testing.TB) (now time.Time) {
	tb.Helper()
	require.NoError(tb, d.super.QueryRow(tb.Context(), "select clock_timestamp()").Scan(&now))
	return now
}
