package job

import (
	"context"
	"errors"
	"time"

	"github.com/riverqueue/river"
)

type forgetKeptArgs struct{}

// Kind names the job in the queue.
func (forgetKeptArgs) Kind() string { return "forget_kept" }

// forgetKeptEvery is how often it is looked for what has been kept long enough.
// How long that is, is for each package to say.
const forgetKeptEvery = time.Hour

type forgetKeptWorker struct {
	river.WorkerDefaults[forgetKeptArgs]
	forget []func(ctx context.Context) error
}

func (w *forgetKeptWorker) Timeout(*river.Job[forgetKeptArgs]) time.Duration { return roundTimeout }

// Work deletes of each kind what is old. One that fails does not keep it from the
// others.
func (w *forgetKeptWorker) Work(ctx context.Context, _ *river.Job[forgetKeptArgs]) error {
	var failures error
	for _, forget := range w.forget {
		failures = errors.Join(failures, forget(ctx))
	}
	return failures
}
