package mergepatch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Apply returns what patch makes of document. Both are JSON; an empty document
// is null. The result is compact, its members in order of name.
func Apply(document, patch json.RawMessage) (json.RawMessage, error) {
	if len(document) == 0 {
		document = json.RawMessage("null")
	}
	before, err := decode(document)
	if err != nil {
		return nil, fmt.Errorf("read the document: %w", err)
	}
	change, err := decode(patch)
	if err != nil {
		return nil, fmt.Errorf("read the patch: %w", err)
	}
	var after bytes.Buffer
	e := json.NewEncoder(&after)
	e.SetEscapeHTML(false)
	if err := e.Encode(Merge(before, change)); err != nil {
		return nil, fmt.Errorf("write the result: %w", err)
	}
	return bytes.TrimSuffix(after.Bytes(), []byte("\n")), nil
}

// Merge is [Apply] for decoded JSON. It leaves both of its arguments as they
// are; the result may share parts with them.
func Merge(document, patch any) any {
	changes, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	before, ok := document.(map[string]any)
	merged := make(map[string]any, len(before)+len(changes))
	if ok {
		for name, value := range before {
			merged[name] = value
		}
	}
	for name, value := range changes {
		if value == nil {
			delete(merged, name)
		} else {
			merged[name] = Merge(merged[name], value)
		}
	}
	return merged
}

func decode(raw json.RawMessage) (value any, err error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more than one value")
	}
	return value, nil
}
