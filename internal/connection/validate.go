package connection

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gatehouse-project/gatehouse/internal/fault"
)

func validName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if n := utf8.RuneCountInString(name); n < 1 || n > 200 || !utf8.ValidString(name) || strings.ContainsFunc(name, isControl) {
		return "", fault.InvalidField("name", "must be 1 to 200 characters of text on one line")
	}
	return name, nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

func validLifecycle(l Lifecycle, allowed ...Lifecycle) error {
	if slices.Contains(allowed, l) {
		return nil
	}
	names := make([]string, len(allowed))
	for i, a := range allowed {
		names[i] = string(a)
	}
	return fault.InvalidField("lifecycle", "can be set to %s", strings.Join(names, " or "))
}

// maxMetadataBytes bounds what a workspace may note about a connection.
const maxMetadataBytes = 16 << 10

func validMetadata(raw json.RawMessage) (json.RawMessage, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return json.RawMessage("{}"), nil
	}
	var object map[string]any
	if len(raw) > maxMetadataBytes || json.Unmarshal(raw, &object) != nil || strings.Contains(string(raw), `\u0000`) {
		return nil, fault.InvalidField("metadata", "must be a JSON object of at most %d bytes", maxMetadataBytes)
	}
	return raw, nil
}

// wrongFields gathers the fields of several Invalid errors into one.
type wrongFields struct {
	fields []fault.Field
	other  error
}

func (w *wrongFields) add(err error) {
	if err == nil {
		return
	}
	if f, ok := fault.As(err); ok && f.Kind == fault.Invalid && len(f.Fields) > 0 {
		w.fields = append(w.fields, f.Fields...)
	} else {
		w.other = err
	}
}

func (w *wrongFields) err() error {
	if w.other != nil {
		return w.other
	}
	if len(w.fields) > 0 {
		return fault.InvalidFields(w.fields...)
	}
	return nil
}
