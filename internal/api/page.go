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

// After returns the id that the cursor stands for, 0 for the first page. Lists
// in descending order continue before it. A malformed cursor is Invalid.
func After[T Identifier](p Page) (T, error) {
	if p.Cursor == "" {
		return 0, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	if err == nil {
		var last T
		if last, err = parseID[T](string(text)); err == nil {
			return last, nil
		}
	}
	return 0, fault.InvalidField("query.cursor", "is not a cursor of this list; use next_cursor as it was answered")
}

// Cut returns the items of the page out of what [Page.Fetch] asked for, and the
// cursor of the next page, which is empty at the end.
func Cut[E any, T Identifier](p Page, found []E, idOf func(E) T) (items []E, next string) {
	if len(found) <= p.Limit {
		return found, ""
	}
	items = found[:p.Limit]
	return items, base64.RawURLEncoding.EncodeToString([]byte(idOf(items[p.Limit-1]).String()))
}
