package postgres_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/run"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// newArchivable is a data plane as discovery sees it, and what archives its
// workspace.
func newArchivable(t *testing.T) (*discovery, func(archived bool) error) {
	t.Helper()
	base := databases.New(t)
	d := openDiscovery(t, base.URL("svc_discovery"), base.SuperuserPool())
	db, err := postgres.Open(t.Context(), postgres.Config{URL: base.URL("svc_workspace"), Service: "test", MaxConns: 2})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	store := postgres.NewWorkspaces(db)
	return d, func(archived bool) error {
		_, err := store.SetArchived(t.Context(), d.scope, archived, event(audit.WorkspaceArchived))
		return err
	}
}

// Whatever the order in which starts and the archiving come, nothing starts once
// the workspace is archived, and what had started ends.
func TestArchiveRacesStarts(t *testing.T) {
	t.Parallel()
	d, archive := newArchivable(t)
	const many = 24
	connections := make([]id.Connection, many)
	for i := range connections {
		connections[i] = d.connect(t, d.scope)
	}
	held := d.begin(t, d.scope, connections[0])
	var all sync.WaitGroup
	errs := make([]error, many)
	for i := 1; i < many; i++ {
		all.Go(func() { _, errs[i] = d.runs.Admit(t.Context(), admission(d.scope, connections[i]), accepted()) })
	}
	all.Go(func() { errs[0] = archive(true) })
	all.Wait()
	require.NoError(t, errs[0])
	started := 1
	for _, err := range errs[1:] {
		if err == nil {
			started++
			continue
		}
		require.ErrorIs(t, err, workspace.ErrArchived)
		require.Equal(t, fault.Conflict, fault.KindOf(err))
	}
	require.Equal(t, started, d.number(t, "select count(*) from runs"))
	require.Equal(t, started, d.number(t, "select count(*) from audit_events where action = 'run_accepted'"), "each start has its event, each refusal none")
	d.claimNothing(t)
	_, err := d.runs.Block(t.Context(), admission(d.scope, connections[1]), "workspace_archived", event(audit.RunBlocked))
	require.NoError(t, err, "that it did not start is recorded")

	_, _, err = d.runs.Sweep(t.Context(), 100)
	require.NoError(t, err)
	require.Equal(t, 1, d.number(t, "select count(*) from runs where status <> 'completed'"), "the held one is told to stop")
	stop, err := d.runs.Heartbeat(t.Context(), held.fence, run.Progress{})
	require.NoError(t, err)
	require.True(t, stop)
	d.exec(t, "update runs set lease_until = now() - interval '1 second' where lease_id is not null")
	_, _, err = d.runs.Sweep(t.Context(), 100)
	require.NoError(t, err)
	require.Zero(t, d.number(t, "select count(*) from runs where outcome not in ('cancelled', 'blocked')"))
}

func TestSchedulesOfAnArchivedWorkspaceRest(t *testing.T) {
	t.Parallel()
	d, archive := newArchivable(t)
	d.connect(t, d.scope)
	d.exec(t, "update connections set next_run_at = now() - interval '1 minute'")
	due := func() int {
		found, err := d.runs.DueConnections(t.Context(), run.DueConnection{}, 10)
		require.NoError(t, err)
		return len(found)
	}
	require.Equal(t, 1, due())
	require.NoError(t, archive(true))
	require.NoError(t, archive(true))
	require.Zero(t, due())
	require.Equal(t, 1, d.number(t, "select count(*) from audit_events where action = 'workspace_archived'"), "twice changes nothing")
	require.NoError(t, archive(false))
	require.Equal(t, 1, due())
}

