package main

import (
	"context"
	"fmt"
	"time"

	"github.com/gatehouse-project/gatehouse/test/bench/dataplane"
	"github.com/gatehouse-project/gatehouse/test/bench/figure"
	"github.com/gatehouse-project/gatehouse/test/bench/generator"
)

// Figures of schedules.
const (
	dueAtOnce      = 1_000
	schedulesRuns  = 3
	scheduleTarget = 10 * time.Second
	scheduleGiveUp = 2 * time.Minute
	scheduleLook   = 20 * time.Millisecond
)

// schedules measures how long after their due time a thousand connections, all due
// at the same moment, have their runs, beside as many transactions of one insert
// on one database connection.
func (b *bench) schedules(ctx context.Context) error {
	return b.onPlane(ctx, func(p *dataplane.Plane) error {
		if err := p.FillConnections(ctx, generator.IntegrationID, dueAtOnce); err != nil {
			return err
		}
		var took, limits []time.Duration
		for range schedulesRuns {
			late, err := allScheduled(ctx, p)
			if err != nil {
				return err
			}
			limit, err := bareInserts(ctx, p, dueAtOnce)
			if err != nil {
				return err
			}
			took, limits = append(took, late), append(limits, limit)
		}
		median, limit := figure.Median(took), figure.Median(limits)
		b.Add(figure.Figure{
			Name:     fmt.Sprintf("%d connections due at once: until the last one's run is admitted", dueAtOnce),
			Measured: fmt.Sprintf("%.1f s", median.Seconds()),
			Limit:    fmt.Sprintf("as many bare inserts %.1f s", limit.Seconds()),
			Ratio:    fmt.Sprintf("%.1f×", median.Seconds()/limit.Seconds()),
			Target:   "10 s", Met: median < scheduleTarget,
		})
		return nil
	})
}

// allScheduled makes every connection due and returns how long the last one waited
// for its run.
func allScheduled(ctx context.Context, p *dataplane.Plane) (late time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, scheduleGiveUp)
	defer cancel()
	_, err = p.Super.Exec(ctx, `update runs set status = 'completed', outcome = 'cancelled', completed_at = now() where status <> 'completed'`)
	if err != nil {
		return 0, fmt.Errorf("end the runs of before: %w", err)
	}
	var before int
	if err := p.Super.QueryRow(ctx, "select count(*) from runs").Scan(&before); err != nil {
		return 0, err
	}
	var due time.Time
	err = p.Super.QueryRow(ctx, `
		with due as (select clock_timestamp() + interval '1 second' as at),
		made as (update connections set next_run_at = due.at from due returning 1)
		select due.at from due, (select count(*) from made) made`).Scan(&due)
	if err != nil {
		return 0, fmt.Errorf("make connections due: %w", err)
	}
	look := time.NewTicker(scheduleLook)
	defer look.Stop()
	for {
		var admitted int
		err := p.Super.QueryRow(ctx, "select count(*), clock_timestamp() - $1 from runs where initiator = 'schedule'", due).Scan(&admitted, &late)
		if err != nil {
			return 0, fmt.Errorf("count the runs: %w", err)
		}
		if admitted-before == dueAtOnce {
			return late, nil
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("%d of %d runs were admitted: %w", admitted-before, dueAtOnce, ctx.Err())
		case <-look.C:
		}
	}
}

// bareInserts commits so many rows one by one.
func bareInserts(ctx context.Context, p *dataplane.Plane, n int) (time.Duration, error) {
	conn, err := p.Super.Acquire(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, "create table if not exists bare_inserts (id bigint generated always as identity primary key, note text)"); err != nil {
		return 0, fmt.Errorf("make the table to compare with: %w", err)
	}
	begun := time.Now()
	for range n {
		if _, err := conn.Exec(ctx, "insert into bare_inserts (note) values ('accepted')"); err != nil {
			return 0, err
		}
	}
	return time.Since(begun), nil
}
