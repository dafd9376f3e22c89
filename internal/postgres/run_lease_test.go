package postgres_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// expire lets a run's lease end.
func (d *discovery) expire(t *testing.T, r id.Run) {
	t.Helper()
	d.exec(t, `update runs set lease_until = clock_timestamp() - interval '1 second' where run_id = $1`, r)
}

func (d *discovery) sweep(t *testing.T) (swept int, publishable []run.Ref) {
	t.Helper()
	swept, publishable, err := d.runs.Sweep(t.Context(), 100)
	require.NoError(t, err)
	return swept, publishable
}

func failing() run.Ending {
	return run.Ending{Outcome: run.Failed, Reason: operation.Internal, Failure: &run.Failure{Message: "no luck"}, By: audit.Worker("worker-1")}
}

// calls are everything the holder of a run may do with it.
func (h *hold) calls(t *testing.T) map[string]func() error {
	ctx := t.Context()
	page := connector.Page{Entities: accounts("late")}
	return map[string]func() error{
		"current":   func() error { _, err := h.d.runs.Current(ctx, h.fence); return err },
		"heartbeat": func() error { _, err := h.d.runs.Heartbeat(ctx, h.fence, run.Progress{}); return err },
		"batch":     func() error { return h.take(ctx, h.batch("alpha", "", page, connector.Complete)) },
		"finish":    func() error { _, err := h.d.runs.FinishReading(ctx, h.fence, false); return err },
		"test":      func() error { _, err := h.d.runs.FinishTest(ctx, h.fence, failing(), run.TestReport{}); return err },
		"fail":      func() error { _, err := h.d.runs.Fail(ctx, h.fence, failing()); return err },
		"hand back": func() error { return h.d.runs.HandBack(ctx, h.fence) },
	}
}

func (h *hold) requireStale(t *testing.T) {
	t.Helper()
	for name, call := range h.calls(t) {
		err := call()
		require.Equal(t, fault.Stale, fault.KindOf(err), "%s: %v", name, err)
	}
}

