package job_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/job"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/postgres/pgtest"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// databases gives each test a database of the current schema.
var databases = pgtest.Kit{Migrate: postgres.Migrate, Fingerprint: postgres.SchemaFingerprint(), Roles: []string{"svc_discovery"}}

func TestMain(m *testing.M) { os.Exit(databases.Run(m)) }

func newQueue(t *testing.T) (*job.Queue, *pgxpool.Pool, *pgxpool.Pool) {
	t.Helper()
	base := databases.New(t)
	pool := base.Pool("svc_discovery")
	q, err := job.NewQueue(pool)
	require.NoError(t, err)
	return q, pool, base.SuperuserPool()
}

func ref(r id.Run) run.Ref { return run.Ref{Scope: id.Scope{Tenant: 1, Workspace: 2}, Run: r} }

func jobs(t *testing.T, super *pgxpool.Pool) (n int) {
	t.Helper()
	require.NoError(t, super.QueryRow(t.Context(), `select count(*) from river.river_job where kind = 'publish'`).Scan(&n))
	return n
}

func TestARunWaitsInTheQueueOnce(t *testing.T) {
	t.Parallel()
	q, pool, super := newQueue(t)
	for range 3 {
		require.NoError(t, q.Publish(t.Context(), ref(1)))
		require.NoError(t, pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error { return q.PublishTx(t.Context(), tx, ref(1)) }))
	}
	require.NoError(t, q.Publish(t.Context(), ref(2)))
	require.Equal(t, 2, jobs(t, super))

	// Once its job has ended a run may be queued again: it may have been read again.
	_, err := super.Exec(t.Context(), `update river.river_job set state = 'completed', finalized_at = now()`)
	require.NoError(t, err)
	require.NoError(t, q.Publish(t.Context(), ref(1)))
	require.Equal(t, 3, jobs(t, super))
}

func TestQueuedWithItsTransactionOrNotAtAll(t *testing.T) {
	t.Parallel()
	q, pool, super := newQueue(t)
	changed := errors.New("changed my mind")
	err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		require.NoError(t, q.PublishTx(t.Context(), tx, ref(1)))
		return changed
	})
	require.ErrorIs(t, err, changed)
	require.Zero(t, jobs(t, super))
}

// stores fail to publish one run, and note what they are asked.
type stores struct {
	run.SweepStore
	graph.PublishStore
	mu        sync.Mutex
	published []run.Ref
	abandoned []run.Ref
	swept     chan struct{}
	done      chan struct{}
}

func (s *stores) Publish(_ context.Context, scope id.Scope, r id.Run) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r == 2 {
		return false, errors.New("the disk is full")
	}
	s.published = append(s.published, run.Ref{Scope: scope, Run: r})
	return true, nil
}

func (s *stores) AbandonPublishing(_ context.Context, scope id.Scope, r id.Run, _ run.Ending) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.abandoned = append(s.abandoned, run.Ref{Scope: scope, Run: r})
	close(s.done)
	return nil
}

func (s *stores) Sweep(context.Context, int) (int, []run.Ref, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.swept <- struct{}{}:
	default:
	}
	return 0, nil, nil
}

func (s *stores) DueConnections(context.Context, run.DueConnection, int) ([]run.DueConnection, error) {
	return nil, nil
}

// The engine publishes what is queued, goes its rounds, and gives a run up with
// its job's last attempt.
func TestEngineWorks(t *testing.T) {
	t.Parallel()
	q, pool, super := newQueue(t)
	s := &stores{swept: make(chan struct{}, 1), done: make(chan struct{})}
	require.NoError(t, q.Publish(t.Context(), ref(1)))
	require.NoError(t, q.Publish(t.Context(), ref(2)))
	_, err := super.Exec(t.Context(), `update river.river_job set attempt = max_attempts - 1 where args->>'run_id' = 'run_2'`)
	require.NoError(t, err)
	engine, err := job.NewEngine(job.Config{
		Pool: pool, Publisher: &graph.Publisher{Store: s}, Keeper: &run.Keeper{Store: s}, Logger: slog.New(slog.DiscardHandler),
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
	for _, signal := range []<-chan struct{}{s.done, s.swept} {
		select {
		case <-signal:
		case <-within.Done():
			require.NoError(t, within.Err())
		}
	}
	require.Eventually(t, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.published) == 1
	}, time.Minute, 10*time.Millisecond)
	s.mu.Lock()
	defer s.mu.Unlock()
	require.Equal(t, []run.Ref{ref(1)}, s.published)
	require.Equal(t, []run.Ref{ref(2)}, s.abandoned)
}
