package export

import (
	"encoding/json"
	"fmt"

	"github.com/gatehouse-project/gatehouse/internal/graph"
)

// changeTable is the form of [Changes]: a row for each change, in the order in
// which they became visible. A change of a whole connection names neither entity
// nor relationship.
func changeTable() Table {
	columns := []Column{{"at", Moment}, {"change", Text}, {"of", Text}, {"run_id", Text}, {"connection_id", Text}, {"kind", Text}}
	columns = append(columns, named("entity")...)
	columns = append(columns, Column{"relationship_id", Text})
	columns = append(columns, named("from")...)
	columns = append(columns, named("to")...)
	columns = append(columns, termColumns()...)
	return Table{Name: string(Changes), Columns: append(columns, Column{"stream", Text}, Column{"partition", Text}, Column{"fields", JSON})}
}

// changedField is one field of two versions as a row says it.
type changedField struct {
	Field  string          `json:"field"`
	Before json.RawMessage `json:"before"`
	After  json.RawMessage `json:"after"`
}

func changeRow(c *graph.Change, a *graph.ChangeAnswer) (Row, error) {
	of, kind, entity, edge := "connection", any(nil), make([]any, len(named(""))), emptyEdge()
	if e := c.Entity(); e != nil {
		of, kind = "entity", string(e.Kind)
		entity = []any{e.ID.String(), e.Name, e.Type, e.ProviderID}
	}
	if r := c.Edge(); r != nil {
		of, kind = "relationship", string(r.Kind)
		edge = append([]any{relationshipID(r.ID)}, nameOf(r.From, a.Entities)...)
		edge = append(edge, nameOf(r.To, a.Entities)...)
		edge = append(edge, termValues(r.Edge)...)
	}
	fields := make([]changedField, len(c.Fields))
	for i, f := range c.Fields {
		fields[i] = changedField(f)
	}
	encoded, err := json.Marshal(fields)
	if err != nil {
		return nil, fmt.Errorf("encode what changed: %w", err)
	}
	var stream, partition any
	if read, ok := a.Partitions[c.Partition]; ok {
		stream, partition = read.Stream, read.Partition
	}
	row := Row{c.At.UTC(), string(c.What), of, c.Run.String(), c.Connection.String(), kind}
	row = append(row, entity...)
	row = append(row, edge...)
	return append(row, stream, partition, json.RawMessage(encoded)), nil
}

// emptyEdge is what a row that is of no relationship says of one.
func emptyEdge() []any { return make([]any, 1+2*len(named(""))+len(termColumns())) }
