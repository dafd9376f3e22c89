package run

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	domain "github.com/gatehouse-project/gatehouse/internal/run"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// maxWait bounds ?wait=; a client that wants to wait longer asks again.
const maxWait = 30 * time.Second

// Mount adds the operations on runs.
func Mount(a huma.API, runs *domain.Service) {
	tags := []string{"Runs"}
	api.Register(a, huma.Operation{
		OperationID: "list-runs", Method: http.MethodGet, Path: "/v1/runs", Tags: tags, Summary: "List runs",
		Extensions:  api.Needs(workspace.ReadWorkspace),
		Description: "The newest first. Blocked starts are runs too.", Errors: []int{http.StatusUnprocessableEntity},
	}, list(runs))
	api.Register(a, huma.Operation{
		OperationID: "get-run", Method: http.MethodGet, Path: "/v1/runs/{run_id}", Tags: tags, Summary: "Get a run",
		Extensions:  api.Needs(workspace.ReadWorkspace),
		Description: "With `wait`, answers once the run has ended or the time is over, whichever is first.",
		Errors:      []int{http.StatusNotFound, http.StatusUnprocessableEntity},
	}, get(runs))
	mountEvents(a, runs)
	api.Register(a, huma.Operation{
		OperationID: "cancel-run", Method: http.MethodPost, Path: "/v1/runs/{run_id}/cancel", Tags: tags, Summary: "Cancel a run",
		Extensions:  api.Needs(workspace.StartOperations),
		Description: "A run that waits ends at once; one that a worker holds ends at its next heartbeat, and takes in nothing more from now on.",
		Errors:      []int{http.StatusNotFound, http.StatusConflict},
	}, cancel(runs))
}

type listInput struct {
	api.Page
	ConnectionID  api.QueryID[id.Connection] `query:"connection_id" doc:"Only runs of this connection."`
	OperationType string                     `query:"operation_type" maxLength:"100" doc:"Only runs of this operation."`
	Status        string                     `query:"status" enum:"queued,running,completed" doc:"Only runs with this status."`
	Outcome       string                     `query:"outcome" enum:"pending,succeeded,partially_succeeded,failed,cancelled,blocked" doc:"Only runs with this outcome."`
}

// List is a page of runs.
type List struct {
	Runs       []Run  `json:"runs"`
	NextCursor string `json:"next_cursor,omitempty"`
}

type listOutput struct{ Body List }

func list(runs *domain.Service) func(context.Context, *listInput) (*listOutput, error) {
	return func(ctx context.Context, in *listInput) (*listOutput, error) {
		before, err := api.After[id.Run](in.Page)
		if err != nil {
			return nil, err
		}
		found, err := runs.List(ctx, api.CallerFrom(ctx), domain.Filter{
			Connection: in.ConnectionID.ID, Operation: operation.Type(in.OperationType), Status: domain.Status(in.Status),
			Outcome: domain.Outcome(in.Outcome), Before: before, Limit: in.Fetch(),
		})
		if err != nil {
			return nil, err
		}
		items, next := api.Cut(in.Page, found, func(r domain.Run) id.Run { return r.ID })
		out := &listOutput{Body: List{Runs: make([]Run, len(items)), NextCursor: next}}
		for i, r := range items {
			out.Body.Runs[i] = FromDomain(r)
		}
		return out, nil
	}
}

type getInput struct {
	RunID api.PathID[id.Run] `path:"run_id"`
	Wait  string             `query:"wait" maxLength:"16" doc:"How long to wait for the end, such as 30s; at most 30s." example:"30s"`
}

type runOutput struct{ Body Run }

func get(runs *domain.Service) func(context.Context, *getInput) (*runOutput, error) {
	return func(ctx context.Context, in *getInput) (*runOutput, error) {
		var wait time.Duration
		if in.Wait != "" {
			var err error
			if wait, err = time.ParseDuration(in.Wait); err != nil || wait < 0 || wait > maxWait {
				return nil, fault.InvalidField("query.wait", "must be a duration of at most %s, such as 30s", maxWait)
			}
		}
		caller := api.CallerFrom(ctx)
		r, err := runs.Await(ctx, caller, in.RunID.ID, wait)
		if err != nil {
			return nil, err
		}
		shown, err := withCoverage(ctx, runs, caller, r)
		if err != nil {
			return nil, err
		}
		return &runOutput{Body: shown}, nil
	}
}

// withCoverage is how the answer about one run shows it.
func withCoverage(ctx context.Context, runs *domain.Service, caller workspace.Caller, r domain.Run) (Run, error) {
	shown := FromDomain(r)
	if r.Status != domain.Completed {
		return shown, nil
	}
	coverage, err := runs.Coverage(ctx, caller, r.ID)
	for _, c := range coverage {
		shown.Coverage = append(shown.Coverage, Coverage{
			Stream: c.Stream, Partition: c.Partition, Coverage: string(c.Coverage), Reason: string(c.Reason), Message: c.Message, Records: c.Records,
		})
	}
	return shown, err
}

type cancelInput struct {
	RunID api.PathID[id.Run] `path:"run_id"`
}

func cancel(runs *domain.Service) func(context.Context, *cancelInput) (*runOutput, error) {
	return func(ctx context.Context, in *cancelInput) (*runOutput, error) {
		r, err := runs.Cancel(ctx, api.CallerFrom(ctx), in.RunID.ID)
		if err != nil {
			return nil, err
		}
		return &runOutput{Body: FromDomain(r)}, nil
	}
}
