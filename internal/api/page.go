package api

import (
	"encoding/base64"

	"github.com/gatehouse-project/gatehouse/internal/fault"
)

// Page is the part of a list's query that every list has. Embed it in the
// operation's input.
type Page struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"The most items to return."`
	Cursor string `query:"cursor" maxLength:"64" doc:"The next_cursor of the answer before; leave it out for the first page."`
}

// Fetch is how many items to ask a store for: one more than the page holds, so
// that the answer knows whether there are more.
func (p Page) Fetch() int { return p.Limit + 1 }

// Last returns the text that the cursor stands for, "" for the first page. A
// malformed cursor is Invalid.
func (p Page) Last() (string, error) {
	text, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	if err != nil {
		return "", malformedCursor()
	}
	return string(text), nil
}

// After returns the id that the cursor stands for, 0 for the first page. Lists
// in descending order continue before it. A malformed cursor is Invalid.
func After[T Identifier](p Page) (T, error) {
	text, err := p.Last()
	if err != nil || text == "" {
		return 0, err
	}
	last, err := parseID[T](text)
	if err != nil {
		return 0, malformedCursor()
	}
	return last, nil
}

// Cut returns the items of the page out of what [Page.Fetch] asked for, and the
// cursor of the next page, which is empty at the end.
func Cut[E any, T Identifier](p Page, found []E, idOf func(E) T) (items []E, next string) {
	return CutAt(p, found, func(e E) string { return idOf(e).String() })
}

// CutAt is [Cut] for lists that are ordered by a text; see [Page.Last].
func CutAt[E any](p Page, found []E, textOf func(E) string) (items []E, next string) {
	if len(found) <= p.Limit {
		return found, ""
	}
	items = found[:p.Limit]
	return items, base64.RawURLEncoding.EncodeToString([]byte(textOf(items[p.Limit-1])))
}

func malformedCursor() error {
	return fault.InvalidField("query.cursor", "is not a cursor of this list; use next_cursor as it was answered")
}
