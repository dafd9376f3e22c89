package postgres_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/onboarding"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/run"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

func TestOnboardingGoesFromIntegrationToCompletion(t *testing.T) {
	t.Parallel()
	o := newOnboarded(t)
	s, _, err := o.sessions.Start(t.Context(), o.builder, "aws", nil)
	require.NoError(t, err)
	require.Equal(t, onboarding.ConnectionStep, s.Step())
	require.Equal(t, o.builder.Member, s.Taken[onboarding.IntegrationStep].By)
	_, err = o.sessions.Verify(t.Context(), o.builder, s.ID, onboarding.VerifyRequest{Operation: operation.ConnectionTest})
	require.Equal(t, fault.Conflict, fault.KindOf(err), "there is nothing to verify yet")

	s, err = o.sessions.Pick(t.Context(), o.builder, s.ID, o.connect(t, o.scope), nil)
	require.NoError(t, err)
	require.Equal(t, onboarding.VerifyStep, s.Step())
	_, err = o.sessions.Bootstrap(t.Context(), o.builder, s.ID, onboarding.BootstrapRequest{Connection: s.Connection, Operations: []operation.Type{operation.DiscoveryRun}})
	require.ErrorContains(t, err, "is not verified")

	s = o.verify(t, s, good())
	require.Equal(t, onboarding.BootstrapStep, s.Step())
	out := o.bootstrap(t, s, operation.DiscoveryRun, operation.ConnectionTest)
	require.Equal(t, run.Accepted, out.Start.Status)
	require.Equal(t, operation.DiscoveryRun, out.Session.AcceptedOperation())
	require.Equal(t, []operation.Type{operation.ConnectionTest}, out.Session.PendingOperations())
	require.Len(t, o.started(t), 1, "the second waits for the first")

	first := o.end(t, "")
	require.Equal(t, operation.DiscoveryRun, first.Operation)
	s = o.session(t, s)
	require.Equal(t, onboarding.Bootstrapping, s.Status)
	require.Equal(t, operation.ConnectionTest, s.AcceptedOperation())
	o.end(t, "")
	s = o.session(t, s)
	require.Equal(t, onboarding.Completed, s.Status)
	require.Empty(t, s.Step())
	runs := o.started(t)
	require.Len(t, runs, 2)
	for _, r := range runs {
		require.Equal(t, run.ByUser, r.Initiator)
		require.Equal(t, o.builder.Member, r.InitiatedBy, "whoever asked for it is told")
	}
	require.False(t, runs[1].CreatedAt.Before(*runs[0].CompletedAt))
	require.Equal(t, []audit.Action{
		audit.OnboardingStarted, audit.OnboardingConnectionPicked, audit.OnboardingVerificationStarted,
		audit.OnboardingBootstrapStarted, audit.OnboardingCompleted,
	}, o.recorded(t, s))
}

func TestAFailedOperationStopsTheRestUntilItIsResumed(t *testing.T) {
	t.Parallel()
	o := newOnboarded(t)
	s := o.verified(t)
	o.bootstrap(t, s, operation.ConnectionTest, operation.DiscoveryRun)
	o.end(t, "")
	o.end(t, operation.ProviderUnavailable)
	s = o.session(t, s)
	require.Equal(t, onboarding.Stopped, s.Status)
	require.Equal(t, operation.ProviderUnavailable, s.Reason)
	require.Equal(t, run.Failed, s.Operations[1].Outcome)
	require.Equal(t, onboarding.ActResume, s.NextSteps()[len(s.NextSteps())-1].ActionType)
	o.claimNothing(t)

	out, err := o.sessions.Resume(t.Context(), o.builder, s.ID, onboarding.Terms{})
	require.NoError(t, err)
	require.Equal(t, run.Accepted, out.Start.Status)
	require.Equal(t, operation.DiscoveryRun, out.Start.Operation, "what succeeded is not done again")
	o.end(t, "")
	s = o.session(t, s)
	require.Equal(t, onboarding.Completed, s.Status)
	require.Len(t, o.started(t), 3)
	require.Equal(t, []audit.Action{audit.OnboardingStopped, audit.OnboardingResumed, audit.OnboardingCompleted}, o.recorded(t, s)[4:])
}

