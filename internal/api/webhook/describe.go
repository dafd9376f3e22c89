package webhook

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	domain "github.com/gatehouse-project/gatehouse/internal/webhook"
)

// described is an event as the OpenAPI document shows it.
type described struct {
	event   domain.EventType
	summary string
	data    reflect.Type
}

func all() []described {
	runs, connections := reflect.TypeFor[domain.RunData](), reflect.TypeFor[domain.ConnectionData]()
	return []described{
		{domain.RunCompleted, "A run has ended, however.", runs},
		{domain.RunBlocked, "A start was recorded as blocked.", runs},
		{domain.AccessChanged, "A discovery has published something else than was known.", reflect.TypeFor[domain.AccessData]()},
		{domain.ConnectionCreated, "A connection was created.", connections},
		{domain.ConnectionUpdated, "A connection was changed by somebody.", connections},
		{domain.ConnectionDeleted, "A connection was deleted.", connections},
		{domain.ConnectionTested, "A test of a connection has ended.", reflect.TypeFor[domain.TestedData]()},
		{domain.ConnectionHealthChanged, "A connection's status has changed.", connections},
		{domain.SchedulePaused, "A connection's schedule was paused, by ten failures in a row or by somebody.", connections},
		{domain.ScheduleResumed, "A schedule that was paused goes on.", connections},
		{domain.Ping, "Somebody tries the endpoint.", reflect.TypeFor[domain.PingData]()},
	}
}

// describe adds what is sent to the section of the document that is about it.
func describe(a huma.API) {
	doc := a.OpenAPI()
	if doc.Webhooks == nil {
		doc.Webhooks = map[string]*huma.PathItem{}
	}
	header := func(name, text string) *huma.Param {
		return &huma.Param{Name: name, In: "header", Required: true, Description: text, Schema: &huma.Schema{Type: huma.TypeString}}
	}
	for _, d := range all() {
		doc.Webhooks[string(d.event)] = &huma.PathItem{Post: &huma.Operation{
			OperationID: "receive-" + string(d.event), Tags: tags(), Summary: d.summary, Security: []map[string][]string{},
			Parameters: []*huma.Param{
				header("webhook-id", "The event's id; the same in every attempt and replay."),
				header("webhook-timestamp", "When the attempt was made, in seconds since 1970."),
				header("webhook-signature", "One or more signatures, v1 and HMAC-SHA256, as Standard Webhooks says; separated by blanks."),
			},
			RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
				"application/json": {Schema: schemaOf(doc.Components.Schemas, d.event, d.data)},
			}},
			Responses: map[string]*huma.Response{
				"2XX": {Description: "Received. Answer within 15 seconds, and do the work afterwards."},
				"410": {Description: "Send nothing more: the webhook is disabled."},
			},
		}}
	}
}
