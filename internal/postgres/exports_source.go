package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/export"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// ExportSource opens the graph for exports. It implements export.Source.
type ExportSource struct{ db *DB }

var _ export.Source = ExportSource{}

// NewExportSource returns the source of a data plane's exports.
func NewExportSource(db *DB) ExportSource { return ExportSource{db} }

// Read calls fn with the workspace's graph at one moment. The transaction holds a
// snapshot, as [DB.Snapshot] does, and nothing else: it blocks nobody.
func (s ExportSource) Read(ctx context.Context, w id.Workspace, at graph.Moment, fn func(r export.Reading) error) error {
	return s.db.Snapshot(ctx, w, func(v graph.View) error {
		v, err := v.At(ctx, at)
		if err != nil {
			return err
		}
		view, ok := v.(*graphView)
		if !ok {
			return fmt.Errorf("a view of the graph is a %T", v)
		}
		// All rows are read, so the first ones need not come early.
		if _, err := view.tx.Exec(ctx, "set local cursor_tuple_fraction = 1"); err != nil {
			return fmt.Errorf("begin to read the graph: %w", err)
		}
		return fn(graphReading{view})
	})
}

// graphReading reads a view whole.
type graphReading struct{ *graphView }

// Questions answers about the view's own moment.
func (r graphReading) Questions() graph.QuestionStore { return pinned{r.graphView} }

// pinned is a question store that always shows the same view.
type pinned struct{ view *graphView }

// Snapshot calls fn with the view.
func (p pinned) Snapshot(_ context.Context, w id.Workspace, fn func(v graph.View) error) error {
	if w != p.view.workspace {
		return fmt.Errorf("a view of %s was asked about %s", p.view.workspace, w)
	}
	return fn(p.view)
}

// within returns the connections to read: all, or the one that is named, if it is
// one of the workspace's that has not been deleted.
func (r graphReading) within(c id.Connection) []int64 {
	switch {
	case c == 0:
		return r.connections
	case slices.Contains(r.connections, int64(c)):
		return []int64{int64(c)}
	}
	return nil
}

// rowsAtOnce is how many rows travel in one answer of the server: what is in memory
// here at a time.
const rowsAtOnce = 2_000

// stream calls each for every row of a query, which is read by a cursor, so that
// neither side holds the whole of it. A name always has the same columns: what the
// driver knows of a fetch it knows by its text.
func (r graphReading) stream(ctx context.Context, name, sql string, args []any, each func(row pgx.Rows) error) error {
	if _, err := r.tx.Exec(ctx, "declare "+name+" no scroll cursor for "+sql, args...); err != nil {
		return fmt.Errorf("begin to read the graph: %w", err)
	}
	for {
		rows, err := r.tx.Query(ctx, fmt.Sprintf("fetch %d from %s", rowsAtOnce, name))
		if err != nil {
			return fmt.Errorf("read the graph: %w", err)
		}
		n := 0
		for rows.Next() {
			n++
			if err := each(rows); err != nil {
				rows.Close()
				return err
			}
		}
		if rows.Close(); rows.Err() != nil {
			return fmt.Errorf("read the graph: %w", rows.Err())
		}
		if n < rowsAtOnce {
			break
		}
	}
	if _, err := r.tx.Exec(ctx, "close "+name); err != nil {
		return fmt.Errorf("end reading the graph: %w", err)
	}
	return nil
}

