package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/budget"
)

// slow refills one token an hour: what a test takes is what was there.
func slow(burst int) connector.ThrottleLimit {
	return connector.ThrottleLimit{Calls: 1, PerSeconds: 3600, Burst: burst}
}

// Two workspaces that connect the same account share its budget; another account's
// is another.
func TestBudgetIsSharedByWhatTheProviderCounts(t *testing.T) {
	t.Parallel()
	b := newBudgets(t)
	one, two := b.taker(t, iam("1"), slow(10)), b.taker(t, iam("1"), slow(10))
	require.Equal(t, 7, one.take(t, 7))
	require.Equal(t, 3, two.take(t, 7))
	require.Zero(t, one.take(t, 1))

	other := b.taker(t, iam("2"), slow(10))
	require.Equal(t, 10, other.take(t, 100))
}

// An answer without tokens says when there will be some.
func TestBudgetSaysWhenToAskAgain(t *testing.T) {
	t.Parallel()
	b := newBudgets(t)
	a := b.taker(t, iam("1"), connector.ThrottleLimit{Calls: 6, PerSeconds: 60, Burst: 4})
	require.Equal(t, 4, a.take(t, 10))
	g := a.ask(t, budget.Ask{Want: 1})
	require.Zero(t, g.Tokens)
	require.False(t, g.Paused)
	require.Greater(t, g.Wait, 5*time.Second)
	require.LessOrEqual(t, g.Wait, 10*time.Second)
	b.pass(t, iam("1"), g.Wait)
	require.Equal(t, 1, a.take(t, 1))
}

// A call that counts for several is given what it counts for, or nothing.
func TestBudgetGivesNothingThatIsOfNoUse(t *testing.T) {
	t.Parallel()
	b := newBudgets(t)
	a := b.taker(t, iam("1"), slow(10))
	require.Equal(t, 8, a.take(t, 8))
	require.Zero(t, a.ask(t, budget.Ask{Want: 5, Least: 5}).Tokens)
	require.Equal(t, 2, a.ask(t, budget.Ask{Want: 5, Least: 2}).Tokens)
}

// What was not used comes back once, from the last chunk only, and never more than
// was given.
func TestBudgetTakesBackOnce(t *testing.T) {
	t.Parallel()
	b := newBudgets(t)
	a := b.taker(t, iam("1"), slow(10))
	require.Equal(t, 6, a.take(t, 6))
	first := a.last.Chunk
	require.Equal(t, 4, a.take(t, 4))
	a.ask(t, budget.Ask{Chunk: first, Unused: 6})
	require.Zero(t, a.take(t, 1), "an earlier chunk is settled")
	a.giveBack(t, 100)
	require.Equal(t, 4, a.take(t, 10))
	a.giveBack(t, 3)
	a.giveBack(t, 3)
	require.Equal(t, 3, a.take(t, 10))
}

// Who does not hold the run gets nothing and changes nothing.
func TestBudgetIsForWhoHoldsTheRun(t *testing.T) {
	t.Parallel()
	b := newBudgets(t)
	a := b.taker(t, iam("1"), slow(10))
	ask := func(edit func(*taker), k budget.Key) error {
		changed := *a
		held := *a.hold
		changed.hold = &held
		edit(&changed)
		_, err := b.store.Take(t.Context(), changed.fence, k, a.limit, budget.Ask{Want: 10, Throttled: true})
		return err
	}
	requireStale(t, ask(func(a *taker) { a.fence.Epoch++ }, a.key))
	requireStale(t, ask(func(a *taker) { a.fence.Lease[0]++ }, a.key))
	requireStale(t, ask(func(a *taker) { a.fence.TokenHash[0]++ }, a.key))
	requireStale(t, ask(func(a *taker) { a.fence.Workspace++ }, a.key))
	requireStale(t, ask(func(*taker) {}, budget.Key{Integration: "azure", Scope: "graph", Parts: []string{"1"}}))
	require.Zero(t, b.number(t, "select count(*) from throttle_budgets"))

	require.NoError(t, b.runs.HandBack(t.Context(), a.fence))
	requireStale(t, ask(func(*taker) {}, a.key))
}

// After a Retry-After nothing is given to anybody until it has passed, and then the
// bucket starts empty and at half the pace; a minute later the pace is whole.
func TestBudgetIsPausedForEverybody(t *testing.T) {
	t.Parallel()
	b := newBudgets(t)
	limit := perSecond(10, 100)
	one, two := b.taker(t, iam("1"), limit), b.taker(t, iam("1"), limit)
	require.Equal(t, 50, one.take(t, 50))
	one.refuse(t, time.Hour)
	two.refuse(t, time.Minute)
	b.pass(t, iam("1"), 59*time.Minute)
	g := two.ask(t, budget.Ask{Want: 1})
	require.Zero(t, g.Tokens, "a shorter wish does not end a longer one")
	require.True(t, g.Paused)
	require.Greater(t, g.Wait, 50*time.Second)
	require.LessOrEqual(t, g.Wait, time.Minute)
	b.pass(t, iam("1"), g.Wait)
	b.pass(t, iam("1"), time.Second)
	got := two.take(t, 100)
	require.GreaterOrEqual(t, got, 5)
	require.Less(t, got, 10, "half the pace, from nothing")
	b.pass(t, iam("1"), 2*time.Minute)
	require.Equal(t, 100, two.take(t, 100))
	b.pass(t, iam("1"), time.Second)
	require.GreaterOrEqual(t, two.take(t, 100), 10)
}

