package conformance

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"pgregory.net/rapid"
)

// generator draws values that fit a schema.
type generator struct {
	document *document
	pool     *pool
	known    knownValues
	// operation is what the values are for.
	operation string
}

// maxGenerated bounds the depth of what is drawn.
const maxGenerated = 6

// often is true about nine times in ten: rapid prefers small numbers.
func often(t *rapid.T, what string) bool { return rapid.IntRange(0, 4).Draw(t, what) < 4 }

// value draws a value for the schema of a property or parameter.
func (g *generator) value(t *rapid.T, name string, n node, depth int) any {
	n = g.document.resolve(n)
	if known, ok := g.known.draw(t, name); ok {
		return known
	}
	if values := list(n["enum"]); values != nil {
		return rapid.SampledFrom(values).Draw(t, name)
	}
	if value, ok := n["const"]; ok {
		return value
	}
	for _, choice := range []string{"oneOf", "anyOf"} {
		if choices := list(n[choice]); choices != nil && n["type"] == nil {
			return g.value(t, name, object(rapid.SampledFrom(choices).Draw(t, choice)), depth)
		}
	}
	switch g.typeOf(t, n) {
	case "object":
		return g.object(t, n, depth)
	case "array":
		values := []any{}
		for range rapid.IntRange(0, 3).Draw(t, "items") {
			values = append(values, g.value(t, name, object(n["items"]), depth+1))
		}
		return values
	case "integer":
		low, high := bounds(n)
		return rapid.Int64Range(low, high).Draw(t, name)
	case "number":
		return rapid.Float64Range(-1e9, 1e9).Draw(t, name)
	case "boolean":
		return rapid.Bool().Draw(t, name)
	case "null":
		return nil
	}
	return g.text(t, name, n)
}

// typeOf draws one of the schema's types.
func (g *generator) typeOf(t *rapid.T, n node) string {
	if types := list(n["type"]); types != nil {
		return fmt.Sprint(rapid.SampledFrom(types).Draw(t, "type"))
	}
	if text, ok := n["type"].(string); ok {
		return text
	}
	if object(n["properties"]) != nil {
		return "object"
	}
	return "string"
}

func bounds(n node) (low, high int64) {
	low, high = math.MinInt32, math.MaxInt32
	if limit, ok := n["minimum"].(json.Number); ok {
		low, _ = limit.Int64()
		high = max(high, low)
	}
	if limit, ok := n["maximum"].(json.Number); ok {
		high, _ = limit.Int64()
	}
	return low, high
}

func (g *generator) object(t *rapid.T, n node, depth int) any {
	drawn := node{}
	required := list(n["required"])
	properties := object(n["properties"])
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		property := g.document.resolve(object(properties[name]))
		if read, _ := property["readOnly"].(bool); read || depth > maxGenerated {
			continue
		}
		if slices.Contains(required, any(name)) || g.known.always(name) || rapid.Bool().Draw(t, name+"?") {
			drawn[name] = g.value(t, name, property, depth+1)
		}
	}
	if open, _ := n["additionalProperties"].(bool); open && properties == nil {
		for range rapid.IntRange(0, 2).Draw(t, "further properties") {
			drawn[rapid.StringMatching(`[a-z]{1,8}`).Draw(t, "key")] = rapid.SampledFrom([]any{"text", true, 7, nil, []any{"a"}, node{"b": 1}}).Draw(t, "value")
		}
	}
	return drawn
}

// text draws a string: a remembered one where something is known by the name, or
// one that fits pattern, format and length.
func (g *generator) text(t *rapid.T, name string, n node) string {
	if id, ok := draw(t, g.pool.byName[entitiesOf(entityKinds()[name])]); ok && often(t, "of the right kind") {
		return id
	}
	if kind := g.pool.kindOf(name, n); kind != "" {
		if id, ok := draw(t, g.pool.byKind[kind]); ok && often(t, "a real id") {
			return id
		}
		return unknownID(t, kind)
	}
	if name == "cursor" {
		if cursor, ok := draw(t, g.pool.byName[cursorsOf(g.operation)]); ok {
			return cursor
		}
		return ""
	}
	if known, ok := draw(t, g.pool.byName[name]); ok && often(t, "a known "+name) && fitsLength(n, known) {
		return known
	}
	if pattern, ok := n["pattern"].(string); ok {
		return rapid.StringMatching(pattern).Draw(t, name)
	}
	switch n["format"] {
	case "date-time":
		at := time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, name), 0).UTC()
		return at.Format(time.RFC3339)
	case "uri":
		return "https://" + rapid.StringMatching(`[a-z]{1,10}`).Draw(t, name) + ".example"
	}
	if example, ok := firstText(n["examples"]); ok && often(t, "as the example") {
		return example
	}
	drawn := rapid.StringN(0, 30, 90).Draw(t, name)
	if !fitsLength(n, drawn) {
		return strings.Repeat("x", int(least(n)))
	}
	return drawn
}

// What begins like this, or counts from here on, names nothing: see [unknownID].
const (
	firstUnknown  = 1 << 40
	unknownPrefix = "ffffffff"
)

// unknownID draws an id of a kind that names nothing.
func unknownID(t *rapid.T, kind string) string {
	if kind == "ent" || kind == "identity" {
		return kind + "_" + unknownPrefix + rapid.StringMatching(`[0-9a-f]{24}`).Draw(t, "unknown "+kind)
	}
	return fmt.Sprintf("%s_%d", kind, rapid.Int64Range(firstUnknown, math.MaxInt64).Draw(t, "unknown id"))
}

// isUnknown reports whether an id names nothing. It may be answered all the same:
// what was asked for is in the audit record.
func isUnknown(id string) bool {
	_, name, _ := strings.Cut(id, "_")
	if number, err := strconv.ParseInt(name, 10, 64); err == nil {
		return number >= firstUnknown
	}
	return strings.HasPrefix(name, unknownPrefix)
}

func firstText(examples any) (string, bool) {
	for _, example := range list(examples) {
		text, ok := example.(string)
		return text, ok
	}
	return "", false
}

func fitsLength(n node, text string) bool {
	length := int64(len([]rune(text)))
	if most, ok := n["maxLength"].(json.Number); ok {
		if limit, _ := most.Int64(); length > limit {
			return false
		}
	}
	return length >= least(n)
}

func least(n node) int64 {
	limit, _ := n["minLength"].(json.Number)
	value, _ := limit.Int64()
	return value
}
