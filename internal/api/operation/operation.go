package operation

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/api"
	apirun "github.com/gatehouse-project/gatehouse/internal/api/run"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	domain "github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/run"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Mount adds the operations on operations.
func Mount(a huma.API, gate *run.Gate) {
	tags := []string{"Operations"}
	api.Register(a, huma.Operation{
		OperationID: "list-operations", Method: http.MethodGet, Path: "/v1/operations", Tags: tags, Summary: "List operations",
		Extensions:  api.NeedsMember(),
		Description: "The kinds of provider-backed work, what each takes, and the integrations of this deployment that offer it.",
	}, list(gate))
	api.Register(a, huma.Operation{
		OperationID: "start-operation", Method: http.MethodPost, Path: "/v1/operations/{operation}/start", Tags: tags, Summary: "Start an operation",
		Extensions: api.Needs(workspace.StartOperations),
		Description: "Asks the gate. `accepted` made a run; `deduped` names an identical one that is already queued or running; " +
			"`scope_busy` names what holds the connection, or the part of the organisation; `blocked` recorded a run that says what is missing. " +
			"Without a connection, the target's default is used: that of the integration, if one is named, else the one that offers the operation. " +
			"With an Idempotency-Key the request may be repeated.",
		Errors: []int{http.StatusNotFound, http.StatusUnprocessableEntity},
	}, start(gate))
}

// Operation is a registered kind of work.
type Operation struct {
	OperationType string   `json:"operation_type" example:"discovery.run"`
	Verb          string   `json:"verb"`
	Object        string   `json:"object"`
	Module        string   `json:"module"`
	Capability    string   `json:"capability" doc:"What the caller's role must include."`
	Protects      string   `json:"protects" enum:"nothing,connection,target_directory,target_policies_shared,target" doc:"What the operation has to itself, or shares, while it is under way."`
	Dedupes       bool     `json:"dedupes" doc:"A start that is the same as an unfinished one makes no new run."`
	Queue         string   `json:"queue" doc:"The line of waiting runs that workers take it from."`
	DeadlineS     int      `json:"deadline_seconds" doc:"How long a run may take before it is failed."`
	Inputs        []Input  `json:"inputs" nullable:"false" doc:"What a start may say in its input."`
	Integrations  []string `json:"integrations" nullable:"false" doc:"The integrations of this deployment that offer the operation."`
}

// Input is one thing that a start may say.
type Input struct {
	Name        string `json:"name"`
	Kind        string `json:"kind" enum:"text,list"`
	Description string `json:"description"`
	Default     string `json:"default,omitempty"`
	Required    bool   `json:"required"`
}

// List is all operations.
type List struct {
	Operations []Operation `json:"operations"`
}

type listOutput struct{ Body List }

func list(gate *run.Gate) func(context.Context, *struct{}) (*listOutput, error) {
	return func(context.Context, *struct{}) (*listOutput, error) {
		out := &listOutput{}
		for _, o := range domain.All() {
			shown := Operation{
				OperationType: string(o.Type), Verb: o.Verb, Object: o.Object, Module: o.Module, Capability: string(o.Capability),
				Protects: string(o.Protects), Dedupes: o.Dedupes, Queue: string(o.Queue), DeadlineS: int(o.Deadline.Seconds()),
				Inputs: make([]Input, len(o.Inputs)), Integrations: []string{},
			}
			for i, f := range o.Inputs {
				shown.Inputs[i] = Input{Name: f.Name, Kind: string(f.Kind), Description: f.Description, Default: f.Default, Required: f.Required}
			}
			for _, entry := range gate.Catalog.List() {
				if slices.Contains(entry.Operations, string(o.Type)) {
					shown.Integrations = append(shown.Integrations, entry.IntegrationID)
				}
			}
			out.Body.Operations = append(out.Body.Operations, shown)
		}
		return out, nil
	}
}

