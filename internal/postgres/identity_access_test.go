package postgres_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// folk is a world in which principals of two connections have addresses, some of
// them the same.
type folk struct {
	*joining
	world
	connections []id.Connection
	edges       map[id.Connection][]connector.Relationship
	addresses   map[graph.EntityID]string
	// apart are principals that somebody split from all others.
	apart map[graph.EntityID]bool
}

// publishFolk draws a whole page of a connection and publishes it.
func (w *folk) publishFolk(tb testing.TB, t *rapid.T, c id.Connection) {
	page := w.drawPage(t)
	for i := range page.Entities {
		e := &page.Entities[i]
		p := graph.NewEntityID(w.scope.Workspace, c, e.Ref)
		delete(w.addresses, p)
		if e.Ref.Kind == connector.Principal {
			w.addresses[p] = rapid.SampledFrom([]string{"ann@example.com", "ann@example.com", "bob@example.com"}).Draw(t, "address")
			e.Identifiers = []connector.Identifier{email(w.addresses[p])}
		}
	}
	shown := map[graph.EntityID]bool{}
	for _, e := range page.Entities {
		shown[graph.NewEntityID(w.scope.Workspace, c, e.Ref)] = true
	}
	for _, ref := range w.principals {
		if p := graph.NewEntityID(w.scope.Workspace, c, ref); !shown[p] {
			delete(w.addresses, p)
		}
	}
	w.edges[c] = complete(page)
	w.discover(tb, w.scope, c, reading{"alpha", "", page, connector.Complete})
}

// who are the principals that are one with a principal.
func (w *folk) who(p graph.EntityID) (all []graph.EntityID) {
	for o, address := range w.addresses {
		if o == p || address == w.addresses[p] && !w.apart[o] && !w.apart[p] {
			all = append(all, o)
		}
	}
	return all
}

// known are all principals that are shown, in order.
func (w *folk) known() []graph.EntityID {
	return slices.SortedFunc(maps.Keys(w.addresses), func(a, b graph.EntityID) int { return bytes.Compare(a[:], b[:]) })
}

// naiveWays are the verdicts about the accounts of a connection that principals
// represent, by account.
func (w *folk) naiveWays(c id.Connection, principals []graph.EntityID, resource connector.Ref, action string) map[graph.EntityID]verdict {
	n, found := naive{edges: w.edges[c]}, map[graph.EntityID]verdict{}
	for _, e := range n.edges {
		if e.Kind != connector.PrincipalRepresentsAccount || denies(e) || !slices.Contains(principals, graph.NewEntityID(w.scope.Workspace, c, e.From)) {
			continue
		}
		if v, ok := n.judge(n.ways(e.To, resource, action), action); ok {
			found[graph.NewEntityID(w.scope.Workspace, c, e.To)] = v
		}
	}
	return found
}

func newFolk(tb testing.TB, t *rapid.T, j *joining) *folk {
	j.scope = j.newScope(tb)
	j.admin = j.adminOf(tb, j.scope)
	w := &folk{
		joining: j, world: newWorld(), edges: map[id.Connection][]connector.Relationship{}, addresses: map[graph.EntityID]string{}, apart: map[graph.EntityID]bool{},
	}
	for i := 1; i < 4; i++ {
		w.principals = append(w.principals, connector.Ref{Kind: connector.Principal, ID: fmt.Sprintf("Principal %d", i)})
	}
	w.connections = []id.Connection{j.connect(tb, j.scope), j.connect(tb, j.scope)}
	for _, c := range w.connections {
		w.publishFolk(tb, t, c)
	}
	return w
}

// identities asks page by page, and fails when one comes twice.
func (w *folk) identities(tb testing.TB, t *rapid.T, resource graph.EntityID, f graph.AccessFilter) map[string]map[graph.EntityID]verdict {
	found := map[string]map[graph.EntityID]verdict{}
	f.Count = true
	for turn := 0; ; turn++ {
		require.Less(t, turn, 50, "paging does not end")
		answer, err := w.questions().WhoCanByIdentity(tb.Context(), viewer(w.scope.Workspace), resource, f)
		require.NoError(t, err)
		require.False(t, answer.Truncated)
		require.LessOrEqual(t, len(answer.Rows), f.Limit)
		for _, r := range answer.Rows {
			key := "account " + r.Ways[0].Account.String()
			if r.Identity != nil {
				key = r.Identity.ID.String()
				require.NotEmpty(t, r.Identity.Name)
				require.True(t, slices.ContainsFunc(r.Ways[0].Principals, func(p graph.EntityID) bool {
					return answer.Identities.Of(answer.Entities[p]) == *r.Identity
				}), "each row says whose it is")
			}
			require.NotContains(t, found, key, "an identity came twice")
			found[key] = map[graph.EntityID]verdict{}
			require.Equal(t, len(r.Ways), r.Accounts)
			for _, way := range r.Ways {
				found[key][way.Account] = verdictOf(way)
			}
		}
		if answer.Next == nil {
			require.Equal(t, len(found), *answer.Count)
			accounts := map[graph.EntityID]bool{}
			for _, ways := range found {
				for a := range ways {
					accounts[a] = true
				}
			}
			require.Equal(t, len(accounts), *answer.Accounts)
			return found
		}
		f.After = answer.Next
	}
}

