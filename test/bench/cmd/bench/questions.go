package main

import (
	"context"
	"fmt"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/test/bench/dataplane"
	"github.com/gatehouse-project/gatehouse/test/bench/figure"
	"github.com/gatehouse-project/gatehouse/test/bench/generator"
)

// Figures of the questions.
const (
	questionsAsked = 500
	questionsFirst = 50 // not measured: connections and caches are new
	pageRows       = 50 // the default of the API
	questionTarget = 10 * time.Millisecond
)

// questions measures the first page of who-can and what-can, for the heaviest
// and for ordinary ends. The heaviest resource is open to every account, the
// heaviest account reaches a quarter of all resources by a policy of its own.
func (b *bench) questions(ctx context.Context) error {
	return b.onPlane(ctx, func(p *dataplane.Plane) error {
		conn, err := p.Connect(ctx, "questions", b.estate())
		if err != nil {
			return err
		}
		err = b.withWorker(ctx, p, func(*dataplane.Worker) error {
			_, err := p.Discover(ctx, conn)
			return err
		})
		if err != nil {
			return err
		}
		// As the server does by itself within minutes.
		if _, err := p.Super.Exec(ctx, "vacuum entities, relationships"); err != nil {
			return fmt.Errorf("vacuum: %w", err)
		}
		return b.ask(ctx, p, conn)
	})
}

func (b *bench) ask(ctx context.Context, p *dataplane.Plane, conn id.Connection) error {
	heaviest := func(int) int { return 0 }
	// A stride that is no divisor spreads over the whole estate.
	typical := func(i int) int { return 1 + i*7919%(b.entities/4) }
	for _, q := range []struct {
		name string
		ref  func(i int) connector.Ref
		nth  func(i int) int
		ask  func(ctx context.Context, e graph.EntityID) (graph.AccessAnswer, error)
	}{
		{"who-can, heaviest resource", generator.ResourceRef, heaviest, p.WhoCan(pageRows)},
		{"who-can, typical resource", generator.ResourceRef, typical, p.WhoCan(pageRows)},
		{"what-can, heaviest account", generator.AccountRef, heaviest, p.WhatCan(pageRows)},
		{"what-can, typical account", generator.AccountRef, typical, p.WhatCan(pageRows)},
	} {
		var took []time.Duration
		rows := 0
		for i := range questionsFirst + questionsAsked {
			e := graph.NewEntityID(p.Caller.Scope.Workspace, conn, q.ref(q.nth(i)))
			begun := time.Now()
			answer, err := q.ask(ctx, e)
			if err != nil {
				return fmt.Errorf("%s: %w", q.name, err)
			}
			if i >= questionsFirst {
				took = append(took, time.Since(begun))
				rows += len(answer.Rows)
			}
		}
		p99 := figure.Percentile(took, 0.99)
		b.Add(figure.Figure{
			Name:     "first page of " + q.name,
			Measured: fmt.Sprintf("p50 %.2f, p99 %.2f ms", milliseconds(figure.Median(took)), milliseconds(p99)),
			Limit:    fmt.Sprintf("%d rows on average", rows/questionsAsked),
			Target:   "p99 < 10 ms", Met: p99 < questionTarget,
		})
	}
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
