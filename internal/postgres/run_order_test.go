package postgres_test

import (
	"cmp"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// What the order of claims is made of, as docs/gate-and-runs.md says it.
const (
	scheduledWaits = 10 * time.Minute
	perExecuting   = time.Minute
)

// waiting is a run in the line, as the property test thinks of it.
type waiting struct {
	id        id.Run
	workspace id.Workspace
	queue     operation.Queue
	came      time.Time
	scheduled bool
}

// line is all runs that are queued or held.
type line struct {
	waiting []waiting
	held    map[id.Run]waiting
}

// next is the run that the next claim of these queues has to return.
func (l *line) next(queues []operation.Queue) (waiting, bool) {
	turn := func(w waiting) time.Time {
		t := w.came
		if w.scheduled {
			t = t.Add(scheduledWaits)
		}
		for _, h := range l.held {
			if h.workspace == w.workspace && h.queue == w.queue {
				t = t.Add(perExecuting)
			}
		}
		return t
	}
	mine := slices.DeleteFunc(slices.Clone(l.waiting), func(w waiting) bool { return !slices.Contains(queues, w.queue) })
	if len(mine) == 0 {
		return waiting{}, false
	}
	return slices.MinFunc(mine, func(a, b waiting) int { return cmp.Or(turn(a).Compare(turn(b)), cmp.Compare(a.id, b.id)) }), true
}

// Whatever comes, waits and ends, a claim takes the run whose turn it is: the
// first that came, scheduled ones ten minutes later, and a minute later for each
// run that its workspace has executing.
func TestClaimOrderProperties(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	scopes := []id.Scope{d.scope, d.newScope(t), d.newScope(t)}
	operations := map[operation.Queue]operation.Type{operation.TestQueue: operation.ConnectionTest, operation.DiscoveryQueue: operation.DiscoveryRun}
	lines := slices.Sorted(maps.Keys(operations))
	rapid.Check(t, func(rt *rapid.T) {
		d.exec(t, `update runs set status = 'completed', outcome = 'cancelled', completed_at = now(), lease_id = null, lease_until = null where status <> 'completed'`)
		l := &line{held: map[id.Run]waiting{}}
		// Whole minutes, so that turns are often equal.
		begin := time.Now().UTC().Truncate(time.Minute).Add(-time.Hour)
		for range rapid.IntRange(1, 30).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"come", "come", "claim", "end"}).Draw(rt, "step") {
			case "come":
				w := waiting{
					queue:     rapid.SampledFrom(lines).Draw(rt, "queue"),
					came:      begin.Add(time.Duration(rapid.IntRange(0, 30).Draw(rt, "minute")) * time.Minute),
					scheduled: rapid.Bool().Draw(rt, "scheduled"),
				}
				scope := rapid.SampledFrom(scopes).Draw(rt, "workspace")
				op, err := operation.Get(operations[w.queue])
				require.NoError(rt, err)
				a := run.Admission{Scope: scope, Operation: op, Connection: d.connect(t, scope), Input: []byte(`{}`), Context: []byte(`{}`), Initiator: run.ByUser}
				if w.scheduled {
					a.Initiator = run.BySchedule
				}
				w.id, w.workspace = d.admit(t, a).Run.ID, scope.Workspace
				d.exec(t, `update runs set created_at = $2 where run_id = $1`, w.id, w.came)
				l.waiting = append(l.waiting, w)
			case "claim":
				queues := rapid.SampledFrom([][]operation.Queue{{operation.TestQueue}, {operation.DiscoveryQueue}, operation.Queues()}).Draw(rt, "queues")
				want, some := l.next(queues)
				got, ok, err := d.runs.Claim(t.Context(), run.ClaimRequest{Queues: queues, Worker: "w", Lease: run.LeaseID{1}})
				require.NoError(rt, err)
				require.Equal(rt, some, ok)
				if ok {
					require.Equal(rt, want.id, got.Run.ID)
					l.held[want.id] = want
					l.waiting = slices.DeleteFunc(l.waiting, func(w waiting) bool { return w.id == want.id })
				}
			case "end":
				for r := range l.held {
					d.exec(t, `update runs set status = 'completed', outcome = 'succeeded', completed_at = now(), lease_id = null, lease_until = null where run_id = $1`, r)
					delete(l.held, r)
					break
				}
			}
		}
	})
}

// The longer a scheduled run waits, the fewer come before it: no stream of other
// starts keeps it for ever.
func TestNothingStarvesInTheLine(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	a := admission(d.scope, d.connect(t, d.scope))
	a.Initiator = run.BySchedule
	scheduled := d.admit(t, a).Run.ID
	d.exec(t, `update runs set created_at = now() - interval '11 minutes' where run_id = $1`, scheduled)
	d.start(t, d.scope, d.connect(t, d.scope))
	require.Equal(t, scheduled, d.claim(t).Run.ID)
}

// A workspace with a long line leaves workers to the others.
func TestAWorkspaceDoesNotTakeAllWorkers(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	for range 5 {
		d.start(t, d.scope, d.connect(t, d.scope))
	}
	other := d.newScope(t)
	late := d.start(t, other, d.connect(t, other))
	first := d.claim(t)
	require.Equal(t, d.scope, first.Run.Scope)
	require.Equal(t, late.ID, d.claim(t).Run.ID)
}

// A claim reads what it needs through its index, however many wait.
func TestClaimReadsAFewRowsOfManyThatWait(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	const workspaces, each = 4, 3000
	for range workspaces {
		scope := d.newScope(t)
		d.exec(t, `insert into runs (workspace_id, operation_type, queue, status, initiator) select $1, 'discovery.run', 'discovery', 'queued', 'user' from generate_series(1, $2::int)`,
			scope.Workspace, each)
	}
	d.exec(t, `analyze runs`)
	tx, err := d.super.BeginTx(t.Context(), pgx.TxOptions{})
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback(t.Context())) }()
	read := func() (scans, fetched int) {
		require.NoError(t, tx.QueryRow(t.Context(), `select seq_scan, coalesce(idx_tup_fetch, 0) from pg_stat_xact_user_tables where relname = 'runs'`).Scan(&scans, &fetched))
		return scans, fetched
	}
	scans, fetched := read()
	_, err = tx.Exec(t.Context(), `select * from claim_run(array['tests', 'discovery'], 'w', gen_random_uuid(), '\x00', interval '1 minute', 3)`)
	require.NoError(t, err)
	scansAfter, fetchedAfter := read()
	require.Equal(t, scans, scansAfter, "the table is not read from one end to the other")
	require.Positive(t, fetchedAfter-fetched)
	require.Less(t, fetchedAfter-fetched, each/2)
}
