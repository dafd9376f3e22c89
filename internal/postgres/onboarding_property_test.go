package postgres_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/idempotency"
	"github.com/gatehouse-project/gatehouse/internal/onboarding"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

var errKilled = errors.New("the process was killed")

// mortal is a process that dies at one of its calls of the database: before the
// call, or after what it asked for was committed. It makes no call after that.
type mortal struct {
	onboarding.Store
	gate *run.Gate
	// left counts the half calls until it dies.
	left atomic.Int64
}

// call makes one call, of which the process may not see the end.
func (m *mortal) call(do func() error) error {
	if m.left.Add(-1) < 0 {
		return errKilled
	}
	err := do()
	if m.left.Add(-1) < 0 {
		return errKilled
	}
	return err
}

func (m *mortal) Change(ctx context.Context, ref onboarding.Ref, on onboarding.Terms, fn func(*onboarding.Session) ([]audit.Event, error)) (s onboarding.Session, err error) {
	err = m.call(func() (err error) {
		s, err = m.Store.Change(ctx, ref, on, fn)
		return err
	})
	return s, err
}

func (m *mortal) StartOnboarding(ctx context.Context, s run.OnboardingStart) (r run.StartResult, err error) {
	err = m.call(func() (err error) {
		r, err = m.gate.StartOnboarding(ctx, s)
		return err
	})
	return r, err
}

func (m *mortal) AnsweredStart(ctx context.Context, scope id.Scope, op operation.Operation, once idempotency.Request) (r run.StartResult, ok bool, err error) {
	err = m.call(func() (err error) {
		r, ok, err = m.gate.AnsweredStart(ctx, scope, op, once)
		return err
	})
	return r, ok, err
}

func (o *onboarded) mortalKeeper(calls int) *onboarding.Keeper {
	m := &mortal{Store: o.store, gate: o.gate}
	m.left.Store(int64(calls))
	return &onboarding.Keeper{Store: m, Gate: m}
}

// Whatever process dies at whatever moment, and however many advance the session
// at once, a bootstrap of n operations makes n runs in their order, each after the
// one before has ended.
func TestEveryOperationOfABootstrapRunsOnceWhateverDies(t *testing.T) {
	t.Parallel()
	o := newOnboarded(t)
	rapid.Check(t, func(rt *rapid.T) {
		s := o.verified(t)
		ops := rapid.Permutation(bootstrappable()).Draw(rt, "operations")[:rapid.IntRange(1, 5).Draw(rt, "how many")]
		ref := onboarding.Ref{Scope: s.Scope, Session: s.ID}
		begin := &onboarding.Service{
			Store: o.store, Connections: o.gate.Connections, Catalog: o.gate.Catalog,
			Keeper: o.mortalKeeper(rapid.IntRange(0, 8).Draw(rt, "calls of the one who begins")),
		}
		_, err := begin.Bootstrap(t.Context(), o.builder, s.ID, onboarding.BootstrapRequest{Connection: s.Connection, Operations: ops})
		if err != nil {
			require.ErrorIs(t, err, errKilled)
		}
		foreign := false
		for range rapid.IntRange(2, 16).Draw(rt, "turns") {
			switch rapid.SampledFrom([]string{"advance", "work", "other"}).Draw(rt, "turn") {
			case "advance":
				var all sync.WaitGroup
				for range rapid.IntRange(1, 4).Draw(rt, "processes") {
					k := o.mortalKeeper(rapid.IntRange(0, 10).Draw(rt, "calls"))
					all.Go(func() {
						if _, err := k.Advance(context.WithoutCancel(t.Context()), ref, audit.System("test")); err != nil && !errors.Is(err, errKilled) {
							t.Errorf("advance: %v", err)
						}
					})
				}
				all.Wait()
			case "work":
				o.workOff(t, 1)
			case "other":
				// Somebody else's discovery takes the connection, if it is free.
				if admitted := o.admit(t, admission(s.Scope, s.Connection)); admitted.Status == run.Accepted {
					foreign = true
				}
			}
			o.requireInOrder(t, s, foreign)
		}
		// A round that nobody kills brings it to its end.
		for range 20 {
			require.NoError(t, o.sessions.Keeper.Round(t.Context()))
			o.workOff(t, 10)
			if o.session(t, s).Status == onboarding.Completed {
				break
			}
		}
		s = o.session(t, s)
		require.Equal(t, onboarding.Completed, s.Status)
		o.requireInOrder(t, s, foreign)
		for i, op := range s.Operations {
			require.Equal(t, ops[i], op.Type)
			require.NotZero(t, op.Run, "%s has a run", op.Type)
		}
		if !foreign {
			require.Len(t, o.startedOn(t, s.Connection), len(ops), "each operation was started once")
		}
		o.claimNothing(t)
	})
}

// workOff has a worker end the runs that there are, at most that many. Nobody is
// told.
func (o *onboarded) workOff(t *testing.T, most int) {
	t.Helper()
	for range most {
		h, err := o.tryClaim(t.Context())
		require.NoError(t, err)
		if h == nil {
			return
		}
		o.finish(t, h, "")
	}
}

// requireInOrder checks a session's runs: none twice, in the operations' order,
// never two at once.
func (o *onboarded) requireInOrder(t *testing.T, s onboarding.Session, foreign bool) {
	t.Helper()
	runs := o.startedOn(t, s.Connection)
	s = o.session(t, s)
	require.LessOrEqual(t, len(runs), len(s.Operations), "no operation was started twice")
	next := 0
	for i, r := range runs {
		if i > 0 {
			require.NotNil(t, runs[i-1].CompletedAt, "one after the other")
			require.False(t, r.CreatedAt.Before(*runs[i-1].CompletedAt), "one after the other")
		}
		for next < len(s.Operations) && s.Operations[next].Type != r.Operation {
			require.True(t, foreign, "%s was left out", s.Operations[next].Type)
			next++
		}
		require.Less(t, next, len(s.Operations), "%s came out of order", r.Operation)
		require.Equal(t, r.ID, s.Operations[next].Run, "the session knows of its run as soon as there is one")
		next++
	}
}
