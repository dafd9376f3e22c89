package postgres_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

func TestAcceptedRunIsQueuedWithItsEvent(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	r := d.start(t, d.scope, d.connect(t, d.scope))
	require.Equal(t, run.Queued, r.Status)
	require.Equal(t, run.Pending, r.Outcome)
	require.NotNil(t, r.DeadlineAt)
	require.Equal(t, []audit.Action{audit.RunAccepted}, d.events(t, r))
}

func TestIdenticalStartJoinsTheUnfinishedRun(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	first := d.start(t, d.scope, c)

	// Not begun: it will see whatever the second start wants seen.
	again := d.admit(t, admission(d.scope, c))
	require.Equal(t, run.Deduped, again.Status)
	require.Equal(t, first.ID, again.Run.ID)
	h := d.claim(t)
	end := func() {
		_, err := d.runs.Fail(t.Context(), h.fence, run.Ending{Outcome: run.Failed, Reason: operation.Internal, By: audit.Worker("w")})
		require.NoError(t, err)
	}
	end()
	d.claimNothing(t)

	// Begun: however many join, exactly one more run follows.
	h = d.begin(t, d.scope, c)
	for range 3 {
		again = d.admit(t, admission(d.scope, c))
		require.Equal(t, run.Deduped, again.Status)
		require.Equal(t, h.Run.ID, again.Run.ID)
		require.True(t, again.Run.Followed)
	}
	end()
	begun := h.Run.ID
	h = d.claim(t)
	require.Greater(t, h.Run.ID, begun)
	require.Equal(t, []audit.Action{audit.RunAccepted, audit.RunStarted}, d.events(t, h.Run))
	end()
	d.claimNothing(t)
}

func TestCancelledRunIsStillFollowedWhenAsked(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	h := d.begin(t, d.scope, c)
	require.Equal(t, run.Deduped, d.admit(t, admission(d.scope, c)).Status)
	_, err := d.runs.RequestCancel(t.Context(), d.scope, h.Run.ID, audit.System("test"))
	require.NoError(t, err)
	_, err = d.runs.Fail(t.Context(), h.fence, run.Ending{Outcome: run.Cancelled, Reason: operation.Cancelled, By: audit.Worker("w")})
	require.NoError(t, err)
	require.NotEqual(t, h.Run.ID, d.claim(t).Run.ID)
}

func TestFollowingRunPassesTheGateAgain(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	for name, test := range map[string]struct {
		change string
		why    operation.Code // of the blocked run; empty when there is none
	}{
		"disabled":      {`update connections set lifecycle = 'disabled' where connection_id = $1`, operation.ConnectionDisabled},
		"needs consent": {`update connections set lifecycle = 'needs_consent' where connection_id = $1`, operation.ConsentRequired},
		"deleted":       {`update connections set deleted_at = now(), is_default = false, next_run_at = null where connection_id = $1`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := d.connect(t, d.scope)
			h := d.begin(t, d.scope, c)
			require.Equal(t, run.Deduped, d.admit(t, admission(d.scope, c)).Status)
			d.exec(t, test.change, c)
			_, err := d.runs.Fail(t.Context(), h.fence, failing())
			require.NoError(t, err)
			d.claimNothing(t)
			runs, err := d.runs.List(t.Context(), d.scope, run.Filter{Connection: c, Limit: 9})
			require.NoError(t, err)
			if test.why == "" {
				require.Len(t, runs, 1)
				return
			}
			require.Len(t, runs, 2)
			require.Equal(t, run.Blocked, runs[0].Outcome)
			require.Equal(t, test.why, runs[0].Reason)
			require.Equal(t, []audit.Action{audit.RunBlocked}, d.events(t, runs[0]))
		})
	}
}

func TestOtherOperationOnATakenScopeIsBusy(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	holder := d.start(t, d.scope, c)
	other := admission(d.scope, c)
	other.DedupeKey = "other"
	busy := d.admit(t, other)
	require.Equal(t, run.ScopeBusy, busy.Status)
	require.Equal(t, holder.ID, busy.Run.ID)
	require.Equal(t, 1, d.number(t, `select count(*) from runs`))

	other.ScopeKey = "elsewhere"
	require.Equal(t, run.Accepted, d.admit(t, other).Status)
}

func TestRunsWithoutKeysStandInNobodysWay(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	a := admission(d.scope, d.connect(t, d.scope))
	a.DedupeKey, a.ScopeKey = "", ""
	for range 3 {
		require.Equal(t, run.Accepted, d.admit(t, a).Status)
	}
}

