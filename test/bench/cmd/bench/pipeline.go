package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/test/bench/dataplane"
	"github.com/gatehouse-project/gatehouse/test/bench/figure"
	"github.com/gatehouse-project/gatehouse/test/bench/generator"
)

// sample is one run through the pipeline and what COPY alone took of its rows.
type sample struct {
	dataplane.Passage
	limit dataplane.Copied
}

func (s sample) ratio() float64 { return float64(s.Took) / float64(s.limit.Took()) }

// pipeline measures worker → HTTP → staging → publish: a first load, the same
// again, and again with one record in a hundred changed.
func (b *bench) pipeline(ctx context.Context) error {
	return b.onPlane(ctx, func(p *dataplane.Plane) error {
		return b.withWorker(ctx, p, func(w *dataplane.Worker) error { return b.measurePipeline(ctx, p, w) })
	})
}

func (b *bench) measurePipeline(ctx context.Context, p *dataplane.Plane, w *dataplane.Worker) error {
	settings, err := p.Settings(ctx)
	if err != nil {
		return err
	}
	b.Explain("\npipeline: PostgreSQL %s", settings)
	changed := b.estate()
	changed.Revision, changed.ChangedPermille = 1, 10
	kinds := []struct {
		name   string
		estate generator.Configuration
		target float64
	}{{"first load", b.estate(), 5}, {"unchanged re-run", b.estate(), 3}, {"re-run, 1 % changed", changed, 3.5}}
	samples := make([][]sample, len(kinds))
	for i := range b.repeat {
		conn, err := p.Connect(ctx, fmt.Sprintf("connection %d", i+1), b.estate())
		if err != nil {
			return err
		}
		for k, kind := range kinds {
			s, err := takeSample(ctx, p, w, conn, kind.estate)
			if err != nil {
				return fmt.Errorf("%s: %w", kind.name, err)
			}
			samples[k] = append(samples[k], s)
			b.explainSample(fmt.Sprintf("%s, %d of %d", kind.name, i+1, b.repeat), s)
		}
	}
	for k, kind := range kinds {
		b.Add(pipelineFigure(kind.name, kind.target, samples[k]))
	}
	return nil
}

func takeSample(ctx context.Context, p *dataplane.Plane, w *dataplane.Worker, conn id.Connection, c generator.Configuration) (s sample, err error) {
	if err := p.Change(ctx, conn, c); err != nil {
		return s, err
	}
	if s.Passage, err = p.Pass(ctx, w, conn); err != nil {
		return s, err
	}
	s.limit, err = p.Limit(ctx, conn)
	return s, err
}

func pipelineFigure(name string, target float64, samples []sample) figure.Figure {
	var took, limit []time.Duration
	var ratio []float64
	for _, s := range samples {
		took, limit, ratio = append(took, s.Took), append(limit, s.limit.Took()), append(ratio, s.ratio())
	}
	f := figure.Figure{
		Name:     fmt.Sprintf("pipeline, %s, %dk entities + %dk relationships", name, samples[0].limit.Entities/1000, samples[0].limit.Relationships/1000),
		Measured: fmt.Sprintf("%.2f s", figure.Median(took).Seconds()),
		Limit:    fmt.Sprintf("COPY alone %.2f s", figure.Median(limit).Seconds()),
		Ratio:    fmt.Sprintf("%.1f×", figure.Median(ratio)),
	}
	if target > 0 {
		f.Target, f.Met = fmt.Sprintf("≤ %g×", target), figure.Median(ratio) <= target
	}
	return f
}

// explainSample says where the time went.
func (b *bench) explainSample(name string, s sample) {
	var copying, publishing time.Duration
	var steps []string
	for _, step := range s.Steps {
		switch {
		case strings.HasPrefix(step.Statement, `copy "staging"`):
			copying += step.Took
		case step.Took > s.Publishing/50:
			publishing += step.Took
			steps = append(steps, fmt.Sprintf("    %6.2f s  %s", step.Took.Seconds(), step.Statement))
		}
	}
	b.Explain("%s: %.2f s, %.1f× COPY's %.2f s", name, s.Took.Seconds(), s.ratio(), s.limit.Took().Seconds())
	b.Explain("  processor time of the worker (read, check, encode) %.2f s, of the service (decode, check, hash, stage) %.2f s, of PostgreSQL %.2f s",
		s.WorkerProcessor.Seconds(), s.ServiceProcessor.Seconds(), s.DatabaseProcessor.Seconds())
	b.Explain("  until claimed %.2f s; reading %.2f s, of which COPY into staging %.2f s", s.Waiting.Seconds(), s.Reading.Seconds(), copying.Seconds())
	b.Explain("  publishing %.2f s, of which\n%s", s.Publishing.Seconds(), strings.Join(steps, "\n"))
}
