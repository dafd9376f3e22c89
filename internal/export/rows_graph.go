package export

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/graph"
)

// entityTable is the form of [Entities].
func entityTable() Table {
	return Table{Name: "entities", Columns: []Column{
		{"entity_id", Text},
		{"kind", Text},
		{"type", Text},
		{"name", Text},
		{"provider_id", Text},
		{"connection_id", Text},
		{"integration_id", Text},
		{"identifiers", JSON},
		{"attributes", JSON},
		{"first_seen_run_id", Text},
		{"valid_from", Moment},
	}}
}

func entityRow(e graph.Entity) (Row, error) {
	identifiers := e.Identifiers
	if identifiers == nil {
		identifiers = []connector.Identifier{}
	}
	encoded, err := json.Marshal(identifiers)
	if err != nil {
		return nil, fmt.Errorf("encode the identifiers of %s: %w", e.ID, err)
	}
	return Row{
		e.ID.String(), string(e.Kind), e.Type, e.Name, e.ProviderID, e.Connection.String(), string(e.Integration),
		json.RawMessage(encoded), object(e.Attributes), e.FirstRun.String(), e.ValidFrom.UTC(),
	}, nil
}

// relationshipTable is the form of [Relationships].
func relationshipTable() Table {
	return Table{Name: "relationships", Columns: append([]Column{
		{"relationship_id", Text},
		{"kind", Text},
		{"from_id", Text},
		{"to_id", Text},
	}, append(termColumns(), []Column{
		{"attributes", JSON},
		{"connection_id", Text},
		{"integration_id", Text},
		{"stream", Text},
		{"partition", Text},
		{"first_seen_run_id", Text},
		{"valid_from", Moment},
	}...)...)}
}

func relationshipRow(r Relationship) Row {
	row := Row{relationshipID(r.ID), string(r.Kind), r.From.String(), r.To.String()}
	row = append(row, termValues(r.Edge)...)
	return append(row, object(r.Attributes), r.Connection.String(), string(r.Integration), r.Read.Stream, r.Read.Partition,
		r.FirstRun.String(), r.ValidFrom.UTC())
}

func relationshipID(raw [16]byte) string { return "rel_" + hex.EncodeToString(raw[:]) }

// termColumns are what an edge says.
func termColumns() []Column {
	return []Column{
		{"key", Text},
		{"effect", Text},
		{"actions", Texts},
		{"not_actions", Texts},
		{"conditions", JSON},
		{"given", Text},
		{"expires_at", Moment},
	}
}

func termValues(e graph.Edge) []any {
	terms := connector.Terms{Given: connector.Direct}
	if e.Terms != nil {
		terms = *e.Terms
		if terms.Given == "" {
			terms.Given = connector.Direct
		}
	}
	return []any{
		e.Key, string(e.Effect), texts(terms.Actions), texts(terms.NotActions), orNil(terms.Conditions), string(terms.Given), moment(terms.ExpiresAt),
	}
}

// object is a JSON object, an empty one where there is none.
func object(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return json.RawMessage("{}")
	}
	return raw
}

func orNil(raw json.RawMessage) any {
	if len(raw) == 0 {
		return nil
	}
	return raw
}

func texts(values []string) []string {
	if values == nil {
		return []string{}
	}
	return values
}

func moment(t *time.Time) any {
	if t == nil {
		return nil
	}
	return t.UTC()
}