func TestBlockedStartIsRecorded(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	a := admission(d.scope, d.connect(t, d.scope))
	e := accepted()
	e.Action, e.Outcome = audit.RunBlocked, audit.Denied
	r, err := d.runs.Block(t.Context(), a, operation.CredentialMissing, e)
	require.NoError(t, err)
	require.Equal(t, run.Completed, r.Status)
	require.Equal(t, run.Blocked, r.Outcome)
	require.Equal(t, operation.CredentialMissing, r.Reason)
	require.Equal(t, []audit.Action{audit.RunBlocked}, d.events(t, r))
	require.Equal(t, run.Accepted, d.admit(t, a).Status, "a blocked run holds nothing")

	a.Connection, a.Target = 0, 4711
	_, err = d.runs.Block(t.Context(), a, operation.ConnectionMissing, e)
	require.Equal(t, fault.NotFound, fault.KindOf(err), "%v", err)
}

func TestRunAndEventAppearTogetherOrNotAtAll(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	held := d.begin(t, d.scope, d.connect(t, d.scope))
	d.exec(t, `create function refuse() returns trigger language plpgsql as $$ begin raise 'no audit'; end $$;
		create trigger refuse before insert on audit_events for each row execute function refuse()`)
	_, err := d.runs.Admit(t.Context(), admission(d.scope, c), accepted())
	require.ErrorContains(t, err, "no audit")
	_, err = d.runs.Block(t.Context(), admission(d.scope, c), operation.CredentialMissing, accepted())
	require.ErrorContains(t, err, "no audit")
	_, err = d.runs.Fail(t.Context(), held.fence, run.Ending{Outcome: run.Failed, Reason: operation.Internal, By: audit.Worker("w")})
	require.ErrorContains(t, err, "no audit")
	require.Equal(t, 1, d.number(t, `select count(*) from runs`))
	require.Equal(t, run.Running, d.get(t, held.Run).Status)

	d.exec(t, `drop trigger refuse on audit_events`)
	require.Equal(t, run.Accepted, d.admit(t, admission(d.scope, c)).Status)
}

func TestOneOfManyConcurrentStartsIsAccepted(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	const starts = 32
	answers := make([]run.Admitted, starts)
	var wg sync.WaitGroup
	for i := range starts {
		wg.Go(func() {
			admitted, err := d.runs.Admit(t.Context(), admission(d.scope, c), accepted())
			if err == nil {
				answers[i] = admitted
			}
		})
	}
	wg.Wait()
	counts := map[run.StartStatus]int{}
	for _, a := range answers {
		counts[a.Status]++
		require.Equal(t, answers[0].Run.ID, a.Run.ID)
	}
	require.Equal(t, map[run.StartStatus]int{run.Accepted: 1, run.Deduped: starts - 1}, counts)
	require.Equal(t, 1, d.number(t, `select count(*) from audit_events`))
}

// Starts race with endings: an identical start is never told that its own
// operation is in its way, and there are never two unfinished runs of a key.
func TestStartsRacingWithEndings(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	const starters, each = 8, 20
	var wg sync.WaitGroup
	answers := make(chan run.StartStatus, starters*each)
	failures := make(chan error, starters*each)
	for range starters {
		wg.Go(func() {
			for range each {
				admitted, err := d.runs.Admit(t.Context(), admission(d.scope, c), accepted())
				if err != nil {
					failures <- err
					continue
				}
				answers <- admitted.Status
			}
		})
	}
	stop := make(chan struct{})
	var ender sync.WaitGroup
	ender.Go(func() {
		for last := false; ; {
			h, err := d.tryClaim(t.Context())
			if err == nil && h != nil {
				_, err = d.runs.Fail(t.Context(), h.fence, run.Ending{Outcome: run.Failed, Reason: operation.Internal, By: audit.Worker("w")})
			}
			if err != nil {
				failures <- err
				return
			}
			if h == nil && last {
				return
			}
			select {
			case <-stop:
				last = true
			default:
			}
		}
	})
	wg.Wait()
	close(stop)
	ender.Wait()
	close(answers)
	close(failures)
	for err := range failures {
		require.NoError(t, err)
	}
	for status := range answers {
		require.Contains(t, []run.StartStatus{run.Accepted, run.Deduped}, status)
	}
	require.Zero(t, d.number(t, `select count(*) from runs where status <> 'completed'`))
	require.Zero(t, d.number(t, `
		select count(*) from runs r where 3 <> (select count(*) from audit_events e where e.target_id = 'run_' || r.run_id)`),
		"accepted, started, failed: once each")
}

