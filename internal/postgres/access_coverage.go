package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// coverageSQL counts the stream partitions of a connection that are in scope. One
// that is known but was never read counts as skipped.
const coverageSQL = `
		select stream,
		  count(*) filter (where coverage = 'complete'),
		  count(*) filter (where coverage = 'partial'),
		  count(*) filter (where coverage = 'skipped' or coverage is null),
		  min(last_complete_at),
		  max(last_observed_at)
		from stream_partitions
		where workspace_id = $1 and connection_id = $2 and retired_at is null
		group by stream
		order by stream`

// Coverage sums up the stream partitions of a connection that are in scope.
func (v *graphView) Coverage(ctx context.Context, c id.Connection) (graph.Coverage, error) {
	if v.past != nil {
		return v.pastCoverage(ctx, c)
	}
	rows, err := v.tx.Query(ctx, coverageSQL, v.workspace, c)
	coverage, err := v.streams(c, rows, err)
	if err == nil {
		err = v.addGaps(ctx, &coverage)
	}
	return coverage, err
}

// Describe reads entities and coverage in one exchange; of an earlier moment, one
// after the other.
func (v *graphView) Describe(ctx context.Context, c id.Connection, ids []graph.EntityID) (found map[graph.EntityID]graph.Entity, coverage graph.Coverage, err error) {
	if v.past != nil {
		if found, err = v.Entities(ctx, c, ids); err == nil {
			coverage, err = v.pastCoverage(ctx, c)
		}
		return found, coverage, err
	}
	var both pgx.Batch
	sql, args := v.versions(c, namedSQL, []any{v.workspace, c, uuids(ids)})
	both.Queue(sql, args...)
	both.Queue(coverageSQL, v.workspace, c)
	results := v.tx.SendBatch(ctx, &both)
	rows, err := results.Query()
	found, err = v.named(rows, err, len(ids))
	if err == nil {
		rows, err = results.Query()
		coverage, err = v.streams(c, rows, err)
	}
	if err = errors.Join(err, results.Close()); err == nil {
		err = v.addGaps(ctx, &coverage)
	}
	return found, coverage, err
}

func (v *graphView) streams(c id.Connection, rows pgx.Rows, err error) (graph.Coverage, error) {
	coverage := graph.Coverage{Connection: c, Integration: v.integrations[c]}
	if err == nil {
		coverage.Streams, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (s graph.StreamCoverage, err error) {
			return s, row.Scan(&s.Stream, &s.Complete, &s.Partial, &s.Skipped, &s.OldestComplete, &s.LastObserved)
		})
	}
	if err != nil {
		return graph.Coverage{}, fmt.Errorf("read coverage: %w", err)
	}
	return coverage, nil
}

// addGaps lists what was not read completely, if there is such.
func (v *graphView) addGaps(ctx context.Context, coverage *graph.Coverage) error {
	if !slices.ContainsFunc(coverage.Streams, func(s graph.StreamCoverage) bool { return s.Partial+s.Skipped > 0 }) {
		return nil
	}
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

// Coverages is Coverage of all connections or of one.
func (v *graphView) Coverages(ctx context.Context, c id.Connection) ([]graph.Coverage, error) {
	all := []graph.Coverage{}
	for _, connection := range v.connections {
		if c != 0 && c != id.Connection(connection) {
			continue
		}
		coverage, err := v.Coverage(ctx, id.Connection(connection))
		if err != nil {
			return nil, err
		}
		all = append(all, coverage)
	}
	return all, nil
}