// StartRequest names what to start on.
type StartRequest struct {
	ConnectionID  *id.Connection `json:"connection_id,omitempty" doc:"The connection to use."`
	TargetID      *id.Target     `json:"target_id,omitempty" doc:"The target to work on, by its default connection, when no connection is named."`
	IntegrationID string         `json:"integration_id,omitempty" maxLength:"63" doc:"The integration whose default connection of the target is used; needed when several offer the operation."`
	Input         api.Object     `json:"input,omitempty" doc:"What the operation takes, as GET /v1/operations lists it."`
	SourceSurface string         `json:"source_surface,omitempty" maxLength:"100" doc:"Where the request comes from, for the run's context."`
	TargetContext api.Object     `json:"target_context,omitempty" doc:"Kept with the run, sanitised, and used for nothing else; at most 4 KiB."`
}

// StartResult is the gate's answer.
type StartResult struct {
	Status             string                      `json:"status" enum:"accepted,deduped,scope_busy,blocked"`
	OperationType      string                      `json:"operation_type"`
	OperatorVerb       string                      `json:"operator_verb"`
	OperatorTarget     string                      `json:"operator_target"`
	OperatorMessage    string                      `json:"operator_message" doc:"The answer in one or two sentences."`
	ShortReason        *string                     `json:"short_reason"`
	ReasonCode         *string                     `json:"reason_code"`
	ProviderConnection api.Nullable[ConnectionRef] `json:"provider_connection"`
	Run                RunRef                      `json:"run" doc:"The new run, the identical one, the one that holds the scope, or the blocked one."`
	NextSteps          []apirun.NextStep           `json:"next_steps"`
	Actions            []Action                    `json:"actions"`
}

// ConnectionRef names the connection that is used.
type ConnectionRef struct {
	ID       id.Connection `json:"id"`
	Provider string        `json:"provider"`
	Label    string        `json:"label"`
}

// RunRef names a run.
type RunRef struct {
	ID     id.Run `json:"id"`
	URL    string `json:"url"`
	Status string `json:"status"`
}

// Action is a link beside the answer.
type Action struct {
	Label string `json:"label"`
	Href  string `json:"href"`
	Kind  string `json:"kind,omitempty"`
}

type startInput struct {
	api.Again
	Operation string `path:"operation" maxLength:"100" example:"discovery.run"`
	Body      StartRequest
}

type startOutput struct {
	api.Replayed
	Body StartResult
}

func start(gate *run.Gate) func(context.Context, *startInput) (*startOutput, error) {
	return func(ctx context.Context, in *startInput) (*startOutput, error) {
		req := run.StartRequest{
			Operation: domain.Type(in.Operation), Integration: integration.ID(in.Body.IntegrationID), Surface: in.Body.SourceSurface,
			Input: json.RawMessage(in.Body.Input), TargetContext: json.RawMessage(in.Body.TargetContext),
		}
		if in.Body.ConnectionID != nil {
			req.Connection = *in.Body.ConnectionID
		}
		if in.Body.TargetID != nil {
			req.Target = *in.Body.TargetID
		}
		var err error
		req.Once, err = in.Request(ctx, run.StartOperation, map[string]any{"operation": in.Operation, "body": in.Body})
		if err != nil {
			return nil, err
		}
		result, err := gate.Start(ctx, api.CallerFrom(ctx), req)
		if err != nil {
			return nil, err
		}
		return &startOutput{Replayed: api.Replay(result.Replayed), Body: FromDomain(result)}, nil
	}
}

// FromDomain is how the API shows the gate's answer.
func FromDomain(r run.StartResult) StartResult {
	shown := StartResult{
		Status: string(r.Status), OperationType: string(r.Operation), OperatorVerb: r.Verb, OperatorTarget: r.Object, OperatorMessage: r.Message,
		Run:       RunRef{ID: r.Run.ID, URL: "/v1/runs/" + r.Run.ID.String(), Status: string(r.Run.Status)},
		NextSteps: apirun.NextSteps(r.NextSteps), Actions: make([]Action, len(r.Actions)),
	}
	if r.Short != "" {
		shown.ShortReason = &r.Short
	}
	if r.Reason != "" {
		code := string(r.Reason)
		shown.ReasonCode = &code
	}
	if c := r.Connection; c != nil {
		shown.ProviderConnection.Value = &ConnectionRef{ID: c.ID, Provider: string(c.Integration), Label: c.Name}
	}
	for i, a := range r.Actions {
		shown.Actions[i] = Action(a)
	}
	return shown
}
