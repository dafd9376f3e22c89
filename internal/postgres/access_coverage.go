package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// Coverage sums up the stream partitions of a connection that are in scope. One
// that is known but was never read counts as skipped.
func (v *graphView) Coverage(ctx context.Context, c id.Connection) (graph.Coverage, error) {
	if v.past != nil {
		return v.pastCoverage(ctx, c)
	}
	coverage := graph.Coverage{Connection: c, Integration: v.integrations[c]}
	rows, err := v.tx.Query(ctx, `
		select stream,
		  count(*) filter (where coverage = 'complete'),
		  count(*) filter (where coverage = 'partial'),
		  count(*) filter (where coverage = 'skipped' or coverage is null),
		  min(last_complete_at),
		  max(last_observed_at)
		from stream_partitions
		where workspace_id = $1 and connection_id = $2 and retired_at is null
		group by stream
		order by stream`, v.workspace, c)
	if err != nil {
		return graph.Coverage{}, fmt.Errorf("read coverage: %w", err)
	}
	incomplete := false
	coverage.Streams, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (s graph.StreamCoverage, err error) {
		err = row.Scan(&s.Stream, &s.Complete, &s.Partial, &s.Skipped, &s.OldestComplete, &s.LastObserved)
		incomplete = incomplete || s.Partial+s.Skipped > 0
		return s, err
	})
	if err != nil {
		return graph.Coverage{}, fmt.Errorf("read coverage: %w", err)
	}
	if incomplete {
		if err := v.addGaps(ctx, &coverage); err != nil {
			return graph.Coverage{}, err
		}
	}
	return coverage, nil
}

func (v *graphView) addGaps(ctx context.Context, coverage *graph.Coverage) error {
	rows, err := v.tx.Query(ctx, `
		select stream, partition_key, coalesce(coverage, 'skipped'), coalesce(reason_code, ''), coalesce(message, ''), last_observed_at, last_complete_at
		from stream_partitions
		where workspace_id = $1 and connection_id = $2 and retired_at is null and coverage is distinct from 'complete'
		order by stream, partition_key
		limit $3`, v.workspace, coverage.Connection, graph.MaxGaps+1)
	if err != nil {
		return fmt.Errorf("read coverage gaps: %w", err)
	}
	gaps, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (g graph.CoverageGap, err error) {
		return g, row.Scan(&g.Stream, &g.Partition, &g.Coverage, &g.ReasonCode, &g.Message, &g.LastObserved, &g.LastCompleteAt)
	})
	if err != nil {
		return fmt.Errorf("read coverage gaps: %w", err)
	}
	coverage.MoreGaps = len(gaps) > graph.MaxGaps
	coverage.Gaps = gaps[:min(len(gaps), graph.MaxGaps)]
	return nil
}

// Partitions names stream partitions.
func (v *graphView) Partitions(ctx context.Context, ids []int64) (map[int64]graph.PartitionName, error) {
	names := make(map[int64]graph.PartitionName, len(ids))
	if len(ids) == 0 {
		return names, nil
	}
	rows, err := v.tx.Query(ctx, `
		select partition_id, stream, partition_key
		from stream_partitions
		where workspace_id = $1 and partition_id = any ($2)`, v.workspace, ids)
	if err != nil {
		return nil, fmt.Errorf("name stream partitions: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var p int64
		var n graph.PartitionName
		if err := rows.Scan(&p, &n.Stream, &n.Partition); err != nil {
			return nil, fmt.Errorf("name stream partitions: %w", err)
		}
		names[p] = n
	}
	return names, rows.Err()
}