func TestPartialSuccessLetsTheNextStart(t *testing.T) {
	t.Parallel()
	o := newOnboarded(t)
	s := o.verified(t)
	o.bootstrap(t, s, operation.DiscoveryRun, operation.ConnectionTest)
	h := o.claim(t)
	h.send(t, "alpha", "", connector.Page{Entities: accounts("a")}, connector.Partial)
	ended := h.publish(t)
	require.Equal(t, run.PartiallySucceeded, ended.Outcome)
	require.NoError(t, o.sessions.Keeper.RunEnded(t.Context(), run.Ref{Scope: ended.Scope, Run: ended.ID}))
	s = o.session(t, s)
	require.Equal(t, run.PartiallySucceeded, s.Operations[0].Outcome)
	require.Equal(t, operation.ConnectionTest, s.AcceptedOperation())
}

func TestBootstrapDemandsTheVerificationOfTheConfigurationAsItIs(t *testing.T) {
	t.Parallel()
	o := newOnboarded(t)
	c := o.connect(t, o.scope)
	s := o.verify(t, o.open(t, c), connector.CheckResult{
		Target:      connector.Target{ID: "o-test", Type: "organization"},
		Remediation: []connector.Remediation{{Category: connector.RemedyPermissions, Message: "Missing iam:ListUsers", Action: "Add it"}},
		Streams:     []connector.StreamOutlook{{Stream: "alpha", Coverage: connector.Partial, Missing: []string{"iam:ListUsers"}}},
	})
	require.Equal(t, onboarding.StepFailed, s.StateOf(onboarding.VerifyStep))
	require.Equal(t, operation.PermissionDenied, s.Verification.Reason)
	require.Equal(t, "Missing iam:ListUsers", s.Remediation()[0].Message)
	require.Len(t, s.Verification.Outlook, 1)
	begin := func() error {
		_, err := o.sessions.Bootstrap(t.Context(), o.builder, s.ID, onboarding.BootstrapRequest{Connection: c, Operations: []operation.Type{operation.DiscoveryRun}})
		return err
	}
	require.ErrorContains(t, begin(), "failed (permission_denied)")

	s = o.verify(t, s, good())
	require.Empty(t, s.Remediation())
	o.exec(t, `update connections set version = version + 1, configured_at_version = version + 1 where connection_id = $1`, c)
	require.Equal(t, onboarding.StepOutdated, func() onboarding.StepState { s = o.session(t, s); return s.StateOf(onboarding.VerifyStep) }())
	require.ErrorContains(t, begin(), "was changed after it was verified")
	require.Equal(t, fault.Conflict, fault.KindOf(begin()))

	_, err := o.sessions.Verify(t.Context(), o.builder, s.ID, onboarding.VerifyRequest{Operation: operation.ConnectionTest})
	require.NoError(t, err)
	require.ErrorContains(t, begin(), "is under way")
	o.endTest(t, o.claim(t), good())
	// A change that is no configuration's asks for no new test.
	o.exec(t, `update connections set version = version + 1 where connection_id = $1`, c)
	require.NoError(t, begin())
}

