package postgres_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/identity"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

func TestPrincipalsOfTwoConnectionsAreJoinedByAnEmail(t *testing.T) {
	t.Parallel()
	j := newJoining(t)
	one, two := j.connect(t, j.scope), j.connect(t, j.scope)
	j.publish(t, one, person("ann", email("Ann@Example.com")), person("bob", email("bob@example.com")), person("job"))
	j.publish(t, two, person("a.smith", email("ann@EXAMPLE.com"), connector.Identifier{Type: connector.EmployeeID, Value: "17"}))
	ann := j.identity(t, j.principal(one, "ann"))
	require.Equal(t, "a.smith ann", names(ann))
	require.Equal(t, ann.ID, j.identity(t, j.principal(two, "a.smith")).ID)
	for _, p := range ann.Principals {
		require.NotNil(t, p.Member)
		require.NotZero(t, p.Member.Cause.Run, "a run joined them")
		known := p.Known[0]
		require.Equal(t, "ann@example.com", known.Value)
		require.True(t, known.Joins())
		require.Len(t, known.With, 1, "and says with whom")
		require.NotEqual(t, p.ID, known.With[0])
		require.NotZero(t, known.Run)
	}
	require.Equal(t, 1, j.identity(t, j.principal(one, "bob")).Identity.Principals)
	require.Equal(t, 2, j.number(t, `select count(*) from identity_members`), "nothing is written for who is by himself")
	require.Len(t, j.list(t, identity.Filter{}), 3)
	require.Equal(t, []string{ann.Name}, j.list(t, identity.Filter{Joined: true}))
	require.Equal(t, []string{ann.Name}, j.list(t, identity.Filter{Identifier: "ANN@example.com"}))
	require.Equal(t, []string{"a.smith"}, j.list(t, identity.Filter{NamePrefix: "a.s"}), "found by the name of any of them")
	require.Equal(t, []string{"a.smith"}, j.list(t, identity.Filter{Connection: two}))

	// A run that finds nothing new writes nothing.
	before := j.number(t, `select count(*) from identity_members`)
	j.publish(t, two, person("a.smith", email("ann@EXAMPLE.com"), connector.Identifier{Type: connector.EmployeeID, Value: "17"}))
	require.Equal(t, before, j.number(t, `select count(*) from identity_members`))

	// The address goes, and with it the join; the identity keeps its number.
	j.publish(t, two, person("a.smith"))
	require.Equal(t, "ann", names(j.identity(t, j.principal(one, "ann"))))
	require.Equal(t, "a.smith", names(j.identity(t, j.principal(two, "a.smith"))))
	kept, err := j.identities.Get(t.Context(), j.admin, ann.ID, graph.Moment{})
	require.NoError(t, err)
	require.Equal(t, ann.ID, kept.ID)
	history, err := j.identities.History(t.Context(), j.admin, ann.ID, nil, 10)
	require.NoError(t, err)
	require.Len(t, history, 4, "two came, two left")
	for _, c := range history {
		require.NotZero(t, c.Cause.Run)
	}
	rest, err := j.identities.History(t.Context(), j.admin, ann.ID, new(history[1].Position()), 10)
	require.NoError(t, err)
	require.Equal(t, history[2:], rest)
}

// An administrator of one connection's side writes somebody else's address: that
// joins nobody until one of the workspace's own says so, and is shown.
func TestUnverifiedAddressJoinsNobody(t *testing.T) {
	t.Parallel()
	j := newJoining(t)
	ours, theirs := j.connect(t, j.scope), j.connect(t, j.scope)
	j.publish(t, ours, person("chief", email("chief@example.com")))
	j.publish(t, theirs, person("mallory", unverified(email("chief@example.com"))))
	chief := j.identity(t, j.principal(ours, "chief"))
	require.Equal(t, "chief", names(chief))
	require.Len(t, chief.Candidates, 1)
	require.Equal(t, identity.NotVerified, chief.Candidates[0].Obstacle)
	require.Equal(t, j.principal(theirs, "mallory"), chief.Candidates[0].Principal)

	require.NoError(t, j.identities.Trust(t.Context(), j.admin, theirs, true, "our own directory"))
	require.Equal(t, "chief mallory", names(j.identity(t, j.principal(ours, "chief"))))
	sources, err := j.identities.Sources(t.Context(), j.admin)
	require.NoError(t, err)
	require.Len(t, sources, 1)
	require.NoError(t, j.identities.Trust(t.Context(), j.admin, theirs, true, "again"))
	require.Equal(t, 1, j.number(t, `select count(*) from audit_events where action = 'identity_source_trusted'`))
	require.NoError(t, j.identities.Trust(t.Context(), j.admin, theirs, false, ""))
	require.Equal(t, "chief", names(j.identity(t, j.principal(ours, "chief"))))
}

