package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// reconfigurable is a data plane as both of its services see it.
type reconfigurable struct {
	*discovery
	connections *postgres.Connections
}

func newReconfigurable(t *testing.T) *reconfigurable {
	t.Helper()
	base := databases.New(t)
	db, err := postgres.Open(t.Context(), postgres.Config{URL: base.URL("svc_integration"), Service: "test", MaxConns: 4})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	return &reconfigurable{discovery: openDiscovery(t, base.URL("svc_discovery"), base.SuperuserPool()), connections: postgres.NewConnections(db)}
}

// hold starts an operation, claims it and takes the configuration.
func (r *reconfigurable) hold(t *testing.T, c id.Connection, op operation.Type) run.Fence {
	t.Helper()
	found, err := operation.Get(op)
	require.NoError(t, err)
	a := admission(r.scope, c)
	a.Operation, a.DedupeKey, a.ScopeKey = found, "", ""
	r.admit(t, a)
	req := run.ClaimRequest{Queues: operation.Queues(), Worker: "worker-1", Lease: run.LeaseID{1}, TokenHash: [32]byte{1}}
	claimed, ok, err := r.runs.Claim(t.Context(), req)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, c, claimed.Run.Connection)
	f := run.Fence{Workspace: r.scope.Workspace, Run: claimed.Run.ID, Epoch: claimed.Run.Epoch, Lease: claimed.Lease, TokenHash: req.TokenHash}
	_, _, err = r.connections.Disclose(t.Context(), connection.Claim{Scope: r.scope, Run: f.Run, Epoch: f.Epoch, TokenHash: f.TokenHash},
		event(audit.ConfigurationDisclosed))
	require.NoError(t, err)
	return f
}

// reconfigure gives the connection another configuration, as a user's patch does.
func (r *reconfigurable) reconfigure(t *testing.T, c id.Connection) {
	t.Helper()
	conn, err := r.connections.Get(t.Context(), r.scope, c)
	require.NoError(t, err)
	_, err = r.connections.Update(t.Context(), connection.Change{Connection: conn, Was: conn.Version, Reconfigured: true}, event(audit.ConnectionEdited))
	require.NoError(t, err)
}

// untouched is that nothing has been found out about the connection.
const untouched = `select count(*) from connections where target_id is null and acts_as is null and status = 'unknown'
	and not is_default and last_connected_at is null and last_error_reason_code is null and lifecycle = 'active'`

func TestATestWithAFormerConfigurationSaysNothingOfTheConnection(t *testing.T) {
	t.Parallel()
	r := newReconfigurable(t)
	c := r.connect(t, r.scope)
	wrong := run.Reached{Target: reached("o-wrong").Target, ActsAs: "AIDA-wrong"}
	success := run.Ending{Outcome: run.Succeeded, By: audit.Worker("w")}
	old := r.hold(t, c, operation.ConnectionTest)
	r.reconfigure(t, c)
	ended, err := r.runs.FinishTest(t.Context(), old, success, run.TestReport{Success: true, Reached: &wrong})
	require.NoError(t, err)
	require.Equal(t, run.Succeeded, ended.Outcome, "the test's own result stays")
	require.Equal(t, 1, r.number(t, untouched))
	require.Zero(t, r.number(t, "select count(*) from targets"))
	tests, err := r.connections.ListTests(t.Context(), r.scope, c, 0, 1)
	require.NoError(t, err)
	require.Len(t, tests, 1)
	require.Len(t, tests[0].Remediation, 1)
	require.Contains(t, tests[0].Remediation[0].Message, "changed during the test")

	refused := run.Ending{Outcome: run.Failed, Reason: operation.ConsentRequired, By: audit.Worker("w")}
	old = r.hold(t, c, operation.ConnectionTest)
	r.reconfigure(t, c)
	_, err = r.runs.FinishTest(t.Context(), old, refused, run.TestReport{})
	require.NoError(t, err)
	require.Equal(t, 1, r.number(t, untouched), "nor does a failure")

	right := reached("o-right")
	_, err = r.runs.FinishTest(t.Context(), r.hold(t, c, operation.ConnectionTest), success, run.TestReport{Success: true, Reached: &right})
	require.NoError(t, err)
	require.Equal(t, 1, r.number(t, "select count(*) from connections join targets using (target_id) where provider_target_id = 'o-right' and status = 'healthy'"))
}

func TestADiscoveryWithAFormerConfigurationFindsNoTarget(t *testing.T) {
	t.Parallel()
	r := newReconfigurable(t)
	c := r.connect(t, r.scope)
	old := r.hold(t, c, operation.DiscoveryRun)
	r.reconfigure(t, c)
	ok, err := r.runs.Reach(t.Context(), old, reached("o-wrong"))
	require.NoError(t, err)
	require.False(t, ok)
	ended, err := r.runs.Get(t.Context(), r.scope, old.Run)
	require.NoError(t, err)
	require.Equal(t, run.Cancelled, ended.Outcome)
	require.Equal(t, operation.ConfigurationChanged, ended.Reason)
	require.Contains(t, ended.Failure.Message, "configuration was changed")
	require.Equal(t, 1, r.number(t, untouched))

	failing := r.hold(t, c, operation.DiscoveryRun)
	r.reconfigure(t, c)
	_, err = r.runs.Fail(t.Context(), failing, run.Ending{Outcome: run.Failed, Reason: operation.ConsentRequired, By: audit.Worker("w")})
	require.NoError(t, err)
	require.Equal(t, 1, r.number(t, untouched+" and last_run_at is not null"))

	now := r.hold(t, c, operation.DiscoveryRun)
	ok, err = r.runs.Reach(t.Context(), now, run.Reached{Target: reached("o-right").Target, ActsAs: "AIDA-right"})
	require.NoError(t, err)
	require.True(t, ok)
	_, err = r.runs.Fail(t.Context(), now, run.Ending{Outcome: run.Failed, Reason: operation.Throttled, By: audit.Worker("w")})
	require.NoError(t, err)

	// Of the connection's own organisation, what was read may be published.
	same := r.hold(t, c, operation.DiscoveryRun)
	r.reconfigure(t, c)
	ok, err = r.runs.Reach(t.Context(), same, run.Reached{Target: connector.Target{ID: "o-right"}, ActsAs: "AIDA-former"})
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, 1, r.number(t, "select count(*) from connections where target_id is not null and acts_as is null"), "whom the former one acts as is forgotten")
}
