package postgres_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// Waits are woken by what happens to runs, also after the listener's connection
// was cut; the hour they would otherwise take would fail the test.
func TestListenerWakesWhenARunIsReady(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	listener := postgres.NewListener(d.db, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- listener.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	listening := func() bool {
		return d.number(t, `select count(*) from pg_stat_activity where datname = current_database() and query like 'listen %'`) == 1
	}
	for _, cut := range []bool{false, true} {
		if cut {
			d.exec(t, `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like 'listen %'`)
			require.Eventually(t, func() bool { return !listening() }, time.Minute, 5*time.Millisecond)
		}
		require.Eventually(t, listening, time.Minute, 5*time.Millisecond)
		woken := make(chan struct{})
		go func() {
			listener.Wait(ctx, time.Hour)
			close(woken)
		}()
		// The wait may begin after the first notification, so one is not enough.
		require.Eventually(t, func() bool {
			d.start(t, d.scope, d.connect(t, d.scope))
			select {
			case <-woken:
				return true
			default:
				return false
			}
		}, time.Minute, 5*time.Millisecond)
	}
}

// Whoever follows a run hears of that run alone, and of changes that came before
// it listened for them.
func TestListenerWakesWhoeverFollowsTheRun(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	listener := postgres.NewListener(d.db, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- listener.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	h := d.begin(t, d.scope, d.connect(t, d.scope))
	other := d.begin(t, d.scope, d.connect(t, d.scope))
	require.Eventually(t, func() bool {
		return d.number(t, `select count(*) from pg_stat_activity where datname = current_database() and query like 'listen %' and state = 'idle'`) == 1
	}, time.Minute, 5*time.Millisecond)
	mine, end := listener.Subscribe(h.Run.ID)
	theirs, endTheirs := listener.Subscribe(other.Run.ID)
	defer endTheirs()
	for range 3 {
		_, err := d.runs.Heartbeat(t.Context(), h.fence, run.Progress{})
		require.NoError(t, err)
	}
	requireTold(t, mine)
	_, err := d.runs.RequestCancel(t.Context(), d.scope, other.Run.ID, audit.System("test"))
	require.NoError(t, err)
	requireTold(t, theirs)
	_, err = d.runs.Fail(t.Context(), other.fence, failing())
	require.NoError(t, err)
	requireTold(t, theirs)
	end()
	_, err = d.runs.Fail(t.Context(), h.fence, failing())
	require.NoError(t, err)
	third := d.begin(t, d.scope, d.connect(t, d.scope))
	changed, endThird := listener.Subscribe(third.Run.ID)
	defer endThird()
	require.NoError(t, d.runs.HandBack(t.Context(), third.fence))
	requireTold(t, changed)
	require.Empty(t, theirs, "it is told of changes of others")
}

func requireTold(t *testing.T, changed <-chan struct{}) {
	t.Helper()
	select {
	case <-changed:
	case <-time.After(time.Minute):
		require.Fail(t, "nobody was told of the change")
	}
}
