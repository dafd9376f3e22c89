package connectortest

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
)

// testDeny takes away each declared permission in turn.
func (s suite) testDeny(t *testing.T) {
	t.Parallel()
	plan, whole, errs := s.readAll(t.Context(), t, s.Settings(t))
	require.Empty(t, errs)
	for _, permission := range s.manifest.RequiredPermissions() {
		t.Run(strings.ReplaceAll(permission, "/", "_"), func(t *testing.T) {
			t.Parallel()
			settings, ok := s.Deny(t, permission)
			if !ok {
				t.Skipf("the subject cannot take %s away", permission)
			}
			s.checkDenied(t, permission, settings)
			s.readDenied(t, permission, settings, plan, whole)
		})
	}
}

// checkDenied requires that a check names the permission and does not promise
// the streams that need it.
func (s suite) checkDenied(t *testing.T, permission string, settings connector.Settings) {
	t.Helper()
	result, err := s.open(t, settings).Check(t.Context())
	require.NoError(t, err, "a missing permission is not an error of the check")
	require.True(t, slices.ContainsFunc(result.Remediation, func(r connector.Remediation) bool {
		return r.Category == connector.RemedyPermissions && strings.Contains(r.Message, permission) && r.Action != ""
	}), "no remedy names %s: %v", permission, result.Remediation)
	sufficient := true
	for _, o := range result.Streams {
		stream, _ := s.manifest.Stream(o.Stream)
		sufficient = sufficient && (stream.Optional || o.Coverage == connector.Complete)
		if !needs(stream, permission) || o.Coverage == connector.Skipped {
			continue
		}
		require.Equal(t, connector.Partial, o.Coverage, "stream %s needs %s", o.Stream, permission)
		require.Contains(t, o.Missing, permission, "stream %s", o.Stream)
	}
	require.Equal(t, sufficient, result.Sufficient, "sufficient contradicts the streams")
}

func needs(s connector.Stream, permission string) bool {
	return slices.ContainsFunc(s.Permissions, func(p connector.Permission) bool { return p.Name == permission })
}

// readDenied requires that a plan without some of the partitions does not call
// itself complete, that every partition which ends without a word has all that
// it had, and that at least one says what is missing.
func (s suite) readDenied(t *testing.T, permission string, settings connector.Settings, plan connector.Plan, whole map[string]*recorder) {
	t.Helper()
	planned, read, errs := s.readAll(t.Context(), t, settings)
	for _, lost := range names(plan) {
		if !slices.Contains(names(planned), lost) {
			require.False(t, planned.Complete, "without %s the plan lacks %s and says that it is complete", permission, lost)
		}
	}
	said := false
	for _, p := range planned.Partitions {
		if p.Skip != nil {
			said = said || p.Skip.Permission == permission
			continue
		}
		if err := errs[name(p)]; err != nil {
			require.Equal(t, connector.PermissionDenied, connector.AsError(err).Category, "partition %s: %v", name(p), err)
			said = true
			continue
		}
		if gaps := read[name(p)].gaps(); len(gaps) > 0 {
			said = said || slices.ContainsFunc(gaps, func(g connector.Error) bool { return g.Permission == permission })
			continue
		}
		if was, ok := whole[name(p)]; ok {
			want, got := records{}, records{}
			require.NoError(t, want.add(was.pages))
			require.NoError(t, got.add(read[name(p)].pages))
			require.Equal(t, want, got, "partition %s differs without %s and says nothing of it", name(p), permission)
		}
	}
	require.True(t, said, "no skipped partition, gap or error names %s; planned were %v, with it %v", permission, names(planned), names(plan))
}

// testThrottle requires that a read ends complete, or says that it was
// throttled, so that the runtime waits and goes on from the last cursor.
func (s suite) testThrottle(t *testing.T) {
	t.Parallel()
	_, whole, errs := s.readAll(t.Context(), t, s.Settings(t))
	require.Empty(t, errs)
	const patience = 200
	l := &ledger{most: -1}
	session := s.open(t, l.on(s.Throttle(t)))
	plan := retried(t, patience, func() (connector.Plan, error) { return session.Plan(t.Context()) })
	for _, p := range plan.Partitions {
		require.Nil(t, p.Skip, "partition %s is skipped because of throttling", name(p))
		r := &recorder{stream: s.stream(t, p)}
		retried(t, patience, func() (struct{}, error) {
			var from connector.Cursor
			if n := len(r.pages); n > 0 {
				from = r.pages[n-1].Next
			}
			return struct{}{}, session.Read(t.Context(), p, from, r)
		})
		require.Empty(t, r.gaps(), "partition %s calls throttling a gap", name(p))
		want, got := records{}, records{}
		require.NoError(t, want.add(whole[name(p)].pages))
		require.NoError(t, got.add(r.pages))
		require.Equal(t, want, got, "partition %s differs under throttling", name(p))
	}
	if len(s.manifest.ThrottleScopes) > 0 {
		require.NotZero(t, l.refused, "nobody was told that the provider refuses calls")
	}
}

// retried calls f again as long as it is throttled.
func retried[T any](t *testing.T, most int, f func() (T, error)) T {
	t.Helper()
	for range most {
		v, err := f()
		if err == nil {
			return v
		}
		var e *connector.Error
		require.ErrorAs(t, err, &e, "throttling gives an error outside the contract: %v", err)
		require.Equal(t, connector.Throttled, e.Category, "%v", err)
	}
	t.Fatalf("still throttled after %d tries", most)
	var none T
	return none
}