// What somebody else has under way is waited for, and nothing is asked to follow it.
func TestABootstrapWaitsForWhoeverHoldsTheConnection(t *testing.T) {
	t.Parallel()
	o := newOnboarded(t)
	s := o.verified(t)
	held := o.begin(t, o.scope, s.Connection)
	out := o.bootstrap(t, s, operation.DiscoveryRun, operation.ConnectionTest)
	require.Equal(t, run.Deduped, out.Start.Status)
	require.Equal(t, onboarding.Waiting, out.Session.Operations[0].State)
	require.Equal(t, held.Run.ID, out.Session.Operations[0].WaitsFor)
	require.Empty(t, out.Session.AcceptedOperation())
	require.NoError(t, o.sessions.Keeper.Round(t.Context()))
	require.Empty(t, o.started(t))

	o.finish(t, held, "")
	o.claimNothing(t)
	require.NoError(t, o.sessions.Keeper.RunEnded(t.Context(), run.Ref{Scope: o.scope, Run: held.Run.ID}))
	require.Equal(t, operation.DiscoveryRun, o.end(t, "").Operation)
	require.Equal(t, operation.ConnectionTest, o.end(t, "").Operation)
	s = o.session(t, s)
	require.Equal(t, onboarding.Completed, s.Status)
}

// An identical run that has not begun does what the operation's own would.
func TestABootstrapTakesARunThatHasNotBegun(t *testing.T) {
	t.Parallel()
	o := newOnboarded(t)
	s := o.verified(t)
	queued := o.start(t, o.scope, s.Connection)
	out := o.bootstrap(t, s, operation.DiscoveryRun)
	require.Equal(t, run.Deduped, out.Start.Status)
	require.Equal(t, operation.DiscoveryRun, out.Session.AcceptedOperation())
	require.Equal(t, queued.ID, o.end(t, "").ID)
	s = o.session(t, s)
	require.Equal(t, onboarding.Completed, s.Status)
	require.Empty(t, o.started(t))
}

func TestABlockedStartStopsTheBootstrap(t *testing.T) {
	t.Parallel()
	o := newOnboarded(t)
	s := o.verified(t)
	o.bootstrap(t, s, operation.ConnectionTest, operation.DiscoveryRun)
	h := o.claim(t)
	o.exec(t, `update connections set lifecycle = 'disabled' where connection_id = $1`, s.Connection)
	o.finish(t, h, "")
	require.NoError(t, o.sessions.Keeper.RunEnded(t.Context(), run.Ref{Scope: o.scope, Run: h.Run.ID}))
	s = o.session(t, s)
	require.Equal(t, onboarding.Stopped, s.Status)
	require.Equal(t, operation.ConnectionDisabled, s.Reason)
	require.Equal(t, run.Blocked, s.Operations[1].Outcome)
	require.NotZero(t, s.Operations[1].Run, "it is on record")
}

func TestTheDeletedConnectionOfABootstrapStopsIt(t *testing.T) {
	t.Parallel()
	o := newOnboarded(t)
	s := o.verified(t)
	o.bootstrap(t, s, operation.ConnectionTest, operation.DiscoveryRun)
	o.finish(t, o.claim(t), "")
	o.exec(t, `update connections set deleted_at = now(), is_default = false where connection_id = $1`, s.Connection)
	require.NoError(t, o.sessions.Keeper.Round(t.Context()))
	s = o.session(t, s)
	require.Equal(t, onboarding.Stopped, s.Status)
	require.Equal(t, operation.ConnectionMissing, s.Reason)
	require.Equal(t, run.Blocked, s.Operations[1].Outcome)

	// With another connection it begins anew.
	s, err := o.sessions.Pick(t.Context(), o.builder, s.ID, o.connect(t, o.scope), nil)
	require.NoError(t, err)
	require.Equal(t, onboarding.Open, s.Status)
	require.Empty(t, s.Operations)
	require.Equal(t, onboarding.StepPending, s.StateOf(onboarding.VerifyStep))
	require.NotContains(t, s.Taken, onboarding.BootstrapStep)
}

