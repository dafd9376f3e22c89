package postgres_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/notification"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// inboxes is a data plane with what members are told.
type inboxes struct {
	*discovery
	store *postgres.Notifications
}

func newInboxes(t *testing.T) *inboxes {
	t.Helper()
	d := newDiscovery(t)
	return &inboxes{discovery: d, store: postgres.NewNotifications(d.db)}
}

// member is somebody with a key in a workspace.
func (d *discovery) member(t *testing.T, scope id.Scope, role string) (m id.Member) {
	t.Helper()
	require.NoError(t, d.super.QueryRow(t.Context(), `insert into members (workspace_id, kind, name, role)
		values ($1, 'api_key', 'member ' || gen_random_uuid(), $2::member_role) returning member_id`, scope.Workspace, role).Scan(&m))
	return m
}

// started is the blocked run that somebody's start ended as.
func (i *inboxes) started(t *testing.T, by run.Initiator, m id.Member) run.Ref {
	t.Helper()
	a := admission(i.scope, i.connect(t, i.scope))
	a.Initiator, a.InitiatedBy = by, m
	r, err := i.runs.Block(t.Context(), a, operation.CredentialMissing, accepted())
	require.NoError(t, err)
	return run.Ref{Scope: i.scope, Run: r.ID}
}

// tell does what the job does, twice.
func (i *inboxes) tell(t *testing.T, r run.Ref) {
	t.Helper()
	for range 2 {
		require.NoError(t, i.store.TellInitiator(t.Context(), r))
	}
}

func (i *inboxes) inbox(t *testing.T, m id.Member, f notification.Filter) []notification.Notification {
	t.Helper()
	f.Limit = 50
	found, err := i.store.List(t.Context(), i.scope, m, f)
	require.NoError(t, err)
	return found
}

func TestInitiatorAndNobodyElseIsToldOnce(t *testing.T) {
	t.Parallel()
	i := newInboxes(t)
	alice, bob, gone := i.member(t, i.scope, "admin"), i.member(t, i.scope, "admin"), i.member(t, i.scope, "admin")
	hers := i.started(t, run.ByUser, alice)
	i.tell(t, hers)
	i.tell(t, i.started(t, run.BySchedule, 0))
	i.tell(t, i.started(t, run.BySystem, 0))
	left := i.started(t, run.ByUser, gone)
	i.exec(t, `update members set removed_at = now() where member_id = $1`, gone)
	i.tell(t, left)

	told := i.inbox(t, alice, notification.Filter{})
	require.Len(t, told, 1)
	require.Equal(t, hers.Run, told[0].Run.ID)
	title, message := told[0].Text()
	require.Contains(t, title, "Discover access of connection")
	require.Contains(t, title, ": blocked")
	require.True(t, strings.HasPrefix(message, "No credentials. The connection has no credentials that can be used"), message)
	require.Equal(t, 1, i.number(t, `select count(*) from notifications`), "neither bob, nor who left, nor anybody for the schedule")
	require.Empty(t, i.inbox(t, bob, notification.Filter{}))
}

// A run that has not ended is nobody's news, also when its job comes early.
func TestNobodyIsToldOfARunThatGoesOn(t *testing.T) {
	t.Parallel()
	i := newInboxes(t)
	a := admission(i.scope, i.connect(t, i.scope))
	a.Initiator, a.InitiatedBy = run.ByUser, i.member(t, i.scope, "admin")
	i.tell(t, run.Ref{Scope: i.scope, Run: i.admit(t, a).Run.ID})
	require.Zero(t, i.number(t, `select count(*) from notifications`))
}

// Whoever asked for a run to be followed is told of the one that follows.
func TestWhoAskedForAnotherRunIsToldOfIt(t *testing.T) {
	t.Parallel()
	i := newInboxes(t)
	first, second := i.member(t, i.scope, "admin"), i.member(t, i.scope, "admin")
	a := admission(i.scope, i.connect(t, i.scope))
	a.Initiator, a.InitiatedBy = run.ByUser, first
	i.admit(t, a)
	h := i.claim(t)
	a.InitiatedBy = second
	require.Equal(t, run.Deduped, i.admit(t, a).Status)
	_, err := i.runs.Fail(t.Context(), h.fence, failing())
	require.NoError(t, err)
	next := i.claim(t)
	_, err = i.runs.Fail(t.Context(), next.fence, failing())
	require.NoError(t, err)
	for _, r := range i.queue.ended {
		i.tell(t, r)
	}
	require.Equal(t, h.Run.ID, i.inbox(t, first, notification.Filter{})[0].Run.ID)
	require.Equal(t, next.Run.ID, i.inbox(t, second, notification.Filter{})[0].Run.ID)
	require.Equal(t, 2, i.number(t, `select count(*) from notifications`))
}

func TestInboxIsReadByItsMemberAlone(t *testing.T) {
	t.Parallel()
	i := newInboxes(t)
	alice, bob := i.member(t, i.scope, "viewer"), i.member(t, i.scope, "admin")
	for range 3 {
		i.tell(t, i.started(t, run.ByUser, alice))
	}
	i.tell(t, i.started(t, run.ByUser, bob))
	all := i.inbox(t, alice, notification.Filter{})
	require.Len(t, all, 3)
	require.Greater(t, all[0].ID, all[1].ID, "the newest first")
	older := i.inbox(t, alice, notification.Filter{Before: all[0].ID})
	require.Len(t, older, 2)

	for _, other := range []id.Member{bob, 0} {
		_, err := i.store.Read(t.Context(), i.scope, other, all[0].ID)
		require.Equal(t, fault.NotFound, fault.KindOf(err))
	}
	_, err := i.store.Read(t.Context(), i.newScope(t), alice, all[0].ID)
	require.Equal(t, fault.NotFound, fault.KindOf(err))
	_, err = i.store.Read(t.Context(), i.scope, alice, 0)
	require.Equal(t, fault.NotFound, fault.KindOf(err), "the zero id is nobody's")
	read, err := i.store.Read(t.Context(), i.scope, alice, all[0].ID)
	require.NoError(t, err)
	require.NotNil(t, read.ReadAt)
	again, err := i.store.Read(t.Context(), i.scope, alice, all[0].ID)
	require.NoError(t, err)
	require.Equal(t, read.ReadAt, again.ReadAt)
	require.Len(t, i.inbox(t, alice, notification.Filter{Unread: true}), 2)
	n, err := i.store.ReadAll(t.Context(), i.scope, alice)
	require.NoError(t, err)
	require.EqualValues(t, 2, n)
	unread, err := i.store.Unread(t.Context(), i.scope, alice)
	require.NoError(t, err)
	require.Zero(t, unread)
	require.Equal(t, 1, i.number(t, `select count(*) from notifications where read_at is null`), "bob's is not hers")
}

func TestOldNotificationsAreForgotten(t *testing.T) {
	t.Parallel()
	i := newInboxes(t)
	alice := i.member(t, i.scope, "admin")
	for range 2 {
		i.tell(t, i.started(t, run.ByUser, alice))
	}
	i.exec(t, `update notifications set created_at = now() - $1::interval where notification_id = (select min(notification_id) from notifications)`,
		notification.KeptFor+time.Minute)
	require.NoError(t, i.store.Forget(t.Context()))
	require.Len(t, i.inbox(t, alice, notification.Filter{}), 1)
}
