package export

import (
	"io"

	"github.com/gatehouse-project/gatehouse/internal/graph"
)

// ColumnType is what a column's values are in Go. A value of any type may be nil.
type ColumnType int

// The types of columns.
const (
	// Text is a string; Integer an int64; Boolean a bool; Moment a time.Time.
	Text ColumnType = iota
	Integer
	Boolean
	Moment
	// Texts is a []string. One without elements is not nil.
	Texts
	// JSON is a json.RawMessage: an object or a list in the provider's own form.
	JSON
)

// Column is one column of a table.
type Column struct {
	Name string
	Type ColumnType
}

// Table is the form of what an export holds.
type Table struct {
	Name    string
	Columns []Column
}

// Row has one value for each column of its table.
type Row []any

// TableWriter writes the rows of one table. It is for one goroutine.
type TableWriter interface {
	// Write adds a row. The row is the writer's only until it returns.
	Write(r Row) error
	// Close writes what is left. It does not close what it writes to.
	Close() error
}

// TableEncoding makes writers of one format.
type TableEncoding interface {
	Open(w io.Writer, t Table) (TableWriter, error)
}

// Edge is a line between two entities that a graph encoding writes.
type Edge struct {
	// Kind is in words joined by underscores.
	Kind     string
	From, To graph.EntityID
	// Columns name the properties, whose values are in Row.
	Columns []Column
	Row     Row
}

// GraphWriter writes a graph: first all nodes, then all edges. It is for one
// goroutine.
type GraphWriter interface {
	Node(e graph.Entity) error
	Edge(e Edge) error
	Close() error
}

// GraphEncoding makes writers of a format for graphs.
type GraphEncoding interface {
	Open(w io.Writer) (GraphWriter, error)
}

// Encodings are the formats that files are written in, beside [Evidence].
type Encodings struct {
	Tables map[Format]TableEncoding
	Graph  GraphEncoding
}

// MediaType is what a file of the format is called over HTTP.
func (f Format) MediaType() string {
	switch f {
	case CSV:
		return "text/csv; charset=utf-8; header=present"
	case JSONLines, Evidence:
		return "application/x-ndjson"
	case Parquet:
		return "application/vnd.apache.parquet"
	}
	return "application/json"
}

// Extension is what the name of a file of the format ends with.
func (f Format) Extension() string {
	switch f {
	case JSONLines, Evidence:
		return ".jsonl"
	case OpenGraph:
		return ".json"
	}
	return "." + string(f)
}
