package job

import (
	"context"
	"errors"
	"time"

	"github.com/riverqueue/river"

	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

type retainArgs struct{}

// Kind names the job in the queue.
func (retainArgs) Kind() string { return "retain" }

const (
	// retainEvery bounds how much later than it should a run goes.
	retainEvery = time.Hour
	// retainTimeout bounds one round.
	retainTimeout = 10 * time.Minute
	// How long the engine's own jobs are kept once they have ended. Rounds alone
	// make a job every other second, and what they did shows elsewhere; those that
	// failed for good are worth a look.
	keepDoneJobs   = time.Hour
	keepFailedJobs = 7 * 24 * time.Hour
)

type retainWorker struct {
	river.WorkerDefaults[retainArgs]
	retention *run.Retention
	history   *graph.History
}

func (w *retainWorker) Timeout(*river.Job[retainArgs]) time.Duration { return retainTimeout }

func (w *retainWorker) Work(ctx context.Context, _ *river.Job[retainArgs]) error {
	err := w.retention.Round(ctx)
	if w.history != nil {
		err = errors.Join(err, w.history.Round(ctx))
	}
	return err
}

// retentionRound is the periodic job that removes old runs and versions.
func retentionRound() *river.PeriodicJob {
	opts := roundOpts()
	return river.NewPeriodicJob(river.PeriodicInterval(retainEvery), func() (river.JobArgs, *river.InsertOpts) { return retainArgs{}, opts }, nil)
}
