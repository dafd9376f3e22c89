package client

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// ExportQuery says what an export holds.
type ExportQuery struct {
	What         string `json:"what"`
	Format       string `json:"format"`
	Kind         string `json:"kind,omitempty"`
	Type         string `json:"type,omitempty"`
	ConnectionID string `json:"connection_id,omitempty"`
	Action       string `json:"action,omitempty"`
	Access       string `json:"access,omitempty"`
	ResourceID   string `json:"resource_id,omitempty"`
	PrincipalID  string `json:"principal_id,omitempty"`
	From         string `json:"from,omitempty"`
	To           string `json:"to,omitempty"`
	Since        string `json:"since,omitempty"`
	RunID        string `json:"run_id,omitempty"`
	SubjectID    string `json:"subject_id,omitempty"`
	AsOf         string `json:"as_of,omitempty"`
}

// Export is a request to take data out, and what came of it.
type Export struct {
	ExportID    string      `json:"export_id"`
	RequestedBy string      `json:"requested_by"`
	Query       ExportQuery `json:"query"`
	Status      string      `json:"status"`
	Rows        int64       `json:"rows"`
	Bytes       int64       `json:"bytes"`
	SHA256      *string     `json:"sha256"`
	FileName    string      `json:"file_name"`
	Failure     string      `json:"failure"`
	CreatedAt   time.Time   `json:"created_at"`
	EndedAt     *time.Time  `json:"ended_at"`
	ExpiresAt   *time.Time  `json:"expires_at"`
}

// AuditProof shows that an event is in the log that a checkpoint signs.
type AuditProof struct {
	EventID    string          `json:"event_id"`
	Entry      int64           `json:"entry"`
	Leaf       string          `json:"leaf"`
	Hashes     [][]byte        `json:"hashes"`
	Checkpoint AuditCheckpoint `json:"checkpoint"`
	PublicKey  string          `json:"public_key"`
}

func exportPath(id string) string { return "/v1/exports/" + url.PathEscape(id) }

// CreateExport requests an export. The key is for sending the request again.
func (c *Client) CreateExport(ctx context.Context, q ExportQuery, key string) (Answer[Export], error) {
	return send[Export](ctx, c, call{method: http.MethodPost, path: "/v1/exports", body: q, header: http.Header{"Idempotency-Key": {key}}})
}

// Export returns one export.
func (c *Client) Export(ctx context.Context, id string) (Answer[Export], error) {
	return send[Export](ctx, c, call{method: http.MethodGet, path: exportPath(id)})
}

// Exports lists exports, the newest first.
func (c *Client) Exports(ctx context.Context, status string, mine bool, p Pages) (List[Export], error) {
	q := url.Values{}
	if status != "" {
		q.Set("status", status)
	}
	if mine {
		q.Set("mine", "true")
	}
	return list[Export](ctx, c, "/v1/exports", "exports", q, p)
}

// CancelExport ends an export that has not ended.
func (c *Client) CancelExport(ctx context.Context, id string) (Answer[Export], error) {
	return send[Export](ctx, c, call{method: http.MethodPost, path: exportPath(id) + "/cancel"})
}

// DeleteExport removes an export and its file.
func (c *Client) DeleteExport(ctx context.Context, id string) error {
	_, err := c.do(ctx, call{method: http.MethodDelete, path: exportPath(id)})
	return err
}

// ExportManifest returns a manifest byte for byte.
func (c *Client) ExportManifest(ctx context.Context, id string) (json.RawMessage, error) {
	return c.do(ctx, call{method: http.MethodGet, path: exportPath(id) + "/manifest"})
}

// DownloadExport copies the file to w, from that byte on, and returns how many bytes
// were written. With a hash other than the file's the whole file comes although a
// part was asked for: whole says so, and is told before the first byte.
func (c *Client) DownloadExport(ctx context.Context, id, sha256 string, from int64, whole func() error, w io.Writer) (int64, error) {
	header := http.Header{}
	if from > 0 {
		header.Set("Range", "bytes="+strconv.FormatInt(from, 10)+"-")
		header.Set("If-Range", strconv.Quote(sha256))
	}
	req, err := c.request(ctx, call{method: http.MethodGet, path: exportPath(id) + "/content", header: header})
	if err != nil {
		return 0, err
	}
	req.Header.Set("Accept", "*/*")
	// As it is stored, so that what is missing can be counted.
	req.Header.Set("Accept-Encoding", "identity")
	res, err := c.http.Do(req)
	if err != nil {
		return 0, c.unreachable(ctx, err)
	}
	defer res.Body.Close()
	switch {
	case res.StatusCode == http.StatusOK && from > 0:
		if err := whole(); err != nil {
			return 0, err
		}
	case res.StatusCode != http.StatusOK && res.StatusCode != http.StatusPartialContent:
		return 0, c.refusedAnswer(ctx, res)
	}
	return c.copyAnswer(ctx, w, res)
}

// ProveAuditEvent returns the proof of an event.
func (c *Client) ProveAuditEvent(ctx context.Context, id string) (Answer[AuditProof], error) {
	return send[AuditProof](ctx, c, call{method: http.MethodGet, path: "/v1/audit-events/" + url.PathEscape(id) + "/proof"})
}
