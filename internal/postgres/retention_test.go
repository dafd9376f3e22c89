package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

const keepRuns = 400 * 24 * time.Hour

// age makes everything that has ended older than it is.
func (d *discovery) age(t *testing.T) {
	t.Helper()
	d.exec(t, `update runs set completed_at = completed_at - interval '401 days', created_at = created_at - interval '401 days' where completed_at is not null`)
}

func (d *discovery) exists(t *testing.T, r run.Run) bool {
	t.Helper()
	_, err := d.runs.Get(t.Context(), r.Scope, r.ID)
	if fault.KindOf(err) == fault.NotFound {
		return false
	}
	require.NoError(t, err)
	return true
}

// What ended long ago goes, but for what the graph refers to and the newest of
// each connection; what is under way, and the record of it all, stays.
func TestOldRunsGoWithTheirEvent(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	read := func(names ...string) run.Run {
		h := d.begin(t, d.scope, c)
		h.send(t, "alpha", "", connector.Page{Entities: accounts(names...)}, connector.Complete)
		return h.publish(t)
	}
	wrote := read("a")
	same := read("a")
	failed := d.begin(t, d.scope, c)
	_, err := d.runs.Fail(t.Context(), failed.fence, failing())
	require.NoError(t, err)
	changed := read("a", "b")
	lastRead := read("a", "b")
	newest := d.begin(t, d.scope, c)
	_, err = d.runs.Fail(t.Context(), newest.fence, failing())
	require.NoError(t, err)
	tested := d.beginTest(t, c)
	tested.finishTest(t, connector.CheckResult{Sufficient: true, Target: connector.Target{ID: "o-test", Type: "organization"}})
	other := d.newScope(t)
	theirs := d.begin(t, other, d.connect(t, other))
	_, err = d.runs.Fail(t.Context(), theirs.fence, failing())
	require.NoError(t, err)
	d.age(t)
	waiting := d.start(t, d.scope, c)
	d.exec(t, `update runs set created_at = created_at - interval '500 days' where run_id = $1`, waiting.ID)
	events := d.number(t, `select count(*) from audit_events`)
	entities := d.number(t, `select count(*) from entities`)

	scopes, err := d.runs.WithOldRuns(t.Context(), keepRuns)
	require.NoError(t, err)
	require.Equal(t, []id.Scope{d.scope, other}, scopes)
	d.exec(t, `alter table audit_events add constraint refused check (false) not valid`)
	_, err = d.runs.ForgetRuns(t.Context(), d.scope, keepRuns, 100)
	require.Error(t, err, "nothing goes without its event")
	require.True(t, d.exists(t, same))
	d.exec(t, `alter table audit_events drop constraint refused`)

	require.NoError(t, (&run.Retention{Store: d.runs, Keep: keepRuns}).Round(t.Context()))
	for name, r := range map[string]run.Run{"unchanged": same, "failed": failed.Run} {
		require.False(t, d.exists(t, r), name)
	}
	for name, r := range map[string]run.Run{
		"first to write": wrote, "that changed": changed, "last to read": lastRead, "newest": newest.Run, "newest test": tested.Run, "of another workspace": theirs.Run, "waiting": waiting,
	} {
		require.True(t, d.exists(t, r), name)
	}
	require.Zero(t, d.number(t, `select count(*) from run_coverage where run_id in ($1, $2)`, wrote.ID, changed.ID), "what they read in detail is gone")
	require.Equal(t, entities, d.number(t, `select count(*) from entities e join runs r on r.run_id = e.first_run_id`), "every version has its run")
	require.Equal(t, 1, d.number(t, `select count(*) from connection_tests`))
	require.Equal(t, events+1, d.number(t, `select count(*) from audit_events`))
	require.Equal(t, 1, d.number(t, `select count(*) from audit_events where action = $1 and (payload->>'removed')::int = 2`, audit.RunsRemoved))

	runs, err := d.runs.List(t.Context(), d.scope, run.Filter{Limit: 3})
	require.NoError(t, err)
	require.Len(t, runs, 3)
	rest, err := d.runs.List(t.Context(), d.scope, run.Filter{Limit: 10, Before: runs[2].ID})
	require.NoError(t, err)
	require.Len(t, rest, 3, "pages go on where runs are gone")
	require.NoError(t, (&run.Retention{Store: d.runs, Keep: keepRuns}).Round(t.Context()))
	require.Equal(t, events+1, d.number(t, `select count(*) from audit_events`), "there is nothing left to do")
}

