package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/notification"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/run"
	"github.com/gatehouse-project/gatehouse/internal/webhook"
)

// about is an event of a connection that somebody does something to.
func about(c id.Connection, a audit.Action) audit.Event {
	return audit.Event{Actor: audit.System("test"), Action: a, Outcome: audit.Succeeded, TargetType: "connection", TargetID: c.String()}
}

// What somebody has paused goes on when somebody says so, and not because
// something succeeded or was changed; pausing twice is pausing once.
func TestAScheduleIsPausedByHandUntilItIsResumedByHand(t *testing.T) {
	t.Parallel()
	h := newHooked(t)
	c := h.connect(t, h.scope)
	db, err := postgres.Open(t.Context(), postgres.Config{URL: h.integrationURL, Service: "test", MaxConns: 2})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	store := postgres.NewConnections(db)
	keeper := h.replica(t, h.db)
	recorded := func(a audit.Action) int {
		return h.number(t, "select count(*) from audit_events where action = $1 and target_id = $2", a, c.String())
	}
	starts := func() int {
		h.schedule(t)
		started, err := keeper.StartDue(t.Context())
		require.NoError(t, err)
		return started
	}
	for range 2 {
		paused, err := store.PauseSchedule(t.Context(), h.scope, c, about(c, audit.SchedulePaused))
		require.NoError(t, err)
		require.Equal(t, connection.PauseRequested, paused.SchedulePause.Reason)
	}
	require.Equal(t, 1, recorded(audit.SchedulePaused))
	require.Zero(t, starts())

	h.end(t, h.begin(t, h.scope, c), run.Ending{Outcome: run.Succeeded})
	require.NotNil(t, h.connection(t, c).SchedulePause, "people may start it, and that it succeeds changes nothing")
	for range connection.FailuresToPause {
		a := admission(h.scope, c)
		a.Initiator = run.BySchedule
		_, err := h.runs.Block(t.Context(), a, operation.CredentialMissing, accepted())
		require.NoError(t, err)
	}
	require.Equal(t, connection.PauseRequested, h.connection(t, c).SchedulePause.Reason, "what was under way may fail")
	require.Zero(t, h.number(t, "select count(*) from notifications"), "somebody knows already")

	resumed, err := store.ResumeSchedule(t.Context(), h.scope, c, about(c, audit.ScheduleResumed))
	require.NoError(t, err)
	require.Nil(t, resumed.SchedulePause)
	require.Zero(t, resumed.ScheduleFailures)
	require.Equal(t, 1, recorded(audit.ScheduleResumed))
	require.Equal(t, 1, starts())
	require.Equal(t, []string{"connection.schedule_paused requested", "connection.schedule_resumed "}, h.pauses(t))

	_, err = store.PauseSchedule(t.Context(), h.newScope(t), c, about(c, audit.SchedulePaused))
	require.Equal(t, fault.NotFound, fault.KindOf(err), "another workspace's connection does not exist")
}

// pauses are the events of schedules, with their reasons and in order.
func (h *hooked) pauses(t *testing.T) (told []string) {
	t.Helper()
	rows, err := h.super.Query(t.Context(), `select event_type || ' ' || coalesce(data->>'reason_code', '') from webhook_events
		where event_type in ($1, $2) order by event_id`, webhook.SchedulePaused, webhook.ScheduleResumed)
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var event string
		require.NoError(t, rows.Scan(&event))
		told = append(told, event)
	}
	require.NoError(t, rows.Err())
	return told
}

// Admins, and nobody else, find in their inbox that failures have paused a
// schedule, with the reason, as long as it is paused.
func TestAdminsAreToldOfAPausedSchedule(t *testing.T) {
	t.Parallel()
	h := newHooked(t)
	c := h.connect(t, h.scope)
	members := map[string]id.Member{}
	for _, role := range []string{"admin", "connector_builder", "viewer"} {
		members[role] = id.Member(h.number(t, `insert into members (workspace_id, name, role, kind) values ($1, $2, $3, 'api_key') returning member_id`, h.scope.Workspace, role, role))
	}
	keeper := h.replica(t, h.db)
	for range connection.FailuresToPause {
		h.endScheduled(t, keeper, failedFor(operation.CredentialInvalid))
	}
	require.Equal(t, []string{"connection.schedule_paused credential_invalid"}, h.pauses(t))
	inbox := postgres.NewNotifications(h.db)
	for role, m := range members {
		found, err := inbox.List(t.Context(), h.scope, m, notification.Filter{Limit: 10})
		require.NoError(t, err)
		if role != "admin" {
			require.Empty(t, found, role)
			continue
		}
		require.Len(t, found, 1)
		require.Equal(t, notification.SchedulePaused, found[0].Kind)
		require.Equal(t, c, found[0].Schedule.Connection)
		title, message := found[0].Text()
		require.Contains(t, title, c.String())
		require.Contains(t, message, "does not accept the credentials")

		h.end(t, h.begin(t, h.scope, c), run.Ending{Outcome: run.Succeeded})
		found, err = inbox.List(t.Context(), h.scope, m, notification.Filter{Limit: 10})
		require.NoError(t, err)
		_, message = found[0].Text()
		require.Equal(t, "It goes on again since.", message)
	}
}
