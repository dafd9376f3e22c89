package postgres_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// standing is what somebody may do with a resource on one day; zero is nothing.
type standing struct {
	decision graph.Decision
	actions  string
}

// standing is that of accounts, by the best of them.
func (n naive) standing(accounts []connector.Ref, resource connector.Ref, action string) (s standing) {
	rank := []graph.Decision{graph.Allowed, graph.Conditional}
	var actions []string
	for _, account := range accounts {
		v, ok := n.judge(n.ways(account, resource, action), action)
		if !ok || v.Decision == graph.Denied {
			continue
		}
		if s.decision == "" || slices.Index(rank, v.Decision) < slices.Index(rank, s.decision) {
			s.decision = v.Decision
		}
		actions = append(actions, strings.Fields(v.Actions)...)
	}
	if action == "" {
		slices.Sort(actions)
		s.actions = strings.Join(slices.Compact(actions), " ")
	}
	return s
}

// acting are the accounts of who is asked about.
func (n naive) acting(who connector.Ref) (accounts []connector.Ref) {
	if who.Kind == connector.Account {
		return []connector.Ref{who}
	}
	for _, e := range n.out(connector.PrincipalRepresentsAccount, who) {
		if !denies(e) {
			accounts = append(accounts, e.To)
		}
	}
	return accounts
}

// becomes says how standings differ; empty when they do not.
func (s standing) becomes(after standing) graph.AccessChangeKind {
	switch {
	case s == after:
		return ""
	case s == standing{}:
		return graph.AccessGained
	case after == standing{}:
		return graph.AccessLost
	}
	return graph.AccessChanged
}

// comparing is two days of a connection.
type comparing struct {
	*discovery
	c      id.Connection
	before day
	after  day
	limit  int
	action string
}

func (x *comparing) filter() graph.CompareFilter {
	return graph.CompareFilter{From: graph.Moment{At: x.before.at}, To: graph.Moment{Run: x.after.run}, Action: x.action, Limit: x.limit}
}

// pages asks page by page, and fails when a row comes twice.
func (x *comparing) pages(t *rapid.T, ask func(graph.CompareFilter) (graph.CompareAnswer, error), key func(graph.AccessRow) graph.EntityID) map[graph.EntityID]graph.AccessChange {
	found := map[graph.EntityID]graph.AccessChange{}
	f := x.filter()
	for turn := 0; ; turn++ {
		require.Less(t, turn, 50, "paging does not end")
		answer, err := ask(f)
		require.NoError(t, err)
		require.False(t, answer.Truncated)
		require.LessOrEqual(t, len(answer.Changes), f.Limit)
		for _, c := range answer.Changes {
			row := c.After
			if row == nil {
				row = c.Before
			}
			require.NotContains(t, found, key(*row), "a row came twice")
			found[key(*row)] = c
		}
		if answer.Next == nil {
			return found
		}
		f.After = answer.Next
	}
}

// sameEdge reports whether an edge of the graph is a relationship that was sent.
func (x *comparing) sameEdge(e *graph.Edge, r connector.Relationship) bool {
	of := func(ref connector.Ref) graph.EntityID { return graph.NewEntityID(x.scope.Workspace, x.c, ref) }
	return e.Kind == r.Kind && e.Key == r.Key && e.From == of(r.From) && e.To == of(r.To)
}

// check fails unless each reason is what happened.
func (x *comparing) check(t *rapid.T, reasons []graph.EdgeChange) {
	for _, reason := range reasons {
		is := func(r connector.Relationship) bool { return x.sameEdge(reason.Edge(), r) }
		then, now := slices.IndexFunc(x.before.edges, is), slices.IndexFunc(x.after.edges, is)
		switch reason.What {
		case graph.Added, graph.FirstObserved:
			require.Negative(t, then)
			require.GreaterOrEqual(t, now, 0)
			require.Equal(t, reason.Run, reason.After.FirstRun)
		case graph.Removed:
			require.GreaterOrEqual(t, then, 0)
			require.Negative(t, now)
			require.NotZero(t, reason.Run)
		case graph.Changed:
			require.NotEqual(t, x.before.edges[then].Terms, x.after.edges[now].Terms)
		default:
			require.Fail(t, "nothing else happened", "%s", reason.What)
		}
		require.True(t, reason.At.After(x.before.at) && !reason.At.After(x.after.at))
	}
}

// without is one day's edges without what is not so on the other and no reason.
func (x *comparing) without(edges, others []connector.Relationship, reasons []graph.EdgeChange) (n naive) {
	for _, r := range edges {
		same := slices.ContainsFunc(others, func(o connector.Relationship) bool { return reflect.DeepEqual(r, o) })
		if same || slices.ContainsFunc(reasons, func(c graph.EdgeChange) bool { return x.sameEdge(c.Edge(), r) }) {
			n.edges = append(n.edges, r)
		}
	}
	return n
}

