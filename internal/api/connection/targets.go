package connection

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/api"
	domain "github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

type listTargetsInput struct {
	api.Page
	ProviderSystem string `query:"provider_system" maxLength:"63" example:"aws" doc:"Only targets of this provider."`
}

// TargetList is a page of targets.
type TargetList struct {
	Targets    []Target `json:"targets" nullable:"false"`
	Total      int64    `json:"total" doc:"How many there are on all pages, with the same filter."`
	NextCursor string   `json:"next_cursor,omitempty"`
}

type listTargetsOutput struct{ Body TargetList }

type targetInput struct {
	Target api.PathID[id.Target] `path:"target_id"`
}

type targetOutput struct{ Body Target }

func (o *operations) mountTargets(a huma.API) {
	tags := []string{"Targets"}
	api.Register(a, huma.Operation{
		OperationID: "list-targets", Method: http.MethodGet, Path: "/v1/targets", Tags: tags,
		Extensions: api.Needs(workspace.ReadWorkspace),
		Summary:    "List targets",
		Description: "The organisations that the workspace's connections reach, in order of id. Tests and runs find them; a connection may be " +
			"created for one. Needs workspace.read.",
	}, o.listTargets)
	api.Register(a, huma.Operation{
		OperationID: "get-target", Method: http.MethodGet, Path: "/v1/targets/{target_id}", Tags: tags,
		Extensions: api.Needs(workspace.ReadWorkspace),
		Summary:    "Get a target", Description: "Needs workspace.read.",
		Errors: []int{http.StatusNotFound},
	}, o.getTarget)
}

func (o *operations) listTargets(ctx context.Context, in *listTargetsInput) (*listTargetsOutput, error) {
	after, err := api.After[id.Target](in.Page)
	if err != nil {
		return nil, err
	}
	found, err := o.connections.Targets(ctx, api.CallerFrom(ctx), domain.TargetFilter{
		ProviderSystem: in.ProviderSystem, After: after, Limit: in.Fetch(),
	})
	if err != nil {
		return nil, err
	}
	items, next := api.Cut(in.Page, found.Targets, func(t domain.Target) id.Target { return t.ID })
	out := &listTargetsOutput{Body: TargetList{Targets: make([]Target, len(items)), Total: found.Total, NextCursor: next}}
	for i, t := range items {
		out.Body.Targets[i] = targetFromDomain(t)
	}
	return out, nil
}

func (o *operations) getTarget(ctx context.Context, in *targetInput) (*targetOutput, error) {
	t, err := o.connections.Target(ctx, api.CallerFrom(ctx), in.Target.ID)
	if err != nil {
		return nil, err
	}
	return &targetOutput{Body: targetFromDomain(t)}, nil
}
