package api

import (
	"context"
	"encoding"
	"fmt"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Identifier is one of the types of package id.
type Identifier interface {
	~int64
	String() string
}

// PathID is an id in a path. What is no id of the kind names nothing, so it is
// read as the zero id, which no row has and every use case reports as not found.
//
// It is a struct because huma would read a parameter of an integer kind as a
// decimal number.
type PathID[T Identifier] struct {
	ID T

	text string
}

// UnmarshalText reads the public form.
func (p *PathID[T]) UnmarshalText(text []byte) error {
	p.text = string(text)
	found, err := parseID[T](p.text)
	if err == nil {
		p.ID = found
	}
	return nil
}

// Resolve notes what was asked for when it is no id of the kind, since a use
// case can only tell the zero id.
func (p *PathID[T]) Resolve(ctx huma.Context, at *huma.PathBuffer) []error {
	if p.ID == 0 {
		NoteMisnamed(ctx.Context(), at.String(), p.text)
	}
	return nil
}

// NoteMisnamed says that the path parameter at this place of the request, such
// as path.run_id, holds a text that is no id of its kind. Should the operation
// find nothing, the answer names the text.
func NoteMisnamed(ctx context.Context, place, text string) {
	const most = 100
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	noun := strings.TrimSuffix(strings.TrimPrefix(place, "path."), "_id")
	callFrom(ctx).misnamed = fmt.Sprintf("%s %q", strings.ReplaceAll(noun, "_", " "), text)
}

// Schema describes the parameter. The pattern is documentation only: huma would
// answer a mismatch with 422.
func (PathID[T]) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeString, Examples: []any{T(123).String()}, Extensions: map[string]any{"pattern": pattern[T]()},
	}
}

// QueryID is an id in a query. What is no id of the kind is refused with 422.
type QueryID[T Identifier] struct {
	ID T
}

// UnmarshalText reads the public form.
func (q *QueryID[T]) UnmarshalText(text []byte) (err error) {
	q.ID, err = parseID[T](string(text))
	return err
}

// Schema describes the parameter.
func (QueryID[T]) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Examples: []any{T(123).String()}, Extensions: map[string]any{"pattern": pattern[T]()}}
}

func parseID[T Identifier](text string) (T, error) {
	var found T
	u, ok := any(&found).(encoding.TextUnmarshaler)
	if !ok {
		return 0, fmt.Errorf("%T cannot be read from text", found)
	}
	if err := u.UnmarshalText([]byte(text)); err != nil {
		return 0, err
	}
	return found, nil
}

func pattern[T Identifier]() string {
	prefix, _, _ := strings.Cut(T(1).String(), "_")
	return "^" + prefix + "_[1-9][0-9]{0,18}$"
}
