package integration

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/gatehouse-project/gatehouse/internal/fault"
)

// schema is a compiled JSON Schema of type object, and what the platform needs
// to know of its properties.
type schema struct {
	root     string
	raw      json.RawMessage
	compiled *jsonschema.Schema
	fields   []Field
}

// Field is one property of a configuration or scope, as forms and prompts show it.
type Field struct {
	Name        string
	Title       string
	Description string
	Type        string
	Enum        []string
	Default     any
	Secret      bool
	Required    bool
}

func compile(root string, raw json.RawMessage) (*schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("the %s schema is not JSON: %w", root, err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("manifest:"+root, doc); err != nil {
		return nil, fmt.Errorf("the %s schema cannot be read: %w", root, err)
	}
	compiled, err := c.Compile("manifest:" + root)
	if err != nil {
		return nil, fmt.Errorf("the %s schema does not compile: %w", root, err)
	}
	return &schema{root: root, raw: raw, compiled: compiled, fields: fieldsOf(compiled)}, nil
}

// without returns the schema that asks nothing of the values of some properties.
func (s *schema) without(names []string) (*schema, error) {
	var doc map[string]json.RawMessage
	var properties map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(s.raw, &doc), json.Unmarshal(doc["properties"], &properties)); err != nil {
		return nil, fmt.Errorf("read the %s schema: %w", s.root, err)
	}
	for _, name := range names {
		properties[name] = json.RawMessage(`{"writeOnly":true}`)
	}
	var err error
	if doc["properties"], err = json.Marshal(properties); err != nil {
		return nil, fmt.Errorf("write the %s schema: %w", s.root, err)
	}
	raw, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("write the %s schema: %w", s.root, err)
	}
	return compile(s.root, raw)
}

func fieldsOf(s *jsonschema.Schema) []Field {
	fields := make([]Field, 0, len(s.Properties))
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		p := s.Properties[name]
		f := Field{Name: name, Title: p.Title, Description: p.Description, Secret: p.WriteOnly, Required: slices.Contains(s.Required, name)}
		if p.Types != nil {
			f.Type = strings.Join(p.Types.ToStrings(), " or ")
		}
		if p.Default != nil {
			f.Default = *p.Default
		}
		if p.Enum != nil {
			for _, v := range p.Enum.Values {
				f.Enum = append(f.Enum, fmt.Sprint(v))
			}
		}
		fields = append(fields, f)
	}
	return fields
}

// validate checks value, a decoded JSON object, and reports every field that is
// wrong. Messages never repeat a value, which may be a secret.
func (s *schema) validate(value map[string]any) error {
	err := s.compiled.Validate(value)
	if err == nil {
		return nil
	}
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return fmt.Errorf("validate %s: %w", s.root, err)
	}
	wrong := map[string]fault.Field{}
	s.collect(invalid, wrong)
	fields := make([]fault.Field, 0, len(wrong))
	for _, path := range slices.Sorted(maps.Keys(wrong)) {
		fields = append(fields, wrong[path])
	}
	return fault.InvalidFields(fields...)
}

// object decodes raw into a JSON object the validator understands. Nothing and
// null are the empty object.
func (s *schema) object(raw json.RawMessage) (map[string]any, error) {
	if len(bytes.TrimSpace(raw)) == 0 || bytes.Equal(bytes.TrimSpace(raw), []byte("null")) {
		return map[string]any{}, nil
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, fault.InvalidField(s.root, "must be valid JSON")
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, fault.InvalidField(s.root, "must be a JSON object")
	}
	// No provider's setting holds it, and the database cannot store it.
	if bytes.Contains(raw, []byte(`\u0000`)) {
		return nil, fault.InvalidField(s.root, "must not contain the NUL character")
	}
	return object, nil
}