func TestArchivedWorkspaceIsReadAndNotChanged(t *testing.T) {
	t.Parallel()
	p := newPeople(t)
	ctx := t.Context()
	p.invite(t, p.admin, "alice@example.com", workspace.Admin)
	s := p.signIn(t, "alice", "alice@example.com")
	open := p.invite(t, p.admin, "bob@example.com", workspace.Viewer)
	key, _, err := p.service.CreateKey(ctx, p.admin, "ci", workspace.Viewer, nil)
	require.NoError(t, err)
	existing := p.create(t, p.a, "Prod AWS")
	_, err = p.service.Archive(ctx, p.tenant, p.a.Workspace)
	require.NoError(t, err)

	alice := p.mustBe(t, s, p.a.Workspace.String())
	require.True(t, alice.Archived)
	for _, c := range workspace.Capabilities() {
		if alice.Role.Has(c) {
			require.Equal(t, c.Changes(), alice.Require(c) != nil, c)
		}
	}
	// A caller that was looked up before it was archived gets no further.
	before := alice
	before.Archived = false
	_, _, err = p.service.CreateKey(ctx, before, "late", workspace.Viewer, nil)
	require.ErrorIs(t, err, workspace.ErrArchived)
	_, err = p.service.Invite(ctx, before, "carol@example.com", workspace.Viewer, time.Time{})
	require.ErrorIs(t, err, workspace.ErrArchived)
	_, err = p.service.CreateMapping(ctx, before, "groups", "x", workspace.Viewer)
	require.ErrorIs(t, err, workspace.ErrArchived)
	late, sealed := p.draft(t, p.a, "late")
	_, err = p.connections.Create(ctx, connection.Creation{Connection: late, Sealed: sealed}, event(audit.ConnectionCreated))
	require.ErrorIs(t, err, workspace.ErrArchived)
	_, err = p.connections.Get(ctx, p.a, existing.ID)
	require.NoError(t, err)
	_, err = p.service.Members(ctx, alice, 0, 10)
	require.NoError(t, err)
	_, err = p.service.SignIn(ctx, p.directory.issue("bob", "bob@example.com"), "")
	require.ErrorIs(t, err, workspace.ErrNoWorkspace, "nobody is given access")
	_, err = p.service.Transfer(ctx, p.tenant, p.a.Workspace, alice.Member, "")
	require.ErrorIs(t, err, workspace.ErrArchived)

	require.NoError(t, p.service.RevokeKey(ctx, alice, key.ID), "access is ended all the same")
	require.NoError(t, p.service.RevokeInvitation(ctx, alice, open.ID))
	require.NoError(t, p.service.RemoveMember(ctx, p.admin, alice.Member))
	w, err := p.service.Unarchive(ctx, p.tenant, p.a.Workspace)
	require.NoError(t, err)
	require.Nil(t, w.ArchivedAt)
	p.create(t, p.a, "open again")
}

func TestTwoLastAdminsDoNotBothLeave(t *testing.T) {
	t.Parallel()
	p := newPeople(t)
	ctx := t.Context()
	p.invite(t, p.admin, "alice@example.com", workspace.Admin)
	p.invite(t, p.admin, "bob@example.com", workspace.Admin)
	alice := p.mustBe(t, p.signIn(t, "alice", "alice@example.com"), p.a.Workspace.String())
	bob := p.mustBe(t, p.signIn(t, "bob", "bob@example.com"), p.a.Workspace.String())
	_, err := p.super.Exec(ctx, "update api_keys set revoked_at = now() where workspace_id = $1", int64(p.a.Workspace))
	require.NoError(t, err)
	var all sync.WaitGroup
	errs := make([]error, 2)
	all.Go(func() { errs[0] = p.service.RemoveMember(ctx, bob, alice.Member) })
	all.Go(func() { _, errs[1] = p.service.SetRole(ctx, alice, bob.Member, workspace.Viewer) })
	all.Wait()
	refused := 0
	for _, err := range errs {
		if err != nil {
			// Whoever comes second is the last admin, or no admin any more.
			if fault.KindOf(err) != fault.Forbidden {
				require.Equal(t, fault.Conflict, fault.KindOf(err))
				require.ErrorContains(t, err, "last admin")
			}
			refused++
		}
	}
	require.Equal(t, 1, refused)
	require.Equal(t, 1, p.count(t, "members where workspace_id = $1 and kind = 'person' and role = 'admin' and removed_at is null", int64(p.a.Workspace)))
}

func TestLastKeyOfAWorkspaceIsNotRevoked(t *testing.T) {
	t.Parallel()
	p := newPeople(t)
	ctx := t.Context()
	_, err := p.super.Exec(ctx, "update api_keys set revoked_at = now() where workspace_id = $1 and member_id <> $2", int64(p.a.Workspace), int64(p.admin.Member))
	require.NoError(t, err)
	soon := time.Now().Add(time.Hour)
	_, _, err = p.service.CreateKey(ctx, p.admin, "ends", workspace.Admin, &soon)
	require.NoError(t, err)
	require.Equal(t, fault.Conflict, fault.KindOf(p.service.RevokeKey(ctx, p.admin, p.admin.Member)), "one that ends is no admin to rely on")
	next, err := workspace.IssueAdminKey(ctx, p.workspaces, p.a, "next")
	require.NoError(t, err)
	require.NoError(t, p.service.RevokeKey(ctx, p.admin, p.admin.Member))
	_, err = workspace.Authenticate(ctx, p.workspaces, workspace.Credentials{Token: next.RevealString()})
	require.NoError(t, err)
}

