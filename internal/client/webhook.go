package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"
)

// Webhook is an endpoint that is told of events.
type Webhook struct {
	WebhookID      string     `json:"webhook_id"`
	URL            string     `json:"url"`
	Description    string     `json:"description"`
	EventTypes     []string   `json:"event_types"`
	Enabled        bool       `json:"enabled"`
	DisabledAt     *time.Time `json:"disabled_at"`
	DisabledReason *string    `json:"disabled_reason"`
	FailingSince   *time.Time `json:"failing_since"`
	Failures       int        `json:"failures"`
	CreatedBy      *string    `json:"created_by"`
	CreatedAt      time.Time  `json:"created_at"`
	UpdatedAt      time.Time  `json:"updated_at"`
}

// WebhookWithSecret is an endpoint whose secret was just made. The server shows
// Secret this once.
type WebhookWithSecret struct {
	Webhook
	Secret string `json:"secret"`
}

// WebhookDraft is an endpoint to make.
type WebhookDraft struct {
	URL         string   `json:"url"`
	Description string   `json:"description,omitempty"`
	EventTypes  []string `json:"event_types"`
}

// WebhookPatch changes an endpoint; nil fields stay.
type WebhookPatch struct {
	URL         *string   `json:"url,omitempty"`
	Description *string   `json:"description,omitempty"`
	EventTypes  *[]string `json:"event_types,omitempty"`
	Enabled     *bool     `json:"enabled,omitempty"`
}

// Delivery is one event on its way to one endpoint.
type Delivery struct {
	DeliveryID    string          `json:"delivery_id"`
	WebhookID     string          `json:"webhook_id"`
	EventID       string          `json:"event_id"`
	EventType     string          `json:"event_type"`
	OccurredAt    time.Time       `json:"occurred_at"`
	Data          json.RawMessage `json:"data"`
	Status        string          `json:"status"`
	Attempts      int             `json:"attempts"`
	NextAttemptAt *time.Time      `json:"next_attempt_at"`
	LastAttemptAt *time.Time      `json:"last_attempt_at"`
	LastStatus    *int            `json:"last_status"`
	Problem       *string         `json:"problem"`
	CompletedAt   *time.Time      `json:"completed_at"`
}

// WebhookReplay says which deliveries to make again.
type WebhookReplay struct {
	Since time.Time `json:"since"`
	All   bool      `json:"all,omitempty"`
}

// WebhookReplayed says how many deliveries will be made again.
type WebhookReplayed struct {
	Deliveries int `json:"deliveries"`
}

func webhookPath(id string, below string) string { return "/v1/webhooks/" + url.PathEscape(id) + below }

// Webhooks lists the workspace's endpoints.
func (c *Client) Webhooks(ctx context.Context, pages Pages) (List[Webhook], error) {
	return list[Webhook](ctx, c, "/v1/webhooks", "webhooks", nil, pages)
}

// Webhook returns one endpoint.
func (c *Client) Webhook(ctx context.Context, id string) (Answer[Webhook], error) {
	return send[Webhook](ctx, c, call{method: http.MethodGet, path: webhookPath(id, "")})
}

// CreateWebhook makes an endpoint.
func (c *Client) CreateWebhook(ctx context.Context, d WebhookDraft) (Answer[WebhookWithSecret], error) {
	return send[WebhookWithSecret](ctx, c, call{method: http.MethodPost, path: "/v1/webhooks", body: d})
}

// UpdateWebhook changes an endpoint.
func (c *Client) UpdateWebhook(ctx context.Context, id string, p WebhookPatch) (Answer[Webhook], error) {
	return send[Webhook](ctx, c, call{method: http.MethodPatch, path: webhookPath(id, ""), body: p})
}

// DeleteWebhook removes an endpoint.
func (c *Client) DeleteWebhook(ctx context.Context, id string) error {
	_, err := send[struct{}](ctx, c, call{method: http.MethodDelete, path: webhookPath(id, "")})
	return err
}

// RotateWebhookSecret gives an endpoint another secret.
func (c *Client) RotateWebhookSecret(ctx context.Context, id string) (Answer[WebhookWithSecret], error) {
	return send[WebhookWithSecret](ctx, c, call{method: http.MethodPost, path: webhookPath(id, "/rotate-secret")})
}

// TestWebhook sends an endpoint an event that means nothing.
func (c *Client) TestWebhook(ctx context.Context, id string) (Answer[Delivery], error) {
	return send[Delivery](ctx, c, call{method: http.MethodPost, path: webhookPath(id, "/test")})
}

// Deliveries lists an endpoint's deliveries, the newest first.
func (c *Client) Deliveries(ctx context.Context, id, status string, pages Pages) (List[Delivery], error) {
	query := url.Values{}
	if status != "" {
		query.Set("status", status)
	}
	return list[Delivery](ctx, c, webhookPath(id, "/deliveries"), "deliveries", query, pages)
}

// ReplayDelivery has one delivery made again.
func (c *Client) ReplayDelivery(ctx context.Context, id, delivery string) (Answer[Delivery], error) {
	return send[Delivery](ctx, c, call{method: http.MethodPost, path: webhookPath(id, "/deliveries/"+url.PathEscape(delivery)+"/replay")})
}

// ReplayWebhook has many deliveries made again.
func (c *Client) ReplayWebhook(ctx context.Context, id string, r WebhookReplay) (Answer[WebhookReplayed], error) {
	return send[WebhookReplayed](ctx, c, call{method: http.MethodPost, path: webhookPath(id, "/replay"), body: r})
}
