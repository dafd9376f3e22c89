package connectortest

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
)

// weather is a budget with a clock of its own: it waits as long as the provider asks,
// in no time, and notes how long that was.
type weather struct {
	ledger
	clock              sync.Mutex
	now, until, waited time.Duration
	asked              []time.Duration
}

// Take waits until the provider takes calls again.
func (w *weather) Take(ctx context.Context, uses ...connector.Use) (release func(), err error) {
	w.clock.Lock()
	if w.until > w.now {
		w.waited += w.until - w.now
		w.now = w.until
	}
	w.clock.Unlock()
	return w.ledger.Take(ctx, uses...)
}

// Throttled notes how long the provider asks to wait.
func (w *weather) Throttled(ctx context.Context, wait time.Duration, uses ...connector.Use) {
	w.clock.Lock()
	w.until = max(w.until, w.now+wait)
	w.asked = append(w.asked, wait)
	w.clock.Unlock()
	w.ledger.Throttled(ctx, wait, uses...)
}

// testStorm requires that refusals cost the waiting that the provider asks for, the
// refused calls, and no more than a few others.
func (m matrix) testStorm(t *testing.T) {
	t.Parallel()
	want, quiet := m.whole(t)
	w := &weather{ledger: ledger{most: -1}}
	settings := w.on(m.faults.Storm(t))
	settings.Budget = w
	got := m.readOn(t, settings, func(e *connector.Error) {
		require.Equal(t, connector.Throttled, e.Category, "%v", e)
		require.LessOrEqual(t, e.RetryAfter, m.faults.Wait, "more waiting is asked for than the provider asks")
	})
	requireSame(t, want, got, "in a storm")
	require.NotZero(t, w.refused, "the storm refused nothing, or nobody was told")
	for _, asked := range w.asked {
		require.Equal(t, m.faults.Wait, asked, "the budget is told of another wait than the provider asked for")
	}
	require.LessOrEqual(t, w.waited, time.Duration(w.refused)*m.faults.Wait)
	t.Logf("%d calls in quiet; in the storm %d, of which %d were refused; waited %s", quiet, w.calls, w.refused, w.waited)
	require.LessOrEqual(t, w.calls, quiet+w.refused*(1+m.faults.Repeats), "%d calls were refused, of %d in quiet", w.refused, quiet)
}

// testExpired requires that nobody notices tokens that end.
func (m matrix) testExpired(t *testing.T) {
	t.Parallel()
	want, quiet := m.whole(t)
	l := &ledger{most: -1}
	_, got, errs := m.readAll(t.Context(), t, l.on(m.faults.Expired(t)))
	require.Empty(t, errs, "a token that ends is to be renewed within the read")
	require.Greater(t, l.calls, quiet, "no token has ended")
	for partition, r := range got {
		require.Empty(t, r.gaps(), "partition %s calls a token that ended a gap", partition)
	}
	requireSame(t, want, got, "as tokens end")
}

// testChanging requires that what was there before, while and after the provider was
// read has been read.
func (m matrix) testChanging(t *testing.T) {
	t.Parallel()
	before, _ := m.whole(t)
	settings := m.faults.Changing(t)
	_, during, errs := m.readAll(t.Context(), t, settings)
	require.Empty(t, errs)
	_, after, errs := m.readAll(t.Context(), t, settings)
	require.Empty(t, errs)
	changed := false
	for partition, was := range before {
		is, ok := after[partition]
		if !ok {
			changed = true
			continue
		}
		meanwhile := during[partition]
		require.NotNil(t, meanwhile, "partition %s was there before and after, and was not read", partition)
		if len(meanwhile.gaps()) > 0 {
			continue // the platform takes nothing to be gone
		}
		old, seen, now := ids(was), ids(meanwhile), ids(is)
		changed = changed || len(old) != len(now)
		for id := range old {
			changed = changed || !now[id]
			if now[id] {
				require.True(t, seen[id], "partition %s leaves %s out, which was there all the time", partition, id)
			}
		}
	}
	require.True(t, changed, "the provider's content did not change")
}

// ids are the identities of what was emitted.
func ids(r *recorder) map[string]bool {
	all := map[string]bool{}
	for _, p := range r.pages {
		for _, e := range p.Entities {
			all[entityID(e.Ref)] = true
		}
		for _, r := range p.Relationships {
			all[string(r.Kind)+" "+entityID(r.From)+" "+entityID(r.To)+" "+r.Key] = true
		}
	}
	return all
}

// testElsewhere requires that another tenant is named as what it is, so that the
// platform can hold a connection to its own, or not reached.
func (m matrix) testElsewhere(t *testing.T) {
	t.Parallel()
	here, err := m.open(t, m.Settings(t)).Check(t.Context())
	require.NoError(t, err)
	session := m.open(t, m.faults.Elsewhere(t))
	there, err := session.Check(t.Context())
	if err != nil {
		e := connector.AsError(err)
		require.True(t, slices.Contains([]connector.Category{connector.CredentialInvalid, connector.ScopeInvalid, connector.TargetMismatch}, e.Category),
			"another tenant is refused as %v", e)
	} else {
		require.NotEqual(t, here.Target.ID, there.Target.ID, "another tenant has the same name")
	}
	identifying, ok := session.(connector.IdentifyingSession)
	require.True(t, ok, "the session cannot name its target before a run")
	identity, identifyErr := identifying.Identify(t.Context())
	if err != nil {
		require.Error(t, identifyErr, "the check is refused, and the run would not be")
		return
	}
	require.NoError(t, identifyErr)
	require.Equal(t, there.Target.ID, identity.Target.ID)
	require.Equal(t, there.ActsAs, identity.ActsAs)
}

// testSlow requires that calls end when their time is up, and at once when the run
// does.
func (m matrix) testSlow(t *testing.T) {
	t.Parallel()
	hurried, settings := m.faults.Slow(t)
	session, err := hurried.Open(t.Context(), settings)
	require.NoError(t, err)
	t.Cleanup(func() { _ = session.Close() })
	_, err = session.Check(t.Context())
	require.Error(t, err)
	e := connector.AsError(err)
	require.True(t, e.Category == connector.ProviderUnavailable || e.Category == connector.NetworkUnreachable, "%v: %v", e, e.Cause)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = session.Check(ctx)
	require.ErrorIs(t, err, context.Canceled)
}

// testBroken requires that no part of an answer passes for all of it.
func (m matrix) testBroken(t *testing.T) {
	t.Parallel()
	want, _ := m.whole(t)
	failures := 0
	got := m.readOn(t, m.faults.Broken(t), func(*connector.Error) { failures++ })
	require.NotZero(t, failures, "no answer was broken")
	requireSame(t, want, got, "where answers break")
}
