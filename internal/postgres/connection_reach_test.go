package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// TestOtherOrganisationsCredentialsPublishNothing changes the credentials of a
// connection between two runs, so that they reach another organisation, and has
// the worker go on as if nothing were.
func TestOtherOrganisationsCredentialsPublishNothing(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	first := d.begin(t, d.scope, c)
	first.send(t, "alpha", "", connector.Page{Entities: accounts("a", "b")}, connector.Complete)
	require.Equal(t, run.Succeeded, first.publishPlan(t, true).Outcome)
	before := d.number(t, "select count(*) from entities where valid_to is null")
	require.Equal(t, 2, before)

	second := d.begin(t, d.scope, c)
	second.send(t, "alpha", "", connector.Page{Entities: accounts("z")}, connector.Complete)
	ok, err := d.runs.Reach(t.Context(), second.fence, reached("o-other"))
	require.NoError(t, err)
	require.False(t, ok)
	ended := d.get(t, second.Run)
	require.Equal(t, run.Failed, ended.Outcome)
	require.Equal(t, operation.TargetMismatch, ended.Reason)
	require.Contains(t, ended.Failure.Message, "o-other")

	require.Equal(t, fault.Stale, fault.KindOf(second.take(t.Context(), second.batch("alpha", "", connector.Page{}, connector.Complete))))
	_, err = d.runs.FinishReading(t.Context(), second.fence, true)
	require.Equal(t, fault.Stale, fault.KindOf(err))
	require.Equal(t, before, d.number(t, "select count(*) from entities where valid_to is null"), "nothing new, nothing retired")
	require.Equal(t, 1, d.number(t, "select count(*) from targets"), "a wrong organisation becomes no target")
	require.Equal(t, 1, d.number(t, `select count(*) from connections where status = 'degraded' and last_error_reason_code = 'target_mismatch'`))
}

// TestNothingIsPublishedUnlessItIsKnownWhatWasReached has a second holder take a
// run up without saying what its credentials reach.
func TestNothingIsPublishedUnlessItIsKnownWhatWasReached(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	h := d.begin(t, d.scope, d.connect(t, d.scope))
	h.send(t, "alpha", "", connector.Page{Entities: accounts("a")}, connector.Complete)
	d.exec(t, "update runs set reached_epoch = epoch - 1 where run_id = $1", h.Run.ID)
	_, err := d.runs.FinishReading(t.Context(), h.fence, true)
	require.Equal(t, fault.Conflict, fault.KindOf(err))
	_, err = d.super.Exec(t.Context(), "update runs set phase = 'publishing' where run_id = $1", h.Run.ID)
	require.ErrorContains(t, err, "runs_publishing_reached_their_target", "the database itself refuses it")
}

func TestSameIdentityIsConnectedOnce(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	acting := func(who string) run.Reached { return run.Reached{Target: reached("o-test").Target, ActsAs: who} }
	one := d.begin(t, d.scope, d.connect(t, d.scope))
	ok, err := d.runs.Reach(t.Context(), one.fence, acting("AIDA1"))
	require.NoError(t, err)
	require.True(t, ok)

	two := d.begin(t, d.scope, d.connect(t, d.scope))
	ok, err = d.runs.Reach(t.Context(), two.fence, acting("AIDA1"))
	require.NoError(t, err)
	require.False(t, ok)
	ended := d.get(t, two.Run)
	require.Equal(t, operation.ConnectionDuplicate, ended.Reason)
	require.Contains(t, ended.Failure.Message, one.Run.Connection.String())

	three := d.begin(t, d.scope, d.connect(t, d.scope))
	ok, err = d.runs.Reach(t.Context(), three.fence, acting("AIDA2"))
	require.NoError(t, err)
	require.True(t, ok, "another identity of the same organisation")
	require.Equal(t, 1, d.number(t, "select count(*) from connections where is_default"))

	other := d.newScope(t)
	four := d.begin(t, other, d.connect(t, other))
	ok, err = d.runs.Reach(t.Context(), four.fence, acting("AIDA1"))
	require.NoError(t, err)
	require.True(t, ok, "another workspace's connections do not matter")
	_, err = d.super.Exec(t.Context(), "update connections set acts_as = 'AIDA1' where connection_id = $1", three.Run.Connection)
	require.ErrorContains(t, err, "connections_acts_as_unique", "the database itself refuses it")
	_, err = d.super.Exec(t.Context(), `update connections set target_id = (select max(target_id) from targets) where connection_id = $1`, one.Run.Connection)
	require.ErrorContains(t, err, "keeps the target")
}

