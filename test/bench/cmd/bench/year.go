package main

import (
	"context"
	"fmt"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/test/bench/dataplane"
	"github.com/gatehouse-project/gatehouse/test/bench/figure"
	"github.com/gatehouse-project/gatehouse/test/bench/generator"
)

// Figures of a year.
const (
	// yearShare is what part of the usual estate a year is measured with: it is
	// read once for each day.
	yearShare = 10
	// dailyPermille of all records are others than the day before.
	dailyPermille = 10
	// yearGrowth and yearSlower are how much more room and time a year's history
	// may take than its rows in new tables, and the questions of the first day.
	yearGrowth, yearSlower = 1.3, 1.3
)

// year measures what daily discoveries, each of which finds one record in a
// hundred changed, do to the size of the graph and to questions about now.
func (b *bench) year(ctx context.Context) error {
	return b.onPlane(ctx, func(p *dataplane.Plane) error {
		// A day passes in about a second, and in each the server looks once which
		// tables have to be vacuumed; what it then does is up to its settings.
		if err := p.LookForVacuum(ctx, time.Second); err != nil {
			return err
		}
		estate := b.estate()
		estate.Entities, estate.Relationships, estate.ChangedPermille = estate.Entities/yearShare, estate.Relationships/yearShare, dailyPermille
		conn, err := p.Connect(ctx, "year", estate)
		if err != nil {
			return err
		}
		return b.withWorker(ctx, p, func(*dataplane.Worker) error { return b.passYear(ctx, p, conn, estate) })
	})
}

func (b *bench) passYear(ctx context.Context, p *dataplane.Plane, conn id.Connection, estate generator.Configuration) error {
	if _, err := p.Discover(ctx, conn); err != nil {
		return err
	}
	first, err := p.Size(ctx, conn)
	if err != nil {
		return err
	}
	firstAsked, err := b.askTypical(ctx, p, conn, estate)
	if err != nil {
		return err
	}
	for day := range b.days {
		estate.Revision = day + 1
		if err := p.Change(ctx, conn, estate); err != nil {
			return err
		}
		if _, err := p.Discover(ctx, conn); err != nil {
			return fmt.Errorf("day %d: %w", day+1, err)
		}
	}
	last, err := p.Size(ctx, conn)
	if err != nil {
		return err
	}
	lastAsked, err := b.askTypical(ctx, p, conn, estate)
	if err != nil {
		return err
	}
	packed, err := p.Packed(ctx, conn)
	if err != nil {
		return err
	}
	b.Explain("\n%d days: %d rows in %.0f MB became %d in %.0f MB (indexes %.0f MB); in new tables they take %.0f MB", b.days,
		first.Rows, megabytes(first.Bytes), last.Rows, megabytes(last.Bytes), megabytes(last.IndexBytes), megabytes(packed.Bytes))
	growth := float64(last.Bytes) / float64(packed.Bytes)
	b.Add(figure.Figure{
		Name:     fmt.Sprintf("graph after %d days, 1 %% changed a day", b.days),
		Measured: fmt.Sprintf("%.0f MB, %.1f times the rows of the first day", megabytes(last.Bytes), float64(last.Rows)/float64(first.Rows)),
		Limit:    fmt.Sprintf("the same rows in new tables %.0f MB", megabytes(packed.Bytes)), Ratio: fmt.Sprintf("%.2f×", growth),
		Target: fmt.Sprintf("≤ %g×", yearGrowth), Met: growth <= yearGrowth,
	})
	for i, name := range []string{"who-can", "what-can"} {
		slower := float64(lastAsked[i]) / float64(firstAsked[i])
		b.Add(figure.Figure{
			Name:     fmt.Sprintf("first page of %s after %d days, median", name, b.days),
			Measured: fmt.Sprintf("%.2f ms", milliseconds(lastAsked[i])), Limit: fmt.Sprintf("on the first day %.2f ms", milliseconds(firstAsked[i])),
			Ratio: fmt.Sprintf("%.2f×", slower), Target: fmt.Sprintf("≤ %g×", yearSlower), Met: slower <= yearSlower,
		})
	}
	return nil
}

// askTypical returns the median time of who-can and of what-can, of ordinary ends.
func (b *bench) askTypical(ctx context.Context, p *dataplane.Plane, conn id.Connection, estate generator.Configuration) (medians [2]time.Duration, err error) {
	// As the server does by itself within minutes.
	if _, err := p.Super.Exec(ctx, "vacuum (analyze) entities, relationships"); err != nil {
		return medians, fmt.Errorf("vacuum: %w", err)
	}
	var took [2][]time.Duration
	for i := range questionsFirst + questionsAsked {
		n := 1 + i*7919%(estate.Entities/4)
		for kind, ask := range []func() (graph.AccessAnswer, error){
			func() (graph.AccessAnswer, error) {
				return p.WhoCan(pageRows)(ctx, graph.NewEntityID(p.Caller.Scope.Workspace, conn, generator.ResourceRef(n)))
			},
			func() (graph.AccessAnswer, error) {
				return p.WhatCan(pageRows)(ctx, graph.NewEntityID(p.Caller.Scope.Workspace, conn, generator.AccountRef(n)))
			},
		} {
			begun := time.Now()
			if _, err := ask(); err != nil {
				return medians, err
			}
			if i >= questionsFirst {
				took[kind] = append(took[kind], time.Since(begun))
			}
		}
	}
	return [2]time.Duration{figure.Median(took[0]), figure.Median(took[1])}, nil
}

func megabytes(n int64) float64 { return float64(n) / 1e6 }
