package job

import (
	"context"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// publishArgs names a run that has been read.
type publishArgs struct {
	Tenant    id.Tenant    `json:"tenant_id"`
	Workspace id.Workspace `json:"workspace_id"`
	Run       id.Run       `json:"run_id"`
}

// Kind names the job in the queue.
func (publishArgs) Kind() string { return "publish" }

// publishQueue has a queue of its own, so that sweeping never waits behind it.
const publishQueue = "publish"

// maxPublishAttempts bounds how often a publish that fails is tried; with
// River's growing pauses this takes about ten minutes.
const maxPublishAttempts = 6

// publishTimeout is longer than any publish may take.
const publishTimeout = time.Hour

type publishWorker struct {
	river.WorkerDefaults[publishArgs]
	publisher *graph.Publisher
}

func (w *publishWorker) Timeout(*river.Job[publishArgs]) time.Duration { return publishTimeout }

// Work merges the run into the graph. When the last attempt fails, the run fails
// with it rather than waiting for ever.
func (w *publishWorker) Work(ctx context.Context, j *river.Job[publishArgs]) error {
	ref := run.Ref{Scope: id.Scope{Tenant: j.Args.Tenant, Workspace: j.Args.Workspace}, Run: j.Args.Run}
	_, err := w.publisher.Publish(ctx, ref)
	if err != nil && j.Attempt >= j.MaxAttempts {
		if giveUp := w.publisher.GiveUp(context.WithoutCancel(ctx), ref); giveUp != nil {
			return fmt.Errorf("%w; and giving up: %w", err, giveUp)
		}
	}
	return err
}
