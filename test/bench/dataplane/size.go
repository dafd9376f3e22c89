package dataplane

import (
	"context"
	"fmt"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/id"
)

// Size is the room that a connection's graph takes, history included.
type Size struct {
	// Rows are versions. Bytes are of tables with their indexes, IndexBytes of
	// the indexes alone.
	Rows, Bytes, IndexBytes int64
}

const sizeSQL = `
	select (select count(*) from %[1]s) + (select count(*) from %[2]s), pg_total_relation_size('%[1]s') + pg_total_relation_size('%[2]s'),
	  pg_indexes_size('%[1]s') + pg_indexes_size('%[2]s')`

// Size measures a connection's graph.
func (p *Plane) Size(ctx context.Context, conn id.Connection) (s Size, err error) {
	return p.size(ctx, fmt.Sprintf("entities_%d", int64(conn)), fmt.Sprintf("relationships_%d", int64(conn)))
}

func (p *Plane) size(ctx context.Context, entities, relationships string) (s Size, err error) {
	err = p.Super.QueryRow(ctx, fmt.Sprintf(sizeSQL, entities, relationships)).Scan(&s.Rows, &s.Bytes, &s.IndexBytes)
	if err != nil {
		return s, fmt.Errorf("measure the graph: %w", err)
	}
	return s, nil
}

// Held counts what the graph holds now, in all connections.
func (p *Plane) Held(ctx context.Context) (entities, relationships int64, err error) {
	err = p.Super.QueryRow(ctx, `
		select (select count(*) from entities where valid_to is null), (select count(*) from relationships where valid_to is null)`).Scan(&entities, &relationships)
	if err != nil {
		return 0, 0, fmt.Errorf("count what the graph holds: %w", err)
	}
	return entities, relationships, nil
}

// Packed measures the same rows in new tables with the same indexes, which is the
// least that they can take.
func (p *Plane) Packed(ctx context.Context, conn id.Connection) (Size, error) {
	for _, table := range []string{"entities", "relationships"} {
		_, err := p.Super.Exec(ctx, fmt.Sprintf(`create table packed_%[1]s as table %[1]s_%[2]d`, table, int64(conn)))
		if err != nil {
			return Size{}, fmt.Errorf("copy the graph: %w", err)
		}
		_, err = p.Super.Exec(ctx, fmt.Sprintf(`
			do $$
			declare
			  definition text;
			begin
			  for definition in select pg_get_indexdef(indexrelid) from pg_index where indrelid = '%[1]s_%[2]d'::regclass loop
			    execute regexp_replace(definition, 'INDEX \S+ ON \S+', 'INDEX ON packed_%[1]s');
			  end loop;
			end $$`, table, int64(conn)))
		if err != nil {
			return Size{}, fmt.Errorf("index the copy: %w", err)
		}
	}
	return p.size(ctx, "packed_entities", "packed_relationships")
}

// LookForVacuum sets how often the server looks which tables have to be vacuumed.
func (p *Plane) LookForVacuum(ctx context.Context, every time.Duration) error {
	_, err := p.Super.Exec(ctx, fmt.Sprintf("alter system set autovacuum_naptime = '%dms'", every.Milliseconds()))
	if err == nil {
		_, err = p.Super.Exec(ctx, "select pg_reload_conf()")
	}
	if err != nil {
		return fmt.Errorf("have the server look for tables to vacuum: %w", err)
	}
	return nil
}