func TestTenantAdministratorsMakeAndHandOverWorkspaces(t *testing.T) {
	t.Parallel()
	p := newPeople(t)
	ctx := t.Context()
	w, key, err := p.service.CreateWorkspace(ctx, p.tenant, " Payments ", "")
	require.NoError(t, err)
	require.Equal(t, "Payments", w.Name)
	first, err := workspace.Authenticate(ctx, p.workspaces, workspace.Credentials{Token: key.RevealString()})
	require.NoError(t, err)
	require.Equal(t, workspace.Admin, first.Role)
	require.Equal(t, w.ID, first.Scope.Workspace)

	owned, none, err := p.service.CreateWorkspace(ctx, p.tenant, "Owned", "Alice@example.com")
	require.NoError(t, err)
	require.True(t, none.IsZero())
	s := p.signIn(t, "alice", "alice@example.com")
	alice := p.mustBe(t, s, owned.ID.String())
	require.Equal(t, workspace.Admin, alice.Role)
	owned, err = p.service.Current(ctx, alice)
	require.NoError(t, err)
	require.Equal(t, alice.Member, owned.Owner)

	p.invite(t, alice, "bob@example.com", workspace.Admin)
	bob := p.mustBe(t, p.signIn(t, "bob", "bob@example.com"), owned.ID.String())
	require.ErrorContains(t, p.service.RemoveMember(ctx, bob, alice.Member), "owner")
	_, err = p.service.SetRole(ctx, bob, alice.Member, workspace.Viewer)
	require.ErrorContains(t, err, "owner")
	_, err = p.service.SetRole(ctx, alice, bob.Member, workspace.Viewer)
	require.NoError(t, err)
	owned, err = p.service.Transfer(ctx, p.tenant, owned.ID, bob.Member, "")
	require.NoError(t, err)
	require.Equal(t, bob.Member, owned.Owner)
	bob = p.mustBe(t, p.signIn(t, "bob", "bob@example.com"), owned.ID.String())
	require.Equal(t, workspace.Admin, bob.Role, "an owner is an admin")
	require.NoError(t, p.service.RemoveMember(ctx, bob, alice.Member))
	_, err = p.service.Transfer(ctx, p.tenant, owned.ID, alice.Member, "")
	require.Equal(t, fault.Conflict, fault.KindOf(err), "who left owns nothing")
	_, err = p.service.Transfer(ctx, p.tenant, owned.ID, first.Member, "")
	require.Equal(t, fault.NotFound, fault.KindOf(err), "a member of another workspace")
	_, err = p.service.Transfer(ctx, p.tenant, owned.ID, 0, "alice@example.com")
	require.NoError(t, err)
	back := p.mustBe(t, p.signIn(t, "alice", "alice@example.com"), owned.ID.String())
	require.NotEqual(t, alice.Member, back.Member, "a new membership")
	owned, err = p.service.Current(ctx, back)
	require.NoError(t, err)
	require.Equal(t, back.Member, owned.Owner)
}

func TestLooksAcrossWorkspacesAreRecorded(t *testing.T) {
	t.Parallel()
	p := newPeople(t)
	ctx := t.Context()
	all, err := p.service.Workspaces(ctx, p.tenant, 0, 10)
	require.NoError(t, err)
	require.Len(t, all, 2, "the tenant level is none")
	require.Contains(t, p.actions(t, p.tenant.Scope), audit.WorkspacesListed)
	auditor, err := p.service.AsAuditor(ctx, p.tenant, p.b.Workspace)
	require.NoError(t, err)
	require.Equal(t, p.b, auditor.Scope)
	require.Error(t, auditor.Require(workspace.ReadWorkspace))
	records, err := p.workspaces.ListEvents(ctx, p.b, audit.Filter{Action: audit.AuditEventsRead}, 0, 10)
	require.NoError(t, err)
	require.Len(t, records, 1)
	require.Equal(t, audit.Tenant(p.tenant.Member), records[0].Actor)

	for _, by := range []workspace.Caller{p.admin, {}} {
		_, err = p.service.Workspaces(ctx, by, 0, 10)
		require.Equal(t, fault.Forbidden, fault.KindOf(err))
		_, _, err = p.service.CreateWorkspace(ctx, by, "x", "")
		require.Equal(t, fault.Forbidden, fault.KindOf(err))
		_, err = p.service.AsAuditor(ctx, by, p.b.Workspace)
		require.Equal(t, fault.Forbidden, fault.KindOf(err))
	}
	for _, w := range []id.Workspace{p.tenant.Scope.Workspace, 999999} {
		_, err = p.service.Archive(ctx, p.tenant, w)
		require.Equal(t, fault.NotFound, fault.KindOf(err), "the tenant level is not archived")
	}
}
