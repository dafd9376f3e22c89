package postgres

import (
	"context"
	"fmt"

	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// merge brings the staged rows into the graph. What is written is what changed.
func (p *publication) merge(ctx context.Context) error {
	if err := p.analyse(ctx); err != nil {
		return err
	}
	if err := p.mergeDuplicates(ctx, stagedEntities(p.run).Sanitize(), "entities", "entity_id"); err != nil {
		return err
	}
	if err := p.mergeDuplicates(ctx, stagedRelationships(p.run).Sanitize(), "relationships", "relationship_id"); err != nil {
		return err
	}
	var known bool
	err := p.tx.QueryRow(ctx, "select to_regclass($1) is not null", fmt.Sprintf("public.entities_%d", int64(p.conn))).Scan(&known)
	if err != nil {
		return fmt.Errorf("look for the connection's graph: %w", err)
	}
	if !known {
		if err := p.firstLoad(ctx); err != nil {
			return err
		}
		return p.mergeIdentities(ctx, true)
	}
	if err := p.mergeEntities(ctx); err != nil {
		return err
	}
	if err := p.mergeRelationships(ctx); err != nil {
		return err
	}
	return p.mergeIdentities(ctx, false)
}

// analyse gives the planner statistics; without them it may join a million rows
// by nested loops. It needs no more than how many rows there are and that ids are
// unique, so that a tenth of the usual sample is enough.
func (p *publication) analyse(ctx context.Context) error {
	if _, err := p.tx.Exec(ctx, "set local default_statistics_target = 10"); err != nil {
		return err
	}
	// Only of the columns that are compared: the others are large, and analysing
	// them took longer than reading the tables.
	_, err := p.tx.Exec(ctx, fmt.Sprintf("analyze %s (partition_id, entity_id, content_hash), %s (partition_id, relationship_id, from_id, to_id, content_hash)",
		stagedEntities(p.run).Sanitize(), stagedRelationships(p.run).Sanitize()))
	if err != nil {
		return fmt.Errorf("analyse staging: %w", err)
	}
	// The graph itself is analysed as always: questions are planned by that.
	_, err = p.tx.Exec(ctx, "set local default_statistics_target to default")
	return err
}

// mergeDuplicates keeps one of the rows that came more than once. Which one does
// not depend on the order in which they came: the row of the partition that owns
// the record now, else of the first partition, else the least content. Rows that
// several partitions showed are marked as shared.
func (p *publication) mergeDuplicates(ctx context.Context, staging, table, key string) error {
	tag, err := p.tx.Exec(ctx, fmt.Sprintf(`
		create temporary table duplicate_%[2]s on commit drop as
		select %[3]s, count(*) as copies from %[1]s group by %[3]s having count(*) > 1`, staging, table, key))
	if err != nil {
		return fmt.Errorf("find duplicate %s: %w", table, err)
	}
	if tag.RowsAffected() == 0 {
		return nil
	}
	// Counting distinct contents sorts; above, it would sort all of the table.
	var extra, contradicting int64
	err = p.tx.QueryRow(ctx, fmt.Sprintf(`
		select sum(copies - 1)::bigint, count(*) filter (where contents > 1)
		from (select min(copies) as copies, count(distinct content_hash) as contents from duplicate_%[2]s join %[1]s using (%[3]s) group by %[3]s) d`,
		staging, table, key)).Scan(&extra, &contradicting)
	if err != nil {
		return fmt.Errorf("count duplicate %s: %w", table, err)
	}
	p.counts[graph.CountDuplicates] += extra
	p.counts[graph.CountContradictions] += contradicting
	if contradicting > 0 {
		p.notes = append(p.notes, fmt.Sprintf("%d %s were read more than once with different content; one reading of each was kept", contradicting, table))
	}
	_, err = p.tx.Exec(ctx, fmt.Sprintf(`
		update %[1]s s set shared = true
		from (select %[3]s from duplicate_%[2]s join %[1]s using (%[3]s) group by %[3]s having min(partition_id) <> max(partition_id)) d
		where s.%[3]s = d.%[3]s`, staging, table, key))
	if err != nil {
		return fmt.Errorf("mark shared %s: %w", table, err)
	}
	_, err = p.tx.Exec(ctx, fmt.Sprintf(`
		with ranked as (
			select s.ctid, row_number() over (
				partition by s.%[3]s
				order by (c.partition_id is not null) desc, p.stream collate "C", p.partition_key collate "C", s.content_hash) as place
			from %[1]s s
			join duplicate_%[2]s d using (%[3]s)
			join run_partitions p on p.partition_id = s.partition_id and p.workspace_id = $1 and p.run_id = $3
			left join %[2]s c on c.%[3]s = s.%[3]s and c.partition_id = s.partition_id
				and c.workspace_id = $1 and c.connection_id = $2 and c.valid_to is null)
		delete from %[1]s using ranked where %[1]s.ctid = ranked.ctid and ranked.place > 1`, staging, table, key),
		p.row.WorkspaceID, int64(p.conn), p.row.RunID)
	if err != nil {
		return fmt.Errorf("merge duplicate %s: %w", table, err)
	}
	return nil
}

// entityColumns and relationshipColumns are what a version takes from its staged
// row, in the order of the insert statements; stagedEntity and stagedRelationship
// are the same of the staged row s.
const (
	entityColumns       = "entity_id, kind, provider_id, name, type, identifiers, attributes, content_hash"
	stagedEntity        = "s.entity_id, s.kind, s.provider_id, s.name, s.type, s.identifiers::jsonb, s.attributes::jsonb, s.content_hash"
	relationshipColumns = "relationship_id, from_id, to_id, kind, key, effect, terms, attributes, content_hash"
	stagedRelationship  = "s.relationship_id, s.from_id, s.to_id, s.kind, s.key, s.effect, s.terms::jsonb, s.attributes::jsonb, s.content_hash"
)

// firstLoad fills tables that nobody sees yet, indexes them and then makes them
// the connection's part of the graph.
func (p *publication) firstLoad(ctx context.Context) error {
	if _, err := p.tx.Exec(ctx, "call graph_prepare($1)", int64(p.conn)); err != nil {
		return fmt.Errorf("prepare the connection's graph: %w", err)
	}
	tag, err := p.tx.Exec(ctx, fmt.Sprintf(`
		insert into entities_%[1]d (workspace_id, connection_id, %[2]s, partition_id, shared, first_run_id, valid_from)
		select $1, $2, %[3]s, partition_id, shared, $3, $4 from %[4]s s`, int64(p.conn), entityColumns, stagedEntity, stagedEntities(p.run).Sanitize()),
		p.row.WorkspaceID, int64(p.conn), p.row.RunID, p.at)
	if err != nil {
		return fmt.Errorf("load entities: %w", err)
	}
	p.counts[graph.CountEntitiesNew] = tag.RowsAffected()
	tag, err = p.tx.Exec(ctx, fmt.Sprintf(`
		insert into relationships_%[1]d (workspace_id, connection_id, %[2]s, partition_id, shared, first_run_id, valid_from)
		select $1, $2, %[3]s, partition_id, shared, $3, $4 from %[4]s s
		where exists (select from %[5]s e where e.entity_id = s.from_id) and exists (select from %[5]s e where e.entity_id = s.to_id)`,
		int64(p.conn), relationshipColumns, stagedRelationship, stagedRelationships(p.run).Sanitize(), stagedEntities(p.run).Sanitize()),
		p.row.WorkspaceID, int64(p.conn), p.row.RunID, p.at)
	if err != nil {
		return fmt.Errorf("load relationships: %w", err)
	}
	p.counts[graph.CountRelationshipsNew] = tag.RowsAffected()
	var all int64
	if err := p.tx.QueryRow(ctx, "select count(*) from "+stagedRelationships(p.run).Sanitize()).Scan(&all); err != nil {
		return err
	}
	if _, err := p.tx.Exec(ctx, "call graph_attach($1)", int64(p.conn)); err != nil {
		return fmt.Errorf("attach the connection's graph: %w", err)
	}
	if dangling := all - tag.RowsAffected(); dangling > 0 {
		return p.noteDangling(ctx, dangling, fmt.Sprintf("select from_id, to_id, kind from %s s", stagedRelationships(p.run).Sanitize()))
	}
	return nil
}

// noteDangling reports relationships that were left out because an end of them
// was never seen, with examples.
func (p *publication) noteDangling(ctx context.Context, n int64, from string) error {
	p.counts[graph.CountDangling] = n
	rows, err := p.tx.Query(ctx, fmt.Sprintf(`
		select r.kind::text, coalesce(f.name, f.provider_id), coalesce(t.name, t.provider_id)
		from (%s) r
		left join entities f on f.entity_id = r.from_id and f.workspace_id = $1 and f.connection_id = $2 and f.valid_to is null
		left join entities t on t.entity_id = r.to_id and t.workspace_id = $1 and t.connection_id = $2 and t.valid_to is null
		where f.entity_id is null or t.entity_id is null
		order by f.name is null and t.name is null, r.kind, f.name collate "C", t.name collate "C"
		limit 3`, from), p.row.WorkspaceID, int64(p.conn))
	if err != nil {
		return fmt.Errorf("find dangling relationships: %w", err)
	}
	defer rows.Close()
	p.notes = append(p.notes, fmt.Sprintf("%d relationships were left out because one of their ends was not seen", n))
	for rows.Next() {
		var kind string
		var fromName, toName *string
		if err := rows.Scan(&kind, &fromName, &toName); err != nil {
			return err
		}
		p.notes = append(p.notes, run.Sanitise(fmt.Sprintf("left out: %s from %s to %s", kind, seenOr(fromName), seenOr(toName))))
	}
	return rows.Err()
}

func seenOr(name *string) string {
	if name == nil {
		return "something not seen"
	}
	return *name
}
