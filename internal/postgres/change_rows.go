package postgres

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/graph"
)

// version is one that a publication began or ended.
type version struct {
	hit
	begun bool
	// observedBefore is null for those of a first load.
	observedBefore *bool
	partition      int64
	entity         *graph.Entity
	edge           *graph.Relation
}

// changesOf puts versions together: one that ended and one that began are one
// change. The versions come in order of their hits.
func changesOf(of []changing, versions []version) []graph.Change {
	slices.SortFunc(versions, func(a, b version) int {
		return cmp.Or(cmp.Compare(a.n, b.n), cmp.Compare(a.section, b.section), bytes.Compare(a.id[:], b.id[:]))
	})
	var changes []graph.Change
	for i := 0; i < len(versions); {
		p := of[versions[i].n-1]
		c := graph.Change{Connection: p.connection, Run: p.run, At: p.visible, Partition: versions[i].partition, What: graph.FirstObserved}
		c.Place(versions[i].section, versions[i].id)
		var ended, begun *version
		for this := versions[i].hit; i < len(versions) && versions[i].hit == this; i++ {
			if versions[i].begun {
				begun = &versions[i]
				c.After, c.AfterEdge, c.Partition = begun.entity, begun.edge, begun.partition
			} else {
				ended = &versions[i]
				c.Before, c.BeforeEdge = ended.entity, ended.edge
			}
		}
		switch {
		case ended != nil && begun != nil && ended.section != graph.ConnectionChanges:
			c.What = graph.Changed
		case begun != nil && begun.observedBefore != nil && *begun.observedBefore:
			c.What = graph.Added
		case ended != nil && slices.Contains(p.retired, ended.partition):
			c.What = graph.NoLongerObserved
		case ended != nil:
			c.What = graph.Removed
		}
		changes = append(changes, c)
	}
	return changes
}

// versionsOf reads what publications began and ended of hits.
func (v *graphView) versionsOf(ctx context.Context, of []changing, hits []hit) ([]version, error) {
	var versions []version
	args := map[graph.ChangeSection][]any{}
	for _, section := range []graph.ChangeSection{graph.EntityChanges, graph.RelationshipChanges} {
		var n, connections []int64
		var published []time.Time
		var ids [][16]byte
		for _, h := range hits {
			if h.section == section {
				p := of[h.n-1]
				n, connections, published, ids = append(n, h.n), append(connections, int64(p.connection)), append(published, p.published), append(ids, h.id)
			}
		}
		if len(n) > 0 {
			args[section] = []any{v.workspace, n, connections, published, ids}
		}
	}
	for _, h := range hits {
		if h.section == graph.ConnectionChanges {
			versions = append(versions, version{hit: h, begun: true})
		}
	}
	if args := args[graph.EntityChanges]; args != nil {
		rows, err := v.tx.Query(ctx, pointVersions("entities", "entity_id", entityVersionFields, v.partitions(0)), args...)
		if versions, err = v.collectEntityVersions(rows, err, versions); err != nil {
			return nil, err
		}
	}
	if args := args[graph.RelationshipChanges]; args != nil {
		rows, err := v.tx.Query(ctx, pointVersions("relationships", "relationship_id", edgeVersionFields, v.partitions(0)), args...)
		if versions, err = collectEdgeVersions(rows, err, versions); err != nil {
			return nil, err
		}
	}
	return versions, nil
}

// The fields of versions, behind what they are for.
const (
	entityVersionFields = `r.observed_before, r.partition_id, ` + entityFields + `, identifiers, attributes`
	edgeVersionFields   = `r.observed_before, r.partition_id, r.kind::text, attributes, ` + edgeFields
)

// pointVersions looks up, in the indexes of what was begun and ended, what each
// publication began and ended of one id. The condition names all connections.
func pointVersions(table, key, fields, of string) string {
	one := func(begun, column, more string) string {
		return fmt.Sprintf(`
		  select %[1]s as begun, %[2]s
		  from %[3]s r
		  where r.workspace_id = $1 and r.connection_id = h.connection_id and r.%[4]s = h.at and r.%[5]s = h.id and r.%[6]s%[7]s`, begun, fields, table, column, key, of, more)
	}
	return fmt.Sprintf(`
		select h.n, r.*
		from unnest($2::bigint[], $3::bigint[], $4::timestamptz[], $5::uuid[]) h (n, connection_id, at, id)
		cross join lateral (%s
		  union all%s
		  offset 0) r`, one("true", "valid_from", " and r.observed_before is not null"), one("false", "valid_to", ""))
}

