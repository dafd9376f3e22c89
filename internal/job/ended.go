package job

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// EndedSubscriber is told of each run that has ended, however it ended: also of
// one that was blocked and never started. The run may be told of more than once,
// also side by side, and later than it ended; so Tell decides by the database
// whether there is still something to do. An error makes the run be told of
// again, to every subscriber but those of Once.
type EndedSubscriber struct {
	// Name is for error messages.
	Name string
	Tell func(ctx context.Context, r run.Ref) error
	// Once says that it is told at the first attempt alone, whatever comes of
	// that: for figures, in which a run must not count again because another
	// subscriber failed.
	Once bool
}

// endedArgs names a run that has ended.
type endedArgs struct {
	Tenant    id.Tenant    `json:"tenant_id"`
	Workspace id.Workspace `json:"workspace_id"`
	Run       id.Run       `json:"run_id"`
}

// Kind names the job in the queue.
func (endedArgs) Kind() string { return "run_ended" }

// endedQueue has a queue of its own, so that nobody waits for a publish to hear
// that another run has ended.
const endedQueue = "run_ended"

// endedAtOnce bounds how many runs one process tells of at once.
const endedAtOnce = 4

// maxEndedAttempts bounds how often a failing subscriber is told; with River's
// growing pauses this takes most of a day.
const maxEndedAttempts = 12

// endedTimeout bounds one telling of all subscribers.
const endedTimeout = time.Minute

// EndedTx queues the news that a run has ended in the transaction that ends it.
// A run ends once, so nothing looks for an equal job.
func (q *Queue) EndedTx(ctx context.Context, tx pgx.Tx, r run.Ref) error {
	args := endedArgs{Tenant: r.Scope.Tenant, Workspace: r.Scope.Workspace, Run: r.Run}
	_, err := q.client.InsertTx(ctx, tx, args, &river.InsertOpts{Queue: endedQueue, MaxAttempts: maxEndedAttempts})
	return err
}

type endedWorker struct {
	river.WorkerDefaults[endedArgs]
	subscribers []EndedSubscriber
}

func (w *endedWorker) Timeout(*river.Job[endedArgs]) time.Duration { return endedTimeout }

// Work tells all subscribers; one that fails keeps none of the others from it.
func (w *endedWorker) Work(ctx context.Context, j *river.Job[endedArgs]) error {
	ref := run.Ref{Scope: id.Scope{Tenant: j.Args.Tenant, Workspace: j.Args.Workspace}, Run: j.Args.Run}
	var failed []error
	for _, s := range w.subscribers {
		if s.Once && j.Attempt > 1 {
			continue
		}
		if err := s.Tell(ctx, ref); err != nil {
			failed = append(failed, fmt.Errorf("tell %s that %s has ended: %w", s.Name, ref.Run, err))
		}
	}
	return errors.Join(failed...)
}
