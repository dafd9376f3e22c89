package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/run"
)

// Figures counts the unfinished runs of all workspaces, by queue and stage. What
// has none is left out.
func (s *Runs) Figures(ctx context.Context) ([]run.Figure, error) {
	rows, err := s.db.pool.Query(ctx, "select queue, state, runs, oldest from run_figures()")
	if err != nil {
		return nil, fmt.Errorf("count runs: %w", translate(err))
	}
	figures, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (f run.Figure, err error) {
		var seconds float64
		err = row.Scan(&f.Queue, &f.Stage, &f.Runs, &seconds)
		f.Oldest = time.Duration(seconds * float64(time.Second))
		return f, err
	})
	return figures, translate(err)
}