func (v *graphView) collectEntityVersions(rows pgx.Rows, err error, into []version) ([]version, error) {
	if err != nil {
		return nil, fmt.Errorf("read changed entities: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		found := version{hit: hit{section: graph.EntityChanges}}
		e, err := v.scanEntity(behind{rows, []any{&found.n, &found.begun, &found.observedBefore, &found.partition}}, true)
		if err != nil {
			return nil, fmt.Errorf("read changed entities: %w", err)
		}
		found.entity, found.id = &e, e.ID
		into = append(into, found)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read changed entities: %w", err)
	}
	return into, nil
}

// behind scans what stands behind other columns.
type behind struct {
	rows   pgx.Rows
	before []any
}

// Scan reads the other columns and then these.
func (b behind) Scan(into ...any) error { return b.rows.Scan(slices.Concat(b.before, into)...) }

func collectEdgeVersions(rows pgx.Rows, err error, into []version) ([]version, error) {
	if err != nil {
		return nil, fmt.Errorf("read changed relationships: %w", err)
	}
	defer rows.Close()
	scan := edgeScan{}
	for rows.Next() {
		found := version{hit: hit{section: graph.RelationshipChanges}, edge: &graph.Relation{}}
		var kind string
		var attributes json.RawMessage
		if err := scan.edge(rows, &found.edge.Edge, []any{&found.n, &found.begun, &found.observedBefore, &found.partition, &kind, &attributes}); err != nil {
			return nil, err
		}
		found.edge.Kind, found.edge.Attributes, found.id = connector.RelationshipKind(kind), attributes, found.edge.ID
		into = append(into, found)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read changed relationships: %w", err)
	}
	return into, nil
}

// changesAt returns what concerns some entities of one connection: what they were
// and what stood at them at any time is read whole, and what publications changed
// of it is sorted out.
func (v *graphView) changesAt(ctx context.Context, q *graph.ChangeQuery) ([]graph.Change, error) {
	of, err := v.changing(ctx, q, 0)
	if err != nil || len(of) == 0 {
		return nil, err
	}
	published := make([]time.Time, len(of))
	var at time.Time
	var entityAfter, edgeAfter [16]byte
	for i, p := range of {
		published[i] = p.published
		if b := q.Behind; b != nil && b.At.Equal(p.visible) {
			at = p.published
			switch b.Section {
			case graph.EntityChanges:
				entityAfter = b.ID
			case graph.RelationshipChanges:
				entityAfter, edgeAfter = lastID(), b.ID
			case graph.ConnectionChanges:
			}
		}
	}
	ask := func(table, fields, key, ends, kind string, after [16]byte) (pgx.Rows, error) {
		versions := everyVersion("entities", entityVersions, v.partitions(q.Connection))
		if table == "relationships" {
			versions = everyVersion("relationships", relationshipVersions, v.partitions(q.Connection))
		}
		return v.tx.Query(ctx, fmt.Sprintf(`
			select p.n, m.begun, %[2]s
			from (select * from %[6]s e where %[4]s) r
			cross join lateral (values (r.valid_from, true), (r.valid_to, false)) m (at, begun)
			join unnest($4::timestamptz[]) with ordinality p (at, n) on p.at = m.at
			where ($5 = '' or r.kind::text = $5) and (m.at, r.%[3]s) > ($6, $7)
			order by m.at, r.%[3]s, m.begun
			limit %[5]d`, table, fields, key, ends, 2*q.Limit, versions),
			v.workspace, q.Connection, uuids(q.Subjects), published, kind, at, after)
	}
	var versions []version
	if q.RelationshipKind == "" {
		rows, err := ask("entities", entityVersionFields, "entity_id",
			"workspace_id = $1 and connection_id = $2 and entity_id = any ($3)", string(q.EntityKind), entityAfter)
		if versions, err = v.collectEntityVersions(rows, err, versions); err != nil {
			return nil, err
		}
	}
	if q.EntityKind == "" {
		rows, err := ask("relationships", edgeVersionFields, "relationship_id",
			"workspace_id = $1 and connection_id = $2 and (from_id = any ($3) or to_id = any ($3))", string(q.RelationshipKind), edgeAfter)
		if versions, err = collectEdgeVersions(rows, err, versions); err != nil {
			return nil, err
		}
	}
	changes := changesOf(of, versions)
	// Of each kind of row twice as many versions were read as there may be changes,
	// so that what both a change begins and ends is there.
	return changes[:min(len(changes), q.Limit)], nil
}
