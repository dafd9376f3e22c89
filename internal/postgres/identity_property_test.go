package postgres_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/identity"
)

// unionModel is who is the same, found over the whole workspace at once, from
// what is so now and not from what happened.
type unionModel struct {
	// shown is what each connection shows.
	shown   map[id.Connection]map[graph.EntityID][]connector.Identifier
	trusted map[id.Connection]bool
	joins   [][]graph.EntityID
	splits  map[[2]graph.EntityID]bool
}

func pair(a, b graph.EntityID) [2]graph.EntityID {
	if bytes.Compare(a[:], b[:]) > 0 {
		a, b = b, a
	}
	return [2]graph.EntityID{a, b}
}

func byID(a, b graph.EntityID) int { return bytes.Compare(a[:], b[:]) }

// groups are those who are the same by one join or identifier, the strongest first.
func (m *unionModel) groups() (groups [][]graph.EntityID) {
	groups = append(groups, m.joins...)
	holders := map[connector.Identifier]map[id.Connection][]graph.EntityID{}
	for c, principals := range m.shown {
		for p, known := range principals {
			for _, i := range known {
				if i.Unverified && !m.trusted[c] {
					continue
				}
				key := connector.Identifier{Type: i.Type, Value: strings.ToLower(i.Value)}
				if holders[key] == nil {
					holders[key] = map[id.Connection][]graph.EntityID{}
				}
				if !slices.Contains(holders[key][c], p) {
					holders[key][c] = append(holders[key][c], p)
				}
			}
		}
	}
	strength := []connector.IdentifierType{connector.ImmutableID, connector.EmployeeID, connector.UserPrincipalName, connector.Email}
	keys := slices.SortedFunc(maps.Keys(holders), func(a, b connector.Identifier) int {
		return cmp.Or(slices.Index(strength, a.Type)-slices.Index(strength, b.Type), strings.Compare(a.Value, b.Value))
	})
	for _, key := range keys {
		var all []graph.EntityID
		shared := false
		for _, of := range holders[key] {
			shared = shared || len(of) > identity.MaxSharedInConnection
			all = append(all, of...)
		}
		if !shared {
			groups = append(groups, slices.SortedFunc(slices.Values(all), byID))
		}
	}
	return groups
}

// parts is a union-find over lists, which refuses what a split forbids.
func (m *unionModel) parts() map[graph.EntityID]string {
	part := map[graph.EntityID][]graph.EntityID{}
	for _, principals := range m.shown {
		for p := range principals {
			part[p] = []graph.EntityID{p}
		}
	}
	forbidden := func(a, b []graph.EntityID) bool {
		return slices.ContainsFunc(a, func(x graph.EntityID) bool {
			return slices.ContainsFunc(b, func(y graph.EntityID) bool { return m.splits[pair(x, y)] })
		})
	}
	for _, g := range m.groups() {
		var firsts []graph.EntityID
		for _, p := range slices.SortedFunc(slices.Values(g), byID) {
			if part[p] == nil {
				continue // not shown now
			}
			joined := false
			for _, first := range firsts {
				if slices.Contains(part[first], p) {
					joined = true
				} else if !forbidden(part[first], part[p]) {
					both := slices.Concat(part[first], part[p])
					for _, q := range both {
						part[q] = both
					}
					joined = true
				}
				if joined {
					break
				}
			}
			if !joined {
				firsts = append(firsts, p)
			}
		}
	}
	said := map[graph.EntityID]string{}
	for p, with := range part {
		said[p] = fmt.Sprint(slices.SortedFunc(slices.Values(with), byID))
	}
	return said
}