func TestConcurrentClaimsShareNothing(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	const runs, workers = 20, 30
	for range runs {
		d.start(t, d.scope, d.connect(t, d.scope))
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	claimed := map[id.Run]int{}
	for range workers {
		wg.Go(func() {
			h, err := d.tryClaim(t.Context())
			if err == nil && h != nil {
				mu.Lock()
				defer mu.Unlock()
				claimed[h.Run.ID]++
			}
		})
	}
	wg.Wait()
	for {
		h, err := d.tryClaim(t.Context())
		require.NoError(t, err)
		if h == nil {
			break
		}
		claimed[h.Run.ID]++
	}
	require.Len(t, claimed, runs)
	for r, times := range claimed {
		require.Equal(t, 1, times, "%s", r)
	}
}

func TestClaimTakesTheOldestOfItsQueues(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	first := d.start(t, d.scope, d.connect(t, d.scope))
	d.start(t, d.scope, d.connect(t, d.scope))
	_, ok, err := d.runs.Claim(t.Context(), run.ClaimRequest{Queues: []operation.Queue{operation.TestQueue}, Worker: "w"})
	require.NoError(t, err)
	require.False(t, ok)
	require.Equal(t, first.ID, d.claim(t).Run.ID)
}

func TestReplacedWorkerCanChangeNothing(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	old := d.begin(t, d.scope, d.connect(t, d.scope))
	old.send(t, "alpha", "", connector.Page{Entities: accounts("a"), Next: "1"}, "")
	d.claimNothing(t)
	d.expire(t, old.Run.ID)
	now := d.claim(t)
	require.Equal(t, old.Run.ID, now.Run.ID)
	require.Equal(t, old.Run.Epoch+1, now.Run.Epoch)
	require.Equal(t, 2, now.Run.Attempt)
	require.EqualValues(t, 1, now.NextBatch)
	require.Equal(t, []run.PartitionState{{Partition: connector.Partition{Stream: "alpha"}, Cursor: "1"}}, now.Partitions)

	old.requireStale(t)
	for name, change := range map[string]func(f *run.Fence){
		"epoch": func(f *run.Fence) { f.Epoch-- },
		"lease": func(f *run.Fence) { f.Lease = old.fence.Lease },
		"token": func(f *run.Fence) { f.TokenHash = old.fence.TokenHash },
		"run":   func(f *run.Fence) { f.Run++ },
	} {
		forged := *now
		change(&forged.fence)
		_, err := d.runs.Heartbeat(t.Context(), forged.fence, run.Progress{})
		require.Equal(t, fault.Stale, fault.KindOf(err), "%s: %v", name, err)
	}
	now.send(t, "alpha", "", connector.Page{Entities: accounts("b")}, connector.Complete)
	require.EqualValues(t, 2, now.publish(t).Counts["entities_read"])
	now.requireStale(t)
}

func TestHeartbeatKeepsTheLeaseAndShowsProgress(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	h := d.begin(t, d.scope, d.connect(t, d.scope))
	d.expire(t, h.Run.ID)
	cancel, err := d.runs.Heartbeat(t.Context(), h.fence, run.Progress{Message: "password=hunter2hunter2", Entities: 7})
	require.NoError(t, err)
	require.False(t, cancel)
	d.claimNothing(t)
	found := d.get(t, h.Run)
	require.EqualValues(t, 7, found.Progress.Entities)
	require.NotContains(t, found.Progress.Message, "hunter2")

	d.exec(t, `update runs set deadline_at = clock_timestamp() - interval '1 second' where run_id = $1`, h.Run.ID)
	cancel, err = d.runs.Heartbeat(t.Context(), h.fence, run.Progress{})
	require.NoError(t, err)
	require.True(t, cancel, "time is over")
}

func TestCancelOfAQueuedRunEndsIt(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	r := d.start(t, d.scope, d.connect(t, d.scope))
	ended, err := d.runs.RequestCancel(t.Context(), d.scope, r.ID, audit.System("test"))
	require.NoError(t, err)
	require.Equal(t, run.Cancelled, ended.Outcome)
	require.Equal(t, []audit.Action{audit.RunAccepted, audit.RunCancelRequested, audit.RunCancelled}, d.events(t, r))
	d.claimNothing(t)
	_, err = d.runs.RequestCancel(t.Context(), d.scope, r.ID, audit.System("test"))
	require.Equal(t, fault.Conflict, fault.KindOf(err))
}

func TestAfterCancelNothingIsTakenIn(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	h := d.begin(t, d.scope, d.connect(t, d.scope))
	h.send(t, "alpha", "", connector.Page{Entities: accounts("a"), Next: "1"}, "")
	for range 2 {
		asked, err := d.runs.RequestCancel(t.Context(), d.scope, h.Run.ID, audit.System("test"))
		require.NoError(t, err)
		require.Equal(t, run.Running, asked.Status)
	}
	err := h.take(t.Context(), h.batch("alpha", "", connector.Page{Entities: accounts("b")}, connector.Complete))
	require.Equal(t, fault.Stale, fault.KindOf(err), "%v", err)
	_, err = d.runs.FinishReading(t.Context(), h.fence, false)
	require.Equal(t, fault.Stale, fault.KindOf(err), "%v", err)
	cancel, err := d.runs.Heartbeat(t.Context(), h.fence, run.Progress{})
	require.NoError(t, err)
	require.True(t, cancel)
	swept, _ := d.sweep(t)
	require.Zero(t, swept, "its worker is alive")

	leases := run.Leases{Store: d.runs}
	ended, err := leases.Finish(t.Context(), h.fence, run.Report{Cancelled: true})
	require.NoError(t, err)
	require.Equal(t, run.Cancelled, ended.Outcome)
	require.Equal(t, []audit.Action{audit.RunAccepted, audit.RunStarted, audit.RunCancelRequested, audit.RunCancelled}, d.events(t, h.Run))
}

// What has been read is published; it is too late to ask for anything else.
func TestCancelOfARunThatIsBeingPublishedIsRefused(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	h := d.begin(t, d.scope, d.connect(t, d.scope))
	h.send(t, "alpha", "", connector.Page{Entities: accounts("a")}, connector.Complete)
	_, err := d.runs.FinishReading(t.Context(), h.fence, false)
	require.NoError(t, err)
	_, err = d.runs.RequestCancel(t.Context(), d.scope, h.Run.ID, audit.System("test"))
	require.Equal(t, fault.Conflict, fault.KindOf(err), "%v", err)
	published, err := d.graph.Publish(t.Context(), d.scope, h.Run.ID)
	require.NoError(t, err)
	require.True(t, published)
	ended := d.get(t, h.Run)
	require.Equal(t, run.Succeeded, ended.Outcome)
	require.Nil(t, ended.CancelRequestedAt)
	require.NotContains(t, d.events(t, h.Run), audit.RunCancelRequested)
}

func TestWorkerCannotCancelUnasked(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	h := d.begin(t, d.scope, d.connect(t, d.scope))
	leases := run.Leases{Store: d.runs}
	_, err := leases.Finish(t.Context(), h.fence, run.Report{Cancelled: true})
	require.Equal(t, fault.Conflict, fault.KindOf(err), "%v", err)
	require.Equal(t, run.Running, d.get(t, h.Run).Status)
}

func TestCancelledRunOfADeadWorkerIsSwept(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	h := d.begin(t, d.scope, d.connect(t, d.scope))
	_, err := d.runs.RequestCancel(t.Context(), d.scope, h.Run.ID, audit.System("test"))
	require.NoError(t, err)
	d.expire(t, h.Run.ID)
	d.claimNothing(t)
	swept, _ := d.sweep(t)
	require.Equal(t, 1, swept)
	require.Equal(t, run.Cancelled, d.get(t, h.Run).Outcome)
	h.requireStale(t)
}

func TestRunWhoseWorkersAllVanishFails(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	r := d.start(t, d.scope, d.connect(t, d.scope))
	for range run.MaxAttempts {
		swept, _ := d.sweep(t)
		require.Zero(t, swept)
		d.expire(t, d.claim(t).Run.ID)
	}
	d.claimNothing(t)
	swept, _ := d.sweep(t)
	require.Equal(t, 1, swept)
	ended := d.get(t, r)
	require.Equal(t, run.Failed, ended.Outcome)
	require.Equal(t, operation.WorkerLost, ended.Reason)
	require.Equal(t, []audit.Action{audit.RunAccepted, audit.RunStarted, audit.RunStarted, audit.RunStarted, audit.RunFailed}, d.events(t, r))
	swept, _ = d.sweep(t)
	require.Zero(t, swept)
}

func TestHandedBackRunIsClaimableAtOnceAndTheAttemptNotCounted(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	r := d.start(t, d.scope, d.connect(t, d.scope))
	for range run.MaxAttempts + 2 {
		h := d.claim(t)
		require.Equal(t, r.ID, h.Run.ID)
		require.Equal(t, 1, h.Run.Attempt)
		require.NoError(t, d.runs.HandBack(t.Context(), h.fence))
		h.requireStale(t)
		swept, _ := d.sweep(t)
		require.Zero(t, swept)
	}
}

func TestDeadlineEndsARunWhoeverHasIt(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	queued := d.start(t, d.scope, d.connect(t, d.scope))
	past := func(r id.Run) {
		d.exec(t, `update runs set deadline_at = clock_timestamp() - interval '1 second' where run_id = $1`, r)
	}
	past(queued.ID)
	d.claimNothing(t)
	running := d.begin(t, d.scope, d.connect(t, d.scope))
	past(running.Run.ID)
	publishing := d.begin(t, d.scope, d.connect(t, d.scope))
	_, err := d.runs.FinishReading(t.Context(), publishing.fence, false)
	require.NoError(t, err)
	past(publishing.Run.ID)
	swept, publishable := d.sweep(t)
	require.Equal(t, 3, swept)
	require.Empty(t, publishable)
	for _, r := range []run.Run{queued, running.Run, publishing.Run} {
		ended := d.get(t, r)
		require.Equal(t, run.Failed, ended.Outcome)
		require.Equal(t, operation.DeadlineExceeded, ended.Reason)
		require.Equal(t, audit.RunFailed, d.events(t, r)[len(d.events(t, r))-1])
	}
	running.requireStale(t)
}

// One run that nobody can end is no reason to leave the others.
func TestSweepGoesOnPastARunThatIsInHand(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	first := d.begin(t, d.scope, d.connect(t, d.scope))
	second := d.begin(t, d.scope, d.connect(t, d.scope))
	d.exec(t, `update runs set deadline_at = clock_timestamp() - interval '1 second'`)
	tx, err := d.super.Begin(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback(t.Context())) }()
	_, err = tx.Exec(t.Context(), `select from runs where run_id = $1 for update`, first.Run.ID)
	require.NoError(t, err)
	swept, _ := d.sweep(t)
	require.Equal(t, 1, swept)
	require.Equal(t, run.Completed, d.get(t, second.Run).Status)
	require.Equal(t, run.Running, d.get(t, first.Run).Status)
}

