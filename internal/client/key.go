package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// APIKey is what may be shown of an API key.
type APIKey struct {
	MemberID   string     `json:"member_id"`
	Name       string     `json:"name"`
	Role       string     `json:"role"`
	Hint       string     `json:"hint"`
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  *time.Time `json:"expires_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
	RevokedAt  *time.Time `json:"revoked_at"`
}

// CreatedAPIKey is a new key. The server shows Key this once.
type CreatedAPIKey struct {
	APIKey
	Key string `json:"key"`
}

// APIKeyDraft is a key to create.
type APIKeyDraft struct {
	Name      string     `json:"name"`
	Role      string     `json:"role"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

// APIKeys lists the keys of the workspace.
func (c *Client) APIKeys(ctx context.Context, pages Pages) (List[APIKey], error) {
	return list[APIKey](ctx, c, "/v1/api-keys", "api_keys", nil, pages)
}

// CreateAPIKey makes a key.
func (c *Client) CreateAPIKey(ctx context.Context, d APIKeyDraft) (Answer[CreatedAPIKey], error) {
	return send[CreatedAPIKey](ctx, c, call{method: http.MethodPost, path: "/v1/api-keys", body: d})
}

// RevokeAPIKey ends a key at once.
func (c *Client) RevokeAPIKey(ctx context.Context, id string) error {
	_, err := send[struct{}](ctx, c, call{method: http.MethodDelete, path: "/v1/api-keys/" + url.PathEscape(id)})
	return err
}
