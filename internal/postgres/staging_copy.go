package postgres

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// binaryRows is rows in the form of binary COPY (PostgreSQL's documentation of
// COPY, "Binary Format"). The columns of staging never change, so they are
// written as they are: pgx's CopyFrom asks the server for them on each call, and
// plans the encoding of each value.
type binaryRows struct {
	columns []string
	buf     []byte
}

// usualRow is more bytes than most rows take.
const usualRow = 512

// newBinaryRows makes room for a number of rows.
func newBinaryRows(rows int, columns ...string) *binaryRows {
	const signature, flags, extension = "PGCOPY\n\xff\r\n\x00", 0, 0
	r := &binaryRows{columns: columns, buf: append(make([]byte, 0, rows*usualRow), signature...)}
	r.buf = binary.BigEndian.AppendUint32(r.buf, flags)
	r.buf = binary.BigEndian.AppendUint32(r.buf, extension)
	return r
}

// row begins a row; a value for each column follows.
func (r *binaryRows) row() { r.buf = binary.BigEndian.AppendUint16(r.buf, uint16(len(r.columns))) }

func (r *binaryRows) bigint(n int64) {
	r.buf = binary.BigEndian.AppendUint32(r.buf, 8)
	r.buf = binary.BigEndian.AppendUint64(r.buf, uint64(n))
}

func (r *binaryRows) uuid(u [16]byte) {
	r.buf = binary.BigEndian.AppendUint32(r.buf, uint32(len(u)))
	r.buf = append(r.buf, u[:]...)
}

// text is a value of type text or of an enumeration.
func (r *binaryRows) text(s string) {
	r.buf = binary.BigEndian.AppendUint32(r.buf, uint32(len(s)))
	r.buf = append(r.buf, s...)
}

// json is null for no bytes.
func (r *binaryRows) json(raw []byte) {
	const null = ^uint32(0)
	if len(raw) == 0 {
		r.buf = binary.BigEndian.AppendUint32(r.buf, null)
		return
	}
	r.buf = append(binary.BigEndian.AppendUint32(r.buf, uint32(len(raw))), raw...)
}

// copyInto appends the rows to a table.
func (r *binaryRows) copyInto(ctx context.Context, tx pgx.Tx, table pgx.Identifier) error {
	const trailer = ^uint16(0)
	r.buf = binary.BigEndian.AppendUint16(r.buf, trailer)
	_, err := tx.Conn().PgConn().CopyFrom(ctx, bytes.NewReader(r.buf),
		fmt.Sprintf("copy %s (%s) from stdin binary", table.Sanitize(), strings.Join(r.columns, ", ")))
	return err
}

// copyStaged appends a batch's rows.
func copyStaged(ctx context.Context, tx pgx.Tx, r id.Run, partition int64, b *graph.StagedBatch) error {
	if len(b.Entities) > 0 {
		rows := newBinaryRows(len(b.Entities), "partition_id", "entity_id", "kind", "provider_id", "name", "type", "identifiers", "attributes", "content_hash")
		for i := range b.Entities {
			e := &b.Entities[i]
			rows.row()
			rows.bigint(partition)
			rows.uuid(e.ID)
			rows.text(string(e.Kind))
			rows.text(e.ProviderID)
			rows.text(e.Name)
			rows.text(e.Type)
			rows.json(e.Identifiers)
			rows.json(e.Attributes)
			rows.uuid(e.Hash)
		}
		if err := rows.copyInto(ctx, tx, stagedEntities(r)); err != nil {
			return fmt.Errorf("copy entities: %w", err)
		}
	}
	if len(b.Relationships) > 0 {
		rows := newBinaryRows(len(b.Relationships), "partition_id", "relationship_id", "from_id", "to_id", "kind", "key", "effect", "terms", "attributes", "content_hash")
		for i := range b.Relationships {
			e := &b.Relationships[i]
			rows.row()
			rows.bigint(partition)
			rows.uuid(e.ID)
			rows.uuid(e.From)
			rows.uuid(e.To)
			rows.text(string(e.Kind))
			rows.text(e.Key)
			rows.text(string(e.Effect))
			rows.json(e.Terms)
			rows.json(e.Attributes)
			rows.uuid(e.Hash)
		}
		if err := rows.copyInto(ctx, tx, stagedRelationships(r)); err != nil {
			return fmt.Errorf("copy relationships: %w", err)
		}
	}
	return nil
}
