package postgres_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// beginTest starts and claims a connection test.
func (d *discovery) beginTest(t *testing.T, c id.Connection) *hold {
	t.Helper()
	op, err := operation.Get(operation.ConnectionTest)
	require.NoError(t, err)
	admitted := d.admit(t, run.Admission{
		Scope: d.scope, Operation: op, Integration: "aws", Connection: c, Input: []byte(`{}`), Context: []byte(`{}`), Initiator: run.BySystem,
	})
	require.Equal(t, run.Accepted, admitted.Status)
	return d.claim(t)
}

func (h *hold) finishTest(t *testing.T, check connector.CheckResult) run.Run {
	t.Helper()
	leases := run.Leases{Store: h.d.runs}
	ended, err := leases.Finish(t.Context(), h.fence, run.Report{Check: &check})
	require.NoError(t, err)
	return ended
}

func TestSuccessfulTestFindsTheTarget(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	first, second := d.connect(t, d.scope), d.connect(t, d.scope)
	reached := connector.CheckResult{Sufficient: true, Target: connector.Target{ID: "o-1", Name: "Contoso", Type: "organization"}}

	h := d.beginTest(t, first)
	ended := h.finishTest(t, reached)
	require.Equal(t, run.Succeeded, ended.Outcome)
	require.Equal(t, []audit.Action{audit.RunAccepted, audit.RunStarted, audit.RunSucceeded}, d.events(t, h.Run))
	require.Zero(t, d.number(t, `select count(*) from audit_events where target_id = $1 and payload ? 'counts'`, h.Run.ID.String()), "a test counts nothing")
	require.Equal(t, 1, d.number(t, `select count(*) from audit_events where action = 'connection_tested' and target_id = $1`, first.String()))
	require.Equal(t, run.Succeeded, d.beginTest(t, second).finishTest(t, reached).Outcome)

	require.Equal(t, 1, d.number(t, `select count(*) from targets`))
	require.Equal(t, 1, d.number(t, `select count(*) from connections where target_id is not null and is_default and connection_id = $1`, first))
	require.Equal(t, 1, d.number(t, `select count(*) from connections where target_id is not null and not is_default and connection_id = $1`, second))
	require.Equal(t, 2, d.number(t, `select count(*) from connections where status = 'healthy' and last_connected_at is not null and last_health_check_at is not null`))
	require.Equal(t, 2, d.number(t, `select count(*) from connection_tests where status = 'success'`))
}

func TestTestOfAnotherOrganisationFails(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	d.beginTest(t, c).finishTest(t, connector.CheckResult{Sufficient: true, Target: connector.Target{ID: "o-1", Type: "organization"}})
	h := d.beginTest(t, c)
	ended := h.finishTest(t, connector.CheckResult{Sufficient: true, Target: connector.Target{ID: "o-2", Type: "organization"}})
	require.Equal(t, run.Failed, ended.Outcome)
	require.Equal(t, operation.TargetMismatch, ended.Reason)
	require.Contains(t, ended.Failure.Message, "o-2")
	require.Equal(t, 1, d.number(t, `select count(*) from targets`))
	require.Equal(t, 1, d.number(t, `select count(*) from connections where status = 'degraded' and last_error_reason_code = 'target_mismatch'`))
	require.Equal(t, 1, d.number(t, `select count(*) from connection_tests where status = 'failure' and reason_code = 'target_mismatch' and jsonb_array_length(remediation) = 1`))
}

func TestTestWithGapsIsAFailureThatSaysWhatToDo(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	ended := d.beginTest(t, d.connect(t, d.scope)).finishTest(t, connector.CheckResult{
		Target:      connector.Target{ID: "o-1", Type: "organization"},
		Remediation: []connector.Remediation{{Category: connector.RemedyPermissions, Message: "missing iam:ListUsers; token=abcdefgh12345678", Action: "grant it; secret=abcdefgh12345678"}},
	})
	require.Equal(t, run.Failed, ended.Outcome)
	require.Equal(t, operation.PermissionDenied, ended.Reason)
	require.Equal(t, []string{"missing iam:ListUsers; [removed]"}, ended.Failure.Details)
	require.Zero(t, d.number(t, `select count(*) from runs r where r::text like '%abcdefgh12345678%'`))
	require.Zero(t, d.number(t, `select count(*) from connection_tests where remediation::text like '%abcdefgh12345678%'`))
}

func TestTestsRunBesideADiscovery(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	d.begin(t, d.scope, c)
	d.beginTest(t, c)
	d.beginTest(t, c)
}

// A start that fails leaves the connection due; one that is made, whatever the
// answer, is the only one.
func TestDueConnectionIsStartedByOneOnly(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	due, disabled, deleted, later := d.connect(t, d.scope), d.connect(t, d.scope), d.connect(t, d.scope), d.connect(t, d.newScope(t))
	d.exec(t, `update connections set next_run_at = clock_timestamp() - interval '1 hour'`)
	d.exec(t, `update connections set lifecycle = 'disabled' where connection_id = $1`, disabled)
	d.exec(t, `update connections set deleted_at = now(), is_default = false, next_run_at = null where connection_id = $1`, deleted)
	d.exec(t, `update connections set next_run_at = clock_timestamp() + interval '1 hour' where connection_id = $1`, later)
	found, err := d.runs.DueConnections(t.Context(), run.DueConnection{}, 10)
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Equal(t, due, found[0].Connection)
	require.Equal(t, d.scope, found[0].Scope)
	next := time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
	scheduled := admission(d.scope, due)
	scheduled.Initiator, scheduled.Moves = run.BySchedule, &run.DueMove{Due: found[0].Due, Next: &next}
	broken := scheduled
	broken.Context = []byte(`{"connection_name": "\u0000"}`)
	_, err = d.runs.Admit(t.Context(), broken, accepted())
	require.Error(t, err)
	again, err := d.runs.DueConnections(t.Context(), run.DueConnection{}, 10)
	require.NoError(t, err)
	require.Equal(t, found[0].Due, again[0].Due)

	require.Equal(t, run.Accepted, d.admit(t, scheduled).Status)
	_, err = d.runs.Admit(t.Context(), scheduled, accepted())
	require.ErrorIs(t, err, run.ErrNotDue)
	_, err = d.runs.Block(t.Context(), scheduled, operation.ConnectionDisabled, accepted())
	require.ErrorIs(t, err, run.ErrNotDue)
	require.Equal(t, 1, d.number(t, `select count(*) from runs`))
	found, err = d.runs.DueConnections(t.Context(), run.DueConnection{}, 10)
	require.NoError(t, err)
	require.Empty(t, found)
}
