package azure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
	"github.com/gatehouse-project/gatehouse/connector/rest"
)

// pageOf is a page of a list. Graph and Resource Manager name the next link
// differently. A page may be empty and have one.
type pageOf[T any] struct {
	Value     []T    `json:"value"`
	GraphNext string `json:"@odata.nextLink"`
	ARMNext   string `json:"nextLink"`
}

func (p pageOf[T]) next() string {
	if p.GraphNext != "" {
		return p.GraphNext
	}
	return p.ARMNext
}

// eachPage reads a list from a link on, or from its start; at is told before each
// page by which link it is asked for. Next links are followed whole.
func eachPage[T any](ctx context.Context, s *session, first call, link string, at func(link string) error, take func([]T) error) error {
	return rest.Pages[T]{
		API: provider(), Name: first.name(),
		Get: func(ctx context.Context, link string) ([]T, string, error) {
			c := first
			if link != "" {
				var err error
				if c, err = follow(first, link); err != nil {
					return nil, "", err
				}
			}
			var page pageOf[T]
			err := s.client.get(ctx, c, &page)
			return page.Value, page.next(), err
		},
		Expired: func(err error) bool { return errors.Is(err, errStalePage) },
	}.Each(ctx, link, at, take)
}

// readList reads a list of a stream from its place on, whose pages can each be
// continued from.
func readList[T any](ctx context.Context, s *session, first call, from records.Place, b *records.Writer, take func(T)) error {
	return eachPage(ctx, s, first, from.Marker, func(link string) error { return b.At(records.Place{Step: "list", Marker: link}) }, func(items []T) error {
		for _, item := range items {
			take(item)
		}
		return b.Err()
	})
}

// all reads a list that is small.
func all[T any](ctx context.Context, s *session, first call) (items []T, err error) {
	again := 0
	err = eachPage(ctx, s, first, "", func(link string) error {
		if link == "" {
			// A list that starts again is read whole.
			items, again = nil, again+1
		}
		return ctx.Err()
	}, func(page []T) error { items = append(items, page...); return nil })
	return items, err
}

// graph makes a call of Graph v1.0 with parameters in pairs.
func (s *session) graph(path, permission string, cost int, parameters ...string) call {
	q := url.Values{}
	for i := 0; i+1 < len(parameters); i += 2 {
		q.Set(parameters[i], parameters[i+1])
	}
	link := s.client.endpoints.graph + "/v1.0/" + path
	if len(q) > 0 {
		link += "?" + q.Encode()
	}
	return call{service: serviceGraph, url: link, permission: permission, on: "the tenant", cost: cost}
}

const (
	// maxBatch is how many requests Graph takes in one.
	maxBatch = 20
	// partAttempts is how often the throttled parts of a batch are asked.
	partAttempts = 4
	// maxPartWait bounds the pause before they are asked again; waiting longer is the
	// runtime's work.
	maxPartWait = 2 * time.Second
)

// part is one request of a batch.
type part struct {
	path, permission, on string
	cost                 int
}

// partAnswer is what a part was answered with: a body, or an error of its own.
type partAnswer struct {
	body json.RawMessage
	err  error
}

// batched makes at most 20 requests in one call, of the version v1.0 or beta. Parts
// that are refused because of the rate are asked again by themselves.
func (s *session) batched(ctx context.Context, version string, parts []part) ([]partAnswer, error) {
	answers := make([]partAnswer, len(parts))
	open := make([]int, len(parts))
	for i := range parts {
		open[i] = i
	}
	for attempt := 1; len(open) > 0; attempt++ {
		refused, wait, err := s.batch(ctx, version, parts, open, answers)
		if err != nil {
			return nil, err
		}
		if open = refused; len(open) == 0 {
			return answers, nil
		}
		if attempt == partAttempts || wait > maxPartWait {
			return nil, &connector.Error{Category: connector.Throttled, Message: "Microsoft limits the rate of " + parts[open[0]].path, RetryAfter: wait}
		}
		if err := s.pause(ctx, wait); err != nil {
			return nil, err
		}
	}
	return answers, nil
}

