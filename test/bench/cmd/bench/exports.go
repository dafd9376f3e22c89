package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/export"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/test/bench/dataplane"
	"github.com/gatehouse-project/gatehouse/test/bench/figure"
	"github.com/gatehouse-project/gatehouse/test/bench/generator"
)

// Figures of exports.
const (
	// exportGrows is how many times the memory of an export may be that of one of a
	// quarter of the size.
	exportGrows = 1.5
	// smallExport divides the estate for the export that others are compared with.
	smallExport = 4
	// grantedMany is how many resources one entitlement grants.
	grantedMany = 1_000_000
)

// exports measures how fast files of the graph are made, compressed, hashed and
// stored, beside PostgreSQL's COPY of the same rows; how much memory that takes; and
// the question and export about an account that reaches a million resources.
func (b *bench) exports(ctx context.Context) error {
	return b.onPlane(ctx, func(p *dataplane.Plane) error {
		x, err := p.NewExports()
		if err != nil {
			return err
		}
		small := b.estate()
		small.Entities, small.Relationships = max(1000, small.Entities/smallExport), max(3000, small.Relationships/smallExport)
		connections := map[string]id.Connection{}
		err = b.withWorker(ctx, p, func(*dataplane.Worker) error {
			for name, estate := range map[string]generator.Configuration{"exports, small": small, "exports": b.estate()} {
				conn, err := p.Connect(ctx, name, estate)
				if err != nil {
					return err
				}
				if _, err := p.Discover(ctx, conn); err != nil {
					return err
				}
				connections[name] = conn
			}
			return nil
		})
		if err != nil {
			return err
		}
		// As the server does by itself within minutes.
		if _, err := p.Super.Exec(ctx, "vacuum analyze entities, relationships"); err != nil {
			return fmt.Errorf("vacuum: %w", err)
		}
		if err := b.exportSpeed(ctx, p, x, connections["exports"]); err != nil {
			return err
		}
		if err := b.exportMemory(ctx, x, connections["exports, small"], connections["exports"]); err != nil {
			return err
		}
		return b.exportMany(ctx, p, x, connections["exports"])
	})
}

// exportSpeed makes each table in each format and copies the same rows out.
func (b *bench) exportSpeed(ctx context.Context, p *dataplane.Plane, x *dataplane.Exports, conn id.Connection) error {
	for _, subject := range []export.Subject{export.Entities, export.Relationships} {
		copied := map[string]time.Duration{}
		var rows int64
		for _, format := range []string{"text", "binary"} {
			var took []time.Duration
			for range b.repeat {
				n, once, err := p.CopyOut(ctx, conn, string(subject), format)
				if err != nil {
					return err
				}
				rows, took = n, append(took, once)
			}
			copied[format] = figure.Median(took)
		}
		for _, format := range []export.Format{export.CSV, export.JSONLines, export.Parquet} {
			var took []time.Duration
			var made dataplane.Exported
			var err error
			for range b.repeat {
				if made, err = x.Make(ctx, export.Query{Subject: subject, Format: format, Connection: conn}); err != nil {
					return err
				}
				if made.Rows != rows {
					return fmt.Errorf("%d rows were exported and %d copied", made.Rows, rows)
				}
				took = append(took, made.Took)
			}
			ours := figure.Median(took)
			b.Add(figure.Figure{
				Name:     fmt.Sprintf("export of %dk %s as %s", rows/1000, subject, format),
				Measured: fmt.Sprintf("%.0f rows/s, %.0f MiB", float64(rows)/ours.Seconds(), float64(made.Bytes)/(1<<20)),
				Limit: fmt.Sprintf("COPY as text %.0f, binary %.0f rows/s",
					float64(rows)/copied["text"].Seconds(), float64(rows)/copied["binary"].Seconds()),
				Ratio: fmt.Sprintf("%.1f× / %.1f× its time", ours.Seconds()/copied["text"].Seconds(), ours.Seconds()/copied["binary"].Seconds()),
			})
		}
	}
	return nil
}

// exportMemory compares what is alive while the whole estate is exported with what
// is while a small one is.
func (b *bench) exportMemory(ctx context.Context, x *dataplane.Exports, small, large id.Connection) error {
	for _, format := range []export.Format{export.CSV, export.JSONLines, export.Parquet, export.OpenGraph} {
		var most [2]int64
		for i, conn := range []id.Connection{small, large} {
			q := export.Query{Subject: export.Relationships, Format: format, Connection: conn}
			if format == export.OpenGraph {
				q.Subject = export.Graph
			}
			var err error
			if most[i], err = x.Memory(ctx, q); err != nil {
				return err
			}
		}
		const mebibyte = 1 << 20
		// Below some chunks it is chance what is alive at a look.
		least := max(float64(most[0]), 16*mebibyte)
		b.Add(figure.Figure{
			Name:     fmt.Sprintf("memory of an export of %s", format),
			Measured: fmt.Sprintf("%.1f MiB", float64(most[1])/mebibyte),
			Limit:    fmt.Sprintf("of a quarter of it %.1f MiB", float64(most[0])/mebibyte),
			Ratio:    fmt.Sprintf("%.1f×", float64(most[1])/least),
			Target:   fmt.Sprintf("within %.1f×, or 24 MiB", exportGrows), Met: float64(most[1]) <= exportGrows*least,
		})
	}
	return nil
}

// exportMany asks about an account that reaches a million resources by one
// entitlement, and exports the answer.
func (b *bench) exportMany(ctx context.Context, p *dataplane.Plane, x *dataplane.Exports, conn id.Connection) error {
	// The second account has no policy of its own that reaches much.
	account := graph.NewEntityID(p.Caller.Scope.Workspace, conn, generator.AccountRef(1))
	if err := p.FillGrants(ctx, conn, account, grantedMany); err != nil {
		return err
	}
	var took []time.Duration
	for i := range questionsFirst + questionsAsked {
		begun := time.Now()
		answer, err := p.WhatCanAt(pageRows, graph.Moment{})(ctx, account)
		if err != nil {
			return err
		}
		if len(answer.Rows) != pageRows || answer.Truncated {
			return errors.New("the first page is not whole")
		}
		if i >= questionsFirst {
			took = append(took, time.Since(begun))
		}
	}
	p99 := figure.Percentile(took, 0.99)
	b.Add(figure.Figure{
		Name: "first page of what-can, an entitlement grants a million", Measured: spoken(took),
		Target: "p99 < 10 ms", Met: p99 < questionTarget,
	})
	made, err := x.Make(ctx, export.Query{Subject: export.WhatCan, Format: export.CSV, Principal: account})
	if err != nil {
		return err
	}
	b.Add(figure.Figure{
		Name:     "export of that answer",
		Measured: fmt.Sprintf("%.0f rows/s, %dk rows", float64(made.Rows)/made.Took.Seconds(), made.Rows/1000),
		Target:   "a million rows", Met: made.Rows >= grantedMany,
	})
	return nil
}
