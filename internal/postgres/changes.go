package postgres

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// changing is a publication that changed something.
type changing struct {
	connection id.Connection
	run        id.Run
	// published is what versions say, visible what people are told.
	published, visible time.Time
	// first says that it was the first of its connection.
	first   bool
	retired []int64
}

// publicationsAtOnce bounds how many publications a page looks at: a filter may
// leave out everything that they changed.
const publicationsAtOnce = 200

const changingWhere = `
	where p.workspace_id = $1 and p.connection_id = any ($2) and p.visible_at > $3 and p.visible_at <= $4 and p.wrote and ($5::bigint = 0 or p.run_id = $5)
	  and (not $6 or not exists (
	    select from publications n
	    where n.workspace_id = p.workspace_id and n.connection_id = p.connection_id and n.visible_at > p.visible_at and n.visible_at <= $4))`

func (v *graphView) changingArgs(q *graph.ChangeQuery) []any {
	connections := v.connections
	if q.Connection != 0 {
		connections = slices.DeleteFunc(slices.Clone(connections), func(c int64) bool { return c != int64(q.Connection) })
	}
	return []any{v.workspace, connections, q.After, q.Until, q.Run, q.Last}
}

// changing lists publications in the order of their changes; most is their
// number, or no bound when zero.
func (v *graphView) changing(ctx context.Context, q *graph.ChangeQuery, most int) ([]changing, error) {
	args := v.changingArgs(q)
	behind, limit := "", ""
	if q.Behind != nil {
		args = append(args, q.Behind.At, q.Behind.Connection)
		behind = fmt.Sprintf(" and (p.visible_at, p.connection_id) >= ($%d, $%d)", len(args)-1, len(args))
	}
	if most > 0 {
		limit = fmt.Sprintf("limit %d", most)
	}
	rows, err := v.tx.Query(ctx, `
		select p.connection_id, p.run_id, p.published_at, p.visible_at, p.retired, not exists (
		  select from publications e
		  where e.workspace_id = p.workspace_id and e.connection_id = p.connection_id and e.published_at < p.published_at and e.wrote)
		from publications p`+changingWhere+behind+`
		order by p.visible_at, p.connection_id `+limit, args...)
	if err != nil {
		return nil, fmt.Errorf("list publications: %w", err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p changing, err error) {
		return p, row.Scan(&p.connection, &p.run, &p.published, &p.visible, &p.retired, &p.first)
	})
	if err != nil {
		return nil, fmt.Errorf("list publications: %w", err)
	}
	return found, nil
}

// ChangeSummary adds up what publications counted.
func (v *graphView) ChangeSummary(ctx context.Context, q graph.ChangeQuery) (s graph.ChangeSummary, err error) {
	err = v.tx.QueryRow(ctx, `
		select count(*),
		  coalesce(sum((counts->>'entities_new')::bigint), 0)::bigint, coalesce(sum((counts->>'entities_changed')::bigint), 0)::bigint,
		  coalesce(sum((counts->>'entities_closed')::bigint), 0)::bigint,
		  coalesce(sum((counts->>'relationships_new')::bigint), 0)::bigint, coalesce(sum((counts->>'relationships_changed')::bigint), 0)::bigint,
		  coalesce(sum((counts->>'relationships_closed')::bigint), 0)::bigint
		from publications p`+changingWhere, v.changingArgs(&q)...).Scan(&s.Publications,
		&s.Entities.New, &s.Entities.Changed, &s.Entities.Removed, &s.Relationships.New, &s.Relationships.Changed, &s.Relationships.Removed)
	if err != nil {
		return s, fmt.Errorf("count changes: %w", err)
	}
	return s, nil
}

// Changes returns a page of what publications changed.
func (v *graphView) Changes(ctx context.Context, q graph.ChangeQuery) ([]graph.Change, *graph.ChangePosition, error) {
	if len(q.Subjects) > 0 {
		found, err := v.changesAt(ctx, &q)
		return found, nil, err
	}
	all, err := v.changing(ctx, &q, publicationsAtOnce)
	if err != nil {
		return nil, nil, err
	}
	var found []graph.Change
	for at, chunk := 0, 1; at < len(all) && len(found) < q.Limit; chunk *= 4 {
		part := all[at:min(at+chunk, len(all))]
		hits, err := v.changed(ctx, &q, part, q.Limit-len(found))
		if err != nil {
			return nil, nil, err
		}
		versions, err := v.versionsOf(ctx, part, hits)
		if err != nil {
			return nil, nil, err
		}
		found = append(found, changesOf(part, versions)...)
		at += len(part)
	}
	if len(found) < q.Limit && len(all) == publicationsAtOnce {
		last := all[len(all)-1]
		return found, &graph.ChangePosition{
			Until: q.Until, At: last.visible, Connection: last.connection, Section: graph.RelationshipChanges, ID: lastID(),
		}, nil
	}
	return found, nil, nil
}

