package dataplane

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// StartDiscovery starts a discovery and does not wait for it.
func (p *Plane) StartDiscovery(ctx context.Context, conn id.Connection) (id.Run, error) {
	started, err := p.Gate.Start(ctx, p.Caller, run.StartRequest{Operation: operation.DiscoveryRun, Connection: conn, Surface: "bench"})
	if err != nil {
		return 0, err
	}
	if started.Status != run.Accepted {
		return 0, fmt.Errorf("the run was not accepted: %s", started.Message)
	}
	return started.Run.ID, nil
}

// lookEvery is how often it is looked whether a run has been claimed; when it was
// is told by the database.
const lookEvery = 100 * time.Millisecond

// Claimed waits for a run to be claimed for the n-th time and returns when it was.
func (p *Plane) Claimed(ctx context.Context, r id.Run, n int64, atMost time.Duration) (at time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, atMost)
	defer cancel()
	for tick := time.NewTicker(lookEvery); ; {
		err := p.Super.QueryRow(ctx, "select created_at from audit_events where target_id = $1 and action = 'run_started' and (payload->>'epoch')::bigint = $2",
			r.String(), n).Scan(&at)
		if err == nil {
			tick.Stop()
			return at, nil
		}
		if !errors.Is(err, pgx.ErrNoRows) {
			return at, fmt.Errorf("wait for %s to be claimed: %w", r, err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return at, fmt.Errorf("wait for %s to be claimed: %w", r, context.Cause(ctx))
		}
	}
}
