package postgres_test

import (
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// facts are what has happened in a workspace, as its rows tell it: each is the
// action and the target that an event of it has.
const facts = `
	select 'connection_created ' || connection_id from connections where workspace_id = $1
	union all select 'connection_edited ' || connection_id from connections, generate_series(2, version) where workspace_id = $1
	union all select 'connection_deleted ' || connection_id from connections where workspace_id = $1 and deleted_at is not null
	union all select 'connection_tested ' || connection_id from connection_tests where workspace_id = $1
	union all select 'configuration_disclosed ' || connection_id from credential_disclosures where workspace_id = $1
	union all select 'run_accepted ' || run_id from runs where workspace_id = $1 and (outcome <> 'blocked' or deadline_at is not null)
	union all select 'run_started ' || run_id from runs, generate_series(1, epoch) where workspace_id = $1
	union all select 'run_cancel_requested ' || run_id from runs where workspace_id = $1 and cancel_requested_at is not null
	union all select 'run_' || outcome || ' ' || run_id from runs where workspace_id = $1 and status = 'completed'
	order by 1`

// recorded are the events, in the same form.
const recorded = `
	select action || ' ' || substring(target_id from '[0-9]+$') from audit_events where workspace_id = $1 order by 1`

func (d *discovery) lines(tb testing.TB, query string, w id.Workspace) []string {
	tb.Helper()
	rows, err := d.super.Query(tb.Context(), query, w)
	require.NoError(tb, err)
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(tb, err)
	slices.Sort(lines)
	return lines
}

// Whatever is done in whatever order, and whether it succeeds, is refused or
// cannot be recorded: each thing that happened has one event, and each event is
// of something that happened.
func TestEachChangeHasExactlyOneEvent(t *testing.T) {
	t.Parallel()
	base := databases.New(t)
	d := openDiscovery(t, base.URL("svc_discovery"), base.SuperuserPool())
	db, err := postgres.Open(t.Context(), postgres.Config{URL: base.URL("svc_integration"), Service: "test", MaxConns: 4})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	actions := &auditedActions{discovery: d, connections: postgres.NewConnections(db)}
	done, refused := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		actions.T, actions.scope, actions.made, actions.held = t, d.newScope(t), nil, nil
		before := d.lines(t, facts, actions.scope.Workspace)
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			step := rapid.SampledFrom([]string{
				"create", "create", "edit", "delete", "disclose", "start", "start", "test", "block", "claim", "claim", "claim", "hand back", "cancel", "fail",
				"finish", "finish", "finish cancelled", "expire", "sweep", "sweep",
			}).Draw(rt, "step")
			unrecorded := rapid.IntRange(0, 4).Draw(rt, "audit") == 0
			if unrecorded {
				d.exec(t, `alter table audit_events add constraint refused check (false) not valid`)
			}
			err := actions.do(rt, step)
			if unrecorded {
				d.exec(t, `alter table audit_events drop constraint refused`)
			}
			after := d.lines(t, facts, actions.scope.Workspace)
			require.Equal(rt, after, d.lines(t, recorded, actions.scope.Workspace), "%s: %v", step, err)
			if err != nil || unrecorded {
				require.Equal(rt, before, after, "%s failed and left something: %v", step, err)
				refused++
			} else if len(after) > len(before) {
				done++
			}
			before = after
		}
		d.exec(t, `update runs set status = 'completed', outcome = 'failed', completed_at = now(), lease_id = null, lease_until = null where status <> 'completed'`)
	})
	require.Positive(t, done)
	require.Positive(t, refused)
}

// auditedActions are what can be done in one workspace, with what it has.
type auditedActions struct {
	*testing.T
	*discovery
	connections *postgres.Connections
	scope       id.Scope
	made        []connection.Connection
	held        []*hold
}

func (a *auditedActions) event(action audit.Action, c id.Connection) audit.Event {
	return audit.Event{Actor: audit.System("test"), Action: action, Outcome: audit.Succeeded, TargetType: "connection", TargetID: c.String()}
}

