package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// everyVersion is all versions of a table, of those that a condition selects, both
// current and ended, each read from its own index.
func everyVersion(table, columns, of string) string {
	return fmt.Sprintf("(select %[2]s from %[1]s where %[3]s and valid_to is null union all select %[2]s from %[1]s where %[3]s and valid_to is not null)",
		table, columns, of)
}

// Ever returns the latest version of an entity.
func (v *graphView) Ever(ctx context.Context, e graph.EntityID) (graph.Entity, error) {
	found, err := v.scanEntity(v.tx.QueryRow(ctx, `
		select `+entityFields+`, identifiers, attributes
		from `+everyVersion("entities", entityVersions, v.partitions(0))+` e
		where workspace_id = $1 and connection_id = any ($2) and entity_id = $3
		order by valid_from desc
		limit 1`, v.workspace, v.connections, [16]byte(e)), true)
	if err != nil {
		return graph.Entity{}, fmt.Errorf("read entity: %w", notFound(err, "there is no entity %s, and never was as far as is known", e))
	}
	return found, nil
}

// EverNamed returns the latest versions of entities of a connection.
func (v *graphView) EverNamed(ctx context.Context, c id.Connection, ids []graph.EntityID) (map[graph.EntityID]graph.Entity, error) {
	found := make(map[graph.EntityID]graph.Entity, len(ids))
	rows, err := v.tx.Query(ctx, `
		select distinct on (entity_id) `+entityFields+`
		from `+everyVersion("entities", entityVersions, v.partitions(c))+` e
		where workspace_id = $1 and connection_id = $2 and entity_id = any ($3)
		order by entity_id, valid_from desc`, v.workspace, c, uuids(ids))
	if err != nil {
		return nil, fmt.Errorf("name entities: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		e, err := v.scanEntity(rows, false)
		if err != nil {
			return nil, fmt.Errorf("name entities: %w", err)
		}
		found[e.ID] = e
	}
	return found, rows.Err()
}

// EverRepresented returns the accounts that a principal ever represented.
func (v *graphView) EverRepresented(ctx context.Context, c id.Connection, principal graph.EntityID) ([]graph.EntityID, error) {
	rows, err := v.tx.Query(ctx, `
		select distinct to_id
		from `+everyVersion("relationships", relationshipVersions, v.partitions(c))+` r
		where workspace_id = $1 and connection_id = $2 and kind_code = 'p' and from_id = $3
		order by to_id`, v.workspace, c, [16]byte(principal))
	if err != nil {
		return nil, fmt.Errorf("find a principal's accounts: %w", err)
	}
	accounts, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (e graph.EntityID, err error) {
		return e, row.Scan((*[16]byte)(&e))
	})
	if err != nil {
		return nil, fmt.Errorf("find a principal's accounts: %w", err)
	}
	return accounts, nil
}
