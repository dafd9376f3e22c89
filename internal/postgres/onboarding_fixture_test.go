package postgres_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/onboarding"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/run"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// everyOperation is a connector that offers all operations there are.
type everyOperation struct{ graphConnector }

func (c everyOperation) Manifest() connector.Manifest {
	m := c.graphConnector.Manifest()
	m.Operations = nil
	for _, op := range operation.All() {
		m.Operations = append(m.Operations, string(op.Type))
	}
	return m
}

// bootstrappable are those that need nothing beside the connection.
func bootstrappable() []operation.Type {
	return []operation.Type{operation.DiscoveryRun, operation.ConnectionTest, operation.GroupsSync, operation.RoleDefinitionsSync, operation.PolicyBackup}
}

// onboarded is a data plane in which somebody connects a provider.
type onboarded struct {
	*discovery
	store    *postgres.Onboarding
	gate     *run.Gate
	sessions *onboarding.Service
	builder  workspace.Caller
	viewer   workspace.Caller
}

func newOnboarded(tb testing.TB) *onboarded {
	tb.Helper()
	d := newDiscovery(tb)
	o := &onboarded{discovery: d, store: postgres.NewOnboarding(d.db, 1)}
	catalog, err := integration.NewCatalog([]connector.Connector{everyOperation{}})
	require.NoError(tb, err)
	o.gate = &run.Gate{Connections: postgres.NewConnections(d.db), Catalog: catalog, Store: d.runs, Licence: postgres.NewLicences(d.db)}
	o.sessions = &onboarding.Service{
		Store: o.store, Connections: o.gate.Connections, Catalog: catalog, Keeper: &onboarding.Keeper{Store: o.store, Gate: o.gate},
	}
	o.builder, o.viewer = o.caller(tb, d.scope, workspace.ConnectorBuilder), o.caller(tb, d.scope, workspace.Viewer)
	return o
}

// caller is a new member of a workspace.
func (o *onboarded) caller(tb testing.TB, scope id.Scope, role workspace.Role) workspace.Caller {
	tb.Helper()
	c := workspace.Caller{Scope: scope, Role: role}
	require.NoError(tb, o.super.QueryRow(tb.Context(), `insert into members (workspace_id, name, role, kind) values ($1, $2, $3, 'api_key') returning member_id`,
		scope.Workspace, string(role), string(role)).Scan(&c.Member))
	return c
}

// open starts a session and picks a connection.
func (o *onboarded) open(tb testing.TB, c id.Connection) onboarding.Session {
	tb.Helper()
	s, _, err := o.sessions.Start(tb.Context(), o.builder, "aws", nil)
	require.NoError(tb, err)
	s, err = o.sessions.Pick(tb.Context(), o.builder, s.ID, c, nil)
	require.NoError(tb, err)
	return s
}

// verify has the session's connection tested, which goes as check says.
func (o *onboarded) verify(tb testing.TB, s onboarding.Session, check connector.CheckResult) onboarding.Session {
	tb.Helper()
	result, err := o.sessions.Verify(tb.Context(), o.builder, s.ID, onboarding.VerifyRequest{Operation: operation.ConnectionTest, Step: onboarding.VerifyStep})
	require.NoError(tb, err)
	require.Equal(tb, run.Accepted, result.Status)
	h := o.claim(tb)
	require.Equal(tb, result.Run.ID, h.Run.ID, "%+v", h.Run)
	o.endTest(tb, h, check)
	return o.session(tb, s)
}

// endTest ends a test whose holder was given the configuration.
func (o *onboarded) endTest(tb testing.TB, h *hold, check connector.CheckResult) {
	tb.Helper()
	o.exec(tb, `insert into credential_disclosures (workspace_id, run_id, epoch, connection_id, configured_at_version)
		select workspace_id, $2, $3, connection_id, configured_at_version from connections where workspace_id = $1 and connection_id = $4`,
		h.Run.Scope.Workspace, h.Run.ID, h.Run.Epoch, h.Run.Connection)
	leases := run.Leases{Store: o.runs}
	_, err := leases.Finish(tb.Context(), h.fence, run.Report{Check: &check})
	require.NoError(tb, err)
}

