package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Notification is an entry of the caller's inbox.
type Notification struct {
	NotificationID string     `json:"notification_id"`
	Kind           string     `json:"kind"`
	Title          string     `json:"title"`
	Message        string     `json:"message"`
	RunID          *string    `json:"run_id"`
	OperationType  *string    `json:"operation_type"`
	Outcome        *string    `json:"outcome"`
	ReasonCode     *string    `json:"reason_code"`
	ConnectionID   *string    `json:"connection_id"`
	WebhookID      *string    `json:"webhook_id"`
	CreatedAt      time.Time  `json:"created_at"`
	ReadAt         *time.Time `json:"read_at"`
}

// AllRead says how many notifications were unread.
type AllRead struct {
	Read int64 `json:"read"`
}

// Notifications lists the caller's inbox, the newest first.
func (c *Client) Notifications(ctx context.Context, unread bool, pages Pages) (List[Notification], error) {
	query := url.Values{}
	if unread {
		query.Set("unread", "true")
	}
	return list[Notification](ctx, c, "/v1/notifications", "notifications", query, pages)
}

// ReadNotification marks an entry of the caller's inbox as read.
func (c *Client) ReadNotification(ctx context.Context, id string) (Answer[Notification], error) {
	return send[Notification](ctx, c, call{method: http.MethodPost, path: "/v1/notifications/" + url.PathEscape(id) + "/read"})
}

// ReadAllNotifications marks everything in the caller's inbox as read.
func (c *Client) ReadAllNotifications(ctx context.Context) (Answer[AllRead], error) {
	return send[AllRead](ctx, c, call{method: http.MethodPost, path: "/v1/notifications/read-all"})
}
