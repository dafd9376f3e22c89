package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// coverageSQL counts the stream partitions of connections that are in scope. One
// that is known but was never read counts as skipped. Of connections of which no
// run ever planned all that is in scope, it adds the streams that none planned, and
// one without a name.
const coverageSQL = `
		select connection_id, stream, true,
		  count(*) filter (where coverage = 'complete'),
		  count(*) filter (where coverage = 'partial'),
		  count(*) filter (where coverage = 'skipped' or coverage is null),
		  min(last_complete_at),
		  max(last_observed_at)
		from stream_partitions
		where workspace_id = $1 and connection_id = any ($2) and retired_at is null
		group by connection_id, stream
		union all
		select c.connection_id, s.stream, false, 0, 0, 1, null, null
		from connections c
		cross join lateral (
		  select coalesce($3::boolean, (
		    select p.whole_plan
		    from publications p
		    where p.workspace_id = $1 and p.connection_id = c.connection_id
		    order by p.visible_at desc
		    limit 1)) as whole
		  offset 0) plan
		cross join lateral (
		  select '' as stream
		  union all
		  select m->>'name'
		  from integrations i
		  cross join jsonb_array_elements(i.manifest->'streams') m
		  where i.integration_id = c.integration_id and not exists (
		    select from stream_partitions p
		    where p.workspace_id = $1 and p.connection_id = c.connection_id and p.stream = m->>'name' and p.retired_at is null)) s
		where c.workspace_id = $1 and c.connection_id = any ($2) and not plan.whole
		order by 1, 2`

// notPlanned is the reason of a gap that no run has planned.
const notPlanned = "not_planned"

// Coverage sums up the stream partitions of a connection that are in scope.
func (v *graphView) Coverage(ctx context.Context, c id.Connection) (graph.Coverage, error) {
	all, err := v.coverages(ctx, []id.Connection{c})
	if err != nil {
		return graph.Coverage{}, err
	}
	return all[0], nil
}

// Coverages is Coverage of one connection, or of as many as there may be.
func (v *graphView) Coverages(ctx context.Context, c id.Connection, first []id.Connection) (all []graph.Coverage, more bool, err error) {
	of := slices.Clone(first)
	for _, connection := range v.connections {
		of = append(of, id.Connection(connection))
	}
	seen := map[id.Connection]bool{}
	of = slices.DeleteFunc(of, func(one id.Connection) bool {
		twice := seen[one]
		seen[one] = true
		return twice || c != 0 && c != one || !slices.Contains(v.connections, int64(one))
	})
	if len(of) == 0 {
		return []graph.Coverage{}, false, nil
	}
	more = len(of) > graph.MaxCoverages
	of = of[:min(len(of), graph.MaxCoverages)]
	slices.Sort(of)
	all, err = v.coverages(ctx, of)
	return all, more, err
}

// coverages is that of each of some connections, in at most two exchanges.
func (v *graphView) coverages(ctx context.Context, of []id.Connection) ([]graph.Coverage, error) {
	sql, args := v.coverageQuery(of)
	rows, err := v.tx.Query(ctx, sql, args...)
	all, err := v.collectCoverages(rows, err, of)
	if err == nil {
		err = v.addGaps(ctx, all)
	}
	return all, err
}

// coverageQuery asks for what [graphView.collectCoverages] reads.
func (v *graphView) coverageQuery(of []id.Connection) (string, []any) {
	if v.past != nil {
		return v.unreadQuery(of)
	}
	return coverageSQL, []any{v.workspace, numbers(of), v.wholePlan}
}

func numbers(of []id.Connection) []int64 {
	all := make([]int64, len(of))
	for i, c := range of {
		all[i] = int64(c)
	}
	return all
}

// collectCoverages sums up connections, in their order; of the present without
// gaps.
func (v *graphView) collectCoverages(rows pgx.Rows, err error, of []id.Connection) ([]graph.Coverage, error) {
	if v.past != nil {
		return v.collectPast(rows, err, of)
	}
	all := make([]graph.Coverage, len(of))
	at := make(map[id.Connection]*graph.Coverage, len(of))
	for i, c := range of {
		all[i] = graph.Coverage{Connection: c, Integration: v.integrations[c]}
		at[c] = &all[i]
	}
	if err != nil {
		return nil, fmt.Errorf("read coverage: %w", err)
	}
	var c id.Connection
	var s graph.StreamCoverage
	var planned bool
	_, err = pgx.ForEachRow(rows, []any{&c, &s.Stream, &planned, &s.Complete, &s.Partial, &s.Skipped, &s.OldestComplete, &s.LastObserved}, func() error {
		of := at[c]
		if !planned {
			of.Narrowed = true
			if s.Stream == "" {
				return nil
			}
			of.Gaps = append(of.Gaps, graph.CoverageGap{
				Stream: s.Stream, Coverage: string(connector.Skipped), ReasonCode: notPlanned, Message: "only selections have been read, none of which named it",
			})
		}
		of.Streams = append(of.Streams, s)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read coverage: %w", err)
	}
	return all, nil
}

// addGaps lists what was not read completely, if there is such. Those of an
// earlier moment are there already.
func (v *graphView) addGaps(ctx context.Context, all []graph.Coverage) error {
	at := make(map[id.Connection]*graph.Coverage, len(all))
	var torn []int64
	for i := range all {
		c := &all[i]
		if slices.ContainsFunc(c.Streams, func(s graph.StreamCoverage) bool { return s.Partial+s.Skipped > 0 }) {
			at[c.Connection] = c
			torn = append(torn, int64(c.Connection))
		}
	}
	if v.past != nil || len(torn) == 0 {
		return nil
	}
	rows, err := v.tx.Query(ctx, `
		select c.id, g.*
		from unnest($2::bigint[]) c (id)
		cross join lateral (
		  select p.stream, p.partition_key, coalesce(p.coverage, 'skipped'), coalesce(p.reason_code, ''), coalesce(p.message, ''), p.last_observed_at, p.last_complete_at
		  from stream_partitions p
		  where p.workspace_id = $1 and p.connection_id = c.id and p.retired_at is null and p.coverage is distinct from 'complete'
		  order by p.stream, p.partition_key
		  limit $3) g`, v.workspace, torn, graph.MaxGaps+1)
	if err != nil {
		return fmt.Errorf("read coverage gaps: %w", err)
	}
	var c id.Connection
	var g graph.CoverageGap
	_, err = pgx.ForEachRow(rows, []any{&c, &g.Stream, &g.Partition, &g.Coverage, &g.ReasonCode, &g.Message, &g.LastObserved, &g.LastCompleteAt}, func() error {
		at[c].Gaps = append(at[c].Gaps, g)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read coverage gaps: %w", err)
	}
	for _, c := range at {
		sortGaps(c)
	}
	return nil
}

// sortGaps puts gaps in order and leaves out what is beyond their bound.
func sortGaps(c *graph.Coverage) {
	slices.SortFunc(c.Gaps, func(a, b graph.CoverageGap) int {
		return cmp.Or(strings.Compare(a.Stream, b.Stream), strings.Compare(a.Partition, b.Partition))
	})
	c.MoreGaps = c.MoreGaps || len(c.Gaps) > graph.MaxGaps
	c.Gaps = c.Gaps[:min(len(c.Gaps), graph.MaxGaps)]
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
