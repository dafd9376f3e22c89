package client

import (
	"context"
	"net/http"
	"net/url"
)

// Operation is a registered kind of provider-backed work.
type Operation struct {
	OperationType string `json:"operation_type"`
	Verb          string `json:"verb"`
	Object        string `json:"object"`
	Capability    string `json:"capability"`
	// Protects is what the operation has to itself, or shares, while it is under way.
	Protects        string           `json:"protects"`
	Queue           string           `json:"queue"`
	DeadlineSeconds int              `json:"deadline_seconds"`
	Inputs          []OperationInput `json:"inputs"`
	Integrations    []string         `json:"integrations"`
}

// OperationInput is one thing that a start may say.
type OperationInput struct {
	Name string `json:"name"`
	// Kind is text or list.
	Kind        string `json:"kind"`
	Description string `json:"description"`
	Default     string `json:"default"`
	Required    bool   `json:"required"`
}

// StartRequest says what to start on: a connection, or a target with its default
// connection, which an integration tells from the target's other ones.
type StartRequest struct {
	Connection  string         `json:"connection_id,omitempty"`
	Target      string         `json:"target_id,omitempty"`
	Integration string         `json:"integration_id,omitempty"`
	Input       map[string]any `json:"input,omitempty"`
	// Key, unless it is empty, makes it safe to send the same request again: it
	// starts one run.
	Key string `json:"-"`
}

// Operations lists what can be started.
func (c *Client) Operations(ctx context.Context) (Answer[OperationList], error) {
	return send[OperationList](ctx, c, call{method: http.MethodGet, path: "/v1/operations"})
}

// OperationList is all operations.
type OperationList struct {
	Operations []Operation `json:"operations"`
}

// Start asks the gate to start an operation.
func (c *Client) Start(ctx context.Context, operation string, s StartRequest) (Answer[StartResult], error) {
	body := struct {
		StartRequest
		SourceSurface string `json:"source_surface"`
	}{s, "cli"}
	what := call{method: http.MethodPost, path: "/v1/operations/" + url.PathEscape(operation) + "/start", body: body}
	if s.Key != "" {
		what.header = http.Header{"Idempotency-Key": {s.Key}}
	}
	return send[StartResult](ctx, c, what)
}
