package dataplane

import (
	"context"

	"github.com/gatehouse-project/gatehouse/internal/graph"
)

// Question asks for the first page of an answer about an entity.
type Question = func(ctx context.Context, e graph.EntityID) (graph.AccessAnswer, error)

// WhoCan asks who reaches a resource, for so many rows.
func (p *Plane) WhoCan(rows int) Question {
	return func(ctx context.Context, e graph.EntityID) (graph.AccessAnswer, error) {
		return p.Questions.WhoCan(ctx, p.Caller, e, graph.AccessFilter{Limit: rows})
	}
}

// WhatCan asks what an account reaches, for so many rows.
func (p *Plane) WhatCan(rows int) Question {
	return func(ctx context.Context, e graph.EntityID) (graph.AccessAnswer, error) {
		return p.Questions.WhatCan(ctx, p.Caller, e, graph.AccessFilter{Limit: rows})
	}
}
