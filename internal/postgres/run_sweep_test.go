package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// Runs that wait to be published stay; they must not keep the sweeper from those
// that only it can end.
func TestSweepOfOneReasonLeavesRoomForTheOthers(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	for range 3 {
		h := d.begin(t, d.scope, d.connect(t, d.scope))
		_, err := d.runs.FinishReading(t.Context(), h.fence, false)
		require.NoError(t, err)
	}
	d.exec(t, `update runs set phase_since = clock_timestamp() - interval '1 minute'`)
	held := d.begin(t, d.scope, d.connect(t, d.scope))
	d.exec(t, `update connections set deleted_at = now(), is_default = false, next_run_at = null where connection_id = $1`, held.Run.Connection)
	cancelled := d.begin(t, d.scope, d.connect(t, d.scope))
	_, err := d.runs.RequestCancel(t.Context(), d.scope, cancelled.Run.ID, audit.System("test"))
	require.NoError(t, err)
	d.expire(t, cancelled.Run.ID)
	vanished := d.begin(t, d.scope, d.connect(t, d.scope))
	d.exec(t, `update runs set attempt = $2 where run_id = $1`, vanished.Run.ID, run.MaxAttempts)
	d.expire(t, vanished.Run.ID)
	overdue := d.start(t, d.scope, d.connect(t, d.scope))
	d.exec(t, `update runs set deadline_at = clock_timestamp() - interval '1 second' where run_id = $1`, overdue.ID)

	swept, publishable, err := d.runs.Sweep(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, 3, swept)
	require.Len(t, publishable, 1, "at most that many")
	require.Equal(t, operation.DeadlineExceeded, d.get(t, overdue).Reason)
	require.Equal(t, operation.Cancelled, d.get(t, cancelled.Run).Reason)
	require.Equal(t, operation.WorkerLost, d.get(t, vanished.Run).Reason)
	require.NotNil(t, d.get(t, held.Run).CancelRequestedAt)
}

func TestHeldRunOfADeletedConnectionIsToldOnceToStop(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	h := d.begin(t, d.scope, d.connect(t, d.scope))
	d.exec(t, `update connections set deleted_at = now(), is_default = false, next_run_at = null where connection_id = $1`, h.Run.Connection)
	version := func() (xmin string) {
		require.NoError(t, d.super.QueryRow(t.Context(), `select xmin::text from runs where run_id = $1`, h.Run.ID).Scan(&xmin))
		return xmin
	}
	swept, _ := d.sweep(t)
	require.Zero(t, swept)
	told := version()
	for range 3 {
		swept, _ = d.sweep(t)
		require.Zero(t, swept)
	}
	require.Equal(t, told, version(), "the row is left alone")
	require.Equal(t, []audit.Action{audit.RunAccepted, audit.RunStarted, audit.RunCancelRequested}, d.events(t, h.Run))
	cancel, err := d.runs.Heartbeat(t.Context(), h.fence, run.Progress{})
	require.NoError(t, err)
	require.True(t, cancel)

	d.expire(t, h.Run.ID)
	swept, _ = d.sweep(t)
	require.Equal(t, 1, swept)
	require.Equal(t, run.Cancelled, d.get(t, h.Run).Outcome)
}
