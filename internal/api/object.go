package api

import (
	"encoding/json"
	"errors"

	"github.com/danielgtaylor/huma/v2"
)

// Object is a JSON object whose form is described elsewhere, such as by an
// integration's JSON Schema. It keeps the bytes as they are.
type Object json.RawMessage

// MarshalJSON returns the object; an empty one where there is none.
func (o Object) MarshalJSON() ([]byte, error) {
	if len(o) == 0 {
		return []byte("{}"), nil
	}
	return o, nil
}

// UnmarshalJSON keeps the bytes of an object.
func (o *Object) UnmarshalJSON(b []byte) error {
	if len(b) == 0 || b[0] != '{' {
		return errors.New("not a JSON object")
	}
	*o = append((*o)[:0], b...)
	return nil
}

// Raw returns the bytes.
func (o Object) Raw() json.RawMessage { return json.RawMessage(o) }

// Schema describes an object of any form.
func (Object) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
}
