package records

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
)

// Attributes makes a JSON object of the fields that are set: neither nil nor an
// empty string, list, map or document; times are written in UTC by RFC 3339. It
// returns nil when none is. When the object would be larger than
// [connector.MaxAttributesBytes], the fields named in spare are left out, in that
// order, and listed under "omitted"; what is too large even then is nil. The fields
// are the function's to change.
func Attributes(fields map[string]any, spare ...string) json.RawMessage {
	for k, v := range fields {
		if unset(v) {
			delete(fields, k)
		} else if t, ok := v.(*time.Time); ok {
			fields[k] = t.UTC().Format(time.RFC3339)
		}
	}
	if len(fields) == 0 {
		return nil
	}
	var omitted []string
	for {
		b, err := json.Marshal(fields)
		if err == nil && len(b) <= connector.MaxAttributesBytes {
			return b
		}
		if len(spare) == 0 {
			return nil
		}
		omitted = append(omitted, spare[0])
		delete(fields, spare[0])
		fields["omitted"] = omitted
		spare = spare[1:]
	}
}

func unset(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []string:
		return len(v) == 0
	case map[string]string:
		return len(v) == 0
	case []map[string]any:
		return len(v) == 0
	case json.RawMessage:
		return len(v) == 0
	case *time.Time:
		return v == nil
	}
	return false
}

// Name keeps a name within the contract, without breaking a character, and without
// zero bytes, which the graph cannot hold.
func Name(s string) string {
	return strings.ReplaceAll(Clip(s, connector.MaxNameBytes), "\x00", "")
}

// Clip keeps the provider's text within so many bytes, without breaking a character.
func Clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "")
}