// require compares what is told of one pair with a naive walk on both days. The
// reasons are all there are: whatever else differs makes no accessDifference on either.
func (x *comparing) require(t *rapid.T, who, resource connector.Ref, got graph.AccessChange, told bool) {
	then, now := naive{edges: x.before.edges}, naive{edges: x.after.edges}
	before, after := then.standing(then.acting(who), resource, x.action), now.standing(now.acting(who), resource, x.action)
	want := before.becomes(after)
	require.Equal(t, want != "", told, "%s %s: %v %v", who, resource, before, after)
	if !told {
		return
	}
	require.Equal(t, want, got.What)
	require.NotEmpty(t, got.Steps)
	require.NotEmpty(t, got.Reasons, "something made the accessDifference")
	x.check(t, got.Reasons)
	if !got.MoreReasons {
		then, now = x.without(x.before.edges, x.after.edges, got.Reasons), x.without(x.after.edges, x.before.edges, got.Reasons)
		require.Equal(t, before, then.standing(then.acting(who), resource, x.action))
		require.Equal(t, after, now.standing(now.acting(who), resource, x.action))
	}
}

// What was gained and lost between any two days is what naive walks find on both,
// and the reasons are why, whatever the size of a page.
func TestComparisonAgreesWithNaiveWalksOnBothDays(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	checkSeldom(t, func(rt *rapid.T) {
		d.scope = d.newScope(t)
		w, c := newWorld(), d.connect(t, d.scope)
		var days []day
		for range rapid.IntRange(2, 4).Draw(rt, "days") {
			page := w.drawPage(rt)
			for _, ref := range w.all() { // whoever is asked about was there once
				if len(days) == 0 {
					page.Entities = append(page.Entities, connector.Entity{Ref: ref, Name: ref.ID, Type: "type0"})
				}
			}
			r := d.discover(t, d.scope, c, reading{"alpha", "", page, connector.Complete})
			days = append(days, day{d.moment(t), r.ID, complete(page)})
		}
		before := rapid.IntRange(0, len(days)-2).Draw(rt, "before")
		x := &comparing{
			discovery: d, c: c, before: days[before], after: days[rapid.IntRange(before+1, len(days)-1).Draw(rt, "after")],
			limit: rapid.IntRange(1, 4).Draw(rt, "limit"), action: rapid.SampledFrom([]string{"", "", "s3:Get", "kms:Decrypt"}).Draw(rt, "action"),
		}
		of := func(ref connector.Ref) graph.EntityID { return graph.NewEntityID(d.scope.Workspace, c, ref) }
		for _, resource := range w.resources {
			got := x.pages(rt, func(f graph.CompareFilter) (graph.CompareAnswer, error) {
				return d.questions().CompareWhoCan(t.Context(), viewer(d.scope.Workspace), of(resource), f)
			}, func(r graph.AccessRow) graph.EntityID { return r.Account })
			for _, account := range w.accounts {
				change, told := got[of(account)]
				x.require(rt, account, resource, change, told)
			}
		}
		for _, who := range slices.Concat(w.principals, w.accounts) {
			got := x.pages(rt, func(f graph.CompareFilter) (graph.CompareAnswer, error) {
				return d.questions().CompareWhatCan(t.Context(), viewer(d.scope.Workspace), of(who), graph.IdentityID{}, f)
			}, func(r graph.AccessRow) graph.EntityID { return r.Resource })
			for _, resource := range w.resources {
				change, told := got[of(resource)]
				x.require(rt, who, resource, change, told)
			}
		}
	})
}

// accessDifference is what is said of one row: what became of it, and of which edges.
type accessDifference struct {
	What      graph.AccessChangeKind
	Reasons   []string
	Uncertain bool
}

// compareWho tells who gained and who lost a resource, by account.
func (d *discovery) compareWho(tb testing.TB, c id.Connection, resource connector.Ref, f graph.CompareFilter) map[string]accessDifference {
	tb.Helper()
	f.Limit = 50
	answer, err := d.questions().CompareWhoCan(tb.Context(), viewer(d.scope.Workspace), graph.NewEntityID(d.scope.Workspace, c, resource), f)
	require.NoError(tb, err)
	require.Nil(tb, answer.Next)
	return tellOf(answer, func(r graph.AccessRow) graph.EntityID { return r.Account })
}

