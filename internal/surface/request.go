package surface

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// Where requests come from that do not say so.
const (
	fromTarget       = "tenant"
	fromConnection   = "provider_connection"
	fromDirectory    = "directory"
	fromRestore      = "restore"
	fromVerification = "onboarding.verify"
	fromBootstrap    = "onboarding.bootstrap"
)

// OnTarget is a start on an organisation: the body is a ProviderStartRequest, or
// nothing.
func OnTarget(t id.Target, op operation.Type, body []byte) (run.StartRequest, error) {
	var r struct {
		ProviderConnectionID *int64          `json:"providerConnectionId"`
		SourceSurface        string          `json:"sourceSurface"`
		TargetContext        json.RawMessage `json:"targetContext"`
	}
	if err := read(body, &r); err != nil {
		return run.StartRequest{}, err
	}
	req := run.StartRequest{Operation: op, Target: t, Surface: r.SourceSurface, TargetContext: r.TargetContext}
	if req.Surface == "" {
		req.Surface = fromTarget
	}
	return req, useConnection(&req, r.ProviderConnectionID)
}

// OnConnection is a start on a connection, which has no body.
func OnConnection(c id.Connection, op operation.Type) run.StartRequest {
	return run.StartRequest{Operation: op, Connection: c, Surface: fromConnection}
}

// SyncGroups is a start of the directory's groups: the body is a
// DirectoryGroupsSyncRequest, or nothing.
func SyncGroups(t id.Target, body []byte) (run.StartRequest, error) {
	var r struct {
		SelectionKey         *string `json:"selectionKey"`
		ProviderConnectionID *int64  `json:"providerConnectionId"`
	}
	if err := read(body, &r); err != nil {
		return run.StartRequest{}, err
	}
	req := run.StartRequest{Operation: operation.GroupsSync, Target: t, Surface: fromDirectory}
	if r.SelectionKey != nil {
		var err error
		if req.Input, err = json.Marshal(map[string]string{"selection_key": *r.SelectionKey}); err != nil {
			return run.StartRequest{}, fmt.Errorf("encode the selection: %w", err)
		}
	}
	return req, useConnection(&req, r.ProviderConnectionID)
}

// SyncRoleDefinitions is a start of the directory's role definitions.
func SyncRoleDefinitions(t id.Target) run.StartRequest {
	return run.StartRequest{Operation: operation.RoleDefinitionsSync, Target: t, Surface: fromDirectory}
}

// ExecuteRestore is a start of a previewed restore.
func ExecuteRestore(t id.Target, r id.Restore) (run.StartRequest, error) {
	input, err := json.Marshal(operation.Input{RestoreRun: r})
	if err != nil {
		return run.StartRequest{}, fmt.Errorf("encode the restore: %w", err)
	}
	return run.StartRequest{Operation: operation.RestoreExecute, Target: t, Surface: fromRestore, Input: input}, nil
}

// Verify is a start in an onboarding session on its connection, unless the body,
// an OnboardingProviderStartRequest or nothing, names another.
func Verify(own id.Connection, op operation.Type, body []byte) (run.StartRequest, error) {
	var r struct {
		ProviderConnectionID *int64 `json:"providerConnectionId"`
		Step                 string `json:"step"`
	}
	if err := read(body, &r); err != nil {
		return run.StartRequest{}, err
	}
	req := run.StartRequest{Operation: op, Connection: own, Surface: fromVerification}
	if r.Step != "" {
		var err error
		if req.TargetContext, err = json.Marshal(map[string]string{"step": r.Step}); err != nil {
			return run.StartRequest{}, fmt.Errorf("encode the step: %w", err)
		}
	}
	return req, useConnection(&req, r.ProviderConnectionID)
}

// Bootstrap reads an OnboardingBootstrapStartRequest: starts of the operations
// that were selected, in their order.
func Bootstrap(body []byte) ([]run.StartRequest, error) {
	var r struct {
		ProviderConnectionID *int64   `json:"providerConnectionId"`
		SelectedOperations   []string `json:"selectedOperations"`
		SourceSurface        string   `json:"sourceSurface"`
	}
	if err := read(body, &r); err != nil {
		return nil, err
	}
	var wrong []fault.Field
	if r.ProviderConnectionID == nil {
		wrong = append(wrong, fault.Field{Path: "providerConnectionId", Message: "is missing"})
	}
	if len(r.SelectedOperations) == 0 {
		wrong = append(wrong, fault.Field{Path: "selectedOperations", Message: "must name at least one operation"})
	}
	for i, o := range r.SelectedOperations {
		if _, err := operation.Get(operation.Type(o)); err != nil {
			wrong = append(wrong, fault.Field{Path: fmt.Sprintf("selectedOperations.%d", i), Message: "is no operation; GET /v1/operations lists them"})
		}
	}
	if len(wrong) > 0 {
		return nil, fault.InvalidFields(wrong...)
	}
	if r.SourceSurface == "" {
		r.SourceSurface = fromBootstrap
	}
	starts := make([]run.StartRequest, len(r.SelectedOperations))
	for i, o := range r.SelectedOperations {
		starts[i] = run.StartRequest{Operation: operation.Type(o), Surface: r.SourceSurface}
		if err := useConnection(&starts[i], r.ProviderConnectionID); err != nil {
			return nil, err
		}
	}
	return starts, nil
}

// useConnection has a start use the connection with a bare number; nil leaves it
// as it is.
func useConnection(req *run.StartRequest, c *int64) error {
	if c == nil {
		return nil
	}
	if *c < 1 {
		return fault.InvalidField("providerConnectionId", "must be the number of a connection")
	}
	req.Connection = id.Connection(*c)
	return nil
}

// read decodes a body; an empty one says nothing. Fields that the contract does
// not have are passed over, as it allows.
func read(body []byte, into any) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(body))
	err := d.Decode(into)
	var mistyped *json.UnmarshalTypeError
	switch {
	case errors.As(err, &mistyped) && mistyped.Field != "":
		return fault.InvalidField(mistyped.Field, "must not be a JSON %s", mistyped.Value)
	case err != nil:
		return fault.InvalidField("body", "must be a JSON object")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fault.InvalidField("body", "must be one JSON object and nothing behind it")
	}
	return nil
}
