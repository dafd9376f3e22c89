package model

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/internal/fault"
)

// actions are what can happen, by name; each says whether it could.
func (m *machine) actions() map[string]func() bool {
	return map[string]func() bool{
		"start": m.start, "start again": m.start, "claim": m.claim, "claim again": m.claim, "heartbeat": m.heartbeat, "batch": m.batch, "next batch": m.batch, "same batch": m.sameBatch, "wrong batch": m.wrongBatch,
		"finish": m.finish, "fail": m.fail, "hand back": m.handBack, "publish": m.publish, "cancel": m.cancel, "lease ends": m.expire,
		"deadline passes": m.overdue, "sweep": m.sweep, "connection changes": m.change, "stale workers try": m.tryAll, "a run from beginning to end": m.whole,
	}
}

func sortedNames(actions map[string]func() bool) []string { return slices.Sorted(maps.Keys(actions)) }

// tryAll asks for every worker there was whether it holds its run: of each run, one
// at most may.
func (m *machine) tryAll() bool {
	for _, h := range m.holds[max(0, len(m.holds)-6):] {
		_, err := m.stores.Current(context.Background(), h.fence)
		m.require(oneHolder, (err == nil) == m.current(h), "%s in epoch %d: %v", h.run, h.fence.Epoch, err)
		m.require(oneHolder, err == nil || fault.KindOf(err) == fault.Stale, "%v", err)
	}
	return len(m.holds) > 0
}

// whole carries a run to its end without faults, so that there are graphs for later
// runs to change.
func (m *machine) whole() bool {
	h := m.begin()
	if h == nil {
		return false
	}
	m.calmly(func() {
		for m.current(h) && m.runs[h.run].batches < len(plan(h.run)) && m.batch() {
		}
		m.finish()
		if s := m.runs[h.run]; s.phase == "publishing" && s.status != "completed" {
			m.publishRun(h.run)
		}
	})
	return true
}

// rest lets every run end, as it would if nobody did anything any more: workers
// are gone, and what was read is published.
func (m *machine) rest() {
	m.wire.Repair()
	for range 200 {
		m.now = m.see(m, m.scope.Workspace)
		left := false
		for r, s := range m.now {
			if s.Status == "completed" {
				continue
			}
			left = true
			if s.Phase == "publishing" {
				_, err := m.stores.Publish(context.Background(), m.scope, r)
				require.NoError(m, err)
			}
			m.exec(m, `update runs set lease_until = clock_timestamp() - interval '1 second', deadline_at = clock_timestamp() - interval '1 second'
				where run_id = $1 and lease_id is not null and status <> 'completed'`, r)
			m.exec(m, `update runs set deadline_at = clock_timestamp() - interval '1 second' where run_id = $1 and status = 'queued'`, r)
		}
		if !left {
			break
		}
		_, _, err := m.stores.Sweep(context.Background(), 200)
		require.NoError(m, err)
	}
	for r, s := range m.see(m, m.scope.Workspace) {
		m.require(endsOnce, s.Status == "completed", "%s never ends", r)
		m.require(together, s.Told == 1, "the end of %s was queued %d times", r, s.Told)
	}
}

// wokenUp counts the wake-ups of workers that were sent, and expects as many as
// there had to be.
func (m *machine) wokenUp() {
	for heard := 0; heard < m.ready; {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		n, err := m.heard.WaitForNotification(ctx)
		cancel()
		m.require(together, err == nil, "%d wake-ups of workers, not %d", heard, m.ready)
		if n.Payload == "ready" {
			heard++
		}
	}
}

// attemptsOf is how many of rapid's checks make one attempt of the machine.
const attemptsOf = 10

// Whatever happens in whatever order, and whatever becomes of each call, every
// invariant holds. A subtest of its name says so of each, and that it was put to
// the test.
func TestInvariants(t *testing.T) {
	t.Parallel()
	p, l, attempt := newPlane(t), ledger{}, 0
	rapid.Check(t, func(rt *rapid.T) {
		// A step costs some forty statements, so an attempt is worth several of
		// those that rapid's number of checks has in mind.
		if attempt++; attempt%attemptsOf > 1 {
			return
		}
		pick := func(n int, what string) int { return rapid.IntRange(0, n-1).Draw(rt, what) }
		m := newMachine(p, l, pick, rt.Fatalf)
		defer m.close()
		actions := map[string]func(*rapid.T){}
		for name, act := range m.actions() {
			actions[name] = func(rt *rapid.T) {
				if !act() {
					rt.Skip("not now")
				}
			}
		}
		rt.Repeat(actions)
		m.wokenUp()
		m.drain()
		m.covered()
		m.rest()
	})
	for _, i := range invariants() {
		t.Run(string(i), func(t *testing.T) {
			require.False(t, t.Failed())
			require.Positive(t, l[i], "no step could have broken it")
			t.Logf("held %d times", l[i])
		})
	}
}

// drain carries runs to their end by the machine's own steps, without faults, so
// that what was asked to follow gets its turn.
func (m *machine) drain() {
	for range 100 {
		moved := false
		for r, s := range m.runs {
			if s.held {
				m.exec(m, `update runs set lease_until = clock_timestamp() - interval '1 second' where run_id = $1`, r)
			}
			moved = moved || s.status != "completed"
		}
		if !moved {
			return
		}
		m.calmly(func() {
			m.sweep()
			m.claim()
			if h := m.held(); h != nil && m.current(h) {
				m.finish()
			}
			m.publish()
		})
	}
}
