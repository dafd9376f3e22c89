package form

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/gatehouse-project/gatehouse/internal/violation"
)

// Schema is a compiled JSON Schema of type object.
type Schema struct {
	root     string
	compiled *jsonschema.Schema
}

// Field is one property of a schema.
type Field struct {
	Name        string
	Title       string
	Description string
	// Type is the JSON type; Items that of an array's items.
	Type    string
	Items   string
	Enum    []string
	Default any
	// Secret fields are marked writeOnly.
	Secret bool
}

// Compile reads a schema. The root, such as "configuration", names it in
// messages.
func Compile(root string, raw json.RawMessage) (*Schema, error) {
	if len(raw) == 0 {
		raw = json.RawMessage(`{"type":"object"}`)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("the %s schema is not JSON: %w", root, err)
	}
	c := jsonschema.NewCompiler()
	// Whatever a schema refers to must be inside it: no file is read and nothing
	// is fetched on the word of a server.
	c.UseLoader(jsonschema.SchemeURLLoader{})
	name := "schema:" + root
	if err := c.AddResource(name, doc); err != nil {
		return nil, fmt.Errorf("the %s schema cannot be read: %w", root, err)
	}
	compiled, err := c.Compile(name)
	if err != nil {
		return nil, fmt.Errorf("the %s schema does not compile: %w", root, err)
	}
	return &Schema{root: root, compiled: compiled}, nil
}

// Names lists the fields in order of name.
func (s *Schema) Names() []string { return slices.Sorted(maps.Keys(s.compiled.Properties)) }

// Field returns a field; ok is false when the schema has none of that name.
func (s *Schema) Field(name string) (f Field, ok bool) {
	p, ok := s.compiled.Properties[name]
	if !ok {
		return Field{Name: name}, false
	}
	f = Field{Name: name, Title: p.Title, Description: p.Description, Type: typeOf(p), Secret: p.WriteOnly}
	if items := itemsOf(p); items != nil {
		f.Items = typeOf(items)
	}
	if p.Default != nil {
		f.Default = *p.Default
	}
	if p.Enum != nil {
		for _, v := range p.Enum.Values {
			f.Enum = append(f.Enum, fmt.Sprint(v))
		}
	}
	return f, true
}

// judge says what is wrong with the value of one field, by the field's own part
// of the schema. It never repeats the value, which may be a secret.
func (s *Schema) judge(name string, raw json.RawMessage) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return errors.New("must be JSON")
	}
	if message, wrong := violation.First(s.compiled.Properties[name].Validate(value)); wrong {
		return errors.New(message)
	}
	return nil
}

// Missing lists the fields that the values lack, in order of name, also those
// that only other values make necessary.
func (s *Schema) Missing(values map[string]json.RawMessage) ([]string, error) {
	object := make(map[string]any, len(values))
	for name, raw := range values {
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err != nil {
			return nil, fmt.Errorf("%s.%s is not JSON", s.root, name)
		}
		object[name] = value
	}
	var invalid *jsonschema.ValidationError
	if !errors.As(s.compiled.Validate(object), &invalid) {
		return nil, nil
	}
	missing := map[string]bool{}
	collect(invalid, missing)
	return slices.Sorted(maps.Keys(missing)), nil
}

func collect(e *jsonschema.ValidationError, missing map[string]bool) {
	for _, cause := range e.Causes {
		collect(cause, missing)
	}
	if len(e.InstanceLocation) > 0 {
		return
	}
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		for _, name := range k.Missing {
			missing[name] = true
		}
	case *kind.DependentRequired:
		for _, name := range k.Missing {
			missing[name] = true
		}
	}
}

func typeOf(s *jsonschema.Schema) string {
	if s.Types == nil || s.Types.IsEmpty() {
		return ""
	}
	return s.Types.ToStrings()[0]
}

func itemsOf(s *jsonschema.Schema) *jsonschema.Schema {
	if s.Items2020 != nil {
		return s.Items2020
	}
	single, _ := s.Items.(*jsonschema.Schema)
	return single
}