func TestCompletedIsFinal(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	h := d.begin(t, d.scope, d.connect(t, d.scope))
	h.send(t, "alpha", "", connector.Page{Entities: accounts("a")}, connector.Complete)
	ended, err := d.runs.Fail(t.Context(), h.fence, failing())
	require.NoError(t, err)
	events := d.events(t, h.Run)
	h.requireStale(t)
	swept, publishable := d.sweep(t)
	require.Zero(t, swept)
	require.Empty(t, publishable)
	published, err := d.graph.Publish(t.Context(), d.scope, h.Run.ID)
	require.NoError(t, err)
	require.False(t, published)
	require.NoError(t, d.graph.AbandonPublishing(t.Context(), d.scope, h.Run.ID, failing()))
	require.Equal(t, ended, d.get(t, h.Run))
	require.Equal(t, events, d.events(t, h.Run))
	require.Zero(t, d.number(t, `select count(*) from pg_class where relnamespace = 'staging'::regnamespace`))
	require.Zero(t, d.number(t, `select (select count(*) from run_ingest) + (select count(*) from run_partitions)`))
}

func TestEndingShowsInTheConnectionsHealth(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	_, err := d.runs.Fail(t.Context(), d.begin(t, d.scope, c).fence, failing())
	require.NoError(t, err)
	health := func() (status string, reason, message *string) {
		require.NoError(t, d.super.QueryRow(t.Context(),
			`select status::text, last_error_reason_code, last_error_message from connections where connection_id = $1`, c).Scan(&status, &reason, &message))
		return status, reason, message
	}
	status, reason, message := health()
	require.Equal(t, "degraded", status)
	require.Equal(t, "internal", *reason)
	require.Equal(t, "no luck", *message)

	h := d.begin(t, d.scope, c)
	h.send(t, "alpha", "", connector.Page{Entities: accounts("a")}, connector.Complete)
	h.publish(t)
	status, reason, message = health()
	require.Equal(t, "healthy", status)
	require.Nil(t, reason)
	require.Nil(t, message)
}
