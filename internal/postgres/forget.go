package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/gatehouse-project/gatehouse/internal/id"
)

// forgetSettings are for dropping one graph. To drop a partition takes its
// parent for itself: whoever asks a question meanwhile waits behind it, so it
// must not wait for a publish to end.
const forgetSettings = `set local lock_timeout = '100ms'`

// Forget drops the graphs of connections that have been deleted, at most that
// many. While a publish or a long question uses the graph it drops none and
// leaves them to the next call. One that cannot be dropped for another reason
// does not keep it from the others.
func (s *Graph) Forget(ctx context.Context, most int) (forgotten int, err error) {
	refs, err := s.runs.acrossWorkspaces(ctx, "select workspace_id, connection_id from forgettable_graphs($1)", most)
	if err != nil {
		return 0, fmt.Errorf("find graphs to forget: %w", err)
	}
	var failures error
	for _, ref := range refs {
		err := s.db.InWorkspace(ctx, id.Workspace(ref[0]), func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, forgetSettings); err != nil {
				return err
			}
			if err := forgetIdentities(ctx, tx, id.Workspace(ref[0]), ref[1]); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, "call graph_drop($1)", ref[1])
			return err
		})
		var pg *pgconn.PgError
		if errors.As(err, &pg) && pg.Code == codeLockTimeout {
			break
		}
		if err != nil {
			failures = errors.Join(failures, fmt.Errorf("forget the graph of %s: %w", id.Connection(ref[1]), err))
			continue
		}
		forgotten++
	}
	return forgotten, failures
}