// pause waits before parts are asked again; a budget that was told makes the next
// call wait itself.
func (s *session) pause(ctx context.Context, wait time.Duration) error {
	if s.client.meter.budget != nil || wait == 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

type batchBody struct {
	Requests []batchRequest `json:"requests"`
}

type batchRequest struct {
	ID     string `json:"id"`
	Method string `json:"method"`
	URL    string `json:"url"`
}

type batchAnswer struct {
	Responses []struct {
		ID      string            `json:"id"`
		Status  int               `json:"status"`
		Headers map[string]string `json:"headers"`
		Body    json.RawMessage   `json:"body"`
	} `json:"responses"`
}

// batch asks the open parts once, and returns those that were refused because of
// the rate, with the longest wait.
func (s *session) batch(ctx context.Context, version string, parts []part, open []int, answers []partAnswer) (refused []int, wait time.Duration, err error) {
	var body batchBody
	c := call{service: serviceGraph, url: s.client.endpoints.graph + "/" + version + "/$batch", on: "the tenant"}
	for _, i := range open {
		body.Requests = append(body.Requests, batchRequest{ID: strconv.Itoa(i), Method: http.MethodGet, URL: "/" + parts[i].path})
		c.cost += parts[i].cost
		c.permission = parts[i].permission
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, 0, &connector.Error{Category: connector.Internal, Message: "a batch cannot be written", Cause: err}
	}
	var got batchAnswer
	for fresh := false; ; fresh = true {
		got = batchAnswer{}
		if err := s.client.send(ctx, c, http.MethodPost, raw, &got); err != nil {
			return nil, 0, err
		}
		if fresh || !hasStatus(got, http.StatusUnauthorized) {
			break
		}
		// The token ended between the batch and its parts.
		if _, err := s.client.token(ctx, serviceGraph, true); err != nil {
			return nil, 0, err
		}
	}
	held, err := s.client.token(ctx, serviceGraph, false)
	if err != nil {
		return nil, 0, err
	}
	seen := map[int]bool{}
	for _, r := range got.Responses {
		i, err := strconv.Atoi(r.ID)
		if err != nil || i < 0 || i >= len(parts) {
			continue
		}
		seen[i] = true
		header := http.Header{}
		for k, v := range r.Headers {
			header.Set(k, v)
		}
		p := parts[i]
		of := call{service: serviceGraph, url: s.client.endpoints.graph + "/" + version + "/" + p.path, permission: p.permission, on: p.on, cost: p.cost}
		switch r.Status {
		case http.StatusTooManyRequests:
			refused, wait = append(refused, i), max(wait, connector.RetryAfter(header))
		case http.StatusOK:
			answers[i] = partAnswer{body: r.Body}
		default:
			answers[i] = partAnswer{err: refusal(of, r.Status, header, r.Body, held.claims.Roles)}
		}
	}
	for _, i := range open {
		if !seen[i] {
			return nil, 0, &connector.Error{Category: connector.ProviderUnavailable, Message: fmt.Sprintf("Graph answered %d of %d requests of a batch", len(seen), len(open))}
		}
	}
	if use, ok := s.client.meter.use(c, held.claims.Tenant); ok && len(refused) > 0 {
		s.client.meter.budget.Throttled(ctx, wait, use)
	}
	return refused, wait, nil
}

func hasStatus(a batchAnswer, status int) bool {
	for _, r := range a.Responses {
		if r.Status == status {
			return true
		}
	}
	return false
}

// list is a list within a part of a batch: its first page, and by its next links
// the others.
func readPart[T any](ctx context.Context, s *session, version string, p part, a partAnswer, take func(T)) error {
	if a.err != nil {
		return a.err
	}
	var page pageOf[T]
	if err := json.Unmarshal(a.body, &page); err != nil {
		return provider().Unreadable(p.path, err)
	}
	for _, item := range page.Value {
		take(item)
	}
	if page.next() == "" {
		return nil
	}
	first := call{service: serviceGraph, url: s.client.endpoints.graph + "/" + version + "/" + p.path, permission: p.permission, on: p.on, cost: p.cost}
	return eachPage(ctx, s, first, page.next(), func(string) error { return ctx.Err() }, func(items []T) error {
		for _, item := range items {
			take(item)
		}
		return nil
	})
}

// eachChunk reads a list and takes its items in chunks, before each of which a
// read can continue: after is the item before the chunk.
func eachChunk[T any](ctx context.Context, s *session, first call, from records.Place, b *records.Writer, size int, id func(T) string, take func([]T) error) error {
	after, link := from.After, ""
	return eachPage(ctx, s, first, from.Marker, func(l string) error { link = l; return b.At(records.Place{Step: "list", Marker: l, After: after}) }, func(items []T) error {
		items = past(items, after, id)
		after = ""
		for len(items) > 0 {
			n := min(size, len(items))
			if err := take(items[:n]); err != nil {
				return err
			}
			last := id(items[n-1])
			if items = items[n:]; len(items) > 0 {
				if err := b.At(records.Place{Step: "list", Marker: link, After: last}); err != nil {
					return err
				}
			}
		}
		return b.Err()
	})
}

// past returns the items after one; all of them when it is not there any more.
func past[T any](items []T, after string, id func(T) string) []T {
	for i := range items {
		if after != "" && id(items[i]) == after {
			return items[i+1:]
		}
	}
	return items
}

// partGap notes why a part of a batch could not be read, and returns every error
// that ends the read. What was deleted meanwhile is no gap.
func partGap(b *records.Writer, err error) error {
	if err == nil || errors.Is(err, errGone) {
		return nil
	}
	return gapOrFail(b, err)
}
