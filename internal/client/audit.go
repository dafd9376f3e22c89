package client

import (
	"context"
	"encoding/json"
	"net/url"
	"time"
)

// AuditEvent is one significant action.
type AuditEvent struct {
	EventID     string          `json:"event_id"`
	TenantID    string          `json:"tenant_id"`
	WorkspaceID string          `json:"workspace_id"`
	ActorKind   string          `json:"actor_kind"`
	ActorID     string          `json:"actor_id"`
	Action      string          `json:"action"`
	Outcome     string          `json:"outcome"`
	TargetType  string          `json:"target_type"`
	TargetID    string          `json:"target_id"`
	Payload     json.RawMessage `json:"payload"`
	CreatedAt   time.Time       `json:"created_at"`
	Transaction string          `json:"transaction"`
}

// AuditFilter narrows a list of audit events; empty fields do not narrow.
type AuditFilter struct {
	Action, Outcome, TargetType, TargetID, Actor string
	// Since is the first moment that counts, Until the first that does not.
	Since, Until *time.Time
}

func (f AuditFilter) query() url.Values {
	q := url.Values{}
	for name, value := range map[string]string{
		"action": f.Action, "outcome": f.Outcome, "target_type": f.TargetType, "target_id": f.TargetID, "actor_id": f.Actor,
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	for name, at := range map[string]*time.Time{"since": f.Since, "until": f.Until} {
		if at != nil {
			q.Set(name, at.UTC().Format(time.RFC3339Nano))
		}
	}
	return q
}

// AuditEvents lists what was recorded, newest first.
func (c *Client) AuditEvents(ctx context.Context, f AuditFilter, pages Pages) (List[AuditEvent], error) {
	return list[AuditEvent](ctx, c, "/v1/audit-events", "audit_events", f.query(), pages)
}