// hit is one row that a publication began, ended or both: n is the publication's
// place among those asked for, from 1.
type hit struct {
	n       int64
	section graph.ChangeSection
	id      [16]byte
}

// changed finds what publications changed, in order. The indexes of what they
// began and ended are in order of the ids, so each is read as far as needed.
func (v *graphView) changed(ctx context.Context, q *graph.ChangeQuery, of []changing, most int) ([]hit, error) {
	connections, published, first := make([]int64, len(of)), make([]time.Time, len(of)), make([]bool, len(of))
	afterEntity, afterRelationship := make([][16]byte, len(of)), make([][16]byte, len(of))
	for i, p := range of {
		connections[i], published[i], first[i] = int64(p.connection), p.published, p.first
		if b := q.Behind; b != nil && b.Connection == p.connection && b.At.Equal(p.visible) {
			first[i] = false
			switch b.Section {
			case graph.ConnectionChanges:
				connections[i] = 0 // nothing else is told of it
			case graph.EntityChanges:
				afterEntity[i] = b.ID
			case graph.RelationshipChanges:
				afterEntity[i], afterRelationship[i] = lastID(), b.ID
			}
		} else if p.first {
			connections[i] = 0
		}
	}
	args := []any{v.workspace, connections, published, first, afterEntity, afterRelationship}
	// Of a first load no row is told: it is one change, that of the connection.
	sections := []string{"select 0 as section, '00000000-0000-0000-0000-000000000000'::uuid as id where p.first"}
	section := func(n graph.ChangeSection, table, key, after, kind string) {
		more := ""
		if kind != "" {
			args = append(args, kind)
			more = fmt.Sprintf(" and r.kind::text = $%d", len(args))
		}
		one := func(moment string) string {
			return fmt.Sprintf(`(
				select r.%[1]s as id from %[2]s r
				where r.workspace_id = $1 and r.connection_id = p.connection_id and r.%[7]s and %[3]s = p.at and r.%[1]s > p.%[4]s%[5]s
				order by r.%[1]s limit %[6]d)`, key, table, moment, after, more, most, v.partitions(0))
		}
		sections = append(sections, fmt.Sprintf("select %d, u.id from (%s union %s) u", n, one("r.observed_before is not null and r.valid_from"), one("r.valid_to")))
	}
	if q.RelationshipKind == "" {
		section(graph.EntityChanges, "entities", "entity_id", "entities_after", string(q.EntityKind))
	}
	if q.EntityKind == "" {
		section(graph.RelationshipChanges, "relationships", "relationship_id", "relationships_after", string(q.RelationshipKind))
	}
	rows, err := v.tx.Query(ctx, fmt.Sprintf(`
		select p.n, f.section, f.id
		from unnest($2::bigint[], $3::timestamptz[], $4::boolean[], $5::uuid[], $6::uuid[])
		  with ordinality p (connection_id, at, first, entities_after, relationships_after, n)
		cross join lateral (
		  select s.section, s.id from (%s) s order by s.section, s.id limit %[2]d) f
		order by p.n, f.section, f.id
		limit %[2]d`, strings.Join(sections, "\n union all "), most), args...)
	if err != nil {
		return nil, fmt.Errorf("find changes: %w", err)
	}
	hits, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (h hit, err error) {
		var section int32
		err = row.Scan(&h.n, &section, &h.id)
		h.section = graph.ChangeSection(section)
		return h, err
	})
	if err != nil {
		return nil, fmt.Errorf("find changes: %w", err)
	}
	return hits, nil
}

// lastID is the last of all ids in their order.
func lastID() [16]byte { return [16]byte(bytes.Repeat([]byte{0xff}, 16)) }
