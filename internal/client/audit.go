package client

import (
	"context"
	"encoding/json"
	"net/url"
	"time"
)

// AuditEvent is one significant action.
type AuditEvent struct {
	EventID    string          `json:"event_id"`
	ActorID    string          `json:"actor_id"`
	Action     string          `json:"action"`
	Outcome    string          `json:"outcome"`
	TargetType string          `json:"target_type"`
	TargetID   string          `json:"target_id"`
	Payload    json.RawMessage `json:"payload"`
	CreatedAt  time.Time       `json:"created_at"`
}

// AuditFilter narrows a list of audit events; empty fields do not narrow.
type AuditFilter struct {
	Action, TargetType, TargetID, Actor string
}

// AuditEvents lists what was recorded, newest first.
func (c *Client) AuditEvents(ctx context.Context, f AuditFilter, pages Pages) (List[AuditEvent], error) {
	q := url.Values{}
	for name, value := range map[string]string{"action": f.Action, "target_type": f.TargetType, "target_id": f.TargetID, "actor_id": f.Actor} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return list[AuditEvent](ctx, c, "/v1/audit-events", "audit_events", q, pages)
}
