package postgres_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/idempotency"
	"github.com/gatehouse-project/gatehouse/internal/onboarding"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// once is a request with a key of its own.
func (o *onboarded) once(tb testing.TB, operation, key string) *idempotency.Request {
	tb.Helper()
	r, err := idempotency.NewRequest(o.builder.Member, operation, "onboarding-with-a-key-"+key, key)
	require.NoError(tb, err)
	return r
}

// Whatever is asked for with a key is done once, also when it is asked for again at
// the same time, and answered about what it has come to.
func TestOnboardingThatIsAskedForAgainIsDoneOnce(t *testing.T) {
	t.Parallel()
	o := newOnboarded(t)
	const many = 5
	atOnce := func(ask func(i int) error) {
		t.Helper()
		var all sync.WaitGroup
		errs := make([]error, many)
		for i := range many {
			all.Go(func() { errs[i] = ask(i) })
		}
		all.Wait()
		for _, err := range errs {
			require.NoError(t, err)
		}
	}

	var begun [many]onboarding.Session
	atOnce(func(i int) (err error) {
		begun[i], _, err = o.sessions.Start(t.Context(), o.builder, "aws", o.once(t, "start-onboarding", "start"))
		return err
	})
	s := begun[0]
	for _, other := range begun {
		require.Equal(t, s.ID, other.ID)
	}
	require.Equal(t, 1, o.number(t, `select count(*) from onboarding_sessions`))

	s, err := o.sessions.Pick(t.Context(), o.builder, s.ID, o.connect(t, o.scope), nil)
	require.NoError(t, err)
	verify := onboarding.VerifyRequest{Operation: operation.ConnectionTest, Once: o.once(t, run.StartOperation, "verify")}
	var tests [many]run.StartResult
	atOnce(func(i int) (err error) {
		tests[i], err = o.sessions.Verify(t.Context(), o.builder, s.ID, verify)
		return err
	})
	for _, other := range tests {
		require.Equal(t, run.Accepted, other.Status)
		require.Equal(t, tests[0].Run.ID, other.Run.ID)
	}
	o.endTest(t, o.claim(t), good())
	o.claimNothing(t)

	request := onboarding.BootstrapRequest{Connection: s.Connection, Operations: []operation.Type{operation.DiscoveryRun, operation.ConnectionTest}}
	request.Once = o.once(t, "start-onboarding-bootstrap", "bootstrap")
	atOnce(func(int) error {
		out, err := o.sessions.Bootstrap(t.Context(), o.builder, s.ID, request)
		require.Equal(t, onboarding.Bootstrapping, out.Session.Status)
		return err
	})
	// The session has gone on, and verifying it would be refused by now.
	again, err := o.sessions.Verify(t.Context(), o.builder, s.ID, verify)
	require.NoError(t, err)
	require.True(t, again.Replayed)
	require.Equal(t, tests[0].Run.ID, again.Run.ID)
	o.end(t, operation.ProviderUnavailable)
	out, err := o.sessions.Bootstrap(t.Context(), o.builder, s.ID, request)
	require.NoError(t, err)
	require.True(t, out.Replayed)
	require.Equal(t, onboarding.Stopped, out.Session.Status, "sending it again resumes nothing")
	require.Contains(t, out.Session.Standing().Message, "has ended since: failed")

	resume := onboarding.Terms{Once: o.once(t, "resume-onboarding", "resume")}
	atOnce(func(int) error {
		_, err := o.sessions.Resume(t.Context(), o.builder, s.ID, resume)
		return err
	})
	o.end(t, "")
	o.end(t, "")
	require.Equal(t, onboarding.Completed, o.session(t, s).Status)
	require.Len(t, o.started(t), 3, "two of the discovery and one of the test")
	require.Equal(t, []audit.Action{
		audit.OnboardingStarted, audit.OnboardingConnectionPicked, audit.OnboardingVerificationStarted, audit.OnboardingBootstrapStarted,
		audit.OnboardingStopped, audit.OnboardingResumed, audit.OnboardingCompleted,
	}, o.recorded(t, s))

	_, _, err = o.sessions.Start(t.Context(), o.builder, "teapot", o.once(t, "start-onboarding", "refused"))
	require.Equal(t, fault.Invalid, fault.KindOf(err))
	other, replayed, err := o.sessions.Start(t.Context(), o.builder, "aws", o.once(t, "start-onboarding", "refused"))
	require.NoError(t, err, "what was refused is not remembered")
	require.False(t, replayed)
	require.NotEqual(t, s.ID, other.ID)
}
