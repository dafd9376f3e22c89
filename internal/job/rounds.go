package job

import (
	"context"
	"time"

	"github.com/riverqueue/river"

	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// The rounds are periodic: River's leader starts each once per period, however
// many discovery processes there are.

type sweepArgs struct{}

// Kind names the job in the queue.
func (sweepArgs) Kind() string { return "sweep" }

type scheduleArgs struct{}

// Kind names the job in the queue.
func (scheduleArgs) Kind() string { return "schedule" }

// scheduleEvery bounds how late a scheduled start may be.
const scheduleEvery = 2 * time.Second

// roundTimeout bounds one round; what is left is the next one's.
const roundTimeout = time.Minute

type sweepWorker struct {
	river.WorkerDefaults[sweepArgs]
	keeper *run.Keeper
}

func (w *sweepWorker) Timeout(*river.Job[sweepArgs]) time.Duration { return roundTimeout }

func (w *sweepWorker) Work(ctx context.Context, _ *river.Job[sweepArgs]) error {
	return w.keeper.Sweep(ctx)
}

type scheduleWorker struct {
	river.WorkerDefaults[scheduleArgs]
	keeper *run.Keeper
}

func (w *scheduleWorker) Timeout(*river.Job[scheduleArgs]) time.Duration { return roundTimeout }

func (w *scheduleWorker) Work(ctx context.Context, _ *river.Job[scheduleArgs]) error {
	_, err := w.keeper.StartDue(ctx)
	return err
}

type forgetArgs struct{}

// Kind names the job in the queue.
func (forgetArgs) Kind() string { return "forget" }

// forgetEvery bounds how long the graph of a deleted connection, which nobody
// can see any more, still takes up space.
const forgetEvery = time.Minute

type forgetWorker struct {
	river.WorkerDefaults[forgetArgs]
	publisher *graph.Publisher
}

func (w *forgetWorker) Timeout(*river.Job[forgetArgs]) time.Duration { return roundTimeout }

func (w *forgetWorker) Work(ctx context.Context, _ *river.Job[forgetArgs]) error {
	return w.publisher.Forget(ctx)
}

// roundOpts: a round that failed is not tried again, since the next one is due in a
// moment. One that still waits is not queued twice.
func roundOpts() *river.InsertOpts {
	return &river.InsertOpts{MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByPeriod: time.Second}}
}

// rounds lists the periodic jobs.
func rounds() []*river.PeriodicJob {
	opts := roundOpts()
	return []*river.PeriodicJob{
		river.NewPeriodicJob(river.PeriodicInterval(run.SweepEvery), func() (river.JobArgs, *river.InsertOpts) { return sweepArgs{}, opts }, nil),
		river.NewPeriodicJob(river.PeriodicInterval(scheduleEvery), func() (river.JobArgs, *river.InsertOpts) { return scheduleArgs{}, opts }, nil),
		river.NewPeriodicJob(river.PeriodicInterval(forgetEvery), func() (river.JobArgs, *river.InsertOpts) { return forgetArgs{}, opts }, nil),
		river.NewPeriodicJob(river.PeriodicInterval(forgetKeptEvery), func() (river.JobArgs, *river.InsertOpts) { return forgetKeptArgs{}, opts }, nil),
	}
}
