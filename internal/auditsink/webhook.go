package auditsink

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/ocsf"
	"github.com/gatehouse-project/gatehouse/internal/secret"
	"github.com/gatehouse-project/gatehouse/internal/webhook"
)

// deliveryTime bounds one request.
const deliveryTime = 30 * time.Second

// Webhook posts events as a batch of CloudEvents, signed as Standard Webhooks 1
// says: HMAC-SHA256 over id, time and body, with a key that both sides have.
type Webhook struct {
	url  string
	key  secret.Secret
	http *http.Client
	now  func() time.Time
}

// NewWebhook makes a sink of an address. The secret is whsec_ and 24 to 64 bytes
// in base64. The transport decides what may be reached; redirects are not followed.
func NewWebhook(address string, key secret.Secret, transport http.RoundTripper) (*Webhook, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || u.User != nil {
		return nil, errors.New("the webhook's address is not of the form https://host/path")
	}
	if err := webhook.CheckSecret(key); err != nil {
		return nil, fmt.Errorf("%w; make one with: echo whsec_$(openssl rand -base64 32)", err)
	}
	return &Webhook{
		url: address, key: key, now: time.Now,
		http: &http.Client{
			Transport: transport, Timeout: deliveryTime,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Deliver posts the events; any status of the 200s is taken as receipt.
func (w *Webhook) Deliver(ctx context.Context, id string, events [][]byte) error {
	body := append([]byte{'['}, bytes.Join(events, []byte{','})...)
	body = append(body, ']')
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return errors.New("the webhook's address cannot be used")
	}
	at := w.now()
	signature, err := webhook.Sign(id, at, body, []secret.Secret{w.key})
	if err != nil {
		return fmt.Errorf("sign the events: %w", err)
	}
	req.Header.Set("Content-Type", ocsf.BatchContentType)
	req.Header.Set("User-Agent", "gatehouse-audit")
	req.Header.Set("Webhook-Id", id)
	req.Header.Set("Webhook-Timestamp", strconv.FormatInt(at.Unix(), 10))
	req.Header.Set("Webhook-Signature", signature)
	res, err := w.http.Do(req)
	if err != nil {
		// The outer error repeats the address, which may hold a token.
		if outer, ok := errors.AsType[*url.Error](err); ok {
			err = outer.Err
		}
		return fmt.Errorf("post to the webhook: %w", err)
	}
	defer res.Body.Close()
	// Read a little, so that the connection can be used again.
	_, _ = io.CopyN(io.Discard, res.Body, 64<<10)
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return fmt.Errorf("the webhook answered %s", res.Status)
	}
	return nil
}
