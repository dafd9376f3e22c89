package job_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/job"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// listener fails as often as it should, and then notes what it is told.
type listener struct {
	mu       sync.Mutex
	failures int
	told     chan run.Ref
}

func (l *listener) tell(_ context.Context, r run.Ref) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failures > 0 {
		l.failures--
		return errors.New("not now")
	}
	l.told <- r
	return nil
}

// A subscriber that fails keeps nobody else from being told, and is told again; who
// counts is told once.
func TestEndsAreToldUntilEverybodyHeard(t *testing.T) {
	t.Parallel()
	q, pool, super := newQueue(t)
	failing, steady := &listener{failures: 1, told: make(chan run.Ref, 9)}, &listener{told: make(chan run.Ref, 9)}
	figures := &listener{told: make(chan run.Ref, 9)}
	err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		require.NoError(t, q.EndedTx(t.Context(), tx, ref(1)))
		return errors.New("changed my mind")
	})
	require.Error(t, err)
	require.NoError(t, pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error { return q.EndedTx(t.Context(), tx, ref(2)) }))

	s := &stores{swept: make(chan struct{}, 1), done: make(chan struct{})}
	engine, err := job.NewEngine(job.Config{
		Pool: pool, Publisher: &graph.Publisher{Store: s}, Keeper: &run.Keeper{Store: s}, Logger: slog.New(slog.DiscardHandler),
		Ended: []job.EndedSubscriber{{Name: "the failing", Tell: failing.tell}, {Name: "the steady", Tell: steady.tell}, {Name: "the figures", Tell: figures.tell, Once: true}},
	})
	require.NoError(t, err)
	require.NoError(t, engine.Start(t.Context()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		require.NoError(t, engine.Stop(ctx))
	})
	within, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, told := range []<-chan run.Ref{steady.told, failing.told, steady.told} {
		select {
		case r := <-told:
			require.Equal(t, ref(2), r, "the end of run 1 was taken back")
		case <-within.Done():
			require.NoError(t, within.Err())
		}
	}
	require.Len(t, figures.told, 1)
	var message string
	require.NoError(t, super.QueryRow(t.Context(), `select errors[1]->>'error' from river.river_job where kind = 'run_ended'`).Scan(&message))
	require.Contains(t, message, "tell the failing that run_2 has ended: not now")
}
