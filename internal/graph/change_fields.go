package graph

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/gatehouse-project/gatehouse/connector"
)

// compare fills in what differs between the two versions of a change.
func (c *Change) compare() error {
	var before, after map[string]json.RawMessage
	var err error
	switch {
	case c.Before != nil && c.After != nil:
		if before, err = c.Before.fields(); err == nil {
			after, err = c.After.fields()
		}
	case c.BeforeEdge != nil && c.AfterEdge != nil:
		if before, err = c.BeforeEdge.fields(); err == nil {
			after, err = c.AfterEdge.fields()
		}
	default:
		return nil
	}
	if err != nil {
		return fmt.Errorf("compare two versions: %w", err)
	}
	names := maps.Clone(after)
	maps.Copy(names, before)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if !bytes.Equal(before[name], after[name]) {
			c.Fields = append(c.Fields, FieldChange{Field: name, Before: before[name], After: after[name]})
		}
	}
	return nil
}

func (e *Entity) fields() (map[string]json.RawMessage, error) {
	f := map[string]any{"name": e.Name, "type": e.Type}
	if len(e.Identifiers) > 0 {
		f["identifiers"] = e.Identifiers
	}
	return flatten(f, map[string]json.RawMessage{"attributes": e.Attributes})
}

func (r *Relation) fields() (map[string]json.RawMessage, error) {
	terms := connector.Terms{}
	if r.Terms != nil {
		terms = *r.Terms
	}
	terms.Effect = ""
	raw, err := json.Marshal(terms)
	if err != nil {
		return nil, err
	}
	return flatten(map[string]any{"effect": r.Effect}, map[string]json.RawMessage{"terms": raw, "attributes": r.Attributes})
}

// flatten writes fields as JSON, and the fields of objects under the object's
// name. Objects are written anew, so that the order of their fields is no
// difference.
func flatten(fields map[string]any, objects map[string]json.RawMessage) (map[string]json.RawMessage, error) {
	for under, raw := range objects {
		if len(raw) == 0 {
			continue
		}
		// Numbers stay as they were written.
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		var object map[string]any
		if err := d.Decode(&object); err != nil {
			return nil, err
		}
		for name, value := range object {
			fields[under+"."+name] = value
		}
	}
	flat := make(map[string]json.RawMessage, len(fields))
	for name, value := range fields {
		raw, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		flat[name] = raw
	}
	return flat, nil
}
