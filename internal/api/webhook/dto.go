package webhook

import (
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/id"
	domain "github.com/gatehouse-project/gatehouse/internal/webhook"
)

// EventType is a type of event that an endpoint can ask for.
type EventType string

// Schema lists the types.
func (EventType) Schema(huma.Registry) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString}
	for _, t := range domain.EventTypes() {
		s.Enum = append(s.Enum, string(t))
	}
	s.PrecomputeMessages()
	return s
}

// Webhook is an endpoint that is told of events.
type Webhook struct {
	WebhookID      id.Webhook  `json:"webhook_id" example:"wh_123"`
	URL            string      `json:"url" example:"https://example.com/hooks"`
	Description    string      `json:"description"`
	EventTypes     []EventType `json:"event_types" nullable:"false"`
	Enabled        bool        `json:"enabled"`
	DisabledAt     *time.Time  `json:"disabled_at"`
	DisabledReason *string     `json:"disabled_reason" doc:"requested by somebody, gone by answering 410, or failing for five days; null while it is enabled."`
	FailingSince   *time.Time  `json:"failing_since" doc:"The first failure since the last success; null when the last attempt succeeded."`
	Failures       int         `json:"failures" doc:"How many attempts failed since then."`
	CreatedBy      *id.Member  `json:"created_by" nullable:"true" example:"mem_123"`
	CreatedAt      time.Time   `json:"created_at"`
	UpdatedAt      time.Time   `json:"updated_at"`
}

// WithSecret is an endpoint whose secret was just made.
type WithSecret struct {
	Webhook
	Secret string `json:"secret" doc:"What deliveries are signed with, by Standard Webhooks. It is shown here and never again." example:"whsec_…"`
}

// Draft is an endpoint to make.
type Draft struct {
	URL         string      `json:"url" maxLength:"2048" doc:"Begins with https:// and names a public host."`
	Description string      `json:"description,omitempty" maxLength:"200"`
	EventTypes  []EventType `json:"event_types" minItems:"1" maxItems:"50"`
}

// Patch changes an endpoint; what is left out stays.
type Patch struct {
	URL         *string      `json:"url,omitempty" maxLength:"2048"`
	Description *string      `json:"description,omitempty" maxLength:"200"`
	EventTypes  *[]EventType `json:"event_types,omitempty" minItems:"1" maxItems:"50"`
	Enabled     *bool        `json:"enabled,omitempty" doc:"A disabled webhook gets nothing, and what waits for it fails. Enable it and replay what it missed."`
}

// List is a page of endpoints.
type List struct {
	Webhooks   []Webhook `json:"webhooks" nullable:"false"`
	NextCursor string    `json:"next_cursor,omitempty"`
}

// Delivery is one event on its way to one endpoint.
type Delivery struct {
	DeliveryID    id.Delivery     `json:"delivery_id" example:"dlv_123"`
	WebhookID     id.Webhook      `json:"webhook_id" example:"wh_123"`
	EventID       id.WebhookEvent `json:"event_id" example:"evt_123" doc:"The header webhook-id of every attempt."`
	EventType     string          `json:"event_type" example:"run.completed"`
	OccurredAt    time.Time       `json:"occurred_at" doc:"When the event happened."`
	Data          api.Object      `json:"data" doc:"The event's data, as it is delivered."`
	Status        string          `json:"status" enum:"pending,succeeded,failed"`
	Attempts      int             `json:"attempts"`
	NextAttemptAt *time.Time      `json:"next_attempt_at" doc:"Null once it has succeeded or failed."`
	LastAttemptAt *time.Time      `json:"last_attempt_at"`
	LastStatus    *int            `json:"last_status" doc:"The HTTP status of the last answer; null when there was none."`
	Problem       *string         `json:"problem" doc:"Why the last attempt failed, in Gatehouse's words: what the endpoint says is not kept."`
	CompletedAt   *time.Time      `json:"completed_at"`
}

// DeliveryList is a page of deliveries.
type DeliveryList struct {
	Deliveries []Delivery `json:"deliveries" nullable:"false"`
	NextCursor string     `json:"next_cursor,omitempty"`
}

// Replay says which deliveries to make again.
type Replay struct {
	Since time.Time `json:"since" doc:"Deliveries of events from then on."`
	All   bool      `json:"all,omitempty" doc:"Those that succeeded, too; only those that failed when left out."`
}

// Replayed says how many deliveries will be made again.
type Replayed struct {
	Deliveries int `json:"deliveries" doc:"At most 10,000; the same call again takes the next ones."`
}

func fromDomain(e domain.Endpoint) Webhook {
	dto := Webhook{
		WebhookID: e.ID, URL: e.URL, Description: e.Description, Enabled: e.DisabledAt == nil, DisabledAt: api.UTC(e.DisabledAt),
		DisabledReason: api.NotZero(string(e.DisabledReason)), FailingSince: api.UTC(e.FailingSince), Failures: e.Failures,
		CreatedBy: api.NotZero(e.CreatedBy), CreatedAt: e.CreatedAt.UTC(), UpdatedAt: e.UpdatedAt.UTC(),
	}
	for _, t := range e.Events {
		dto.EventTypes = append(dto.EventTypes, EventType(t))
	}
	return dto
}

func deliveryFromDomain(d domain.Delivery) Delivery {
	return Delivery{
		DeliveryID: d.ID, WebhookID: d.Webhook, EventID: d.Event.ID, EventType: string(d.Event.Type), OccurredAt: d.Event.OccurredAt.UTC(),
		Data: api.Object(d.Event.Data), Status: string(d.Status), Attempts: d.Attempts, NextAttemptAt: api.UTC(d.NextAttemptAt),
		LastAttemptAt: api.UTC(d.LastAttemptAt), LastStatus: api.NotZero(d.LastStatus), Problem: api.NotZero(d.Problem), CompletedAt: api.UTC(d.CompletedAt),
	}
}

func events(types []EventType) []domain.EventType {
	all := make([]domain.EventType, len(types))
	for i, t := range types {
		all[i] = domain.EventType(t)
	}
	return all
}

// schemaOf is the schema of a payload whose data has the type's form.
func schemaOf(r huma.Registry, t domain.EventType, data reflect.Type) *huma.Schema {
	payload := huma.SchemaFromType(r, reflect.TypeFor[domain.Payload]())
	payload.Properties["type"] = &huma.Schema{Type: huma.TypeString, Enum: []any{string(t)}}
	payload.Properties["data"] = r.Schema(data, true, "")
	return payload
}
