package wire

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
)

// sink sends the pages of one read to the host.
type sink struct {
	*server
	call   int64
	stream connector.Stream
}

var _ connector.Sink = (*sink)(nil)

// Write sends a page and waits until the host has taken it.
func (s *sink) Write(ctx context.Context, page connector.Page) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	// The host finds what breaks the contract, but not what JSON mends on the way.
	if err := connector.ValidatePage(s.stream, &page); err != nil && mended(s.stream, page) {
		return err
	}
	err := s.out.Write(Message{Type: Page, ID: s.call, Page: NewPage(page)})
	if errors.Is(err, ErrLineTooLong) {
		return violation("the page does not fit into a line of %d bytes; send its records on several pages", MaxLineBytes)
	}
	if err != nil {
		return err
	}
	select {
	case <-s.next:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// mended reports whether a page that breaks the contract would not look like it on the
// line, or cannot be put there.
func mended(stream connector.Stream, page connector.Page) bool {
	raw, err := json.Marshal(NewPage(page))
	if err != nil {
		return true
	}
	var body PageBody
	if json.Unmarshal(raw, &body) != nil {
		return true
	}
	there := body.Page()
	return connector.ValidatePage(stream, &there) == nil
}

// budget asks the host for leave.
type budget server

var _ connector.Budget = (*budget)(nil)

// Take waits until the host grants a call.
func (b *budget) Take(ctx context.Context, uses ...connector.Use) (release func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	answered := make(chan Message, 1)
	b.mu.Lock()
	b.taken++
	number, call := b.taken, b.call
	b.takes[number] = answered
	b.mu.Unlock()
	if err := b.out.Write(Message{Type: Take, ID: call, Take: number, Uses: NewUses(uses)}); err != nil {
		return nil, err
	}
	// What the host has granted is given back, also when nobody waits for it.
	release = sync.OnceFunc(func() { _ = b.out.Write(Message{Type: Release, Take: number}) })
	select {
	case answer := <-answered:
		if answer.Type == Granted {
			return release, nil
		}
		if answer.Error == nil {
			return nil, violation("the host refuses a call without saying why")
		}
		return nil, answer.Error.Error()
	case <-ctx.Done():
		release()
		return nil, ctx.Err()
	}
}

// Throttled tells the host that the provider refused a call.
func (b *budget) Throttled(_ context.Context, retryAfter time.Duration, uses ...connector.Use) {
	// When the host cannot be told, the call's own answer cannot reach it either.
	_ = b.out.Write(Message{Type: Throttled, Uses: NewUses(uses), RetryAfterSeconds: retryAfter.Seconds()})
}

// proxied returns a client whose calls all go through the proxy.
func proxied(proxy string) (*http.Client, error) {
	// Bodies come as the provider sends them; a call is limited by its context.
	transport := &http.Transport{ForceAttemptHTTP2: true, TLSHandshakeTimeout: 10 * time.Second, IdleConnTimeout: 90 * time.Second}
	if proxy == "" {
		transport.Proxy = func(*http.Request) (*url.URL, error) {
			return nil, &connector.Error{Category: connector.NetworkUnreachable, Message: "the host gives no way to any network"}
		}
		return &http.Client{Transport: transport}, nil
	}
	to, err := url.Parse(proxy)
	if err != nil || to.Host == "" {
		return nil, violation("the host's proxy is not a URL")
	}
	transport.Proxy = http.ProxyURL(to)
	return &http.Client{Transport: transport}, nil
}

// log sends a message for the log; it is lost when the host cannot be reached.
func (s *server) log(level slog.Level, text string, attributes map[string]any) {
	m := Message{Type: Log, Text: text, Level: levelName(level)}
	if len(attributes) > 0 {
		if raw, err := json.Marshal(attributes); err == nil {
			m.Attributes = raw
		}
	}
	_ = s.out.Write(m)
}

func levelName(l slog.Level) string {
	switch {
	case l >= slog.LevelError:
		return "error"
	case l >= slog.LevelWarn:
		return "warn"
	case l >= slog.LevelInfo:
		return "info"
	}
	return "debug"
}

// logHandler sends what a connector logs to the host.
type logHandler struct {
	server *server
	attrs  []slog.Attr
	prefix string
}

var _ slog.Handler = (*logHandler)(nil)

// Enabled leaves the choice to the host.
func (h *logHandler) Enabled(context.Context, slog.Level) bool { return true }

// Handle sends a record.
func (h *logHandler) Handle(_ context.Context, r slog.Record) error {
	all := map[string]any{}
	put := func(a slog.Attr) bool {
		switch value := a.Value.Resolve().Any().(type) {
		case error:
			all[h.prefix+a.Key] = value.Error()
		default:
			all[h.prefix+a.Key] = value
		}
		return true
	}
	for _, a := range h.attrs {
		put(a)
	}
	r.Attrs(put)
	h.server.log(r.Level, r.Message, all)
	return nil
}

// WithAttrs adds attributes to every record.
func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	next := *h
	next.attrs = append(append([]slog.Attr{}, h.attrs...), attrs...)
	return &next
}

// WithGroup puts a name before those of attributes.
func (h *logHandler) WithGroup(name string) slog.Handler {
	next := *h
	next.prefix = h.prefix + name + "."
	return &next
}