// Mailboxes of posts and addresses that too many hold join nobody. Unverified
// copies do not make an address shared: else whoever writes them could part others.
func TestSharedIdentifiersJoinNobody(t *testing.T) {
	t.Parallel()
	j := newJoining(t)
	one, two, three := j.connect(t, j.scope), j.connect(t, j.scope), j.connect(t, j.scope)
	j.publish(t, one, person("ops", email("admin@example.com")), person("team", email("team.red@example.com")), person("ann", email("ann@example.com")))
	j.publish(t, two, person("root", email("admin@example.com")), person("red", email("team.red@example.com")), person("smith", email("ann@example.com")))
	require.Equal(t, identity.NamesAPost, j.identity(t, j.principal(one, "ops")).Candidates[0].Obstacle)
	require.Equal(t, "red team", names(j.identity(t, j.principal(one, "team"))))

	var many []connector.Entity
	for i := range identity.MaxSharedInConnection + 1 {
		many = append(many, person(fmt.Sprint("copy ", i), email("team.red@example.com"), unverified(email("ann@example.com"))))
	}
	j.publish(t, three, many...)
	team := j.identity(t, j.principal(one, "team"))
	require.Equal(t, "team", names(team))
	require.True(t, team.Principals[0].Known[0].Shared)
	require.Equal(t, identity.HeldByTooMany, team.Candidates[0].Obstacle)
	require.Equal(t, "ann smith", names(j.identity(t, j.principal(one, "ann"))))

	// One fewer, and they are joined: nothing depends on the order of events.
	j.publish(t, three, many[1:]...)
	require.Equal(t, 2+identity.MaxSharedInConnection, j.identity(t, j.principal(one, "team")).Identity.Principals)
}

func TestSplitLastsAndJoinEndsIt(t *testing.T) {
	t.Parallel()
	j := newJoining(t)
	one, two := j.connect(t, j.scope), j.connect(t, j.scope)
	ann, smith := j.principal(one, "ann"), j.principal(two, "smith")
	j.publish(t, one, person("ann", email("ann@example.com")))
	j.publish(t, two, person("smith", email("ann@example.com")))
	both := j.identity(t, ann)

	parts, err := j.identities.Split(t.Context(), j.admin, both.ID, []graph.EntityID{smith}, "her namesake")
	require.NoError(t, err)
	require.Equal(t, "ann", names(parts.Kept))
	require.Len(t, parts.Split, 1)
	require.Equal(t, "smith", names(parts.Split[0]))
	again, err := j.identities.Split(t.Context(), j.admin, parts.Kept.ID, []graph.EntityID{smith}, "her namesake")
	require.NoError(t, err, "the same request may come twice")
	require.Equal(t, parts.Split[0].ID, again.Split[0].ID)
	require.Equal(t, 1, j.number(t, `select count(*) from audit_events where action = 'identity_split'`))

	// No run overrides it.
	j.publish(t, two)
	j.publish(t, two, person("smith", email("ann@example.com"), connector.Identifier{Type: connector.EmployeeID, Value: "17"}))
	j.publish(t, one, person("ann", email("ann@example.com"), connector.Identifier{Type: connector.EmployeeID, Value: "17"}))
	apart := j.identity(t, ann)
	require.Equal(t, "ann", names(apart))
	require.Equal(t, identity.KeptApart, apart.Candidates[0].Obstacle)
	require.NotZero(t, apart.Candidates[0].Split)

	joined, err := j.identities.Join(t.Context(), j.admin, apart.ID, []graph.IdentityID{j.identityOf(t, smith)}, "the same after all")
	require.NoError(t, err)
	require.Equal(t, "ann smith", names(joined))
	require.Equal(t, "the same after all", joined.Principals[0].Joins[0].Reason)
	_, err = j.identities.Join(t.Context(), j.admin, joined.ID, []graph.IdentityID{joined.ID}, "")
	require.NoError(t, err)
	require.Equal(t, 1, j.number(t, `select count(*) from audit_events where action = 'identities_joined'`), "what is one already is not joined")

	// A join lasts without anything in common, and over an absence.
	j.publish(t, two)
	require.Equal(t, "ann", names(j.identity(t, ann)))
	j.publish(t, two, person("smith"))
	require.Equal(t, "ann smith", names(j.identity(t, ann)))
	require.Equal(t, joined.ID, j.identity(t, ann).ID)
}

