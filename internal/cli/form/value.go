package form

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Parse reads a text as the JSON value of the field's type: true and false,
// numbers, lists as 1,2,3 or as JSON, objects as JSON. A field whose type is not
// known is a text.
func (f Field) Parse(text string) (json.RawMessage, error) {
	switch f.Type {
	case "boolean", "integer", "number":
		return scalar(f.Type, text)
	case "array":
		return f.array(text)
	case "object":
		var object map[string]json.RawMessage
		if json.Unmarshal([]byte(text), &object) != nil || object == nil {
			return nil, fmt.Errorf("must be a JSON object")
		}
		return json.RawMessage(text), nil
	}
	return quote(text), nil
}

func scalar(kind, text string) (json.RawMessage, error) {
	text = strings.TrimSpace(text)
	switch kind {
	case "boolean":
		if text != "true" && text != "false" {
			return nil, fmt.Errorf("must be true or false")
		}
	case "integer":
		if _, err := strconv.ParseInt(text, 10, 64); err != nil {
			return nil, fmt.Errorf("must be a whole number")
		}
	case "number":
		if number := json.Number(""); json.Unmarshal([]byte(text), &number) != nil || strings.HasPrefix(text, `"`) {
			return nil, fmt.Errorf("must be a number")
		}
	default:
		return quote(text), nil
	}
	return json.RawMessage(text), nil
}

func (f Field) array(text string) (json.RawMessage, error) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "[") {
		var items []json.RawMessage
		if err := json.Unmarshal([]byte(text), &items); err != nil {
			return nil, fmt.Errorf("must be a JSON list, or values with commas between them")
		}
		return json.RawMessage(text), nil
	}
	var list bytes.Buffer
	list.WriteByte('[')
	for i, part := range split(text) {
		item, err := scalar(f.Items, part)
		if err != nil {
			return nil, fmt.Errorf("item %d %w", i+1, err)
		}
		if i > 0 {
			list.WriteByte(',')
		}
		list.Write(item)
	}
	list.WriteByte(']')
	return list.Bytes(), nil
}

func split(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

func quote(text string) json.RawMessage {
	quoted, err := json.Marshal(text)
	if err != nil {
		// A string always has a JSON form.
		return json.RawMessage(`""`)
	}
	return quoted
}
