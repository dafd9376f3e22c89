package dataplane

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/gatehouse-project/gatehouse/internal/id"
)

// Copied is how long PostgreSQL takes to store rows and nothing else.
type Copied struct {
	Entities, Relationships         int
	EntitiesTook, RelationshipsTook time.Duration
}

// Took is the whole time.
func (c Copied) Took() time.Duration { return c.EntitiesTook + c.RelationshipsTook }

// Limit measures what no pipeline into this server can beat: binary COPY by pgx
// of the rows that a connection has in the graph, all columns, from memory into
// tables without indexes that survive a crash, as the graph does. They are made in
// the same transaction, which under wal_level=minimal is the cheapest way.
func (p *Plane) Limit(ctx context.Context, conn id.Connection) (Copied, error) {
	c, err := pgx.ConnectConfig(ctx, p.Super.Config().ConnConfig)
	if err != nil {
		return Copied{}, fmt.Errorf("connect: %w", err)
	}
	defer c.Close(ctx)
	types, err := c.LoadTypes(ctx, []string{"entity_kind", "relationship_kind", "grant_effect"})
	if err != nil {
		return Copied{}, fmt.Errorf("load types: %w", err)
	}
	c.TypeMap().RegisterTypes(types)
	var limit Copied
	if limit.Entities, limit.EntitiesTook, err = copyAgain(ctx, c, "entities", conn); err != nil {
		return Copied{}, err
	}
	limit.Relationships, limit.RelationshipsTook, err = copyAgain(ctx, c, "relationships", conn)
	return limit, err
}

func copyAgain(ctx context.Context, c *pgx.Conn, table string, conn id.Connection) (n int, took time.Duration, err error) {
	rows, err := c.Query(ctx, fmt.Sprintf("select * from %s where connection_id = $1 and valid_to is null", table), conn)
	if err != nil {
		return 0, 0, fmt.Errorf("read %s: %w", table, err)
	}
	var columns []string
	isJSON := map[int]bool{}
	for i, f := range rows.FieldDescriptions() {
		columns = append(columns, f.Name)
		isJSON[i] = f.DataTypeOID == pgtype.JSONBOID
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) ([]any, error) {
		values, err := row.Values()
		for i, raw := range row.RawValues() {
			if isJSON[i] && raw != nil {
				values[i] = append([]byte(nil), raw...)
			}
		}
		return values, err
	})
	if err != nil {
		return 0, 0, fmt.Errorf("read %s: %w", table, err)
	}
	target := pgx.Identifier{"limit_" + table}
	if _, err := c.Exec(ctx, "drop table if exists "+target.Sanitize()); err != nil {
		return 0, 0, fmt.Errorf("drop the table to copy into: %w", err)
	}
	begun := time.Now()
	err = pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, fmt.Sprintf("create table %s (like %s)", target.Sanitize(), table)); err != nil {
			return err
		}
		_, err := tx.CopyFrom(ctx, target, columns, pgx.CopyFromRows(all))
		return err
	})
	if err != nil {
		return 0, 0, fmt.Errorf("copy %s: %w", table, err)
	}
	took = time.Since(begun)
	_, err = c.Exec(ctx, "drop table "+target.Sanitize())
	return len(all), took, err
}
