package client

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
)

// AuditLog is the sealed log of a workspace.
type AuditLog struct {
	Origin    string           `json:"origin"`
	PublicKey string           `json:"public_key"`
	Latest    *AuditCheckpoint `json:"latest"`
}

// AuditCheckpoint is a signed statement of what the log holds.
type AuditCheckpoint struct {
	Number int64  `json:"number"`
	Size   int64  `json:"size"`
	Note   string `json:"note"`
}

// AuditLogEntry is an event's place in the log.
type AuditLogEntry struct {
	Entry    int64       `json:"entry"`
	EventID  string      `json:"event_id"`
	LeafHash []byte      `json:"leaf_hash"`
	Event    *AuditEvent `json:"event"`
}

// AuditLog returns the workspace's log as a whole.
func (c *Client) AuditLog(ctx context.Context) (Answer[AuditLog], error) {
	return send[AuditLog](ctx, c, call{method: http.MethodGet, path: "/v1/audit-log"})
}

// AuditCheckpoints returns a page of the checkpoints behind that number.
func (c *Client) AuditCheckpoints(ctx context.Context, after int64) ([]AuditCheckpoint, error) {
	a, err := send[struct {
		Checkpoints []AuditCheckpoint `json:"checkpoints"`
	}](ctx, c, call{method: http.MethodGet, path: "/v1/audit-log/checkpoints", query: behind(after)})
	return a.Value.Checkpoints, err
}

// AuditLogEntries returns a page of the entries behind that number; -1 begins
// with the first.
func (c *Client) AuditLogEntries(ctx context.Context, after int64) ([]AuditLogEntry, error) {
	a, err := send[struct {
		Entries []AuditLogEntry `json:"entries"`
	}](ctx, c, call{method: http.MethodGet, path: "/v1/audit-log/entries", query: behind(after)})
	return a.Value.Entries, err
}

// AuditEventsPage returns one page of the list of audit events, and the cursor of
// the next one.
func (c *Client) AuditEventsPage(ctx context.Context, cursor string) (events []AuditEvent, next string, err error) {
	q := url.Values{"limit": {strconv.Itoa(maxPage)}}
	if cursor != "" {
		q.Set("cursor", cursor)
	}
	a, err := send[struct {
		AuditEvents []AuditEvent `json:"audit_events"`
		NextCursor  string       `json:"next_cursor"`
	}](ctx, c, call{method: http.MethodGet, path: "/v1/audit-events", query: q})
	return a.Value.AuditEvents, a.Value.NextCursor, err
}

func behind(number int64) url.Values {
	return url.Values{"limit": {strconv.Itoa(maxPage)}, "after": {strconv.FormatInt(number, 10)}}
}

// ExportAuditEvents copies the export to w as it arrives and returns how many
// bytes that were. An answer that ends early is an error, what came of it was
// written.
func (c *Client) ExportAuditEvents(ctx context.Context, f AuditFilter, after int64, w io.Writer) (int64, error) {
	q := f.query()
	q.Set("after", strconv.FormatInt(after, 10))
	req, err := c.request(ctx, call{method: http.MethodGet, path: "/v1/audit-events/export", query: q})
	if err != nil {
		return 0, err
	}
	req.Header.Set("Accept", "application/x-ndjson, application/problem+json")
	res, err := c.http.Do(req)
	if err != nil {
		return 0, c.unreachable(ctx, err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return 0, c.refusedAnswer(ctx, res)
	}
	return c.copyAnswer(ctx, w, res)
}

// copyAnswer copies an answer as it arrives. An error of w is returned as it is, one
// of the connection as that of a server that does not answer.
func (c *Client) copyAnswer(ctx context.Context, w io.Writer, res *http.Response) (int64, error) {
	received := &reader{from: res.Body}
	n, err := io.Copy(w, received)
	if received.failed != nil {
		return n, c.unreachable(ctx, received.failed)
	}
	return n, err
}

// refusedAnswer is the problem that an answer tells which was to be copied.
func (c *Client) refusedAnswer(ctx context.Context, res *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return c.unreachable(ctx, err)
	}
	return problemOf(res, body)
}

// reader remembers that reading failed, and not writing.
type reader struct {
	from   io.Reader
	failed error
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.failed = err
	}
	return n, err
}
