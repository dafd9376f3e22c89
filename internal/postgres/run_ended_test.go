package postgres_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// TestEveryEndIsToldOnce ends runs in every way there is.
func TestEveryEndIsToldOnce(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	var ended []id.Run
	ends := func(r run.Run) { ended = append(ended, r.ID) }

	ends(d.discover(t, d.scope, d.connect(t, d.scope), whole("alpha", "", accounts("a"))))
	ends(d.beginTest(t, d.connect(t, d.scope)).finishTest(t, connector.CheckResult{Sufficient: true, Target: reached("o-test").Target}))
	failed, err := d.runs.Fail(t.Context(), d.begin(t, d.scope, d.connect(t, d.scope)).fence, failing())
	require.NoError(t, err)
	ends(failed)
	cancelled, err := d.runs.RequestCancel(t.Context(), d.scope, d.start(t, d.scope, d.connect(t, d.scope)).ID, audit.System("test"))
	require.NoError(t, err)
	ends(cancelled)
	overdue := d.begin(t, d.scope, d.connect(t, d.scope))
	d.exec(t, `update runs set deadline_at = clock_timestamp() - interval '1 second' where run_id = $1`, overdue.Run.ID)
	d.sweep(t)
	ends(overdue.Run)
	wrong := d.begin(t, d.scope, overdue.Run.Connection)
	ok, err := d.runs.Reach(t.Context(), wrong.fence, reached("o-other"))
	require.NoError(t, err)
	require.False(t, ok)
	ends(wrong.Run)
	blocked, err := d.runs.Block(t.Context(), admission(d.scope, d.connect(t, d.scope)), operation.CredentialMissing, accepted())
	require.NoError(t, err)
	ends(blocked)

	// One that was asked to be followed, by a run that cannot be.
	followed := d.begin(t, d.scope, d.connect(t, d.scope))
	require.Equal(t, run.Deduped, d.admit(t, admission(d.scope, followed.Run.Connection)).Status)
	d.exec(t, `update connections set lifecycle = 'disabled' where connection_id = $1`, followed.Run.Connection)
	_, err = d.runs.Fail(t.Context(), followed.fence, failing())
	require.NoError(t, err)
	ends(followed.Run)
	ended = append(ended, id.Run(d.number(t, `select max(run_id) from runs where outcome = 'blocked'`)))

	var told []id.Run
	for _, r := range d.queue.ended {
		require.Equal(t, d.scope, r.Scope)
		told = append(told, r.Run)
	}
	slices.Sort(told)
	slices.Sort(ended)
	require.Equal(t, ended, told)
	require.Equal(t, len(ended), d.number(t, `select count(*) from runs where status = 'completed'`))
}

// TestRunDoesNotEndUntold has queueing the news fail.
func TestRunDoesNotEndUntold(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	full := errors.New("the queue is full")
	runs := postgres.NewRuns(d.db, 1, d.catalog, postgres.Jobs{Publish: d.queue.add, Ended: func(context.Context, pgx.Tx, run.Ref) error { return full }})
	h := d.begin(t, d.scope, d.connect(t, d.scope))
	_, err := runs.Fail(t.Context(), h.fence, failing())
	require.ErrorIs(t, err, full)
	_, err = runs.Block(t.Context(), admission(d.scope, d.connect(t, d.scope)), operation.CredentialMissing, accepted())
	require.ErrorIs(t, err, full)
	require.Equal(t, run.Running, d.get(t, h.Run).Status)
	require.Equal(t, 1, d.number(t, `select count(*) from runs`))
}