// do does one step; where it has nothing to do it on, nothing.
func (a *auditedActions) do(rt *rapid.T, step string) error {
	ctx := a.Context()
	switch step {
	case "claim":
		h, err := a.tryClaim(ctx)
		if h != nil {
			a.held = append(a.held, h)
		}
		return err
	case "sweep":
		_, _, err := a.runs.Sweep(ctx, 9)
		return err
	case "create":
		drawn, err := a.connections.NextID(ctx)
		require.NoError(rt, err)
		made, err := a.connections.Create(ctx, connection.Creation{Connection: connection.Connection{
			ID: drawn, Scope: a.scope, Integration: "aws", ConnectorID: "aws-discovery", ConnectorVersion: "1", Version: 1,
			Name: rapid.SampledFrom([]string{"one", "two", "three"}).Draw(rt, "name"), Config: []byte(`{}`), ReadScope: []byte(`{}`), Metadata: []byte(`{}`),
			Schedule: connection.Schedule{Type: connection.Manual}, Lifecycle: connection.Active,
		}}, a.event(audit.ConnectionCreated, drawn))
		if err != nil {
			return err
		}
		c, err := a.connections.Get(ctx, a.scope, made)
		a.made = append(a.made, c)
		return err
	}
	if len(a.made) > 0 {
		at := rapid.IntRange(0, len(a.made)-1).Draw(rt, "connection")
		if handled, err := a.doOnConnection(rt, step, &a.made[at]); handled {
			return err
		}
	}
	if len(a.held) > 0 {
		return a.doOnRun(step, rapid.SampledFrom(a.held).Draw(rt, "run"))
	}
	return nil
}

func (a *auditedActions) doOnConnection(rt *rapid.T, step string, c *connection.Connection) (handled bool, err error) {
	ctx := a.Context()
	start := admission(a.scope, c.ID)
	switch step {
	case "edit":
		changed := *c
		changed.Lifecycle = rapid.SampledFrom([]connection.Lifecycle{connection.Active, connection.Disabled}).Draw(rt, "lifecycle")
		stored, err := a.connections.Update(ctx, connection.Change{Connection: changed, Was: c.Version - int64(rapid.IntRange(0, 1).Draw(rt, "stale"))}, a.event(audit.ConnectionEdited, c.ID))
		if err == nil {
			*c = stored
		}
		return true, err
	case "delete":
		return true, a.connections.Delete(ctx, a.scope, c.ID, nil, a.event(audit.ConnectionDeleted, c.ID))
	case "start":
		_, err = a.runs.Admit(ctx, start, accepted())
		return true, err
	case "test":
		op, err := operation.Get(operation.ConnectionTest)
		require.NoError(rt, err)
		start.Operation, start.DedupeKey, start.ScopeKey = op, "", ""
		_, err = a.runs.Admit(ctx, start, accepted())
		return true, err
	case "block":
		_, err = a.runs.Block(ctx, start, operation.ConnectionDisabled, audit.Event{
			Actor: audit.System("test"), Action: audit.RunBlocked, Outcome: audit.Denied, TargetType: "run",
		})
		return true, err
	}
	return false, nil
}

func (a *auditedActions) doOnRun(step string, h *hold) (err error) {
	ctx := a.Context()
	leases := run.Leases{Store: a.runs}
	switch step {
	case "disclose":
		_, _, err = a.connections.Disclose(ctx, connection.Claim{Scope: a.scope, Run: h.Run.ID, Epoch: h.Run.Epoch, TokenHash: h.fence.TokenHash}, a.event(audit.ConfigurationDisclosed, 0))
	case "hand back":
		err = a.runs.HandBack(ctx, h.fence)
	case "cancel":
		_, err = a.runs.RequestCancel(ctx, a.scope, h.Run.ID, audit.System("test"))
	case "fail":
		_, err = a.runs.Fail(ctx, h.fence, failing())
	case "finish cancelled":
		_, err = leases.Finish(ctx, h.fence, run.Report{Cancelled: true})
	case "finish":
		_, err = leases.Finish(ctx, h.fence, run.Report{Check: &connector.CheckResult{Sufficient: true}})
		if err == nil {
			_, err = a.graph.Publish(ctx, a.scope, h.Run.ID)
		}
	case "expire":
		a.exec(a.T, `update runs set lease_until = clock_timestamp() - interval '1 second' where run_id = $1 and lease_id is not null`, h.Run.ID)
	}
	return err
}
