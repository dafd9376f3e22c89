package job

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"

	"github.com/gatehouse-project/gatehouse/internal/export"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/onboarding"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// schema is where the engine's tables are.
const schema = "river"

// Config says what the engine works on.
type Config struct {
	Pool      *pgxpool.Pool
	Publisher *graph.Publisher
	Keeper    *run.Keeper
	// Onboarding advances onboarding sessions; nil leaves them.
	Onboarding *onboarding.Keeper
	// Exports makes the files of exports; nil makes none.
	Exports *export.Maker
	// Retention removes old runs; nil keeps them.
	Retention *run.Retention
	// History removes old versions of the graph after that; nil keeps them.
	History *graph.History
	// Ended are told of each run that has ended.
	Ended []EndedSubscriber
	// Forget each delete what has been kept long enough, of one kind.
	Forget []func(ctx context.Context) error
	Logger *slog.Logger
}

// Engine works on jobs and takes new ones.
type Engine struct {
	client *river.Client[pgx.Tx]
}

// Queue takes jobs without working on any.
type Queue struct {
	client *river.Client[pgx.Tx]
}

// NewQueue makes a queue; it needs no workers and is never started.
func NewQueue(pool *pgxpool.Pool) (*Queue, error) {
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{Schema: schema})
	if err != nil {
		return nil, fmt.Errorf("make the job queue: %w", err)
	}
	return &Queue{client: client}, nil
}

// PublishTx queues the publishing of a run in the caller's transaction.
func (q *Queue) PublishTx(ctx context.Context, tx pgx.Tx, r run.Ref) error {
	_, err := q.client.InsertTx(ctx, tx, newPublishArgs(r), publishOpts())
	return err
}

// Publish queues the publishing of a run that nobody is publishing, as the sweeper
// finds it. A job that is running all the same was given to a process that is gone,
// or that never learnt of it; the engine would notice in an hour.
func (q *Queue) Publish(ctx context.Context, r run.Ref) error {
	inserted, err := q.client.Insert(ctx, newPublishArgs(r), publishOpts())
	if err != nil || !inserted.UniqueSkippedAsDuplicate || inserted.Job.State != rivertype.JobStateRunning {
		return err
	}
	_, err = q.client.Insert(ctx, newPublishArgs(r), publishAgainOpts())
	return err
}

func newPublishArgs(r run.Ref) publishArgs {
	return publishArgs{Tenant: r.Scope.Tenant, Workspace: r.Scope.Workspace, Run: r.Run}
}

// publishOpts keep at most one unfinished job for a run, however often the
// sweeper finds it waiting. A finished one does not count: a run that was read
// again is published again.
func publishOpts() *river.InsertOpts {
	return &river.InsertOpts{
		Queue: publishQueue, MaxAttempts: maxPublishAttempts,
		UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
			rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning, rivertype.JobStateScheduled,
		}},
	}
}

// publishAgainEvery bounds how often a run gets another job beside one that is
// running and does nothing.
const publishAgainEvery = 30 * time.Second

func publishAgainOpts() *river.InsertOpts {
	return &river.InsertOpts{
		Queue: publishQueue, MaxAttempts: maxPublishAttempts, UniqueOpts: river.UniqueOpts{ByArgs: true, ByPeriod: publishAgainEvery},
	}
}

// stuckAfter is when a job that is running counts as one whose process is gone; it
// is done again then.
const stuckAfter = 2 * time.Minute

// NewEngine makes an engine; it does nothing until it is started.
func NewEngine(c Config) (*Engine, error) {
	workers, periodic := river.NewWorkers(), rounds()
	river.AddWorker(workers, &publishWorker{publisher: c.Publisher})
	river.AddWorker(workers, &sweepWorker{keeper: c.Keeper})
	river.AddWorker(workers, &scheduleWorker{keeper: c.Keeper})
	river.AddWorker(workers, &forgetWorker{publisher: c.Publisher})
	if c.Onboarding != nil {
		river.AddWorker(workers, &onboardingWorker{keeper: c.Onboarding})
		periodic = append(periodic, onboardingRound())
	}
	if c.Exports != nil {
		river.AddWorker(workers, &exportWorker{maker: c.Exports})
		river.AddWorker(workers, &tendExportsWorker{maker: c.Exports})
		periodic = append(periodic, tendExportsRound())
	}
	if c.Retention != nil {
		river.AddWorker(workers, &retainWorker{retention: c.Retention, history: c.History})
		periodic = append(periodic, retentionRound())
	}
	river.AddWorker(workers, &endedWorker{subscribers: c.Ended})
	river.AddWorker(workers, &forgetKeptWorker{forget: c.Forget})
	client, err := river.NewClient(riverpgxv5.New(c.Pool), &river.Config{
		Schema:       schema,
		Logger:       slog.New(quiet{c.Logger.Handler()}),
		Workers:      workers,
		PeriodicJobs: periodic,
		// Never before a job's own time limit is over.
		RescueStuckJobsAfter:        stuckAfter,
		CompletedJobRetentionPeriod: keepDoneJobs, CancelledJobRetentionPeriod: keepFailedJobs, DiscardedJobRetentionPeriod: keepFailedJobs,
		// Two publishes side by side; more would only share the same disk.
		Queues: map[string]river.QueueConfig{
			river.QueueDefault: {MaxWorkers: 2}, publishQueue: {MaxWorkers: 2}, endedQueue: {MaxWorkers: endedAtOnce},
			exportQueue: {MaxWorkers: exportsAtOnce},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("make the job engine: %w", err)
	}
	return &Engine{client: client}, nil
}

// Start begins to work on jobs; they go on until Stop.
func (e *Engine) Start(ctx context.Context) error {
	if err := e.client.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start the job engine: %w", err)
	}
	return nil
}

// Stop lets running jobs end until ctx does, and then cancels them.
func (e *Engine) Stop(ctx context.Context) error {
	err := e.client.Stop(ctx)
	if err != nil && ctx.Err() != nil {
		return e.client.StopAndCancel(context.WithoutCancel(ctx))
	}
	return err
}
