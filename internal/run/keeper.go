package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/fault"
)

// Keeper does what no caller asks for: it ends runs that nobody else will end
// and starts those whose time has come. Any number may work side by side.
type Keeper struct {
	Store SweepStore
	Gate  *Gate
	// Publish has a run that was left unpublished published.
	Publish func(ctx context.Context, r Ref) error
}

// keepMost bounds how much one round looks at.
const keepMost = 200

// Sweep ends overdue runs and takes up those left unpublished.
func (k *Keeper) Sweep(ctx context.Context) error {
	_, publishable, failures := k.Store.Sweep(ctx, keepMost)
	for _, r := range publishable {
		if err := k.Publish(ctx, r); err != nil {
			failures = errors.Join(failures, fmt.Errorf("publish %s: %w", r.Run, err))
		}
	}
	return failures
}

// StartDue starts discovery on every connection whose schedule is due. However
// many due times were missed, one run makes up for them. A connection that
// cannot be started does not keep it from the others.
func (k *Keeper) StartDue(ctx context.Context) (started int, err error) {
	due, err := k.Store.DueConnections(ctx, keepMost)
	if err != nil {
		return 0, err
	}
	var failures error
	for _, d := range due {
		ok, err := k.startOne(ctx, d)
		if err != nil {
			failures = errors.Join(failures, fmt.Errorf("scheduled start of %s: %w", d.Connection, err))
		}
		if ok {
			started++
		}
	}
	return started, failures
}

// startOne starts the run of a connection, unless someone else has.
func (k *Keeper) startOne(ctx context.Context, d DueConnection) (bool, error) {
	conn, err := k.Gate.Connections.Get(ctx, d.Scope, d.Connection)
	if fault.KindOf(err) == fault.NotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_, err = k.Gate.StartScheduled(ctx, d, nextAfter(conn, d))
	if errors.Is(err, ErrNotDue) {
		return false, nil
	}
	return err == nil, err
}

// nextAfter is the first due time from now on; nil when the schedule has none.
func nextAfter(conn connection.Connection, d DueConnection) *time.Time {
	now := time.Now()
	if now.Before(d.Due) {
		// The database's clock, which found it due, is ahead of this one.
		now = d.Due
	}
	next, ok := conn.Schedule.Next(now)
	if !ok {
		return nil
	}
	return &next
}
