package main

import (
	"context"
	"fmt"
	"time"

	"github.com/gatehouse-project/gatehouse/test/bench/dataplane"
	"github.com/gatehouse-project/gatehouse/test/bench/figure"
	"github.com/gatehouse-project/gatehouse/test/bench/generator"
)

// Figures of the audit record.
const (
	auditClients = 8
	auditRounds  = 30
	auditRound   = time.Second
	auditCost    = 0.25
)

// audit measures what the event costs that a change leaves, with the sealer at
// work. Rounds with and without it take turns at going first, and each pair is
// judged by itself: what else the machine does changes from one to the next.
func (b *bench) audit(ctx context.Context) error {
	return b.onPlane(ctx, func(p *dataplane.Plane) error {
		changes, err := p.NewChanges(ctx, generator.IntegrationID, auditClients)
		if err != nil {
			return err
		}
		var audited, bare, costs []float64
		// The first pair warms caches and is not counted.
		for round := range 1 + auditRounds {
			var with, without float64
			for turn := range 2 {
				if (round+turn)%2 == 0 {
					with, err = changes.Audited(ctx, auditRound)
				} else {
					without, err = changes.Bare(ctx, auditRound)
				}
				if err != nil {
					return err
				}
				if err := changes.Sealed(ctx); err != nil {
					return err
				}
			}
			if round > 0 {
				audited, bare, costs = append(audited, with), append(bare, without), append(costs, 1-with/without)
			}
		}
		cost := figure.Median(costs)
		b.Add(figure.Figure{
			Name:     fmt.Sprintf("Renames by %d clients with their audit events", auditClients),
			Measured: fmt.Sprintf("%.0f/s", figure.Median(audited)),
			Limit:    fmt.Sprintf("%.0f/s without", figure.Median(bare)),
			Ratio:    fmt.Sprintf("%.0f %% less", 100*cost),
			Target:   fmt.Sprintf("< %.0f %% less", 100*auditCost), Met: cost < auditCost,
		})
		return nil
	})
}
