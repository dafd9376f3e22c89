package connectortest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
)

// Faults are providers that go wrong, each in its own way, with the content that the
// subject's Settings reach. Every connector that is built in passes all of them; a
// function that is nil is a fault that is not tested, and fails the matrix.
type Faults struct {
	// Storm makes settings for a provider that refuses a large part of all calls
	// because of their rate, and asks to wait for Wait each time; zero where the
	// provider does not say how long.
	Storm func(t testing.TB) connector.Settings
	Wait  time.Duration
	// Repeats is how many calls one refusal may have made again beside the refused
	// one: those since the last place that the connector continues from.
	Repeats int
	// Expired makes settings for a provider that ends each token or session after
	// some calls, again and again.
	Expired func(t testing.TB) connector.Settings
	// Changing makes settings for a provider that has the content of Settings and
	// changes once, while it is read for the first time.
	Changing func(t testing.TB) connector.Settings
	// Elsewhere makes settings by which another tenant is reached than by Settings,
	// or one that the provider does not know.
	Elsewhere func(t testing.TB) connector.Settings
	// Slow makes a provider that does not answer within the time that the connector
	// gives it.
	Slow func(t testing.TB) (connector.Connector, connector.Settings)
	// Broken makes settings for a provider that cuts off some of its answers and
	// garbles them.
	Broken func(t testing.TB) connector.Settings
}

// RunFaults runs the matrix of faults as parallel subtests, beside [Run], which takes
// away the permissions.
func RunFaults(t *testing.T, subject Subject, faults Faults) {
	t.Helper()
	require.NotNil(t, subject.Deny, "the subject cannot take permissions away")
	for name, given := range map[string]bool{
		"Storm": faults.Storm != nil, "Expired": faults.Expired != nil, "Changing": faults.Changing != nil,
		"Elsewhere": faults.Elsewhere != nil, "Slow": faults.Slow != nil, "Broken": faults.Broken != nil,
	} {
		require.True(t, given, "the matrix lacks the fault %s", name)
	}
	m := matrix{suite{Subject: subject, manifest: subject.Connector.Manifest()}, faults}
	t.Run("deny_all", m.testEveryPermission)
	t.Run("storm", m.testStorm)
	t.Run("expired", m.testExpired)
	t.Run("changing", m.testChanging)
	t.Run("elsewhere", m.testElsewhere)
	t.Run("slow", m.testSlow)
	t.Run("broken", m.testBroken)
}

// matrix is the suite with what goes wrong.
type matrix struct {
	suite
	faults Faults
}

// testEveryPermission requires that no declared permission is left out of [Run]'s
// part that takes them away.
func (m matrix) testEveryPermission(t *testing.T) {
	t.Parallel()
	for _, permission := range m.manifest.RequiredPermissions() {
		_, ok := m.Deny(t, permission)
		require.True(t, ok, "the subject cannot take %s away", permission)
	}
}

// patience is how often a read goes on after an error that may pass.
const patience = 500

// readOn plans and reads everything, and goes on from the last cursor after each
// error that may pass; failed is told of it.
func (m matrix) readOn(t *testing.T, settings connector.Settings, failed func(*connector.Error)) map[string]*recorder {
	t.Helper()
	session := m.open(t, settings)
	left := patience
	again := func(err error) bool {
		t.Helper()
		if err == nil {
			return false
		}
		e := connector.AsError(err)
		require.True(t, e.Retryable(), "the fault passes, and the error says that it does not: %v", err)
		left--
		require.Positive(t, left, "no progress is made: %v", err)
		failed(e)
		return true
	}
	plan, err := session.Plan(t.Context())
	for again(err) {
		plan, err = session.Plan(t.Context())
	}
	read := map[string]*recorder{}
	for _, p := range plan.Partitions {
		require.Nil(t, p.Skip, "partition %s is skipped for a fault that passes", name(p))
		r := &recorder{stream: m.stream(t, p)}
		err := session.Read(t.Context(), p, "", r)
		for again(err) {
			err = session.Read(t.Context(), p, r.cursor(), r)
		}
		require.Empty(t, r.gaps(), "partition %s calls a fault that passes a gap", name(p))
		read[name(p)] = r
	}
	return read
}

// cursor is where to go on after the pages that were taken.
func (r *recorder) cursor() connector.Cursor {
	if n := len(r.pages); n > 0 {
		return r.pages[n-1].Next
	}
	return ""
}

// whole reads what Settings reach, without faults, and counts its calls.
func (m matrix) whole(t *testing.T) (read map[string]*recorder, calls int) {
	t.Helper()
	l := &ledger{most: -1}
	_, read, errs := m.readAll(t.Context(), t, l.on(m.Settings(t)))
	require.Empty(t, errs)
	return read, l.calls
}

// requireSame requires of two reads that they emitted the same.
func requireSame(t *testing.T, want, got map[string]*recorder, because string) {
	t.Helper()
	for partition, r := range want {
		require.Contains(t, got, partition, "not read at all %s", because)
		a, b := records{}, records{}
		require.NoError(t, a.add(r.pages))
		require.NoError(t, b.add(got[partition].pages))
		require.Equal(t, a, b, "partition %s differs %s", partition, because)
	}
}