func tellOf(answer graph.CompareAnswer, key func(graph.AccessRow) graph.EntityID) map[string]accessDifference {
	all := map[string]accessDifference{}
	for _, c := range answer.Changes {
		row := c.After
		if row == nil {
			row = c.Before
		}
		one := accessDifference{What: c.What, Uncertain: c.Uncertain}
		for _, r := range c.Reasons {
			e := r.Edge()
			one.Reasons = append(one.Reasons, string(r.What)+" "+answer.Entities[e.From].Name+">"+answer.Entities[e.To].Name)
		}
		all[answer.Entities[key(*row)].Name] = one
	}
	return all
}

// roles are a world in which ann reaches the bucket by a role, and bob by himself.
func roles() (page connector.Page, bucket connector.Ref) {
	bucket = connector.Ref{Kind: connector.Resource, ID: "bucket"}
	account := func(name string) connector.Ref { return connector.Ref{Kind: connector.Account, ID: name} }
	readers := connector.Ref{Kind: connector.Entitlement, ID: "readers"}
	for _, ref := range []connector.Ref{bucket, readers, account("ann"), account("bob"), account("role")} {
		page.Entities = append(page.Entities, connector.Entity{Ref: ref, Name: ref.ID, Type: "any"})
	}
	page.Relationships = []connector.Relationship{
		{Kind: connector.EntitlementGrantsResource, From: readers, To: bucket},
		{Kind: connector.AccountAssignedEntitlement, From: account("role"), To: readers},
		{Kind: connector.AccountAssumesAccount, From: account("ann"), To: account("role")},
		{Kind: connector.AccountAssignedEntitlement, From: account("bob"), To: readers},
	}
	return page, bucket
}

// Whoever reaches a resource at both moments, but has to assume fewer accounts at
// one of them, has gained nothing.
func TestAnotherWayIsNoGain(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	page, bucket := roles()
	first := d.discoverPlan(t, c, reading{"alpha", "", page, connector.Complete})
	ann, readers := page.Relationships[2].From, page.Relationships[0].From
	page.Relationships[2] = connector.Relationship{Kind: connector.AccountAssignedEntitlement, From: ann, To: readers}
	second := d.discoverPlan(t, c, reading{"alpha", "", page, connector.Complete})
	require.Empty(t, d.compareWho(t, c, bucket, graph.CompareFilter{From: graph.Moment{Run: first.ID}, To: graph.Moment{Run: second.ID}}))
	require.Empty(t, d.compareWho(t, c, bucket, graph.CompareFilter{From: graph.Moment{Run: second.ID}}))

	// Of what has left the graph is told, too.
	d.discoverPlan(t, c, reading{"alpha", "", connector.Page{Entities: page.Entities[2:]}, connector.Complete})
	gone := accessDifference{What: graph.AccessLost, Reasons: []string{"removed ann>readers", "removed readers>bucket"}}
	got := d.compareWho(t, c, bucket, graph.CompareFilter{From: graph.Moment{Run: first.ID}})
	require.Len(t, got, 3)
	require.Equal(t, accessDifference{What: graph.AccessLost, Reasons: []string{"removed role>readers", "removed readers>bucket"}}, got["role"])
	require.Equal(t, gone, d.compareWho(t, c, bucket, graph.CompareFilter{From: graph.Moment{Run: second.ID}, What: graph.AccessLost})["ann"])
	require.Empty(t, d.compareWho(t, c, bucket, graph.CompareFilter{From: graph.Moment{Run: second.ID}, What: graph.AccessGained}))
}

// What was seen for the first time may have been so before, and what is not looked
// at any longer may be so still.
func TestComparisonTellsWhatIsUncertain(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	page, bucket := roles()
	nothing := d.moment(t)
	rest, bobs := page, page
	rest.Relationships = page.Relationships[:3]
	bobs.Relationships = page.Relationships[3:]
	first := d.discoverPlan(t, c, reading{"alpha", "", rest, connector.Complete})
	require.Equal(t, accessDifference{
		What: graph.AccessGained, Uncertain: true,
		Reasons: []string{"first_observed ann>role", "first_observed role>readers", "first_observed readers>bucket"},
	}, d.compareWho(t, c, bucket, graph.CompareFilter{From: graph.Moment{At: nothing}})["ann"])

	second := d.discoverPlan(t, c, reading{"alpha", "", rest, connector.Complete}, reading{"beta", "", bobs, connector.Complete})
	want := map[string]accessDifference{"bob": {What: graph.AccessGained, Uncertain: true, Reasons: []string{"first_observed bob>readers"}}}
	require.Equal(t, want, d.compareWho(t, c, bucket, graph.CompareFilter{From: graph.Moment{Run: first.ID}}))

	third := d.discoverPlan(t, c, reading{"alpha", "", rest, connector.Complete})
	want = map[string]accessDifference{"bob": {What: graph.AccessLost, Uncertain: true, Reasons: []string{"no_longer_observed bob>readers"}}}
	require.Equal(t, want, d.compareWho(t, c, bucket, graph.CompareFilter{From: graph.Moment{Run: second.ID}}))

	// A part that could not be read takes nothing away.
	d.discover(t, d.scope, c, reading{"alpha", "", connector.Page{}, connector.Partial})
	answer, err := d.questions().CompareWhoCan(t.Context(), viewer(d.scope.Workspace), graph.NewEntityID(d.scope.Workspace, c, bucket),
		graph.CompareFilter{From: graph.Moment{Run: third.ID}, Limit: 50})
	require.NoError(t, err)
	require.Empty(t, answer.Changes)
	require.Equal(t, graph.Observed, answer.Before[0].Observation())
	require.NotEqual(t, graph.Observed, answer.After[0].Observation())
}

