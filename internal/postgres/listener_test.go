package postgres_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/postgres"
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
