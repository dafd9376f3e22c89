package parquetfile

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"github.com/gatehouse-project/gatehouse/internal/export"
)

// rowsPerGroup bounds what is in memory: some 20 MB of relationships.
const rowsPerGroup = 50_000

// Encoding writes Parquet.
type Encoding struct{}

var _ export.TableEncoding = Encoding{}

type writer struct {
	parquet *parquet.GenericWriter[any]
	row     parquet.Row
	rows    int
}

// Open begins a file.
func (Encoding) Open(w io.Writer, t export.Table) (export.TableWriter, error) {
	schema, err := schemaOf(t)
	if err != nil {
		return nil, err
	}
	return &writer{parquet: parquet.NewGenericWriter[any](w, schema, parquet.Compression(&zstd.Codec{Level: zstd.SpeedFastest}), parquet.CreatedBy("Gatehouse", "1", ""))}, nil
}

// schemaOf keeps the table's order, where a parquet.Group has that of names.
func schemaOf(t export.Table) (*parquet.Schema, error) {
	group := parquet.Group{}
	for _, c := range t.Columns {
		node, err := nodeOf(c.Type)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", c.Name, err)
		}
		group[c.Name] = node
	}
	o := ordered{Group: group, fields: group.Fields()}
	position := map[string]int{}
	for i, c := range t.Columns {
		position[c.Name] = i
	}
	slices.SortFunc(o.fields, func(a, b parquet.Field) int { return position[a.Name()] - position[b.Name()] })
	return parquet.NewSchema(t.Name, o), nil
}

// ordered is a group whose fields have an order of their own.
type ordered struct {
	parquet.Group
	fields []parquet.Field
}

// Fields returns the fields in their order.
func (o ordered) Fields() []parquet.Field { return o.fields }

func nodeOf(c export.ColumnType) (parquet.Node, error) {
	switch c {
	case export.Text:
		return parquet.Optional(parquet.String()), nil
	case export.Integer:
		return parquet.Optional(parquet.Int(64)), nil
	case export.Boolean:
		return parquet.Optional(parquet.Leaf(parquet.BooleanType)), nil
	case export.Moment:
		return parquet.Optional(parquet.Timestamp(parquet.Microsecond)), nil
	case export.Texts:
		return parquet.List(parquet.String()), nil
	case export.JSON:
		return parquet.Optional(parquet.JSON()), nil
	}
	return nil, fmt.Errorf("there is no type %d", c)
}

// Write adds a row.
func (w *writer) Write(r export.Row) error {
	w.row = w.row[:0]
	for column, value := range r {
		if list, ok := value.([]string); ok {
			w.addList(column, list)
			continue
		}
		single, err := valueOf(value)
		if err != nil {
			return err
		}
		w.row = append(w.row, single.Level(0, definition(value), column))
	}
	if _, err := w.parquet.WriteRows([]parquet.Row{w.row}); err != nil {
		return err
	}
	if w.rows++; w.rows%rowsPerGroup == 0 {
		return w.parquet.Flush()
	}
	return nil
}

// addList adds a list's elements: the first one begins the row, the others repeat.
func (w *writer) addList(column int, list []string) {
	if len(list) == 0 {
		w.row = append(w.row, parquet.NullValue().Level(0, 0, column))
	}
	for i, element := range list {
		w.row = append(w.row, parquet.ByteArrayValue([]byte(element)).Level(min(i, 1), 1, column))
	}
}

// definition is whether an optional value is there.
func definition(value any) int {
	if value == nil {
		return 0
	}
	return 1
}

func valueOf(value any) (parquet.Value, error) {
	switch v := value.(type) {
	case nil:
		return parquet.NullValue(), nil
	case string:
		return parquet.ByteArrayValue([]byte(v)), nil
	case json.RawMessage:
		return parquet.ByteArrayValue(v), nil
	case int64:
		return parquet.Int64Value(v), nil
	case bool:
		return parquet.BooleanValue(v), nil
	case time.Time:
		return parquet.Int64Value(v.UnixMicro()), nil
	}
	return parquet.Value{}, fmt.Errorf("a column cannot hold a %T", value)
}

// Close writes the last row group and the footer.
func (w *writer) Close() error { return w.parquet.Close() }
