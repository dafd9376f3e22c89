package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// WithOldRuns returns the workspaces that have runs which ended longer ago than
// the given time.
func (s *Runs) WithOldRuns(ctx context.Context, olderThan time.Duration) ([]id.Scope, error) {
	rows, err := s.db.pool.Query(ctx, "select workspace_id from workspaces_with_old_runs($1)", olderThan)
	if err != nil {
		return nil, fmt.Errorf("find workspaces with old runs: %w", translate(err))
	}
	scopes, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (id.Scope, error) {
		var w int64
		err := row.Scan(&w)
		return s.scope(id.Workspace(w)), err
	})
	return scopes, translate(err)
}

// ForgetRuns removes old runs of a workspace, at most that many, with their audit
// event. What goes and what stays is decided by the database function that alone
// may delete them.
func (s *Runs) ForgetRuns(ctx context.Context, scope id.Scope, olderThan time.Duration, most int) (f run.Forgotten, err error) {
	err = s.db.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, "select removed, thinned from forget_runs($1, $2)", olderThan, most).Scan(&f.Removed, &f.Thinned)
		if err != nil {
			return fmt.Errorf("forget runs: %w", err)
		}
		if f == (run.Forgotten{}) {
			return nil
		}
		return record(ctx, tx, scope, audit.Event{
			Actor: audit.System("retention"), Action: audit.RunsRemoved, Outcome: audit.Succeeded, TargetType: "workspace", TargetID: scope.Workspace.String(),
			Payload: map[string]any{"removed": f.Removed, "thinned": f.Thinned, "older_than_hours": int64(olderThan / time.Hour)},
		})
	})
	if err != nil {
		return run.Forgotten{}, err
	}
	return f, nil
}

// DropAbandonedStaging drops the staging tables of runs that are no longer under
// way. There are none unless something else than this service has ended a run.
func (s *Runs) DropAbandonedStaging(ctx context.Context, most int) (dropped int, err error) {
	rows, err := s.db.pool.Query(ctx, "select run_id from abandoned_staging($1)", most)
	if err != nil {
		return 0, fmt.Errorf("find abandoned staging tables: %w", translate(err))
	}
	runs, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return 0, fmt.Errorf("find abandoned staging tables: %w", translate(err))
	}
	for _, r := range runs {
		err := pgx.BeginFunc(ctx, s.db.pool, func(tx pgx.Tx) error { return dropStaging(ctx, tx, id.Run(r)) })
		if err != nil {
			return dropped, translate(err)
		}
		dropped++
	}
	return dropped, nil
}
