package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// WithHistory returns the workspaces with publications that are older than the
// given time.
func (s *Graph) WithHistory(ctx context.Context, olderThan time.Duration) ([]id.Scope, error) {
	rows, err := s.db.pool.Query(ctx, "select workspace_id from workspaces_with_history($1)", olderThan)
	if err != nil {
		return nil, fmt.Errorf("find workspaces with history: %w", translate(err))
	}
	scopes, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (id.Scope, error) {
		var w int64
		err := row.Scan(&w)
		return s.runs.scope(id.Workspace(w)), err
	})
	return scopes, translate(err)
}

// ForgetHistory removes versions that ended long ago, at most that many, with
// their audit event. The database function that alone may delete them decides
// which, and notes from when on there is history.
func (s *Graph) ForgetHistory(ctx context.Context, scope id.Scope, olderThan time.Duration, most int) (removed int64, err error) {
	err = s.db.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		var begins *time.Time
		err := tx.QueryRow(ctx, "select removed, begins from forget_history($1, $2)", olderThan, most).Scan(&removed, &begins)
		if err != nil {
			return fmt.Errorf("forget history: %w", err)
		}
		if removed == 0 || begins == nil {
			return nil
		}
		return record(ctx, tx, scope, audit.Event{
			Actor: audit.System("retention"), Action: audit.HistoryRemoved, Outcome: audit.Succeeded, TargetType: "workspace", TargetID: scope.Workspace.String(),
			Payload: map[string]any{"removed": removed, "history_begins_at": begins.UTC().Format(time.RFC3339), "older_than_hours": int64(olderThan / time.Hour)},
		})
	})
	if err != nil {
		return 0, err
	}
	return removed, nil
}
