package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/budget"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// Budgets keeps the throttle budgets. What is in them is of no workspace and
// reached through functions alone.
type Budgets struct {
	db *DB
}

var _ budget.Store = (*Budgets)(nil)

// NewBudgets returns the store on a pool.
func NewBudgets(db *DB) *Budgets { return &Budgets{db: db} }

// takeSQL looks across workspaces, through a function that shows nothing else.
const takeSQL = `select granted, chunk, wait_seconds, paused from take_throttle_budget(
	$1, $2, $3, $4::uuid, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`

// Take is one statement and a transaction by itself.
func (s *Budgets) Take(ctx context.Context, f run.Fence, k budget.Key, declared connector.ThrottleLimit, a budget.Ask) (g budget.Grant, err error) {
	conn, err := s.db.borrow(ctx)
	if err != nil {
		return budget.Grant{}, err
	}
	defer conn.Release()
	id := k.ID()
	var wait float64
	err = conn.QueryRow(ctx, takeSQL, int64(f.Workspace), int64(f.Run), f.Epoch, f.Lease, f.TokenHash[:],
		string(k.Integration), k.Scope, id[:], k.Parts, declared.Rate(), declared.Burst, declared.Concurrent,
		a.Want, a.Least, a.Chunk, a.Unused, a.Leaves, a.Throttled, a.RetryAfter.Seconds()).Scan(&g.Tokens, &g.Chunk, &wait, &g.Paused)
	if errors.Is(err, pgx.ErrNoRows) {
		return budget.Grant{}, notHeld(f)
	}
	if err != nil {
		return budget.Grant{}, translate(fmt.Errorf("take from a throttle budget: %w", err))
	}
	g.Wait = time.Duration(wait * float64(time.Second))
	return g, nil
}

// Forget deletes budgets that nobody has asked for long enough, and that no run
// which is kept has a part in.
func (s *Budgets) Forget(ctx context.Context) error {
	return forgetAll(func() (int64, error) {
		return s.db.plain().ForgetThrottleBudgets(ctx, dbsqlc.ForgetThrottleBudgetsParams{Kept: budget.KeptFor, Most: forgetMost})
	})
}
