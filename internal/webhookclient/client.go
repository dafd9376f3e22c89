package webhookclient

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/egress"
	"github.com/gatehouse-project/gatehouse/internal/webhook"
)

// The headers of Standard Webhooks.
const (
	HeaderID        = "Webhook-Id"
	HeaderTimestamp = "Webhook-Timestamp"
	HeaderSignature = "Webhook-Signature"
)

// userAgent tells receivers who calls.
const userAgent = "Gatehouse-Webhooks"

// maxAnswerBytes is how much of an answer is read, and thrown away.
const maxAnswerBytes = 64 << 10

// Client sends deliveries. It is safe for concurrent use.
type Client struct {
	http *http.Client
	now  func() time.Time
}

var _ webhook.Sender = (*Client)(nil)

// New makes a client. The transport decides what may be reached.
func New(transport http.RoundTripper) *Client {
	return &Client{now: time.Now, http: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Send posts a message; any status of the 200s is taken as receipt. The context
// bounds it.
func (c *Client) Send(ctx context.Context, m webhook.Message) webhook.Receipt {
	signature, err := webhook.Sign(m.ID, m.At, m.Body, m.Secrets)
	if err != nil {
		return webhook.Receipt{Problem: "the delivery could not be signed"}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.URL, bytes.NewReader(m.Body))
	if err != nil {
		return webhook.Receipt{Problem: "the endpoint's address cannot be used"}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set(HeaderID, m.ID)
	req.Header.Set(HeaderTimestamp, strconv.FormatInt(m.At.Unix(), 10))
	req.Header.Set(HeaderSignature, signature)
	res, err := c.http.Do(req)
	if err != nil {
		return webhook.Receipt{Problem: problem(err)}
	}
	defer res.Body.Close()
	_, _ = io.CopyN(io.Discard, res.Body, maxAnswerBytes)
	switch {
	case res.StatusCode >= 200 && res.StatusCode <= 299:
		return webhook.Receipt{Status: res.StatusCode}
	case res.StatusCode >= 300 && res.StatusCode <= 399:
		return webhook.Receipt{Status: res.StatusCode, Problem: fmt.Sprintf("the endpoint answered %d, and redirects are not followed; set the address that it leads to", res.StatusCode)}
	}
	return webhook.Receipt{
		Status: res.StatusCode, Problem: fmt.Sprintf("the endpoint answered %d", res.StatusCode), RetryAfter: c.retryAfter(res.Header.Get("Retry-After")),
	}
}

// problem says what went wrong without the error's own words, which name
// addresses and certificates of hosts behind the endpoint's name.
func problem(err error) string {
	if blocked, ok := errors.AsType[*egress.BlockedError](err); ok {
		return blocked.Error()
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "the endpoint's certificate is not one that is trusted for its name"
	}
	var network net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network) && network.Timeout() {
		return fmt.Sprintf("the endpoint did not answer within %s", webhook.AttemptTimeout)
	}
	return "no connection to the endpoint could be made, or it broke off"
}

// retryAfter reads both forms of the header: seconds, or a moment.
func (c *Client) retryAfter(text string) time.Duration {
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(c.now()))
	}
	return 0
}
