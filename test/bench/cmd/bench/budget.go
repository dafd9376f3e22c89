package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/budget"
	domain "github.com/gatehouse-project/gatehouse/internal/run"
	"github.com/gatehouse-project/gatehouse/test/bench/dataplane"
	"github.com/gatehouse-project/gatehouse/test/bench/figure"
	"github.com/gatehouse-project/gatehouse/test/bench/generator"
)

// Figures of throttle budgets.
const (
	budgetTakers = 32
	budgetFor    = 3 * time.Second
	budgetChunk  = 64
)

// budget measures questions for tokens of one hot bucket by 32 workers, beside a
// bare update of one row, and what a call costs with chunks and without.
func (b *bench) budget(ctx context.Context) error {
	return b.onPlane(ctx, func(p *dataplane.Plane) error {
		if err := p.FillConnections(ctx, generator.IntegrationID, budgetTakers); err != nil {
			return err
		}
		fences, err := heldRuns(ctx, p)
		if err != nil {
			return err
		}
		hot := budget.Key{Integration: generator.IntegrationID, Scope: "hot", Parts: []string{"one"}}
		limit := connector.ThrottleLimit{Calls: connector.MaxThrottleCalls, PerSeconds: 1, Burst: connector.MaxThrottleBurst}
		take := func(want int) func(context.Context, int) error {
			return func(ctx context.Context, i int) error {
				g, err := p.Budgets.Store.Take(ctx, fences[i], hot, limit, budget.Ask{Want: want})
				if err == nil && g.Tokens != want {
					err = fmt.Errorf("%d tokens were given and not %d", g.Tokens, want)
				}
				return err
			}
		}
		if _, err := p.Super.Exec(ctx, "create table bench_hot (id integer primary key, n bigint not null); insert into bench_hot values (1, 0)"); err != nil {
			return fmt.Errorf("make a row to update: %w", err)
		}
		bare, err := perSecond(ctx, func(ctx context.Context, _ int) error {
			var n int64
			return p.Super.QueryRow(ctx, "with off as (select set_config('synchronous_commit', 'off', true)) update bench_hot set n = n + 1 from off where id = 1 returning n").Scan(&n)
		})
		if err != nil {
			return err
		}
		single, err := perSecond(ctx, take(1))
		if err != nil {
			return err
		}
		chunks, err := perSecond(ctx, take(budgetChunk))
		if err != nil {
			return err
		}
		b.Add(figure.Figure{
			Name: fmt.Sprintf("questions for tokens of one budget, %d workers", budgetTakers), Measured: fmt.Sprintf("%.0f/s", single),
			Limit: fmt.Sprintf("bare update … returning of one row %.0f/s", bare), Ratio: fmt.Sprintf("%.2f×", single/bare),
		})
		b.Add(figure.Figure{
			Name: fmt.Sprintf("calls given leave in chunks of %d", budgetChunk), Measured: fmt.Sprintf("%.0f calls/s", chunks*budgetChunk),
			Limit: fmt.Sprintf("a question for each call %.0f/s", single), Ratio: fmt.Sprintf("%.1f×", chunks*budgetChunk/single),
		})
		return nil
	})
}

// heldRuns makes a running run for each taker.
func heldRuns(ctx context.Context, p *dataplane.Plane) (fences []domain.Fence, err error) {
	for i := range budgetTakers {
		f := domain.Fence{Workspace: p.Caller.Scope.Workspace, Epoch: 1, TokenHash: sha256.Sum256(fmt.Appendf(nil, "taker %d", i))}
		copy(f.Lease[:], f.TokenHash[:])
		err := p.Super.QueryRow(ctx, `insert into runs (workspace_id, operation_type, integration_id, connection_id, queue, status, initiator, attempt, epoch,
				lease_id, lease_until, token_hash, worker, started_at)
			select $1, 'discovery.run', integration_id, connection_id, 'discovery', 'running', 'system', 1, 1, $2::uuid, now() + interval '1 day', $3, 'bench', now()
			from connections where workspace_id = $1 order by connection_id offset $4 limit 1 returning run_id`,
			int64(f.Workspace), f.Lease, f.TokenHash[:], i).Scan(&f.Run)
		if err != nil {
			return nil, fmt.Errorf("make a run that is held: %w", err)
		}
		fences = append(fences, f)
	}
	return fences, nil
}

// perSecond does something by all takers at once for a while, and returns how often
// a second.
func perSecond(ctx context.Context, do func(ctx context.Context, taker int) error) (rate float64, err error) {
	var done atomic.Int64
	var failed atomic.Pointer[error]
	begun := time.Now()
	var all sync.WaitGroup
	for i := range budgetTakers {
		all.Go(func() {
			for time.Since(begun) < budgetFor {
				if err := do(ctx, i); err != nil {
					failed.Store(&err)
					return
				}
				done.Add(1)
			}
		})
	}
	all.Wait()
	if e := failed.Load(); e != nil {
		return 0, *e
	}
	return float64(done.Load()) / time.Since(begun).Seconds(), nil
}
