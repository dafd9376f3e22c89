package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/onboarding"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// Sessions that ended long ago go, with all that is theirs; those that are newer,
// and those that have not ended, stay.
func TestEndedOnboardingIsForgotten(t *testing.T) {
	t.Parallel()
	o := newOnboarded(t)
	complete := func() onboarding.Session {
		s := o.verified(t)
		o.bootstrap(t, s, operation.DiscoveryRun)
		o.end(t, "")
		s = o.session(t, s)
		require.Equal(t, onboarding.Completed, s.Status)
		return s
	}
	old, recent, abandoned, open := complete(), complete(), o.open(t, o.connect(t, o.scope)), o.open(t, o.connect(t, o.scope))
	_, err := o.sessions.Abandon(t.Context(), o.builder, abandoned.ID, nil)
	require.NoError(t, err)
	for s, days := range map[id.Onboarding]int{old.ID: 91, abandoned.ID: 91, open.ID: 91, recent.ID: 89} {
		o.exec(t, `update onboarding_sessions set updated_at = now() - $2 * interval '1 day' where session_id = $1`, s, days)
	}
	runs := o.number(t, `select count(*) from runs`)

	for range 2 { // the second time there is nothing to do
		require.NoError(t, o.store.Forget(t.Context()))
		for _, s := range []onboarding.Session{old, abandoned} {
			_, err := o.sessions.Get(t.Context(), o.builder, s.ID)
			require.Equal(t, fault.NotFound, fault.KindOf(err))
		}
		for _, s := range []onboarding.Session{recent, open} {
			_, err := o.sessions.Get(t.Context(), o.builder, s.ID)
			require.NoError(t, err)
		}
		for _, table := range []string{"onboarding_steps", "onboarding_operations"} {
			require.Zero(t, o.number(t, "select count(*) from "+table+" where session_id in ($1, $2)", old.ID, abandoned.ID))
		}
	}
	require.Equal(t, runs, o.number(t, `select count(*) from runs`), "what they started stays")
	require.NotEmpty(t, o.recorded(t, old), "and so does what they did")
}

// A budget goes once nobody has asked for it in a long time, and no kept run has a
// part in it; it begins full when it is asked for again.
func TestBudgetsThatNobodyAsksForAreForgotten(t *testing.T) {
	t.Parallel()
	b := newBudgets(t)
	limit := perSecond(5, 10)
	accounts := []string{"111111111111", "222222222222", "333333333333", "444444444444"}
	takers := map[string]*taker{}
	for _, a := range accounts {
		takers[a] = b.taker(t, iam(a), limit)
		require.Equal(t, 10, takers[a].take(t, 10))
	}
	held, recent, paused, old := iam(accounts[0]), iam(accounts[1]), iam(accounts[2]), iam(accounts[3])
	for _, a := range accounts[1:] {
		b.exec(t, `delete from runs where run_id = $1`, takers[a].Run.ID)
	}
	for k, days := range map[string]int{accounts[0]: 91, accounts[1]: 89, accounts[2]: 91, accounts[3]: 91} {
		budget := iam(k).ID()
		b.exec(t, `update throttle_budgets set refilled_at = now() - $2 * interval '1 day' where budget_id = $1`, budget[:], days)
	}
	stop := paused.ID()
	b.exec(t, `update throttle_budgets set paused_until = now() + interval '1 hour' where budget_id = $1`, stop[:])

	require.NoError(t, b.store.Forget(t.Context()))
	for k, want := range map[string]int{"held": 1, "recent": 1, "paused": 1, "old": 0} {
		budget := map[string][32]byte{"held": held.ID(), "recent": recent.ID(), "paused": paused.ID(), "old": old.ID()}[k]
		require.Equal(t, want, b.number(t, `select count(*) from throttle_budgets where budget_id = $1`, budget[:]), k)
	}
	require.Equal(t, 10, b.taker(t, old, limit).take(t, 20))
	// However little somebody says, nothing young goes.
	b.exec(t, `update throttle_budgets set refilled_at = now() - interval '30 days'`)
	require.Zero(t, b.number(t, `select forget_throttle_budgets(interval '0', 100)`))
	require.Zero(t, b.number(t, `select forget_onboarding(interval '0', 100)`))
}

// What is due in an archived workspace is not even looked at, and is made up for
// once when the workspace is taken up again.
func TestDueConnectionsOfAnArchivedWorkspaceAreOutOfTheWay(t *testing.T) {
	t.Parallel()
	d, archive := newArchivable(t)
	for range 3 {
		d.connect(t, d.scope)
	}
	d.schedule(t)
	due := func() int {
		found, err := d.runs.DueConnections(t.Context(), run.DueConnection{}, 10)
		require.NoError(t, err)
		return len(found)
	}
	indexed := func() int {
		d.exec(t, `vacuum connections`)
		return d.number(t, `select reltuples::int from pg_class where relname = 'connections_due'`)
	}
	require.Equal(t, 3, due())
	require.Equal(t, 3, indexed())
	require.NoError(t, archive(true))
	require.Zero(t, due())
	require.Zero(t, indexed(), "they are not in the index that is read every other second")
	require.NoError(t, archive(false))
	require.Equal(t, 3, due())
}