// Whatever is asked in whatever order, at most one unfinished run holds a key,
// and a deduped start is covered by a run that begins after it.
func TestAdmissionProperties(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	rapid.Check(t, func(rt *rapid.T) {
		scope := d.newScope(t)
		conns := []id.Connection{d.connect(t, scope), d.connect(t, scope)}
		var held []*hold
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"start", "claim", "end"}).Draw(rt, "step") {
			case "start":
				c := rapid.SampledFrom(conns).Draw(rt, "connection")
				admitted := d.admit(t, admission(scope, c))
				if admitted.Status == run.Deduped && admitted.Run.Status == run.Running {
					require.Equal(t, 1, d.number(t, `select count(*) from runs where run_id = $1 and rerun_requested`, admitted.Run.ID))
				}
			case "claim":
				h, err := d.tryClaim(t.Context())
				require.NoError(t, err)
				if h != nil {
					held = append(held, h)
				}
			case "end":
				if len(held) == 0 {
					continue
				}
				marked := d.number(t, `select count(*) from runs where run_id = $1 and rerun_requested`, held[0].Run.ID)
				_, err := d.runs.Fail(t.Context(), held[0].fence, run.Ending{Outcome: run.Failed, Reason: operation.Internal, By: audit.Worker("w")})
				require.NoError(t, err)
				followers := d.number(t, `select count(*) from runs where connection_id = $1 and status = 'queued'`, held[0].Run.Connection)
				require.Equal(t, marked, followers)
				held = held[1:]
			}
			require.Zero(t, d.number(t, `select count(*) from (
				select from runs where status <> 'completed' group by workspace_id, dedupe_key having count(*) > 1) doubled`))
		}
		for {
			h, err := d.tryClaim(t.Context())
			require.NoError(t, err)
			if h == nil {
				break
			}
			held = append(held, h)
		}
		for len(held) > 0 {
			h := held[0]
			held = held[1:]
			_, err := d.runs.Fail(t.Context(), h.fence, run.Ending{Outcome: run.Failed, Reason: operation.Internal, By: audit.Worker("w")})
			require.NoError(t, err)
			if next, err := d.tryClaim(t.Context()); err == nil && next != nil {
				held = append(held, next)
			}
		}
	})
}

func TestRunsOfAnotherWorkspaceDoNotExist(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	other := d.newScope(t)
	c := d.connect(t, d.scope)
	r := d.start(t, d.scope, c)

	_, err := d.runs.Get(t.Context(), other, r.ID)
	require.Equal(t, fault.NotFound, fault.KindOf(err))
	_, err = d.runs.RequestCancel(t.Context(), other, r.ID, audit.System("test"))
	require.Equal(t, fault.NotFound, fault.KindOf(err))
	_, err = d.runs.Coverage(t.Context(), other, r.ID)
	require.Equal(t, fault.NotFound, fault.KindOf(err))
	runs, err := d.runs.List(t.Context(), other, run.Filter{Limit: 10})
	require.NoError(t, err)
	require.Empty(t, runs)
	_, err = d.runs.Admit(t.Context(), admission(other, c), accepted())
	require.Error(t, err, "a connection of another workspace")

	// The same keys in another workspace are other keys.
	a := admission(other, d.connect(t, other))
	a.DedupeKey, a.ScopeKey = admission(d.scope, c).DedupeKey, admission(d.scope, c).ScopeKey
	require.Equal(t, run.Accepted, d.admit(t, a).Status)

	// A fence is good in its own workspace only.
	h := d.claim(t)
	require.Equal(t, r.ID, h.Run.ID)
	h.fence.Workspace = other.Workspace
	_, err = d.runs.Heartbeat(t.Context(), h.fence, run.Progress{})
	require.Equal(t, fault.Stale, fault.KindOf(err))
}

func TestListFiltersAndContinues(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	var conns []id.Connection
	var ids []id.Run
	for range 3 {
		conns = append(conns, d.connect(t, d.scope))
		ids = append(ids, d.start(t, d.scope, conns[len(conns)-1]).ID)
	}
	_, err := d.runs.RequestCancel(t.Context(), d.scope, ids[1], audit.System("test"))
	require.NoError(t, err)
	list := func(f run.Filter) (found []id.Run) {
		f.Limit = 10
		runs, err := d.runs.List(t.Context(), d.scope, f)
		require.NoError(t, err)
		for _, r := range runs {
			found = append(found, r.ID)
		}
		return found
	}
	require.Equal(t, []id.Run{ids[2], ids[1], ids[0]}, list(run.Filter{}))
	require.Equal(t, []id.Run{ids[1], ids[0]}, list(run.Filter{Before: ids[2]}))
	require.Equal(t, []id.Run{ids[1]}, list(run.Filter{Outcome: run.Cancelled}))
	require.Equal(t, []id.Run{ids[2], ids[0]}, list(run.Filter{Status: run.Queued}))
	require.Equal(t, []id.Run{ids[0]}, list(run.Filter{Connection: conns[0]}))
	require.Empty(t, list(run.Filter{Operation: operation.ConnectionTest}))
}