// parts reads the same from the database, and checks what holds of any identity.
func (j *joining) parts(tb rapid.TB, m *unionModel) (said map[graph.EntityID]string, of map[graph.EntityID]graph.IdentityID) {
	with := map[graph.IdentityID][]graph.EntityID{}
	of = map[graph.EntityID]graph.IdentityID{}
	rows, err := j.super.Query(context.Background(), `
		select e.entity_id, coalesce(m.identity_id, e.entity_id), m.identity_id is not null
		from entities e left join identity_members m on m.principal_id = e.entity_id and m.workspace_id = e.workspace_id and m.valid_to is null
		where e.workspace_id = $1 and e.connection_id = any ($2) and e.valid_to is null and e.kind = 'Principal'`, j.admin.Scope.Workspace, slices.Collect(maps.Keys(m.shown)))
	require.NoError(tb, err)
	written := map[graph.EntityID]bool{}
	for rows.Next() {
		var p graph.EntityID
		var i graph.IdentityID
		var row bool
		require.NoError(tb, rows.Scan((*[16]byte)(&p), (*[16]byte)(&i), &row))
		with[i], of[p], written[p] = append(with[i], p), i, row
	}
	require.NoError(tb, rows.Err())
	said = map[graph.EntityID]string{}
	for i, all := range with {
		for _, p := range all {
			said[p] = fmt.Sprint(slices.SortedFunc(slices.Values(all), byID))
			require.Equal(tb, len(all) > 1 || i != p.OwnIdentity(), written[p], "rows are written for those that need one")
		}
	}
	require.Zero(tb, j.numberOf(tb, `
		select count(*) from identity_members m where m.workspace_id = $1 and m.valid_to is null
		  and m.principal_id <> all ($2)`, rawIDs(of)), "nobody belongs who is gone")
	require.Zero(tb, j.numberOf(tb, `
		select count(*) from identity_members a join identity_members b on a.principal_id = b.principal_id and a.valid_from < b.valid_from
		where a.workspace_id = $1 and coalesce(a.valid_to, 'infinity') > b.valid_from`), "nobody belongs to two at once")
	return said, of
}

func (j *joining) numberOf(tb rapid.TB, sql string, args ...any) (n int) {
	require.NoError(tb, j.super.QueryRow(context.Background(), sql, append([]any{j.admin.Scope.Workspace}, args...)...).Scan(&n))
	return n
}

// In any order of publishes, joins, splits and trust, who is one is what a plain
// union-find over all that is so now says; and an identity whose principals have
// not changed has not changed its number.
func TestIdentitiesAreTheModels(t *testing.T) {
	t.Parallel()
	base := newJoining(t)
	known := []connector.Identifier{
		email("a@example.com"),
		email("B@example.com"),
		email("b@EXAMPLE.com"),
		unverified(email("a@example.com")),
		{Type: connector.UserPrincipalName, Value: "u@example.com"},
		{Type: connector.EmployeeID, Value: "17"},
		{Type: connector.ImmutableID, Value: "anchor"},
	}
	checkSeldom(t, func(rt *rapid.T) {
		j := &joining{discovery: base.discovery, identities: base.identities}
		j.admin = j.adminOf(t, j.newScope(t))
		m := &unionModel{
			shown: map[id.Connection]map[graph.EntityID][]connector.Identifier{}, trusted: map[id.Connection]bool{}, splits: map[[2]graph.EntityID]bool{},
		}
		connections := []id.Connection{j.connect(t, j.admin.Scope), j.connect(t, j.admin.Scope)}
		var before map[graph.EntityID]string
		var numbers map[graph.EntityID]graph.IdentityID
		for range rapid.IntRange(2, 8).Draw(rt, "events") {
			j.event(t, rt, m, connections, known)
			said, of := j.parts(rt, m)
			require.Equal(rt, m.parts(), said)
			for p, with := range said {
				if before[p] == with {
					require.Equal(rt, numbers[p], of[p], "the same principals, another number")
				}
			}
			before, numbers = said, of
		}
		// Forgotten, so that the next check does not plan over its partitions.
		j.exec(t, `update connections set deleted_at = now(), is_default = false, next_run_at = null where workspace_id = $1`, j.admin.Scope.Workspace)
		_, err := j.graph.Forget(t.Context(), 10)
		require.NoError(rt, err)
		require.Zero(rt, j.numberOf(rt, `select count(*) from identity_members where workspace_id = $1`))
	})
}