// good is a check that found everything.
func good() connector.CheckResult {
	return connector.CheckResult{Sufficient: true, Target: connector.Target{ID: "o-test", Type: "organization"}}
}

// verified is a session that may start operations.
func (o *onboarded) verified(tb testing.TB) onboarding.Session {
	tb.Helper()
	s := o.verify(tb, o.open(tb, o.connect(tb, o.scope)), good())
	require.Equal(tb, onboarding.StepDone, s.StateOf(onboarding.VerifyStep))
	return s
}

func (o *onboarded) session(tb testing.TB, s onboarding.Session) onboarding.Session {
	tb.Helper()
	found, err := o.sessions.Get(tb.Context(), o.builder, s.ID)
	require.NoError(tb, err)
	return found
}

func (o *onboarded) bootstrap(tb testing.TB, s onboarding.Session, ops ...operation.Type) onboarding.Outcome {
	tb.Helper()
	out, err := o.sessions.Bootstrap(tb.Context(), o.builder, s.ID, onboarding.BootstrapRequest{Connection: s.Connection, Operations: ops})
	require.NoError(tb, err)
	return out
}

// end has a worker take the next run and end it: failing with a reason, or
// succeeding without one. Its followers are told.
func (o *onboarded) end(tb testing.TB, why operation.Code) run.Run {
	tb.Helper()
	r := o.finish(tb, o.claim(tb), why)
	require.NoError(tb, o.sessions.Keeper.RunEnded(tb.Context(), run.Ref{Scope: r.Scope, Run: r.ID}))
	return r
}

// finish ends a run and tells nobody.
func (o *onboarded) finish(tb testing.TB, h *hold, why operation.Code) run.Run {
	tb.Helper()
	switch {
	case why != "":
		_, err := o.runs.Fail(tb.Context(), h.fence, run.Ending{Outcome: run.Failed, Reason: why, By: audit.Worker("worker-1")})
		require.NoError(tb, err)
	case h.Run.Operation == operation.ConnectionTest:
		o.endTest(tb, h, good())
	case h.Run.Operation == operation.DiscoveryRun:
		return h.publish(tb)
	default:
		// No worker has learned these yet: what they leave is all that counts here.
		o.exec(tb, `update runs set status = 'completed', outcome = 'succeeded', completed_at = clock_timestamp(), lease_id = null, lease_until = null
			where run_id = $1`, h.Run.ID)
	}
	return o.get(tb, h.Run)
}

// started lists the runs of bootstraps, the oldest first.
func (o *onboarded) started(tb testing.TB) []run.Run {
	tb.Helper()
	return o.startedOn(tb, 0)
}

// startedOn is started for one connection; zero stands for all.
func (o *onboarded) startedOn(tb testing.TB, c id.Connection) (runs []run.Run) {
	tb.Helper()
	found, err := o.runs.List(tb.Context(), o.scope, run.Filter{Connection: c, Limit: 200})
	require.NoError(tb, err)
	for i := len(found) - 1; i >= 0; i-- {
		if strings.Contains(string(found[i].Context), `"source_surface": "onboarding.bootstrap"`) {
			runs = append(runs, found[i])
		}
	}
	return runs
}

// recorded lists what was recorded about a session, the oldest first.
func (o *onboarded) recorded(tb testing.TB, s onboarding.Session) (actions []audit.Action) {
	tb.Helper()
	rows, err := o.super.Query(tb.Context(), `select action from audit_events where workspace_id = $1 and target_id = $2 order by event_id`,
		s.Scope.Workspace, s.ID.String())
	require.NoError(tb, err)
	defer rows.Close()
	for rows.Next() {
		var a audit.Action
		require.NoError(tb, rows.Scan(&a))
		actions = append(actions, a)
	}
	require.NoError(tb, rows.Err())
	return actions
}
