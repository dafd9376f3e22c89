package job

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/gatehouse-project/gatehouse/internal/export"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// exportArgs names an export whose file is to be made.
type exportArgs struct {
	Tenant    id.Tenant    `json:"tenant_id"`
	Workspace id.Workspace `json:"workspace_id"`
	Export    id.Export    `json:"export_id"`
}

// Kind names the job in the queue.
func (exportArgs) Kind() string { return "export" }

const (
	// exportQueue has a queue of its own: exports take long, and nothing else
	// should wait for them.
	exportQueue = "exports"
	// exportsAtOnce bounds how many files one process makes at a time; each takes
	// two connections to the database.
	exportsAtOnce = 2
	// exportTimeout is longer than a file of the largest size takes.
	exportTimeout = 4 * time.Hour
)

// exportOpts keep at most one unfinished job for an export.
func exportOpts() *river.InsertOpts {
	return &river.InsertOpts{
		Queue: exportQueue, MaxAttempts: export.MaxAttempts,
		UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
			rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning, rivertype.JobStateScheduled,
		}},
	}
}

// ExportTx queues the making of an export's file in the caller's transaction.
func (q *Queue) ExportTx(ctx context.Context, tx pgx.Tx, ref export.Ref) error {
	_, err := q.client.InsertTx(ctx, tx, newExportArgs(ref), exportOpts())
	return err
}

// Export queues the making of a file that nobody is at. A job that is running all
// the same was given to a process that is gone; the engine would notice hours later.
func (q *Queue) Export(ctx context.Context, ref export.Ref) error {
	inserted, err := q.client.Insert(ctx, newExportArgs(ref), exportOpts())
	if err != nil || !inserted.UniqueSkippedAsDuplicate || inserted.Job.State != rivertype.JobStateRunning {
		return err
	}
	_, err = q.client.Insert(ctx, newExportArgs(ref), &river.InsertOpts{
		Queue: exportQueue, MaxAttempts: export.MaxAttempts, UniqueOpts: river.UniqueOpts{ByArgs: true, ByPeriod: publishAgainEvery},
	})
	return err
}

func newExportArgs(ref export.Ref) exportArgs {
	return exportArgs{Tenant: ref.Scope.Tenant, Workspace: ref.Scope.Workspace, Export: ref.Export}
}

type exportWorker struct {
	river.WorkerDefaults[exportArgs]
	maker *export.Maker
}

func (w *exportWorker) Timeout(*river.Job[exportArgs]) time.Duration { return exportTimeout }

// Work makes the file. When the last attempt fails, the export fails with it.
func (w *exportWorker) Work(ctx context.Context, j *river.Job[exportArgs]) error {
	ref := export.Ref{Scope: id.Scope{Tenant: j.Args.Tenant, Workspace: j.Args.Workspace}, Export: j.Args.Export}
	err := w.maker.Make(ctx, ref)
	if err != nil && j.Attempt >= j.MaxAttempts {
		if giveUp := w.maker.GiveUp(context.WithoutCancel(ctx), ref); giveUp != nil {
			return fmt.Errorf("%w; and giving up: %w", err, giveUp)
		}
	}
	return err
}

type tendExportsArgs struct{}

// Kind names the job in the queue.
func (tendExportsArgs) Kind() string { return "tend_exports" }

// tendExportsEvery bounds how much longer than it has to an export waits whose
// maker is gone.
const tendExportsEvery = 20 * time.Second

type tendExportsWorker struct {
	river.WorkerDefaults[tendExportsArgs]
	maker *export.Maker
}

func (w *tendExportsWorker) Timeout(*river.Job[tendExportsArgs]) time.Duration { return roundTimeout }

func (w *tendExportsWorker) Work(ctx context.Context, _ *river.Job[tendExportsArgs]) error {
	return w.maker.Tend(ctx)
}

// tendExportsRound is the periodic job that looks after exports.
func tendExportsRound() *river.PeriodicJob {
	opts := roundOpts()
	return river.NewPeriodicJob(river.PeriodicInterval(tendExportsEvery), func() (river.JobArgs, *river.InsertOpts) { return tendExportsArgs{}, opts }, nil)
}
