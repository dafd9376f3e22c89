package rest

import (
	"context"
	"net/url"
	"strings"

	"github.com/gatehouse-project/gatehouse/connector"
)

// mostMarkerBytes leaves a cursor room for what else is in it, and for what JSON
// escapes.
const mostMarkerBytes = connector.MaxCursorBytes / 2

// Pages is a list that a provider shows page by page. A marker leads to a page: a
// token, a link or a number, in the provider's own form; the empty one to the first.
type Pages[T any] struct {
	API API
	// Name is what people see of the list.
	Name string
	// Get reads the page that a marker leads to; next is empty on the last one. A
	// page may be empty and not the last.
	Get func(ctx context.Context, marker string) (items []T, next string, err error)
	// Expired reports whether an error says that the marker is not taken any more;
	// nil where markers do not expire.
	Expired func(error) bool
}

// Each reads the list from a marker on. at is told before each page by which marker
// it is asked for, which is the place to continue from; take gets the page's items.
// Their errors end the read and are returned unchanged. A marker that has expired
// starts the list again, once: records repeat then and none is left out.
func (p Pages[T]) Each(ctx context.Context, marker string, at func(marker string) error, take func(items []T) error) error {
	again := false
	for {
		if err := at(marker); err != nil {
			return err
		}
		items, next, err := p.Get(ctx, marker)
		if err != nil {
			if marker != "" && !again && p.Expired != nil && p.Expired(err) {
				marker, again = "", true
				continue
			}
			return err
		}
		if err := take(items); err != nil {
			return err
		}
		switch {
		case next == "":
			return nil
		case next == marker:
			return p.API.unavailable("the list of "+p.Name+" leads to itself", nil)
		case len(next) > mostMarkerBytes:
			return p.API.unavailable("the next link of "+p.Name+" is too long", nil)
		}
		marker = next
	}
}

// SameOrigin reports whether a link that a provider gave leads to where the call went
// that it came from. The access token goes with it, so no other is followed.
func SameOrigin(of, link string) bool {
	base, err := url.Parse(of)
	next, parsed := url.Parse(link)
	return err == nil && parsed == nil && next.Scheme == base.Scheme && strings.EqualFold(next.Host, base.Host) && next.User == nil
}
