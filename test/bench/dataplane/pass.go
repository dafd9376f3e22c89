package dataplane

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// Passage is a run's way through the pipeline, from its start to its end.
type Passage struct {
	Run  run.Run
	Took time.Duration
	// Waiting is until a worker had the run, Reading until everything was
	// staged, Publishing the rest.
	Waiting, Reading, Publishing time.Duration
	// WorkerProcessor to DatabaseProcessor are the processor time that the worker,
	// the services and PostgreSQL took. Other programs do not disturb it as they
	// do the time by the clock.
	WorkerProcessor, ServiceProcessor, DatabaseProcessor time.Duration
	// Steps are the statements that took longest.
	Steps []Step
}

// Pass has a connection discovered by a worker.
func (p *Plane) Pass(ctx context.Context, w *Worker, conn id.Connection) (Passage, error) {
	var all Passage
	workerBefore, err := w.Processor()
	if err != nil {
		return Passage{}, err
	}
	databaseBefore, err := p.DatabaseProcessor(ctx)
	if err != nil {
		return Passage{}, err
	}
	serviceBefore := processor()
	all.Steps, err = p.Steps(ctx, func(ctx context.Context) (err error) {
		begun := time.Now()
		all.Run, err = p.Discover(ctx, conn)
		all.Took = time.Since(begun)
		return err
	})
	if err != nil {
		return Passage{}, err
	}
	workerAfter, err := w.Processor()
	if err != nil {
		return Passage{}, err
	}
	all.WorkerProcessor, all.ServiceProcessor = workerAfter-workerBefore, processor()-serviceBefore
	databaseAfter, err := p.DatabaseProcessor(ctx)
	if err != nil {
		return Passage{}, err
	}
	all.DatabaseProcessor = databaseAfter - databaseBefore
	var staged time.Time
	err = p.Super.QueryRow(ctx, "select phase_since from runs where run_id = $1 and phase = 'publishing'", all.Run.ID).Scan(&staged)
	if err != nil {
		return Passage{}, fmt.Errorf("when was everything staged: %w", err)
	}
	all.Waiting = all.Run.StartedAt.Sub(all.Run.CreatedAt)
	all.Reading = staged.Sub(*all.Run.StartedAt)
	all.Publishing = all.Run.CompletedAt.Sub(staged)
	return all, nil
}

// Settings says what of the server's settings decides its speed.
func (p *Plane) Settings(ctx context.Context) (string, error) {
	names := []string{"server_version", "fsync", "synchronous_commit", "full_page_writes", "wal_level", "shared_buffers", "max_wal_size"}
	var said []string
	for _, name := range names {
		var value string
		if err := p.Super.QueryRow(ctx, "select current_setting($1)", name).Scan(&value); err != nil {
			return "", fmt.Errorf("read setting %s: %w", name, err)
		}
		said = append(said, name+"="+value)
	}
	return strings.Join(said, " "), nil
}
