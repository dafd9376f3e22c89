package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/graph"
)

// difference finds, by one full join, how the staged rows differ from the
// current version: new, changed, gone, or moved to another partition because the
// one that owned the record no longer shows it. What nobody shows any more is
// gone if the partitions that could show it were read completely: the one that
// owns it or, when it is shared, all there are. extra columns are taken from the
// staged row; partition_id and shared are what the row gets, so that a partition
// that was not read completely never loses its hold on what it showed.
func (p *publication) difference(ctx context.Context, staging, table, key, extra string) error {
	_, err := p.tx.Exec(ctx, fmt.Sprintf(`
		create temporary table %[2]s_diff on commit drop as
		select d.%[3]s, %[4]s what, partition_id, shared
		from (
			select coalesce(s.%[3]s, c.%[3]s) as %[3]s, %[5]s
				case when c.%[3]s is null then 'new'
					when s.%[3]s is null then 'gone'
					when s.content_hash <> c.content_hash then 'changed'
					else 'moved' end as what,
				case when c.%[3]s is null or $4 or (c.partition_id = any ($3) and not c.shared) then s.partition_id
					else c.partition_id end as partition_id,
				case when c.%[3]s is null or $4 then s.shared
					else c.shared or s.shared or (s.partition_id <> c.partition_id and c.partition_id <> all ($3)) end as shared,
				c.partition_id as was_partition, c.shared as was_shared,
				s.%[3]s is null and (c.partition_id <> all ($3) or c.shared) and not $4 as kept
			from %[1]s s
			full join (
				select %[3]s, content_hash, partition_id, shared from %[2]s
				where workspace_id = $1 and connection_id = $2 and valid_to is null) c on c.%[3]s = s.%[3]s) d
		where not kept and (what <> 'moved' or partition_id <> was_partition or shared <> was_shared)`,
		staging, table, key, extra, qualified(extra)),
		p.row.WorkspaceID, int64(p.conn), notNull(p.complete), p.whole)
	if err != nil {
		return fmt.Errorf("compare %s: %w", table, err)
	}
	if _, err := p.tx.Exec(ctx, fmt.Sprintf("analyze %s_diff", table)); err != nil {
		return fmt.Errorf("analyse differences: %w", err)
	}
	return nil
}

// qualified puts the staged row's name before each of a list of columns, which
// ends in a comma.
func qualified(columns string) string {
	if columns == "" {
		return ""
	}
	return "s." + strings.ReplaceAll(columns, ", ", ", s.")
}

// notNull is a list that is never null, which would make every comparison with
// it unknown.
func notNull(list []int64) []int64 {
	if list == nil {
		return []int64{}
	}
	return list
}

// differences counts a difference table by what differs.
func (p *publication) differences(ctx context.Context, table string) (map[string]int64, error) {
	rows, err := p.tx.Query(ctx, fmt.Sprintf("select what, count(*) from %s_diff group by what", table))
	if err != nil {
		return nil, fmt.Errorf("count differences of %s: %w", table, err)
	}
	found := map[string]int64{}
	var what string
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&what, &n}, func() error {
		found[what] = n
		return nil
	})
	return found, err
}

// kept counts the current rows that were not read and not closed, because the
// partition they belong to was not read completely.
func (p *publication) kept(ctx context.Context, staging, table, key string) (int64, error) {
	var n int64
	err := p.tx.QueryRow(ctx, fmt.Sprintf(`
		select count(*) from %[2]s c
		where workspace_id = $1 and connection_id = $2 and valid_to is null and not $4 and (partition_id <> all ($3) or shared)
			and not exists (select from %[1]s s where s.%[3]s = c.%[3]s)`, staging, table, key),
		p.row.WorkspaceID, int64(p.conn), notNull(p.complete), p.whole).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count kept %s: %w", table, err)
	}
	return n, nil
}

// apply closes what is gone or changed, inserts what is new or changed, and
// gives moved rows their new partition.
func (p *publication) apply(ctx context.Context, staging, table, key, columns, staged string) error {
	found, err := p.differences(ctx, table)
	if err != nil {
		return err
	}
	if found["gone"]+found["changed"] > 0 {
		_, err := p.tx.Exec(ctx, fmt.Sprintf(`
			update %[1]s c set valid_to = $3 from %[1]s_diff d
			where d.what in ('gone', 'changed') and c.%[2]s = d.%[2]s and c.workspace_id = $1 and c.connection_id = $2 and c.valid_to is null`, table, key),
			p.row.WorkspaceID, int64(p.conn), p.at)
		if err != nil {
			return fmt.Errorf("close %s: %w", table, err)
		}
	}
	if found["moved"] > 0 {
		_, err := p.tx.Exec(ctx, fmt.Sprintf(`
			update %[1]s c set partition_id = d.partition_id, shared = d.shared from %[1]s_diff d
			where d.what = 'moved' and c.%[2]s = d.%[2]s and c.workspace_id = $1 and c.connection_id = $2 and c.valid_to is null`, table, key),
			p.row.WorkspaceID, int64(p.conn))
		if err != nil {
			return fmt.Errorf("move %s: %w", table, err)
		}
	}
	if found["new"]+found["changed"] > 0 {
		_, err := p.tx.Exec(ctx, fmt.Sprintf(`
			insert into %[1]s (workspace_id, connection_id, %[4]s, partition_id, shared, first_run_id, valid_from, observed_before)
			select $1, $2, %[5]s, d.partition_id, d.shared, $3, $4, d.partition_id = any ($5) from %[3]s s join %[1]s_diff d on d.%[2]s = s.%[2]s where d.what in ('new', 'changed')`,
			table, key, staging, columns, staged),
			p.row.WorkspaceID, int64(p.conn), p.row.RunID, p.at, notNull(p.observed))
		if err != nil {
			return fmt.Errorf("insert %s: %w", table, err)
		}
	}
	return nil
}