// Whatever is asked for, nothing of the last day goes, and nothing at all when
// runs are to be kept for ever.
func TestRetentionKeepsWhatItMust(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	var ended []run.Run
	for range 2 {
		h := d.begin(t, d.scope, c)
		_, err := d.runs.Fail(t.Context(), h.fence, failing())
		require.NoError(t, err)
		ended = append(ended, h.Run)
	}
	f, err := d.runs.ForgetRuns(t.Context(), d.scope, 0, 100)
	require.NoError(t, err)
	require.Zero(t, f)
	d.age(t)
	require.NoError(t, (&run.Retention{Store: d.runs}).Round(t.Context()))
	require.True(t, d.exists(t, ended[0]))
	// A deleted connection's graph is gone, so that nothing refers to its runs.
	d.exec(t, `update connections set deleted_at = now(), is_default = false, next_run_at = null where connection_id = $1`, c)
	for range 2 {
		f, err = d.runs.ForgetRuns(t.Context(), d.scope, keepRuns, 1)
		require.NoError(t, err)
		require.Equal(t, run.Forgotten{Removed: 1}, f, "at most that many")
	}
	require.False(t, d.exists(t, ended[1]))
}

func TestAbandonedStagingGoes(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	under := d.begin(t, d.scope, d.connect(t, d.scope))
	under.send(t, "alpha", "", connector.Page{Entities: accounts("a"), Next: "1"}, "")
	lost := d.begin(t, d.scope, d.connect(t, d.scope))
	lost.send(t, "alpha", "", connector.Page{Entities: accounts("a"), Next: "1"}, "")
	d.exec(t, `update runs set status = 'completed', outcome = 'failed', completed_at = now(), lease_id = null, lease_until = null where run_id = $1`, lost.Run.ID)
	require.NoError(t, (&run.Retention{Store: d.runs}).Round(t.Context()))
	require.Equal(t, 2, d.number(t, `select count(*) from pg_class where relnamespace = 'staging'::regnamespace and relkind = 'r'`), "those of the run under way")
	under.send(t, "alpha", "", connector.Page{Entities: accounts("b")}, connector.Complete)
}

func TestFiguresOfUnfinishedRuns(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	h := d.begin(t, d.scope, d.connect(t, d.scope))
	_, err := d.runs.FinishReading(t.Context(), h.fence, false)
	require.NoError(t, err)
	d.begin(t, d.scope, d.connect(t, d.scope))
	lost := d.begin(t, d.scope, d.connect(t, d.scope))
	d.expire(t, lost.Run.ID)
	old := d.newScope(t)
	waits := d.start(t, old, d.connect(t, old))
	d.exec(t, `update runs set created_at = now() - interval '1 hour' where run_id = $1`, waits.ID)
	figures, err := d.runs.Figures(context.WithoutCancel(t.Context()))
	require.NoError(t, err)
	counted := map[run.Stage]int64{}
	for _, f := range figures {
		require.Equal(t, "discovery", string(f.Queue))
		counted[f.Stage] = f.Runs
		if f.Stage == run.Waiting {
			require.InDelta(t, time.Hour, f.Oldest, float64(10*time.Minute))
		}
	}
	require.Equal(t, map[run.Stage]int64{run.Waiting: 2, run.InHand: 1, run.BeingPublished: 1}, counted)
}
