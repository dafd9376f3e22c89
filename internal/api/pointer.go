package api

import (
	"regexp"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// jsonPointer is a place in a request's body, by RFC 6901.
type jsonPointer string

// problemShown is huma's problem as it is answered: its fields with a pointer,
// and without the refused values.
type problemShown struct {
	*huma.ErrorModel
	Errors []fieldShown `json:"errors,omitempty"`
}

type fieldShown struct {
	Location string      `json:"location"`
	Pointer  jsonPointer `json:"pointer,omitempty"`
	Message  string      `json:"message"`
}

func shownProblem(p *huma.ErrorModel) *problemShown {
	shown := &problemShown{ErrorModel: p}
	for _, detail := range p.Errors {
		pointer, known := detail.Value.(jsonPointer)
		if !known {
			pointer = pointerOf(detail.Location)
		}
		shown.Errors = append(shown.Errors, fieldShown{Location: detail.Location, Pointer: pointer, Message: detail.Message})
	}
	return shown
}

// indexed matches the place of a list's item, as in body.tags[2].
var indexed = regexp.MustCompile(`\[([0-9]+)\]`)

// pointerOf returns the pointer to a location of the body; none of the query,
// path and header.
func pointerOf(location string) jsonPointer {
	rest, ok := strings.CutPrefix(location, "body.")
	if !ok {
		return ""
	}
	steps := strings.Split(indexed.ReplaceAllString(rest, ".$1"), ".")
	for i, step := range steps {
		steps[i] = strings.NewReplacer("~", "~0", "/", "~1").Replace(step)
	}
	return jsonPointer("/" + strings.Join(steps, "/"))
}
