// Package webhook serves /v1/webhooks: endpoints that are told of events, and
// their deliveries. It also describes the events in the OpenAPI document.
//
// It translates between HTTP and the use cases of internal/webhook. A secret is in
// the answer that made it and in no other.
package webhook
