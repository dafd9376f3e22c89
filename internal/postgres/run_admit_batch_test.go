package postgres_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// company is what came of starts that were asked for while others were under way.
type company struct {
	d       *discovery
	release func()
	asked   sync.WaitGroup

	mu      sync.Mutex
	answers map[run.StartStatus]int
	errs    []error
}

// hold keeps whatever is started from being decided until gather returns.
func (d *discovery) hold(t *testing.T) *company {
	t.Helper()
	tx, err := d.super.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), "lock table runs in share row exclusive mode")
	require.NoError(t, err)
	// A test that fails before it decides leaves nobody waiting.
	t.Cleanup(func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) })
	return &company{d: d, answers: map[run.StartStatus]int{}, release: func() { require.NoError(t, tx.Commit(t.Context())) }}
}

func (c *company) start(ctx context.Context, a run.Admission) {
	c.asked.Go(func() {
		admitted, err := c.d.runs.Admit(ctx, a, accepted())
		c.mu.Lock()
		defer c.mu.Unlock()
		if err != nil {
			c.errs = append(c.errs, err)
			return
		}
		c.answers[admitted.Status]++
	})
}

// begin has the first start under way: until then others would join it.
func (c *company) begin(t *testing.T, a run.Admission) {
	t.Helper()
	c.start(t.Context(), a)
	require.Eventually(t, func() bool {
		return c.d.number(t, "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'") == 1
	}, time.Minute, time.Millisecond)
}

// gathered waits until so many wait for those under way.
func (c *company) gathered(t *testing.T, n int) {
	t.Helper()
	require.Eventually(t, func() bool { return c.d.runs.Gathered() == n }, time.Minute, time.Millisecond)
}

func (c *company) decide() {
	c.release()
	c.asked.Wait()
}

func (d *discovery) connections(t *testing.T, n int) (all []id.Connection) {
	t.Helper()
	for range n {
		all = append(all, d.connect(t, d.scope))
	}
	return all
}

func TestStartsThatGatherShareATransaction(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	connections := d.connections(t, 21)
	c := d.hold(t)
	c.begin(t, admission(d.scope, connections[0]))
	for i, connection := range connections[1:] {
		c.start(t.Context(), admission(d.scope, connection))
		c.gathered(t, i+1)
	}
	c.decide()
	require.Empty(t, c.errs)
	require.Equal(t, map[run.StartStatus]int{run.Accepted: 21}, c.answers)
	require.Equal(t, 2, d.number(t, "select count(distinct transaction) from audit_events where action = $1", audit.RunAccepted))
	require.Equal(t, 21, d.number(t, `select count(*) from runs r join audit_events e on e.workspace_id = r.workspace_id and e.target_id = 'run_' || r.run_id
		where e.action = $1`, audit.RunAccepted), "each has its own event")
}

func TestAnswersAreThoseOfStartsAlone(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	connections := d.connections(t, 4)
	c := d.hold(t)
	c.begin(t, admission(d.scope, connections[0]))

	// The same three times, and one of them by someone who does not wait.
	for i := range 3 {
		c.start(t.Context(), admission(d.scope, connections[1]))
		c.gathered(t, i+1)
	}
	ctx, leave := context.WithCancel(t.Context())
	c.start(ctx, admission(d.scope, connections[2]))
	c.gathered(t, 4)
	leave()
	// A connection that there is not, which the database refuses.
	c.start(t.Context(), admission(d.scope, connections[3]+1_000_000))
	c.gathered(t, 5)
	// One that holds the same connection under another key.
	other := admission(d.scope, connections[0])
	other.DedupeKey += " otherwise"
	c.start(t.Context(), other)
	c.gathered(t, 6)
	c.start(t.Context(), admission(d.scope, connections[3]))
	c.gathered(t, 7)
	c.decide()

	require.Equal(t, map[run.StartStatus]int{run.Accepted: 3, run.Deduped: 2, run.ScopeBusy: 1}, c.answers)
	require.Len(t, c.errs, 2)
	require.Zero(t, d.number(t, "select count(*) from runs where connection_id = $1", connections[2]), "who has gone starts nothing")
	require.Equal(t, 3, d.number(t, "select count(*) from runs"))
	require.Equal(t, 3, d.number(t, "select count(*) from audit_events where action = $1", audit.RunAccepted))
}

func TestStartsThatGatherAreRefusedInAnArchivedWorkspace(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.hold(t)
	connections := d.connections(t, 5)
	c.begin(t, admission(d.scope, connections[0]))
	for i, connection := range connections[1:] {
		c.start(t.Context(), admission(d.scope, connection))
		c.gathered(t, i+1)
	}
	d.exec(t, "update workspaces set archived_at = now() where workspace_id = $1", d.scope.Workspace)
	c.decide()
	require.Empty(t, c.answers)
	require.Len(t, c.errs, 5)
	for _, err := range c.errs {
		require.Equal(t, fault.Conflict, fault.KindOf(err))
	}
	require.Zero(t, d.number(t, "select count(*) from runs"))
}
