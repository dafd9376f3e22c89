package client

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"
)

// maxPage is the most items that the server puts on one page.
const maxPage = 200

// List is the items of one or more pages of a list.
type List[T any] struct {
	// Raw is the whole answer with the items of all pages in one list.
	Raw   json.RawMessage
	Items []T
	// More says that the server has further items.
	More bool
	// Last is the last page by field: what a list carries beside its items.
	Last map[string]json.RawMessage
}

// Pages says how much of a list to read.
type Pages struct {
	// Limit is the most items to return; 0 means all.
	Limit int
}

// list reads pages of the list at path, whose items are under the name plural,
// until there are enough or no more.
func list[T any](ctx context.Context, c *Client, path, plural string, query url.Values, pages Pages) (List[T], error) {
	var l List[T]
	// Not nil, so that an empty list prints as [] and not as null.
	raws := []json.RawMessage{}
	cursor := ""
	for {
		a, err := send[map[string]json.RawMessage](ctx, c, call{method: http.MethodGet, path: path, query: pageQuery(query, pages, len(raws), cursor)})
		if err != nil {
			return l, err
		}
		var page []json.RawMessage
		if err := json.Unmarshal(a.Value[plural], &page); err != nil {
			return l, fmt.Errorf("%s answered GET %s without a list of %s", c.Address(), path, plural)
		}
		raws = append(raws, page...)
		previous := cursor
		cursor = ""
		if next := a.Value["next_cursor"]; len(next) > 0 {
			if err := json.Unmarshal(next, &cursor); err != nil {
				return l, fmt.Errorf("%s answered GET %s with a cursor that is no text", c.Address(), path)
			}
		}
		l.Last, l.Raw = a.Value, a.Raw
		l.More = cursor != ""
		if enough := pages.Limit > 0 && len(raws) >= pages.Limit; !l.More || enough || cursor == previous {
			break
		}
	}
	return l, l.finish(plural, raws, pages)
}

func pageQuery(query url.Values, pages Pages, have int, cursor string) url.Values {
	q := maps.Clone(query)
	if q == nil {
		q = url.Values{}
	}
	size := maxPage
	if pages.Limit > 0 {
		size = min(size, pages.Limit-have)
	}
	q.Set("limit", strconv.Itoa(size))
	if cursor != "" {
		q.Set("cursor", cursor)
	}
	return q
}

// finish decodes the items and, where they are not simply those of one answer,
// makes the whole of them.
func (l *List[T]) finish(plural string, raws []json.RawMessage, pages Pages) error {
	var single []json.RawMessage
	if err := json.Unmarshal(l.Last[plural], &single); err != nil {
		return fmt.Errorf("read the list of %s: %w", plural, err)
	}
	whole := len(single) == len(raws)
	if pages.Limit > 0 && len(raws) > pages.Limit {
		raws, l.More, whole = raws[:pages.Limit], true, false
	}
	l.Items = make([]T, len(raws))
	for i, raw := range raws {
		if err := json.Unmarshal(raw, &l.Items[i]); err != nil {
			return fmt.Errorf("item %d of the list of %s is not what this version of gatehouse expects: %w", i+1, plural, err)
		}
	}
	if whole {
		return nil
	}
	items, err := json.Marshal(raws)
	if err != nil {
		return fmt.Errorf("join the pages of %s: %w", plural, err)
	}
	joined := maps.Clone(l.Last)
	joined[plural] = items
	if l.Raw, err = json.Marshal(joined); err != nil {
		return fmt.Errorf("join the pages of %s: %w", plural, err)
	}
	return nil
}
