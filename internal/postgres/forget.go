package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/id"
)

// Forget drops the graphs of connections that have been deleted, at most that
// many. One that cannot be dropped now does not keep it from the others.
func (s *Graph) Forget(ctx context.Context, most int) (forgotten int, err error) {
	refs, err := s.runs.acrossWorkspaces(ctx, "select workspace_id, connection_id from forgettable_graphs($1)", most)
	if err != nil {
		return 0, fmt.Errorf("find graphs to forget: %w", err)
	}
	var failures error
	for _, ref := range refs {
		err := s.db.InWorkspace(ctx, id.Workspace(ref[0]), func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, "call graph_drop($1)", ref[1])
			return err
		})
		if err != nil {
			failures = errors.Join(failures, fmt.Errorf("forget the graph of %s: %w", id.Connection(ref[1]), err))
			continue
		}
		forgotten++
	}
	return forgotten, failures
}
