package main

import (
	"context"
	"fmt"

	"github.com/gatehouse-project/gatehouse/test/bench/dataplane"
	"github.com/gatehouse-project/gatehouse/test/bench/figure"
	"github.com/gatehouse-project/gatehouse/test/bench/generator"
)

// smallRuns is how often the small estate is read: a process that has only just
// begun has not grown to what it needs, whatever it reads.
const smallRuns = 80

// memory measures a worker's peak memory on a small and on a large estate, each
// in a process of its own.
func (b *bench) memory(ctx context.Context) error {
	small := generator.Configuration{Entities: 2500, Relationships: 7500, Partitions: 1}
	var peaks [2]int64
	err := b.onPlane(ctx, func(p *dataplane.Plane) error {
		for i, estate := range []generator.Configuration{small, b.estate()} {
			conn, err := p.Connect(ctx, fmt.Sprintf("memory %d", i+1), estate)
			if err != nil {
				return err
			}
			err = b.withWorker(ctx, p, func(w *dataplane.Worker) error {
				times := 1
				if i == 0 {
					times = smallRuns
				}
				for range times {
					if _, err := p.Discover(ctx, conn); err != nil {
						return err
					}
				}
				peaks[i], err = w.PeakMemory()
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	ratio := float64(peaks[1]) / float64(peaks[0])
	b.Add(figure.Figure{
		Name:     fmt.Sprintf("worker's peak memory at %dk records", (b.entities+b.relationships)/1000),
		Measured: fmt.Sprintf("%.1f MiB", float64(peaks[1])/mebibyte),
		Limit:    fmt.Sprintf("at %d times 10k %.1f MiB", smallRuns, float64(peaks[0])/mebibyte),
		Ratio:    fmt.Sprintf("%.2f×", ratio), Target: "within 20 %", Met: ratio <= 1.2,
	})
	return nil
}
