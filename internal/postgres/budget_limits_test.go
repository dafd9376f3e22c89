package postgres_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/budget"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// throttledConnector declares one throttle scope.
type throttledConnector struct{ graphConnector }

func (c throttledConnector) Manifest() connector.Manifest {
	m := c.graphConnector.Manifest()
	m.ThrottleScopes = []connector.ThrottleScope{{Name: "iam", Description: "IAM", Key: []string{"account"}, Limit: slow(10)}}
	return m
}

func (b *budgets) service(tb testing.TB) *budget.Service {
	tb.Helper()
	catalog, err := integration.NewCatalog([]connector.Connector{throttledConnector{}})
	require.NoError(tb, err)
	return &budget.Service{Store: b.store, Catalog: catalog}
}

func (b *budgets) caller(r workspace.Role, scope id.Scope) workspace.Caller {
	return workspace.Caller{Scope: scope, Member: 1, Role: r}
}

// A limit that an administrator of the tenant sets counts at once and for every
// workspace, until it is taken away.
func TestSetLimitCountsAtOnce(t *testing.T) {
	t.Parallel()
	b := newBudgets(t)
	s := b.service(t)
	admin := b.caller(workspace.TenantAdmin, b.scope)
	which := budget.ScopeID{Integration: "aws", Scope: "iam"}
	a := b.taker(t, iam("1"), slow(10))
	require.Equal(t, 10, a.take(t, 100))

	set, err := s.SetLimit(t.Context(), admin, which, connector.ThrottleLimit{Calls: 100, PerSeconds: 1, Burst: 30})
	require.NoError(t, err)
	require.Equal(t, 30, set.InForce().Burst)
	b.pass(t, a.key, 10*time.Second)
	require.Equal(t, 30, a.take(t, 100))
	all, err := s.Limits(t.Context(), b.caller(workspace.Viewer, b.scope))
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.Equal(t, "mem_1", all[0].Set.By)
	require.Equal(t, 10, all[0].Declared.Limit.Burst)

	require.NoError(t, s.ClearLimit(t.Context(), admin, which))
	require.Equal(t, fault.NotFound, fault.KindOf(s.ClearLimit(t.Context(), admin, which)))
	b.pass(t, a.key, time.Hour)
	require.Equal(t, 1, a.take(t, 100))

	_, err = s.SetLimit(t.Context(), b.caller(workspace.Admin, b.scope), which, slow(1))
	require.Equal(t, fault.Forbidden, fault.KindOf(err))
	_, err = s.SetLimit(t.Context(), admin, budget.ParseScopeID("aws.other"), slow(1))
	require.Equal(t, fault.NotFound, fault.KindOf(err))
	for _, l := range []connector.ThrottleLimit{{}, {Calls: 1, PerSeconds: 1}, {Calls: 1, PerSeconds: 1, Burst: 1, Concurrent: 1}} {
		_, err = s.SetLimit(t.Context(), admin, which, l)
		require.Equal(t, fault.Invalid, fault.KindOf(err), "%+v", l)
	}
}

// A list shows how the budgets stand that the workspace takes part in, with what
// has been refilled since, and its own connections.
func TestLevelsShowTheWorkspacesBudgets(t *testing.T) {
	t.Parallel()
	b := newBudgets(t)
	s := b.service(t)
	one, two := b.taker(t, iam("1"), slow(10)), b.taker(t, iam("1"), slow(10))
	alone := b.taker(t, iam("2"), slow(10))
	require.Equal(t, 4, one.take(t, 4))
	require.Equal(t, 6, two.take(t, 8))
	require.Equal(t, 3, alone.take(t, 3))
	list := func(a *taker, f budget.LevelFilter) []budget.Level {
		f.Limit = 10
		levels, err := s.Levels(t.Context(), b.caller(workspace.Viewer, a.Run.Scope), f)
		require.NoError(t, err)
		return levels
	}
	got := list(two, budget.LevelFilter{})
	require.Len(t, got, 1)
	require.Equal(t, iam("1"), got[0].Key)
	require.Equal(t, iam("1").ID(), got[0].Budget)
	require.Equal(t, []string{"account"}, got[0].Names)
	require.Equal(t, []id.Connection{two.Run.Connection}, got[0].Connections)
	require.Equal(t, 1, got[0].Waiting)
	require.InDelta(t, 0, got[0].Tokens, 0.1)
	require.Nil(t, got[0].PausedUntil)
	require.Zero(t, list(one, budget.LevelFilter{})[0].Waiting)

	b.pass(t, one.key, 2*time.Hour)
	require.InDelta(t, 2, list(one, budget.LevelFilter{})[0].Tokens, 0.1)
	two.refuse(t, time.Hour)
	got = list(one, budget.LevelFilter{})
	require.NotNil(t, got[0].PausedUntil)
	require.NotNil(t, got[0].ThrottledAt)
	require.InDelta(t, 0.5, got[0].Pace, 0.01)
	require.Zero(t, got[0].Tokens)

	require.InDelta(t, 7, list(alone, budget.LevelFilter{})[0].Tokens, 0.1)
	require.Empty(t, list(alone, budget.LevelFilter{Connection: one.Run.Connection}), "another workspace's connection")
	require.Empty(t, list(alone, budget.LevelFilter{After: alone.key.ID()}))
}