func TestAnAbandonedSessionStartsNothing(t *testing.T) {
	t.Parallel()
	o := newOnboarded(t)
	s := o.verified(t)
	o.bootstrap(t, s, operation.ConnectionTest, operation.DiscoveryRun)
	s, err := o.sessions.Abandon(t.Context(), o.builder, s.ID, nil)
	require.NoError(t, err)
	o.end(t, "")
	require.NoError(t, o.sessions.Keeper.Round(t.Context()))
	o.claimNothing(t)
	for name, err := range map[string]error{
		"resume": func() error {
			_, err := o.sessions.Resume(t.Context(), o.builder, s.ID, onboarding.Terms{})
			return err
		}(),
		"abandon": func() error { _, err := o.sessions.Abandon(t.Context(), o.builder, s.ID, nil); return err }(),
		"verify": func() error {
			_, err := o.sessions.Verify(t.Context(), o.builder, s.ID, onboarding.VerifyRequest{Operation: operation.ConnectionTest})
			return err
		}(),
		"pick": func() error {
			_, err := o.sessions.Pick(t.Context(), o.builder, s.ID, o.connect(t, o.scope), nil)
			return err
		}(),
		"bootstrap": func() error {
			_, err := o.sessions.Bootstrap(t.Context(), o.builder, s.ID, onboarding.BootstrapRequest{Connection: s.Connection, Operations: []operation.Type{operation.DiscoveryRun}})
			return err
		}(),
	} {
		require.Equal(t, fault.Conflict, fault.KindOf(err), name)
		require.ErrorContains(t, err, "was abandoned", name)
	}
}

func TestSessionsNobodyTouchesAreAbandoned(t *testing.T) {
	t.Parallel()
	o := newOnboarded(t)
	old, fresh, running := o.open(t, o.connect(t, o.scope)), o.open(t, o.connect(t, o.scope)), o.verified(t)
	o.bootstrap(t, running, operation.DiscoveryRun)
	o.exec(t, `update onboarding_sessions set updated_at = now() - interval '31 days' where session_id in ($1, $2)`, old.ID, running.ID)
	require.NoError(t, o.sessions.Keeper.Round(t.Context()))
	require.Equal(t, onboarding.Abandoned, o.session(t, old).Status)
	require.Equal(t, onboarding.Open, o.session(t, fresh).Status)
	require.Equal(t, onboarding.Bootstrapping, o.session(t, running).Status, "one that waits for nobody is not given up")
	require.Contains(t, o.recorded(t, old), audit.OnboardingAbandoned)
}

func TestOnlyOneOfManyBootstrapsBegins(t *testing.T) {
	t.Parallel()
	o := newOnboarded(t)
	s := o.verified(t)
	const clients = 12
	errs := make([]error, clients)
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() {
			_, errs[i] = o.sessions.Bootstrap(context.WithoutCancel(t.Context()), o.builder, s.ID, onboarding.BootstrapRequest{Connection: s.Connection, Operations: []operation.Type{operation.ConnectionTest, operation.DiscoveryRun}})
		})
	}
	all.Wait()
	begun := 0
	for _, err := range errs {
		if err == nil {
			begun++
			continue
		}
		require.Equal(t, fault.Conflict, fault.KindOf(err))
	}
	require.Equal(t, 1, begun)
	require.Len(t, o.started(t), 1)
}

func TestSessionsAreChangedAtTheVersionThatWasRead(t *testing.T) {
	t.Parallel()
	o := newOnboarded(t)
	s := o.open(t, o.connect(t, o.scope))
	former := s.Version - 1
	_, err := o.sessions.Abandon(t.Context(), o.builder, s.ID, &former)
	require.Equal(t, fault.Stale, fault.KindOf(err))
	var stale *onboarding.StaleError
	require.ErrorAs(t, err, &stale)
	require.Equal(t, s.Version, stale.Version)
	_, err = o.sessions.Abandon(t.Context(), o.builder, s.ID, &s.Version)
	require.NoError(t, err)
}

