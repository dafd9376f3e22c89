package webhook

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/id"
)

// EventType says what happened. Its part before the dot is what it happened to.
type EventType string

// The event types. This is the whole list; an endpoint names those it wants.
const (
	// RunCompleted is sent when a run ends that had been accepted, however.
	RunCompleted EventType = "run.completed"
	// RunBlocked is sent when a start was recorded as blocked.
	RunBlocked EventType = "run.blocked"
	// AccessChanged is sent when a discovery has published something else than
	// was known, with how much.
	AccessChanged EventType = "access.changed"

	ConnectionCreated       EventType = "connection.created"
	ConnectionUpdated       EventType = "connection.updated"
	ConnectionDeleted       EventType = "connection.deleted"
	ConnectionTested        EventType = "connection.tested"
	ConnectionHealthChanged EventType = "connection.health_changed"

	// SchedulePaused is sent when ten failures in a row, or somebody, have paused a
	// connection's schedule, and ScheduleResumed when it goes on.
	SchedulePaused  EventType = "connection.schedule_paused"
	ScheduleResumed EventType = "connection.schedule_resumed"

	// Ping is sent when somebody tries an endpoint. Nobody subscribes to it.
	Ping EventType = "webhook.ping"
)

// EventTypes lists what endpoints can subscribe to. Callers get their own copy.
func EventTypes() []EventType {
	return []EventType{
		RunCompleted, RunBlocked, AccessChanged,
		ConnectionCreated, ConnectionUpdated, ConnectionDeleted, ConnectionTested, ConnectionHealthChanged,
		SchedulePaused, ScheduleResumed,
	}
}

// Known reports whether endpoints can subscribe to t.
func (t EventType) Known() bool { return slices.Contains(EventTypes(), t) }

// PayloadVersion counts incompatible changes of payloads. A field that is added
// is none.
const PayloadVersion = 1

// Event is something that happened in a workspace.
type Event struct {
	ID         id.WebhookEvent
	Type       EventType
	OccurredAt time.Time
	// Data is an object of the type's form: one of the types below.
	Data json.RawMessage
}

// Payload is the body of a delivery, in the form that Standard Webhooks suggests.
type Payload struct {
	ID          id.WebhookEvent `json:"id" example:"evt_123" doc:"The same as the header webhook-id, in every attempt and replay."`
	Type        EventType       `json:"type"`
	Version     int             `json:"version" doc:"Of the form of the data; 1 now. Fields may be added without a new one."`
	Timestamp   time.Time       `json:"timestamp" doc:"When it happened, not when it was sent."`
	WorkspaceID id.Workspace    `json:"workspace_id" example:"w_123"`
	Data        json.RawMessage `json:"data"`
}

// Body returns the bytes to deliver: the same for an event each time, so that
// only the signature's time tells attempts apart.
func (e Event) Body(w id.Workspace) ([]byte, error) {
	body, err := json.Marshal(Payload{
		ID: e.ID, Type: e.Type, Version: PayloadVersion, Timestamp: e.OccurredAt.UTC(), WorkspaceID: w, Data: e.Data,
	})
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", e.ID, err)
	}
	return body, nil
}

// RunData is the data of RunCompleted and RunBlocked.
type RunData struct {
	RunID         id.Run           `json:"run_id" example:"run_123"`
	OperationType string           `json:"operation_type" example:"discovery.run"`
	ConnectionID  id.Connection    `json:"connection_id,omitzero" example:"conn_123"`
	IntegrationID string           `json:"integration_id,omitempty" example:"aws"`
	Initiator     string           `json:"initiator" enum:"user,schedule,system"`
	Outcome       string           `json:"outcome" enum:"succeeded,partially_succeeded,failed,cancelled,blocked"`
	ReasonCode    string           `json:"reason_code,omitempty" doc:"One of the family of reasons; left out where there is nothing to explain."`
	Counts        map[string]int64 `json:"counts,omitempty" doc:"What was read and changed, as the run shows it."`
	CompletedAt   time.Time        `json:"completed_at"`
}

// AccessData is the data of AccessChanged.
type AccessData struct {
	RunID         id.Run           `json:"run_id" example:"run_123"`
	ConnectionID  id.Connection    `json:"connection_id" example:"conn_123"`
	IntegrationID string           `json:"integration_id" example:"aws"`
	Counts        map[string]int64 `json:"counts" doc:"What was new, changed and closed, as the run shows it. What it was is asked of the API."`
	PublishedAt   time.Time        `json:"published_at"`
}

// ConnectionData is the data of events of connections, other than ConnectionTested.
type ConnectionData struct {
	ConnectionID  id.Connection `json:"connection_id" example:"conn_123"`
	Name          string        `json:"name"`
	IntegrationID string        `json:"integration_id" example:"aws"`
	Lifecycle     string        `json:"lifecycle" enum:"needs_consent,active,disabled"`
	Status        string        `json:"status" enum:"healthy,degraded,unknown"`
	Version       int64         `json:"version" doc:"Counts the changes that people make; the ETag."`
	FormerStatus  string        `json:"former_status,omitempty" doc:"Of connection.health_changed."`
	ReasonCode    string        `json:"reason_code,omitempty" doc:"Of connection.health_changed to degraded, and of connection.schedule_paused: requested where somebody paused it."`
}

// TestedData is the data of ConnectionTested.
type TestedData struct {
	ConnectionID id.Connection `json:"connection_id" example:"conn_123"`
	TestID       id.Test       `json:"test_id" example:"test_123"`
	RunID        id.Run        `json:"run_id" example:"run_123"`
	Status       string        `json:"status" enum:"success,failure"`
	ReasonCode   string        `json:"reason_code,omitempty"`
}

// PingData is the data of Ping.
type PingData struct {
	WebhookID id.Webhook `json:"webhook_id" example:"wh_123"`
}