// EachEntity reads connection by connection.
func (r graphReading) EachEntity(ctx context.Context, f export.EntityFilter, fn func(e graph.Entity) error) error {
	for _, c := range r.within(f.Connection) {
		sql, args := `
			select `+entityFields+`, identifiers, attributes
			from {entities} e
			where workspace_id = $1 and connection_id = $2`, []any{r.workspace, c}
		if f.Kind != "" {
			args = append(args, string(f.Kind))
			sql += fmt.Sprintf(" and kind = $%d::text::entity_kind", len(args))
		}
		if f.Type != "" {
			args = append(args, f.Type)
			sql += fmt.Sprintf(" and type = $%d", len(args))
		}
		sql, args = r.versions(id.Connection(c), sql, args)
		err := r.stream(ctx, "exported_entities", sql, args, func(row pgx.Rows) error {
			e, err := r.scanEntity(row, true)
			if err != nil {
				return fmt.Errorf("read an entity: %w", err)
			}
			return fn(e)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// EachRelationship reads connection by connection.
func (r graphReading) EachRelationship(ctx context.Context, f export.RelationshipFilter, fn func(export.Relationship) error) error {
	for _, c := range r.within(f.Connection) {
		connection := id.Connection(c)
		partitions, err := r.partitionsOf(ctx, connection)
		if err != nil {
			return err
		}
		sql, args := `
			select relationship_id, from_id, to_id, kind::text, key, effect::text, terms, partition_id, first_run_id, valid_from, attributes
			from {relationships} r
			where workspace_id = $1 and connection_id = $2`, []any{r.workspace, c}
		if f.Kind != "" {
			args = append(args, kindCode(f.Kind))
			sql += ` and kind_code = $3::text::"char"`
		}
		sql, args = r.versions(connection, sql, args)
		err = r.stream(ctx, "exported_relationships", sql, args, func(row pgx.Rows) error {
			found := export.Relationship{Connection: connection, Integration: r.integrations[connection]}
			var terms, attributes []byte
			err := row.Scan(&found.ID, (*[16]byte)(&found.From), (*[16]byte)(&found.To), (*string)(&found.Kind), &found.Key, (*string)(&found.Effect),
				&terms, &found.Partition, &found.FirstRun, &found.ValidFrom, &attributes)
			if err != nil {
				return fmt.Errorf("read a relationship: %w", err)
			}
			if terms != nil {
				found.Terms = &connector.Terms{}
				if err := json.Unmarshal(terms, found.Terms); err != nil {
					return fmt.Errorf("decode terms: %w", err)
				}
			}
			found.Attributes, found.Read = attributes, partitions[found.Partition]
			return fn(found)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// partitionsOf names the stream partitions of a connection.
func (r graphReading) partitionsOf(ctx context.Context, c id.Connection) (map[int64]graph.PartitionName, error) {
	rows, err := r.tx.Query(ctx, `
		select partition_id, stream, partition_key
		from stream_partitions
		where workspace_id = $1 and connection_id = $2`, r.workspace, c)
	if err != nil {
		return nil, fmt.Errorf("name stream partitions: %w", err)
	}
	names := map[int64]graph.PartitionName{}
	var partition int64
	var name graph.PartitionName
	_, err = pgx.ForEachRow(rows, []any{&partition, &name.Stream, &name.Partition}, func() error {
		names[partition] = name
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("name stream partitions: %w", err)
	}
	return names, nil
}

// Coverage says how completely the connections were read.
func (r graphReading) Coverage(ctx context.Context, c id.Connection) ([]graph.Coverage, error) {
	all := []graph.Coverage{}
	for _, connection := range r.within(c) {
		coverage, err := r.graphView.Coverage(ctx, id.Connection(connection))
		if err != nil {
			return nil, err
		}
		all = append(all, coverage)
	}
	return all, nil
}

// Publications returns what is known of the runs' publications.
func (r graphReading) Publications(ctx context.Context, runs []id.Run) ([]export.Publication, error) {
	numbers := make([]int64, len(runs))
	for i, n := range runs {
		numbers[i] = int64(n)
	}
	rows, err := r.tx.Query(ctx, `
		select run_id, connection_id, published_at, counts
		from publications
		where workspace_id = $1 and run_id = any ($2)
		order by run_id`, r.workspace, numbers)
	if err != nil {
		return nil, fmt.Errorf("read publications: %w", err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p export.Publication, err error) {
		var at time.Time
		err = row.Scan(&p.Run, &p.Connection, &at, &p.Counts)
		p.PublishedAt = at.UTC()
		return p, err
	})
	if err != nil {
		return nil, fmt.Errorf("read publications: %w", err)
	}
	return found, nil
}
