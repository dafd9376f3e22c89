package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/onboarding"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// Each change of a session fails and leaves nothing when its event cannot be
// written, and once it can, succeeds with one event.
func TestOnboardingNeedsItsEvents(t *testing.T) {
	t.Parallel()
	o := newOnboarded(t)
	ctx := t.Context()
	c := o.connect(t, o.scope)
	var s onboarding.Session
	operations := []operation.Type{operation.ConnectionTest, operation.DiscoveryRun}
	ended := func(why operation.Code) run.Ref {
		r := o.finish(t, o.claim(t), why)
		return run.Ref{Scope: r.Scope, Run: r.ID}
	}
	for _, deed := range []struct {
		action  audit.Action
		prepare func() run.Ref
		do      func(run.Ref) error
	}{
		{audit.OnboardingStarted, nil, func(run.Ref) (err error) {
			s, _, err = o.sessions.Start(ctx, o.builder, "aws", nil)
			return err
		}},
		{audit.OnboardingConnectionPicked, nil, func(run.Ref) error {
			_, err := o.sessions.Pick(ctx, o.builder, s.ID, c, nil)
			return err
		}},
		{audit.OnboardingVerificationStarted, nil, func(run.Ref) error {
			_, err := o.sessions.Verify(ctx, o.builder, s.ID, onboarding.VerifyRequest{Operation: operation.ConnectionTest})
			return err
		}},
		{audit.OnboardingBootstrapStarted, func() run.Ref { return ended("") }, func(run.Ref) error {
			_, err := o.sessions.Bootstrap(ctx, o.builder, s.ID, onboarding.BootstrapRequest{Connection: c, Operations: operations})
			return err
		}},
		{audit.OnboardingStopped, func() run.Ref { return ended(operation.Throttled) }, func(r run.Ref) error { return o.sessions.Keeper.RunEnded(ctx, r) }},
		{audit.OnboardingResumed, nil, func(run.Ref) error {
			_, err := o.sessions.Resume(ctx, o.builder, s.ID, onboarding.Terms{})
			return err
		}},
		{audit.OnboardingCompleted, func() run.Ref {
			require.NoError(t, o.sessions.Keeper.RunEnded(ctx, ended("")))
			return ended("")
		}, func(r run.Ref) error { return o.sessions.Keeper.RunEnded(ctx, r) }},
		{audit.OnboardingAbandoned, func() run.Ref {
			s = o.open(t, c)
			return run.Ref{}
		}, func(run.Ref) error {
			_, err := o.sessions.Abandon(ctx, o.builder, s.ID, nil)
			return err
		}},
	} {
		var r run.Ref
		if deed.prepare != nil {
			r = deed.prepare()
		}
		before, events := stateOf(t, o.super), eventsOf(t, o.super)
		execOn(t, o.super, "alter table audit_events add constraint refused check (false) not valid")
		require.Error(t, deed.do(r), "%s happened without its event", deed.action)
		require.Equal(t, before, stateOf(t, o.super), "%s left something without its event", deed.action)
		execOn(t, o.super, "alter table audit_events drop constraint refused")
		require.NoError(t, deed.do(r), deed.action)
		require.Equal(t, events[deed.action]+1, eventsOf(t, o.super)[deed.action], "%s has one event", deed.action)
	}
}