// TestConcurrentFirstReachesGiveOneDefault has many connections reach the same
// target for the first time at once.
func TestConcurrentFirstReachesGiveOneDefault(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	var holds []*hold
	for range 6 {
		holds = append(holds, d.begin(t, d.scope, d.connect(t, d.scope)))
	}
	d.exec(t, "update connections set is_default = false, last_connected_at = null")
	done := make(chan error, len(holds))
	for i, h := range holds {
		go func() {
			_, err := d.runs.Reach(t.Context(), h.fence, run.Reached{Target: reached("o-test").Target, ActsAs: string(rune('a' + i))})
			done <- err
		}()
	}
	for range holds {
		require.NoError(t, <-done)
	}
	require.Equal(t, 1, d.number(t, "select count(*) from connections where is_default"))
	require.Equal(t, len(holds), d.number(t, "select count(*) from connections where acts_as is not null"))
}

func TestQueuedRunOfADisabledConnectionIsHandedToNobody(t *testing.T) {
	t.Parallel()
	for change, want := range map[string]struct {
		outcome run.Outcome
		reason  operation.Code
	}{
		"lifecycle = 'disabled'":      {run.Blocked, operation.ConnectionDisabled},
		"lifecycle = 'needs_consent'": {run.Blocked, operation.ConsentRequired},
		"deleted_at = now()":          {run.Cancelled, operation.Cancelled},
	} {
		d := newDiscovery(t)
		c := d.connect(t, d.scope)
		queued := d.start(t, d.scope, c)
		other := d.start(t, d.scope, d.connect(t, d.scope))
		d.exec(t, "update connections set "+change+" where connection_id = $1", c)
		h := d.claim(t)
		require.Equal(t, other.ID, h.Run.ID, "%s: the next run is handed out instead", change)
		ended := d.get(t, queued)
		require.Equal(t, want.outcome, ended.Outcome, change)
		require.Equal(t, want.reason, ended.Reason, change)
		require.Nil(t, ended.StartedAt, "it never started")
		require.NotContains(t, d.events(t, queued), audit.RunStarted)
	}
}

func TestConsentIsFoundByATest(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	c := d.connect(t, d.scope)
	h := d.begin(t, d.scope, c)
	_, err := d.runs.Fail(t.Context(), h.fence, run.Ending{Outcome: run.Failed, Reason: operation.ConsentRequired, By: audit.Worker("w")})
	require.NoError(t, err)
	require.Equal(t, 1, d.number(t, "select count(*) from connections where lifecycle = 'needs_consent' and status = 'degraded'"))

	test := func(end run.Ending, report run.TestReport) {
		op, err := operation.Get(operation.ConnectionTest)
		require.NoError(t, err)
		a := admission(d.scope, c)
		a.Operation, a.DedupeKey, a.ScopeKey = op, "", ""
		d.admit(t, a)
		_, err = d.runs.FinishTest(t.Context(), d.claim(t).fence, end, report)
		require.NoError(t, err)
	}
	r := reached("o-test")
	test(run.Ending{Outcome: run.Failed, Reason: operation.PermissionDenied, By: audit.Worker("w")}, run.TestReport{Reached: &r})
	require.Equal(t, 1, d.number(t, "select count(*) from connections where lifecycle = 'needs_consent'"), "a test that fails shows nothing")
	test(run.Ending{Outcome: run.Succeeded, By: audit.Worker("w")}, run.TestReport{Success: true, Reached: &r, Granted: []string{"iam:ListUsers"}})
	require.Equal(t, 1, d.number(t, `select count(*) from connections where lifecycle = 'active' and status = 'healthy'
		and last_error_reason_code is null and scopes_granted = '["iam:ListUsers"]' and last_health_check_at is not null
		and last_connected_at is not null and last_used_at is not null and last_run_at is not null`))
}
