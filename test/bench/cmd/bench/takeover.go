package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/test/bench/dataplane"
	"github.com/gatehouse-project/gatehouse/test/bench/figure"
	"github.com/gatehouse-project/gatehouse/test/bench/generator"
)

const (
	// takeovers is how many workers are killed, at one moment of their heartbeats
	// or another, each with a run.
	takeovers = 24
	// takeoverBound is what is promised with the figures of a lease as they are.
	takeoverBound = 60 * time.Second
	// takeoverPatience is when a run that no other worker has taken counts as lost.
	takeoverPatience = 3 * time.Minute
)

// takeover measures how long a run whose worker was killed waits until another
// worker has it: many side by side, because each takes most of a minute.
func (b *bench) takeover(ctx context.Context) error {
	return b.onPlane(ctx, func(p *dataplane.Plane) error {
		// Long enough to be under way when its worker is killed, and slow enough to
		// leave the machine to what is measured.
		estate := generator.Configuration{Entities: 1000, Relationships: 2500, Partitions: 100, PauseMilliseconds: 2000}
		var runs []id.Run
		for i := range takeovers {
			conn, err := p.Connect(ctx, fmt.Sprintf("takeover %d", i+1), estate)
			if err != nil {
				return err
			}
			r, err := p.StartDiscovery(ctx, conn)
			if err != nil {
				return err
			}
			runs = append(runs, r)
		}
		workers := make([]*dataplane.Worker, takeovers)
		for i := range workers {
			var err error
			if workers[i], err = p.StartWorker(ctx, b.worker, ""); err != nil {
				return err
			}
		}
		for _, r := range runs {
			if _, err := p.Claimed(ctx, r, 1, takeoverPatience); err != nil {
				return err
			}
		}
		killed := time.Now()
		var errs error
		for _, w := range workers {
			errs = errors.Join(errs, w.Kill())
		}
		if errs != nil {
			return errs
		}
		// As many others, so that nothing waits for a worker.
		for i := range workers {
			var err error
			if workers[i], err = p.StartWorker(ctx, b.worker, ""); err != nil {
				return err
			}
		}
		var waits []time.Duration
		for _, r := range runs {
			at, err := p.Claimed(ctx, r, 2, takeoverPatience)
			if err != nil {
				return err
			}
			waits = append(waits, at.Sub(killed))
		}
		for _, w := range workers {
			errs = errors.Join(errs, w.Kill())
		}
		p99 := figure.Percentile(waits, 0.99)
		b.Explain("\ntakeover: %d workers killed; their runs were with another one after %.1f s at the median, %.1f s at p99",
			takeovers, figure.Median(waits).Seconds(), p99.Seconds())
		b.Add(figure.Figure{
			Name: fmt.Sprintf("a dead worker's run is with another, p99 of %d", takeovers), Measured: fmt.Sprintf("%.1f s", p99.Seconds()),
			Limit: "lease 45 s", Ratio: fmt.Sprintf("%.2f×", p99.Seconds()/45), Target: "≤ 60 s", Met: p99 <= takeoverBound,
		})
		return errs
	})
}