// Several workers that meet one limit within a moment slow down once; limits that
// are met again and again slow down further, and never to nothing.
func TestBudgetSlowsDownByWhatIsRefused(t *testing.T) {
	t.Parallel()
	b := newBudgets(t)
	limit := perSecond(1000, 1000)
	one, two := b.taker(t, iam("1"), limit), b.taker(t, iam("1"), limit)
	pace := func() (p float64) {
		require.NoError(t, b.super.QueryRow(t.Context(), "select pace from throttle_budgets").Scan(&p))
		return p
	}
	one.refuse(t, 0)
	two.refuse(t, 0)
	require.InDelta(t, 0.5, pace(), 0.05)
	for range 20 {
		b.pass(t, iam("1"), 2*time.Second)
		one.refuse(t, 0)
	}
	require.InDelta(t, 1.0/256, pace(), 0.001)
	b.pass(t, iam("1"), 10*time.Second)
	require.Positive(t, one.take(t, 1000))
}

// A worker that dies takes no more with it than its chunk, and nobody waits for it.
func TestBudgetOutlivesItsHolders(t *testing.T) {
	t.Parallel()
	b := newBudgets(t)
	limit := perSecond(10, 10)
	dead, alive := b.taker(t, iam("1"), limit), b.taker(t, iam("1"), limit)
	require.Equal(t, 10, dead.take(t, 10))
	require.Zero(t, dead.take(t, 10), "and then it waits, and dies")
	b.exec(t, "update runs set lease_until = clock_timestamp() - interval '1 hour' where run_id = $1", dead.Run.ID)
	b.pass(t, iam("1"), time.Minute)
	require.Equal(t, 10, alive.take(t, 10))
	b.pass(t, iam("1"), time.Second)
	require.Equal(t, 10, alive.take(t, 10))
}

// Where the provider limits how many calls may be under way, that many have leave,
// and those who wait for it come in turn.
func TestBudgetLimitsCallsUnderWay(t *testing.T) {
	t.Parallel()
	b := newBudgets(t)
	limit := connector.ThrottleLimit{Calls: 1000, PerSeconds: 1, Burst: 1000, Concurrent: 2}
	var takers []*taker
	for range 3 {
		takers = append(takers, b.taker(t, iam("1"), limit))
	}
	require.Equal(t, 1, takers[0].take(t, 1))
	require.Equal(t, 1, takers[1].take(t, 1))
	g := takers[2].ask(t, budget.Ask{Want: 1})
	require.Zero(t, g.Tokens)
	require.Positive(t, g.Wait)
	// The one that has had more gives way to the one that waits.
	require.Zero(t, takers[0].take(t, 1))
	require.Equal(t, 1, takers[2].take(t, 1))
	// Who leaves makes room, and so does who is not heard of.
	takers[1].ask(t, budget.Ask{Leaves: true})
	require.Equal(t, 1, takers[0].take(t, 1))
	require.Zero(t, takers[1].take(t, 1))
	b.pass(t, iam("1"), time.Minute)
	require.Equal(t, 1, takers[1].take(t, 1))
}

// No service reads or changes a budget but through the functions, and a workspace
// sees its own part alone.
func TestBudgetsShowAWorkspaceItsOwnPart(t *testing.T) {
	t.Parallel()
	b := newBudgets(t)
	one, two := b.taker(t, iam("1"), slow(10)), b.taker(t, iam("1"), slow(10))
	third := b.taker(t, iam("2"), slow(10))
	for _, a := range []*taker{one, two, third} {
		require.Equal(t, 2, a.take(t, 2))
	}
	for _, sql := range []string{"select * from throttle_budgets", "update throttle_budgets set tokens = 100", "update throttle_holders set served = 0"} {
		_, err := b.db.Pool().Exec(t.Context(), sql)
		require.ErrorContains(t, err, "permission denied", sql)
	}
	ids := [][]byte{}
	for _, k := range []budget.Key{iam("1"), iam("2")} {
		id := k.ID()
		ids = append(ids, id[:])
	}
	seen := func(a *taker) (holders, levels int) {
		require.NoError(t, b.inWorkspace(t.Context(), a, "select count(*) from throttle_holders", &holders))
		require.NoError(t, b.inWorkspace(t.Context(), a, "select count(*) from throttle_levels($1)", &levels, ids))
		return holders, levels
	}
	holders, levels := seen(one)
	require.Equal(t, 1, holders)
	require.Equal(t, 1, levels)
	holders, levels = seen(third)
	require.Equal(t, 1, holders)
	require.Equal(t, 1, levels)
}

func (b *budgets) inWorkspace(ctx context.Context, a *taker, sql string, n *int, args ...any) error {
	return b.db.InWorkspace(ctx, a.Run.Scope.Workspace, func(tx pgx.Tx) error { return tx.QueryRow(ctx, sql, args...).Scan(n) })
}
