package postgres_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/budget"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
)

// budgets are the throttle budgets of a data plane, and those who take from them.
type budgets struct {
	*discovery
	store *postgres.Budgets
}

func newBudgets(tb testing.TB) *budgets {
	tb.Helper()
	d := newDiscovery(tb)
	return &budgets{discovery: d, store: postgres.NewBudgets(d.db)}
}

// iam is the budget of one account's IAM.
func iam(account string) budget.Key {
	return budget.Key{Integration: "aws", Scope: "iam", Parts: []string{account}}
}

// perSecond is a limit.
func perSecond(calls, burst int) connector.ThrottleLimit {
	return connector.ThrottleLimit{Calls: calls, PerSeconds: 1, Burst: burst}
}

// taker is a run's holder that takes from one budget.
type taker struct {
	*hold
	b     *budgets
	key   budget.Key
	limit connector.ThrottleLimit
	last  budget.Grant
}

// taker starts a run of a connection of its own, in a workspace of its own.
func (b *budgets) taker(tb testing.TB, k budget.Key, l connector.ThrottleLimit) *taker {
	tb.Helper()
	scope := b.newScope(tb)
	return &taker{hold: b.begin(tb, scope, b.connect(tb, scope)), b: b, key: k, limit: l}
}

func (t *taker) ask(tb require.TestingT, a budget.Ask) budget.Grant {
	a.Integration, a.Scope, a.Key = t.key.Integration, t.key.Scope, t.key.Parts
	g, err := t.b.store.Take(context.Background(), t.fence, t.key, t.limit, a)
	require.NoError(tb, err)
	if g.Tokens > 0 {
		t.last = g
	}
	return g
}

// take asks for up to n tokens.
func (t *taker) take(tb require.TestingT, n int) int { return t.ask(tb, budget.Ask{Want: n}).Tokens }

// giveBack returns n of the last chunk.
func (t *taker) giveBack(tb require.TestingT, n int) {
	t.ask(tb, budget.Ask{Chunk: t.last.Chunk, Unused: n})
}

// refuse tells of a call that the provider refused.
func (t *taker) refuse(tb require.TestingT, wait time.Duration) {
	t.ask(tb, budget.Ask{Throttled: true, RetryAfter: wait})
}

// pass lets time go by for a budget: everything that is stored of it gets older.
func (b *budgets) pass(tb testing.TB, k budget.Key, d time.Duration) {
	tb.Helper()
	id := k.ID()
	b.exec(tb, `with aged as (
			update throttle_budgets set refilled_at = refilled_at - $1::interval, throttled_at = throttled_at - $1::interval,
				paused_until = paused_until - $1::interval where budget_id = $2)
		update throttle_holders set waiting_until = waiting_until - $1::interval, slot_until = slot_until - $1::interval where budget_id = $2`, d, id[:])
}

// standStill undoes the time that has really passed since the budget was last asked.
func (b *budgets) standStill(tb testing.TB, k budget.Key) {
	tb.Helper()
	id := k.ID()
	b.exec(tb, `with aged as (
			update throttle_budgets set refilled_at = clock_timestamp(), throttled_at = throttled_at + (clock_timestamp() - refilled_at),
				paused_until = paused_until + (clock_timestamp() - refilled_at) where budget_id = $1)
		update throttle_holders h set waiting_until = waiting_until + (clock_timestamp() - b.refilled_at), slot_until = slot_until + (clock_timestamp() - b.refilled_at)
		from throttle_budgets b where b.budget_id = $1 and h.budget_id = $1`, id[:])
}

// now is the database's clock.
func (b *budgets) now(tb testing.TB) (t time.Time) {
	tb.Helper()
	require.NoError(tb, b.super.QueryRow(tb.Context(), "select clock_timestamp()").Scan(&t))
	return t
}

func requireStale(tb testing.TB, err error) {
	tb.Helper()
	require.Equal(tb, fault.Stale, fault.KindOf(err), fmt.Sprint(err))
}

func askFor(n int) budget.Ask { return budget.Ask{Want: n} }
