package run

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/operation"
)

const (
	// dueMost is how many due connections are looked for at a time.
	dueMost = 200
	// startsAtOnce is how many of them are started side by side. Each waits for
	// the database for most of its time; more would only keep requests waiting.
	startsAtOnce = 4
)

// StartDue starts discovery on every connection whose schedule is due, until none
// is. However many due times were missed, one run makes up for them. A connection
// that cannot be started does not keep it from the others.
func (k *Keeper) StartDue(ctx context.Context) (started int, err error) {
	var (
		failures error
		after    DueConnection
	)
	for {
		due, err := k.Store.DueConnections(ctx, after, dueMost)
		if err != nil {
			return started, errors.Join(failures, err)
		}
		now, err := k.startAll(ctx, due)
		started += now
		failures = errors.Join(failures, err)
		if len(due) < dueMost || ctx.Err() != nil {
			return started, failures
		}
		after = due[len(due)-1]
	}
}

// startAll starts some side by side.
func (k *Keeper) startAll(ctx context.Context, due []DueConnection) (started int, failures error) {
	var (
		wait  sync.WaitGroup
		mu    sync.Mutex
		queue = make(chan DueConnection)
	)
	for range min(startsAtOnce, len(due)) {
		wait.Go(func() {
			for d := range queue {
				ok, err := k.startOne(ctx, d)
				mu.Lock()
				if err != nil {
					failures = errors.Join(failures, fmt.Errorf("scheduled start of %s: %w", d.Connection, err))
				}
				if ok {
					started++
				}
				mu.Unlock()
			}
		})
	}
	for _, d := range due {
		queue <- d
	}
	close(queue)
	wait.Wait()
	return started, failures
}

// startOne starts the run of a connection, unless someone else has.
func (k *Keeper) startOne(ctx context.Context, d DueConnection) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	conn, err := k.Gate.Connections.Get(ctx, d.Scope, d.Connection)
	if fault.KindOf(err) == fault.NotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if conn.NextRunAt == nil || !conn.NextRunAt.Equal(d.Due) || conn.SchedulePause != nil {
		return false, nil
	}
	var next *time.Time
	if start, ok := conn.Schedule.NextStart(d.Connection, d.Seen); ok {
		next = &start
	}
	_, err = k.Gate.StartScheduled(ctx, d, next)
	if errors.Is(err, ErrNotDue) {
		return false, nil
	}
	return err == nil, err
}

// StartScheduled asks the gate on behalf of a connection's schedule and moves the
// due time on. [ErrNotDue] means that someone else has.
func (g *Gate) StartScheduled(ctx context.Context, d DueConnection, next *time.Time) (StartResult, error) {
	op, err := operation.Get(operation.DiscoveryRun)
	if err != nil {
		return StartResult{}, err
	}
	by := starter{scope: d.Scope, initiator: BySchedule, actor: audit.System("schedule"), moves: &DueMove{Due: d.Due, Next: next}}
	return g.start(ctx, by, op, StartRequest{Operation: op.Type, Connection: d.Connection, Surface: "schedule"})
}