func (p *publication) mergeEntities(ctx context.Context) error {
	staging := stagedEntities(p.run).Sanitize()
	if err := p.difference(ctx, staging, "entities", "entity_id", ""); err != nil {
		return err
	}
	found, err := p.differences(ctx, "entities")
	if err != nil {
		return err
	}
	p.counts[graph.CountEntitiesNew] = found["new"]
	p.counts[graph.CountEntitiesChanged] = found["changed"]
	p.counts[graph.CountEntitiesClosed] = found["gone"]
	if err := p.apply(ctx, staging, "entities", "entity_id", entityColumns, stagedEntity); err != nil {
		return err
	}
	p.counts[graph.CountEntitiesKept], err = p.kept(ctx, staging, "entities", "entity_id")
	return err
}

func (p *publication) mergeRelationships(ctx context.Context) error {
	staging := stagedRelationships(p.run).Sanitize()
	if err := p.difference(ctx, staging, "relationships", "relationship_id", "from_id, to_id, kind,"); err != nil {
		return err
	}
	if err := p.leaveOutDangling(ctx); err != nil {
		return err
	}
	if p.counts[graph.CountEntitiesClosed] > 0 {
		if err := p.closeOrphans(ctx); err != nil {
			return err
		}
	}
	found, err := p.differences(ctx, "relationships")
	if err != nil {
		return err
	}
	p.counts[graph.CountRelationshipsNew] = found["new"]
	p.counts[graph.CountRelationshipsChanged] = found["changed"]
	p.counts[graph.CountRelationshipsClosed] = found["gone"]
	if err := p.apply(ctx, staging, "relationships", "relationship_id", relationshipColumns, stagedRelationship); err != nil {
		return err
	}
	p.counts[graph.CountRelationshipsKept], err = p.kept(ctx, staging, "relationships", "relationship_id")
	return err
}

// leaveOutDangling takes new relationships out of the difference whose ends are
// not in the graph. Entities have been merged before.
func (p *publication) leaveOutDangling(ctx context.Context) error {
	_, err := p.tx.Exec(ctx, `
		create temporary table dangling on commit drop as
		select d.relationship_id, d.from_id, d.to_id, d.kind from relationships_diff d
		where d.what = 'new' and not (
			exists (select from entities e where e.entity_id = d.from_id and e.workspace_id = $1 and e.connection_id = $2 and e.valid_to is null)
			and exists (select from entities e where e.entity_id = d.to_id and e.workspace_id = $1 and e.connection_id = $2 and e.valid_to is null))`,
		p.row.WorkspaceID, int64(p.conn))
	if err != nil {
		return fmt.Errorf("find dangling relationships: %w", err)
	}
	tag, err := p.tx.Exec(ctx, "delete from relationships_diff d using dangling x where d.relationship_id = x.relationship_id")
	if err != nil {
		return fmt.Errorf("leave out dangling relationships: %w", err)
	}
	if n := tag.RowsAffected(); n > 0 {
		return p.noteDangling(ctx, n, "select from_id, to_id, kind from dangling")
	}
	return nil
}

// closeOrphans adds current relationships to the difference whose end has just
// been closed, whatever partition they belong to and even if they were read
// again: an edge to nothing would dangle.
func (p *publication) closeOrphans(ctx context.Context) error {
	_, err := p.tx.Exec(ctx, `
		with orphaned as (
			select r.relationship_id from relationships r
			where r.workspace_id = $1 and r.connection_id = $2 and r.valid_to is null and (
				r.from_id in (select entity_id from entities_diff where what = 'gone')
				or r.to_id in (select entity_id from entities_diff where what = 'gone'))),
		known as (
			update relationships_diff d set what = 'gone' from orphaned o where d.relationship_id = o.relationship_id returning d.relationship_id)
		insert into relationships_diff (relationship_id, what)
		select relationship_id, 'gone' from orphaned where relationship_id not in (select relationship_id from known)`,
		p.row.WorkspaceID, int64(p.conn))
	if err != nil {
		return fmt.Errorf("close relationships that lost an end: %w", err)
	}
	return nil
}