// Rows by identity have the verdicts of a naive walk for each account of each
// person, whatever the page size; a split is reflected at once.
func TestWhoCanByIdentityAgreesWithNaiveWalk(t *testing.T) {
	t.Parallel()
	j := newJoining(t)
	checkSeldom(t, func(rt *rapid.T) {
		w := newFolk(t, rt, j)
		w.splitSomebody(t, rt)
		f := drawFilter(rt)
		f.Type = "" // all are of one
		for _, c := range w.connections {
			for _, resource := range w.resources {
				n, want := naive{edges: w.edges[c]}, map[string]map[graph.EntityID]verdict{}
				for _, account := range w.accounts {
					a := graph.NewEntityID(w.scope.Workspace, c, account)
					v, ok := n.judge(n.ways(account, resource, f.Action), f.Action)
					if !ok || !passes(f, v, 0) {
						continue
					}
					whose := map[string]bool{}
					for _, e := range n.edges {
						if e.Kind == connector.PrincipalRepresentsAccount && e.To == account && !denies(e) {
							whose[w.identityOf(t, graph.NewEntityID(w.scope.Workspace, c, e.From)).String()] = true
						}
					}
					if len(whose) == 0 {
						whose["account "+a.String()] = true
					}
					for i := range whose {
						if want[i] == nil {
							want[i] = map[graph.EntityID]verdict{}
						}
						want[i][a] = v
					}
				}
				r := graph.NewEntityID(w.scope.Workspace, c, resource)
				if _, err := w.questions().GetEntity(t.Context(), viewer(w.scope.Workspace), r, graph.Moment{}); err != nil {
					continue // left out of the page
				}
				require.Empty(rt, cmp.Diff(want, w.identities(t, rt, r, f), cmpopts.EquateEmpty()))
			}
		}
	})
}

// splitSomebody takes a principal out of its identity, now and then.
func (w *folk) splitSomebody(tb testing.TB, t *rapid.T) {
	for _, p := range w.known() {
		if len(w.who(p)) == 1 {
			continue
		}
		if rapid.Bool().Draw(t, "split") {
			_, err := w.joining.identities.Split(tb.Context(), w.admin, w.identityOf(tb, p), []graph.EntityID{p}, "")
			require.NoError(tb, err)
			w.apart[p] = true
		}
		return
	}
}

// What an identity can reach is what all its principals can, in all connections;
// as of a moment, those that were of it then.
func TestWhatIdentityCanAgreesWithNaiveWalk(t *testing.T) {
	t.Parallel()
	j := newJoining(t)
	checkSeldom(t, func(rt *rapid.T) {
		w := newFolk(t, rt, j)
		f := drawFilter(rt)
		f.Type = ""
		type asked struct {
			identity graph.IdentityID
			rows     map[graph.EntityID]verdict
		}
		var before []asked
		for _, p := range w.known() {
			want := map[graph.EntityID]verdict{}
			for _, c := range w.connections {
				for _, resource := range w.resources {
					if v, ok := bestOf(w.naiveWays(c, w.who(p), resource, f.Action)); ok && passes(f, v, 0) {
						want[graph.NewEntityID(w.scope.Workspace, c, resource)] = v
					}
				}
			}
			i := w.identityOf(t, p)
			got := pages(rt, f, func(f graph.AccessFilter) (graph.AccessAnswer, error) {
				return w.questions().WhatIdentityCan(t.Context(), viewer(w.scope.Workspace), i, f)
			}, func(r graph.AccessRow) graph.EntityID { return r.Resource })
			require.Empty(rt, cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(verdict{}, "Actions", "Own")))
			before = append(before, asked{i, got})
		}
		f.AsOf = graph.Moment{At: w.moment(t)}
		w.splitSomebody(t, rt)
		w.publishFolk(t, rt, w.connections[0])
		for _, b := range before {
			got := pages(rt, f, func(f graph.AccessFilter) (graph.AccessAnswer, error) {
				return w.questions().WhatIdentityCan(t.Context(), viewer(w.scope.Workspace), b.identity, f)
			}, func(r graph.AccessRow) graph.EntityID { return r.Resource })
			require.Empty(rt, cmp.Diff(b.rows, got, cmpopts.EquateEmpty()), "as it was then")
		}
	})
}

// bestOf is the verdict of the account that reaches the resource best.
func bestOf(ways map[graph.EntityID]verdict) (best verdict, ok bool) {
	rank := []graph.Decision{graph.Allowed, graph.Conditional, graph.Denied}
	for _, v := range ways {
		at, than := slices.Index(rank, v.Decision), slices.Index(rank, best.Decision)
		if !ok || at < than || at == than && v.Hops < best.Hops {
			best, ok = v, true
		}
	}
	return best, ok
}

func TestPathsOfAnIdentityBeginAtItsPrincipals(t *testing.T) {
	t.Parallel()
	j := newJoining(t)
	checkSeldom(t, func(rt *rapid.T) {
		w := newFolk(t, rt, j)
		for _, p := range w.known() {
			for _, c := range w.connections {
				for _, resource := range w.resources {
					q := graph.PathQuery{Identity: w.identityOf(t, p), To: graph.NewEntityID(w.scope.Workspace, c, resource), Depth: 8, Limit: 50}
					answer, err := w.questions().Paths(t.Context(), viewer(w.scope.Workspace), q)
					if err != nil {
						continue // left out of the page
					}
					n := naive{edges: w.edges[c]}
					var want, got []int
					for _, principal := range w.principals {
						if slices.Contains(w.who(p), graph.NewEntityID(w.scope.Workspace, c, principal)) {
							want = append(want, n.pathLengths(principal, resource, q.Depth)...)
						}
					}
					slices.Sort(want)
					for _, found := range answer.Paths {
						got = append(got, len(found.Steps))
						require.Contains(rt, w.who(p), found.Steps[0].From)
					}
					require.Empty(rt, cmp.Diff(want[:min(len(want), q.Limit)], got, cmpopts.EquateEmpty()))
				}
			}
		}
	})
}
