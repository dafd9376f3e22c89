package api

import (
	"encoding/json"

	"github.com/danielgtaylor/huma/v2"
)

// Value is a JSON value of any form, null included. It keeps the bytes as they
// are.
type Value json.RawMessage

// MarshalJSON returns the value; null where there is none.
func (v Value) MarshalJSON() ([]byte, error) {
	if len(v) == 0 {
		return []byte("null"), nil
	}
	return v, nil
}

// UnmarshalJSON keeps the bytes.
func (v *Value) UnmarshalJSON(b []byte) error {
	*v = append((*v)[:0], b...)
	return nil
}

// Schema describes a value of any form.
func (Value) Schema(huma.Registry) *huma.Schema { return &huma.Schema{} }