// event does one thing to the database and to the model.
func (j *joining) event(t *testing.T, rt *rapid.T, m *unionModel, connections []id.Connection, known []connector.Identifier) {
	c := rapid.SampledFrom(connections).Draw(rt, "connection")
	var present []graph.EntityID
	for _, principals := range m.shown {
		present = append(present, slices.Collect(maps.Keys(principals))...)
	}
	slices.SortFunc(present, byID)
	what := rapid.SampledFrom([]string{"publish", "publish", "publish", "join", "split", "trust"}).Draw(rt, "what")
	if len(present) == 0 && what != "trust" {
		what = "publish"
	}
	switch what {
	case "publish":
		m.shown[c] = map[graph.EntityID][]connector.Identifier{}
		var all []connector.Entity
		for n := range 7 {
			if rapid.IntRange(0, 3).Draw(rt, "shown") > 0 {
				p := person(fmt.Sprint(n), rapid.SliceOfN(rapid.SampledFrom(known), 0, 2).Draw(rt, "known")...)
				m.shown[c][j.principal(c, p.ID)] = p.Identifiers
				all = append(all, p)
			}
		}
		j.publish(t, c, all...)
	case "join":
		a, b := rapid.SampledFrom(present).Draw(rt, "one"), rapid.SampledFrom(present).Draw(rt, "other")
		_, of := j.parts(rt, m)
		_, err := j.identities.Join(t.Context(), j.admin, of[a], []graph.IdentityID{of[b]}, "")
		require.NoError(rt, err)
		if of[a] == of[b] {
			return
		}
		var all []graph.EntityID
		for p, i := range of {
			if i == of[a] || i == of[b] {
				all = append(all, p)
			}
		}
		for _, p := range all {
			for _, q := range all {
				delete(m.splits, pair(p, q))
			}
		}
		m.joins = append(m.joins, all)
	case "split":
		a := rapid.SampledFrom(present).Draw(rt, "leaves")
		_, of := j.parts(rt, m)
		alone := true
		for p, i := range of {
			if i == of[a] && p != a {
				m.splits[pair(a, p)] = true
				alone = false
			}
		}
		_, err := j.identities.Split(t.Context(), j.admin, of[a], []graph.EntityID{a}, "")
		require.Equal(rt, alone, err != nil)
	case "trust":
		m.trusted[c] = rapid.Bool().Draw(rt, "trusted")
		require.NoError(rt, j.identities.Trust(t.Context(), j.admin, c, m.trusted[c], ""))
	}
}

// Connections that publish side by side, in whatever order they come to the end,
// leave what they would have left one after the other.
func TestConcurrentPublishesConverge(t *testing.T) {
	t.Parallel()
	j := newJoining(t)
	const connections, people, rounds = 6, 20, 3
	var all []id.Connection
	for range connections {
		all = append(all, j.connect(t, j.scope))
	}
	for round := range rounds {
		m := &unionModel{shown: map[id.Connection]map[graph.EntityID][]connector.Identifier{}}
		var holds []*hold
		for k, c := range all {
			m.shown[c] = map[graph.EntityID][]connector.Identifier{}
			var page connector.Page
			for n := range people {
				// Each round, neighbours share other addresses: chains over all connections.
				p := person(fmt.Sprint(n), email(fmt.Sprintf("p%d@example.com", (n+k*round)%people)), email(fmt.Sprintf("q%d-%d@example.com", n, (k+round)/2)))
				page.Entities = append(page.Entities, p)
				m.shown[c][j.principal(c, p.ID)] = p.Identifiers
			}
			h := j.begin(t, j.scope, c)
			h.send(t, "alpha", "", page, connector.Complete)
			_, err := j.runs.FinishReading(t.Context(), h.fence, false)
			require.NoError(t, err)
			holds = append(holds, h)
		}
		var wg sync.WaitGroup
		failures := make([]error, len(holds))
		for i, h := range holds {
			wg.Go(func() { _, failures[i] = j.graph.Publish(t.Context(), j.scope, h.Run.ID) })
		}
		wg.Wait()
		for _, err := range failures {
			require.NoError(t, err)
		}
		said, _ := j.parts(t, m)
		require.Equal(t, m.parts(), said)
	}
}

func rawIDs(of map[graph.EntityID]graph.IdentityID) (raw [][16]byte) {
	raw = [][16]byte{}
	for p := range of {
		raw = append(raw, p)
	}
	return raw
}
