package opengraph_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/export"
	"github.com/gatehouse-project/gatehouse/internal/export/opengraph"
	"github.com/gatehouse-project/gatehouse/internal/graph"
)

// schema holds documents to what BloodHound's documentation demands of an upload:
// nodes with an id and one to three kinds, edges with two ends and a kind of letters,
// digits and underscores, and properties with lower-case names that are no objects,
// not null, and of lists of one type.
const schema = `{
  "type": "object", "required": ["graph"], "additionalProperties": false,
  "properties": {
    "metadata": {"type": "object", "additionalProperties": false, "properties": {"source_kind": {"type": "string"}}},
    "graph": {"type": "object", "required": ["nodes", "edges"], "additionalProperties": false, "properties": {
      "nodes": {"type": "array", "items": {"type": "object", "required": ["id", "kinds"], "additionalProperties": false, "properties": {
        "id": {"type": "string", "minLength": 1},
        "kinds": {"type": "array", "minItems": 1, "maxItems": 3, "items": {"type": "string", "pattern": "^[A-Za-z0-9_]+$"}},
        "properties": {"$ref": "#/$defs/properties"}}}},
      "edges": {"type": "array", "items": {"type": "object", "required": ["start", "end", "kind", "properties"], "additionalProperties": false, "properties": {
        "start": {"$ref": "#/$defs/end"}, "end": {"$ref": "#/$defs/end"},
        "kind": {"type": "string", "pattern": "^[A-Za-z0-9_]+$"},
        "properties": {"$ref": "#/$defs/properties"}}}}}}},
  "$defs": {
    "end": {"type": "object", "required": ["value"], "additionalProperties": false, "properties": {"match_by": {"const": "id"}, "value": {"type": "string", "minLength": 1}}},
    "properties": {"type": "object", "propertyNames": {"pattern": "^[a-z0-9_]+$", "not": {"const": "objectid"}}, "additionalProperties": {"anyOf": [
      {"type": ["string", "number", "boolean"]}, {"type": "array", "items": {"type": "string"}}, {"type": "array", "items": {"type": "number"}}]}}}}`

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(schema))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("opengraph.json", document))
	s, err := c.Compile("opengraph.json")
	require.NoError(t, err)
	return s
}

func TestDocumentFitsTheSchema(t *testing.T) {
	t.Parallel()
	s := compiled(t)
	columns := []export.Column{
		{Name: "a_text", Type: export.Text},
		{Name: "some_actions", Type: export.Texts},
		{Name: "conditions", Type: export.JSON},
		{Name: "expires_at", Type: export.Moment},
		{Name: "hops", Type: export.Integer},
		{Name: "more", Type: export.Boolean},
	}
	rapid.Check(t, func(rt *rapid.T) {
		var out bytes.Buffer
		w, err := opengraph.Encoding{}.Open(&out)
		require.NoError(rt, err)
		names := rapid.SliceOfN(rapid.String(), 0, 4).Draw(rt, "names")
		for i, name := range names {
			e := graph.Entity{ID: graph.EntityID{byte(i + 1)}, Kind: connector.Account, Type: name, Name: name, ProviderID: name, Connection: 1, Integration: "aws", FirstRun: 2, ValidFrom: time.Unix(int64(i), 0)}
			if i%2 == 0 {
				e.Attributes = json.RawMessage(`{"nested": {"x": [1, "a"]}, "none": null}`)
				e.Identifiers = []connector.Identifier{{Type: connector.Email, Value: name}}
			}
			require.NoError(rt, w.Node(e))
		}
		for i, name := range names {
			edge := export.Edge{Kind: string(connector.AccountAssignedEntitlement), From: graph.EntityID{byte(i + 1)}, To: graph.EntityID{1}}
			if i%2 == 1 {
				edge.Columns = columns
				edge.Row = export.Row{name, names, json.RawMessage(`{"Bool":{"x":"true"}}`), time.Unix(9, 0), int64(2), true}
			}
			if i == 2 {
				edge.Columns, edge.Row = columns, export.Row{nil, []string{}, nil, nil, nil, nil}
			}
			require.NoError(rt, w.Edge(edge))
		}
		require.NoError(rt, w.Close())
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(out.Bytes()))
		require.NoError(rt, err, "%s", out.String())
		require.NoError(rt, s.Validate(value), "%s", out.String())
		var d struct {
			Graph struct {
				Nodes []struct {
					Kinds      []string
					Properties struct{ Name string }
				}
				Edges []struct{ Kind string }
			}
		}
		require.NoError(rt, json.Unmarshal(out.Bytes(), &d))
		require.Len(rt, d.Graph.Nodes, len(names))
		require.Len(rt, d.Graph.Edges, len(names))
		for i, n := range d.Graph.Nodes {
			require.Equal(rt, names[i], n.Properties.Name)
			require.Equal(rt, []string{"Gatehouse_Account"}, n.Kinds)
			require.Equal(rt, "Gatehouse_AccountAssignedEntitlement", d.Graph.Edges[i].Kind)
		}
	})
}

// A schema that everything fits would hold the test above to nothing.
func TestSchemaRefuses(t *testing.T) {
	t.Parallel()
	s := compiled(t)
	for _, wrong := range []string{
		`{}`,
		`{"graph":{"nodes":[{"kinds":["A"]}],"edges":[]}}`,
		`{"graph":{"nodes":[{"id":"1","kinds":["A"],"properties":{"x":null}}],"edges":[]}}`,
		`{"graph":{"nodes":[{"id":"1","kinds":["A"],"properties":{"x":{}}}],"edges":[]}}`,
		`{"graph":{"nodes":[{"id":"1","kinds":["A"],"properties":{"objectid":"1"}}],"edges":[]}}`,
		`{"graph":{"nodes":[],"edges":[{"kind":"a b","start":{"value":"1"},"end":{"value":"2"},"properties":{}}]}}`,
	} {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(wrong))
		require.NoError(t, err)
		require.Error(t, s.Validate(value), wrong)
	}
}