// What ends by itself is no run's doing.
func TestComparisonTellsWhatExpired(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	page, bucket := roles()
	end := d.moment(t).Add(-time.Hour)
	page.Relationships[3].Terms = &connector.Terms{ExpiresAt: &end}
	d.discoverPlan(t, c, reading{"alpha", "", page, connector.Complete})
	d.exec(t, `update publications set published_at = published_at - interval '2 hours', visible_at = visible_at - interval '2 hours' where connection_id = $1`, c)
	d.exec(t, `update entities set valid_from = valid_from - interval '2 hours' where connection_id = $1`, c)
	d.exec(t, `update relationships set valid_from = valid_from - interval '2 hours' where connection_id = $1`, c)
	before := graph.Moment{At: end.Add(-time.Minute)}
	want := map[string]accessDifference{"bob": {What: graph.AccessLost, Reasons: []string{"expired bob>readers"}}}
	require.Equal(t, want, d.compareWho(t, c, bucket, graph.CompareFilter{From: before}))
	require.Empty(t, d.compareWho(t, c, bucket, graph.CompareFilter{From: graph.Moment{At: end}}))
}

// A person is asked about in all connections at once, page by page.
func TestComparisonOfAPerson(t *testing.T) {
	t.Parallel()
	j := newJoining(t)
	ann := connector.Ref{Kind: connector.Principal, ID: "ann smith"}
	var connections []id.Connection
	page, bucket := roles()
	page.Entities = append(page.Entities, connector.Entity{Ref: ann, Name: ann.ID, Type: "person", Identifiers: []connector.Identifier{email("ann@example.com")}})
	page.Relationships = append(page.Relationships, connector.Relationship{Kind: connector.PrincipalRepresentsAccount, From: ann, To: page.Relationships[2].From})
	for range 2 {
		c := j.connect(t, j.scope)
		j.discoverPlan(t, c, reading{"alpha", "", page, connector.Complete})
		connections = append(connections, c)
	}
	before := j.moment(t)
	page.Relationships = page.Relationships[1:]
	for _, c := range connections {
		j.discoverPlan(t, c, reading{"alpha", "", page, connector.Complete})
	}
	i := j.identityOf(t, graph.NewEntityID(j.scope.Workspace, connections[0], ann))
	ask := func(f graph.CompareFilter) (graph.CompareAnswer, error) {
		return j.questions().CompareWhatCan(t.Context(), viewer(j.scope.Workspace), graph.EntityID{}, i, f)
	}
	f := graph.CompareFilter{From: graph.Moment{At: before}, Limit: 1}
	for n, c := range connections {
		answer, err := ask(f)
		require.NoError(t, err)
		require.Equal(t, 2, answer.Identity.Principals)
		require.Len(t, answer.Changes, 1)
		change := answer.Changes[0]
		require.Equal(t, graph.AccessLost, change.What)
		require.Equal(t, graph.NewEntityID(j.scope.Workspace, c, bucket), change.Before.Resource)
		require.Len(t, change.Steps, 4, "from the person on")
		require.Len(t, change.Reasons, 1)
		require.Len(t, answer.Before, 2)
		require.Equal(t, n == 1, answer.Next == nil)
		f.After = answer.Next
	}
	f = graph.CompareFilter{From: graph.Moment{At: j.moment(t).Add(time.Hour)}, Limit: 1}
	_, err := ask(f)
	require.Equal(t, fault.Invalid, fault.KindOf(err))
	f = graph.CompareFilter{From: graph.Moment{At: j.moment(t)}, To: graph.Moment{At: before}, Limit: 1}
	_, err = ask(f)
	require.ErrorContains(t, err, "is later than to")
	_, err = ask(graph.CompareFilter{Limit: 1})
	require.ErrorContains(t, err, "name the earlier moment")
}
