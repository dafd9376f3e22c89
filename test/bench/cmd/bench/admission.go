package main

import (
	"context"
	"fmt"
	"time"

	"github.com/gatehouse-project/gatehouse/test/bench/dataplane"
	"github.com/gatehouse-project/gatehouse/test/bench/figure"
	"github.com/gatehouse-project/gatehouse/test/bench/generator"
)

// Figures of starts.
const (
	startClients     = 32
	startConnections = 60_000
	startRounds      = 7
	startRound       = 3 * time.Second
	startShare       = 0.5
	duplicates       = 2_000
	duplicateTarget  = 10 * time.Millisecond
)

// admission measures how many starts are admitted, beside pgbench's inserts of
// single rows into the same server. Rounds take turns, and each is judged by
// itself: what else the machine does changes from one to the next.
func (b *bench) admission(ctx context.Context) error {
	return b.onPlane(ctx, func(p *dataplane.Plane) error {
		starts, err := p.NewStarts(ctx, generator.IntegrationID, startClients, startConnections)
		if err != nil {
			return err
		}
		var admitted, started, inserted, shares, wholes []float64
		// The first round warms caches and is not counted.
		for round := range 1 + startRounds {
			limit, ok, err := p.Inserts(ctx, b.dir, startClients, startRound)
			if err != nil {
				return err
			}
			if !ok {
				b.Explain("admission: skipped, because there is no pgbench beside the server's programs")
				return nil
			}
			alone, err := starts.Admitted(ctx, startRound)
			if err != nil {
				return err
			}
			whole, err := starts.Started(ctx, startRound)
			if err != nil {
				return err
			}
			if round > 0 {
				inserted, admitted, started = append(inserted, limit), append(admitted, alone), append(started, whole)
				shares, wholes = append(shares, alone/limit), append(wholes, whole/limit)
			}
		}
		limit := fmt.Sprintf("pgbench, single rows %.0f/s", figure.Median(inserted))
		b.Add(figure.Figure{
			Name: fmt.Sprintf("Admissions by %d clients, with their audit events", startClients), Measured: fmt.Sprintf("%.0f/s", figure.Median(admitted)),
			Limit: limit, Ratio: fmt.Sprintf("%.2f×", figure.Median(shares)),
			Target: fmt.Sprintf("≥ %.2f×", startShare), Met: figure.Median(shares) >= startShare,
		})
		b.Add(figure.Figure{
			Name: fmt.Sprintf("Whole starts by %d clients, with connection and licence read", startClients), Measured: fmt.Sprintf("%.0f/s", figure.Median(started)),
			Limit: limit, Ratio: fmt.Sprintf("%.2f×", figure.Median(wholes)),
		})
		took, err := starts.Duplicates(ctx, duplicates)
		if err != nil {
			return err
		}
		p99 := figure.Percentile(took, 0.99)
		b.Add(figure.Figure{
			Name: "Answer to a duplicate start, p50 / p99", Measured: fmt.Sprintf("%.2f / %.2f ms", milliseconds(figure.Median(took)), milliseconds(p99)),
			Target: "p99 < 10 ms", Met: p99 < duplicateTarget,
		})
		return nil
	})
}