func TestWhatASessionRefuses(t *testing.T) {
	t.Parallel()
	o := newOnboarded(t)
	s := o.verified(t)
	elsewhere := o.newScope(t)
	stranger := o.caller(t, elsewhere, workspace.Admin)
	begin := func(c workspace.Caller, conn id.Connection, ops ...operation.Type) error {
		_, err := o.sessions.Bootstrap(t.Context(), c, s.ID, onboarding.BootstrapRequest{Connection: conn, Operations: ops})
		return err
	}
	require.ErrorContains(t, begin(o.builder, s.Connection), "selected_operations")
	require.ErrorContains(t, begin(o.builder, s.Connection, "mail.send"), "it offers connection.test, discovery.run, directory.groups.sync, directory.role_definitions.sync, policy.backup")
	require.ErrorContains(t, begin(o.builder, s.Connection, operation.RestoreExecute), "is not offered by aws")
	require.ErrorContains(t, begin(o.builder, s.Connection, operation.DiscoveryRun, operation.DiscoveryRun), "named twice")
	require.ErrorContains(t, begin(o.builder, o.connect(t, o.scope), operation.DiscoveryRun), "is not the session's connection")
	require.Equal(t, fault.Forbidden, fault.KindOf(begin(o.viewer, s.Connection, operation.DiscoveryRun)))
	require.Equal(t, fault.NotFound, fault.KindOf(begin(stranger, s.Connection, operation.DiscoveryRun)))
	_, err := o.sessions.Verify(t.Context(), o.builder, s.ID, onboarding.VerifyRequest{Operation: operation.DiscoveryRun})
	require.Equal(t, fault.NotFound, fault.KindOf(err))
	_, err = o.sessions.Pick(t.Context(), o.builder, s.ID, o.connect(t, elsewhere), nil)
	require.ErrorContains(t, err, "names no connection of this workspace")
	_, err = o.sessions.Pick(t.Context(), stranger, s.ID, s.Connection, nil)
	require.Equal(t, fault.NotFound, fault.KindOf(err))
	_, _, err = o.sessions.Start(t.Context(), o.builder, "teapot", nil)
	require.ErrorContains(t, err, "is not in the catalog")
	listed, err := o.sessions.List(t.Context(), stranger, onboarding.Filter{Limit: 10})
	require.NoError(t, err)
	require.Empty(t, listed)
	require.Empty(t, o.started(t), "nothing was started")
}

func TestSessionsAreListed(t *testing.T) {
	t.Parallel()
	o := newOnboarded(t)
	first := o.open(t, o.connect(t, o.scope))
	other := o.caller(t, o.scope, workspace.Admin)
	second, _, err := o.sessions.Start(t.Context(), other, "aws", nil)
	require.NoError(t, err)
	_, err = o.sessions.Abandon(t.Context(), other, second.ID, nil)
	require.NoError(t, err)
	list := func(f onboarding.Filter) (found []id.Onboarding) {
		f.Limit = 10
		sessions, err := o.sessions.List(t.Context(), o.viewer, f)
		require.NoError(t, err)
		for _, s := range sessions {
			found = append(found, s.ID)
		}
		return found
	}
	require.Equal(t, []id.Onboarding{second.ID, first.ID}, list(onboarding.Filter{}))
	require.Equal(t, []id.Onboarding{first.ID}, list(onboarding.Filter{Status: onboarding.Open}))
	require.Equal(t, []id.Onboarding{second.ID}, list(onboarding.Filter{StartedBy: other.Member}))
	require.Equal(t, []id.Onboarding{first.ID}, list(onboarding.Filter{Before: second.ID}))
	require.Empty(t, list(onboarding.Filter{Integration: "azure"}))
}

// A session knows whether its connection starts by itself.
func TestASessionKnowsOfASchedule(t *testing.T) {
	t.Parallel()
	o := newOnboarded(t)
	s := o.open(t, o.connect(t, o.scope))
	require.False(t, s.Scheduled)
	o.exec(t, `update connections set schedule = '{"type": "daily", "hour": 2}' where connection_id = $1`, s.Connection)
	require.True(t, o.session(t, s).Scheduled)
}
