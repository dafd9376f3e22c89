package dataplane

import (
	"context"
	"fmt"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// Question asks for the first page of an answer about an entity.
type Question = func(ctx context.Context, e graph.EntityID) (graph.AccessAnswer, error)

// WhoCan asks who reaches a resource, for so many rows.
func (p *Plane) WhoCan(rows int) Question { return p.WhoCanAt(rows, graph.Moment{}) }

// WhoCanAt is WhoCan as of a moment.
func (p *Plane) WhoCanAt(rows int, at graph.Moment) Question {
	return func(ctx context.Context, e graph.EntityID) (graph.AccessAnswer, error) {
		return p.Questions.WhoCan(ctx, p.Caller, e, graph.AccessFilter{Limit: rows, AsOf: at})
	}
}

// WhatCan asks what an account reaches, for so many rows.
func (p *Plane) WhatCan(rows int) Question { return p.WhatCanAt(rows, graph.Moment{}) }

// WhatCanAt is WhatCan as of a moment.
func (p *Plane) WhatCanAt(rows int, at graph.Moment) Question {
	return func(ctx context.Context, e graph.EntityID) (graph.AccessAnswer, error) {
		return p.Questions.WhatCan(ctx, p.Caller, e, graph.AccessFilter{Limit: rows, AsOf: at})
	}
}

// Now is the time by the database's clock.
func (p *Plane) Now(ctx context.Context) (now time.Time, err error) {
	if err := p.Super.QueryRow(ctx, "select now()").Scan(&now); err != nil {
		return now, fmt.Errorf("ask for the time: %w", err)
	}
	return now, nil
}

// Stage is how far a run has come.
type Stage struct{ Publishing, Ended bool }

// Stage looks how far a run has come.
func (p *Plane) Stage(ctx context.Context, r id.Run) (s Stage, err error) {
	err = p.Super.QueryRow(ctx, "select coalesce(phase = 'publishing', false), completed_at is not null from runs where run_id = $1", r).Scan(&s.Publishing, &s.Ended)
	if err != nil {
		return s, fmt.Errorf("look how far %s has come: %w", r, err)
	}
	return s, nil
}
