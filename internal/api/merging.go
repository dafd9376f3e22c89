package api

import (
	"encoding/json"
	"errors"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

// MergePatch is the media type of a JSON merge patch, RFC 7396.
const MergePatch = "application/merge-patch+json"

// Merging is a member of a merge patch that is an object or null. It keeps the
// bytes as they are; nil means that the patch does not have the member.
type Merging json.RawMessage

// UnmarshalJSON keeps the bytes of an object or of null.
func (m *Merging) UnmarshalJSON(b []byte) error {
	if len(b) == 0 || b[0] != '{' && string(b) != "null" {
		return errors.New("neither a JSON object nor null")
	}
	*m = append((*m)[:0], b...)
	return nil
}

// Raw returns the bytes.
func (m Merging) Raw() json.RawMessage { return json.RawMessage(m) }

// Schema describes an object of any form, or null.
func (Merging) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, Nullable: true, AdditionalProperties: true}
}

// Setting is a member of a merge patch that can be set and not removed. A patch
// that does not have it leaves both of its fields empty.
type Setting[T any] struct {
	Value *T
	// Null says that the patch asks for the member to be removed.
	Null bool
}

// UnmarshalJSON reads a value or null.
func (s *Setting[T]) UnmarshalJSON(b []byte) error {
	if s.Null = string(b) == "null"; s.Null {
		return nil
	}
	s.Value = new(T)
	return json.Unmarshal(b, s.Value)
}

// Schema describes the value.
func (Setting[T]) Schema(r huma.Registry) *huma.Schema {
	return huma.SchemaFromType(r, reflect.TypeFor[T]())
}

// TakesMergePatch says that a PATCH that is registered reads its JSON body as a merge
// patch, so that both media types are accepted and documented.
func TakesMergePatch(a huma.API, op huma.Operation) {
	body := a.OpenAPI().Paths[op.Path].Patch.RequestBody
	body.Content[MergePatch] = body.Content["application/json"]
}