func TestCorrectionsRefuseWhatMakesNoSense(t *testing.T) {
	t.Parallel()
	j := newJoining(t)
	one, elsewhere := j.connect(t, j.scope), j.newScope(t)
	j.publish(t, one, person("ann"), person("bob"))
	ann, bob := j.principal(one, "ann"), j.principal(one, "bob")
	kind := func(_ any, err error) fault.Kind { return fault.KindOf(err) }
	require.Equal(t, fault.Invalid, kind(j.identities.Split(t.Context(), j.admin, ann.OwnIdentity(), []graph.EntityID{ann}, "")), "nobody would stay")
	require.Equal(t, fault.Invalid, kind(j.identities.Split(t.Context(), j.admin, ann.OwnIdentity(), []graph.EntityID{bob}, "")), "not of it")
	require.Equal(t, fault.NotFound, kind(j.identities.Join(t.Context(), j.admin, ann.OwnIdentity(), []graph.IdentityID{{1}}, "")))
	require.Equal(t, fault.NotFound, kind(j.identities.Get(t.Context(), j.admin, graph.IdentityID{1}, graph.Moment{})))
	require.Equal(t, fault.NotFound, kind(j.identities.History(t.Context(), j.admin, graph.IdentityID{1}, nil, 1)))
	require.Equal(t, fault.NotFound, fault.KindOf(j.identities.Trust(t.Context(), j.admin, 9999, true, "")))
	for _, role := range []workspace.Role{workspace.Viewer, workspace.ConnectorBuilder} {
		weak := j.admin
		weak.Role = role
		require.Equal(t, fault.Forbidden, kind(j.identities.Join(t.Context(), weak, ann.OwnIdentity(), []graph.IdentityID{bob.OwnIdentity()}, "")))
		require.Equal(t, fault.Forbidden, kind(j.identities.Split(t.Context(), weak, ann.OwnIdentity(), nil, "")))
		require.Equal(t, fault.Forbidden, fault.KindOf(j.identities.Trust(t.Context(), weak, one, true, "")))
	}
	foreign := j.adminOf(t, elsewhere)
	require.Equal(t, fault.NotFound, kind(j.identities.Get(t.Context(), foreign, ann.OwnIdentity(), graph.Moment{})))
	require.Equal(t, fault.NotFound, kind(j.identities.Join(t.Context(), foreign, ann.OwnIdentity(), []graph.IdentityID{bob.OwnIdentity()}, "")))
	require.Equal(t, fault.NotFound, fault.KindOf(j.identities.Trust(t.Context(), foreign, one, true, "")))
	require.Zero(t, j.number(t, `select count(*) from identity_corrections`))
}

// The same address in two workspaces joins nobody across them.
func TestIdentitiesStayInTheirWorkspace(t *testing.T) {
	t.Parallel()
	j := newJoining(t)
	one := j.connect(t, j.scope)
	j.publish(t, one, person("ann", email("ann@example.com")))
	other := &joining{discovery: j.discovery, identities: j.identities}
	other.admin = j.adminOf(t, j.newScope(t))
	c := other.connect(t, other.admin.Scope)
	other.publish(t, c, person("ann", email("ann@example.com")), person("anne", email("ann@example.com")))
	require.Equal(t, 1, j.identity(t, j.principal(one, "ann")).Identity.Principals)
	require.Empty(t, j.identity(t, j.principal(one, "ann")).Candidates)
	require.Equal(t, []string{"ann"}, j.list(t, identity.Filter{Identifier: "ann@example.com"}))
	require.Equal(t, "ann anne", names(other.identity(t, other.principal(c, "ann"))))
}

