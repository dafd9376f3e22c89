package main

import (
	"context"
	"fmt"

	"github.com/gatehouse-project/gatehouse/test/bench/dataplane"
	"github.com/gatehouse-project/gatehouse/test/bench/figure"
	"github.com/gatehouse-project/gatehouse/test/bench/generator"
)

// memory measures a worker's peak memory on a small and on a large estate, each
// in a process of its own.
func (b *bench) memory(ctx context.Context) error {
	small := generator.Configuration{Entities: 2500, Relationships: 7500, Partitions: b.partitions}
	var peaks [2]int64
	err := b.onPlane(ctx, func(p *dataplane.Plane) error {
		for i, estate := range []generator.Configuration{small, b.estate()} {
			conn, err := p.Connect(ctx, fmt.Sprintf("memory %d", i+1), estate)
			if err != nil {
				return err
			}
			err = b.withWorker(ctx, p, func(w *dataplane.Worker) error {
				if _, err := p.Discover(ctx, conn); err != nil {
					return err
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
	const mebibyte = 1 << 20
	ratio := float64(peaks[1]) / float64(peaks[0])
	b.Add(figure.Figure{
		Name:     fmt.Sprintf("worker's peak memory at %dk records", (b.entities+b.relationships)/1000),
		Measured: fmt.Sprintf("%.1f MiB", float64(peaks[1])/mebibyte),
		Limit:    fmt.Sprintf("at 10k records %.1f MiB", float64(peaks[0])/mebibyte),
		Ratio:    fmt.Sprintf("%.2f×", ratio), Target: "within 20 %", Met: ratio <= 1.2,
	})
	return nil
}