// What joined two through a deleted connection goes with it, and so does all that
// was known of its principals.
func TestDeletedConnectionLeavesTheIdentities(t *testing.T) {
	t.Parallel()
	j := newJoining(t)
	one, between, two := j.connect(t, j.scope), j.connect(t, j.scope), j.connect(t, j.scope)
	j.publish(t, one, person("ann", email("ann@example.com")))
	j.publish(t, two, person("smith", email("smith@example.com")))
	j.publish(t, between, person("ann smith", email("ann@example.com"), email("smith@example.com")))
	i := j.identity(t, j.principal(one, "ann"))
	require.Len(t, i.Principals, 3)
	j.exec(t, `update connections set deleted_at = now(), is_default = false, next_run_at = null where connection_id = $1`, between)
	require.Len(t, j.identity(t, j.principal(one, "ann")).Principals, 2, "out of sight at once")
	require.NotContains(t, j.list(t, identity.Filter{}), "ann smith")
	_, err := j.graph.Forget(t.Context(), 10)
	require.NoError(t, err)
	require.Equal(t, "ann", names(j.identity(t, j.principal(one, "ann"))))
	require.Equal(t, "smith", names(j.identity(t, j.principal(two, "smith"))))
	for _, table := range []string{"principal_identifiers", "identity_members"} {
		require.Zero(t, j.number(t, `select count(*) from `+table+` where connection_id = $1`, between))
	}
}

// A question about an earlier moment shows the identities of then, whoever was
// joined or split since.
func TestIdentitiesOfAnEarlierMoment(t *testing.T) {
	t.Parallel()
	j := newJoining(t)
	one, two := j.connect(t, j.scope), j.connect(t, j.scope)
	ann, smith := j.principal(one, "ann"), j.principal(two, "smith")
	at := func(i graph.IdentityID, m graph.Moment) string {
		d, err := j.identities.Get(t.Context(), j.admin, i, m)
		require.NoError(t, err)
		return names(d)
	}
	now := func() graph.Moment {
		m := graph.Moment{}
		require.NoError(t, j.super.QueryRow(t.Context(), `select clock_timestamp()`).Scan(&m.At))
		return m
	}
	j.publish(t, one, person("ann", email("ann@example.com")))
	alone := now()
	joined := j.discover(t, j.scope, two, whole("alpha", "", []connector.Entity{person("smith", email("ann@example.com"))}))
	i := j.identityOf(t, ann)
	_, err := j.identities.Split(t.Context(), j.admin, i, []graph.EntityID{smith}, "")
	require.NoError(t, err)
	apart := now()
	_, err = j.identities.Join(t.Context(), j.admin, j.identityOf(t, ann), []graph.IdentityID{j.identityOf(t, smith)}, "")
	require.NoError(t, err)
	j.publish(t, two)

	require.Equal(t, "ann", at(ann.OwnIdentity(), alone))
	require.Equal(t, "ann smith", at(i, graph.Moment{Run: joined.ID}))
	require.Equal(t, "ann", at(ann.OwnIdentity(), apart))
	require.Equal(t, "ann", at(ann.OwnIdentity(), graph.Moment{}))
	list := func(m graph.Moment) []string { return j.list(t, identity.Filter{AsOf: m}) }
	require.Equal(t, []string{"ann"}, list(alone))
	require.Len(t, list(graph.Moment{Run: joined.ID}), 1)
	require.Equal(t, []string{"ann", "smith"}, list(apart))
	require.Equal(t, []string{"ann"}, list(graph.Moment{}))
	require.Len(t, j.list(t, identity.Filter{AsOf: apart, Identifier: "ann@example.com"}), 2)
	_, err = j.identities.Get(t.Context(), j.admin, smith.OwnIdentity(), alone)
	require.Equal(t, fault.NotFound, fault.KindOf(err))
}
