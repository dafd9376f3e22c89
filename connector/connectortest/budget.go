package connectortest

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
)

// ledger is a budget that allows everything, until it allows nothing, and notes it.
type ledger struct {
	mu                              sync.Mutex
	uses                            []connector.Use
	calls, taken, released, refused int
	// most is how many calls are allowed; negative for any number.
	most int
}

// Take allows a call and notes what it takes.
func (l *ledger) Take(ctx context.Context, uses ...connector.Use) (release func(), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.most >= 0 && l.taken >= l.most {
		return nil, &connector.Error{Category: connector.Throttled, Message: "the budget is used up", RetryAfter: time.Hour}
	}
	l.taken++
	l.uses = append(l.uses, uses...)
	return sync.OnceFunc(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.released++
	}), ctx.Err()
}

// Throttled notes that the provider refused a call.
func (l *ledger) Throttled(_ context.Context, _ time.Duration, uses ...connector.Use) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refused++
	l.uses = append(l.uses, uses...)
}

// counting counts requests.
type counting struct {
	next http.RoundTripper
	l    *ledger
}

// RoundTrip makes the request.
func (c counting) RoundTrip(r *http.Request) (*http.Response, error) {
	c.l.mu.Lock()
	c.l.calls++
	c.l.mu.Unlock()
	return c.next.RoundTrip(r)
}

// on returns settings with the ledger as their budget, and their requests counted.
func (l *ledger) on(s connector.Settings) connector.Settings {
	s.Budget = l
	if s.HTTPClient != nil {
		client := *s.HTTPClient
		next := client.Transport
		if next == nil {
			next = http.DefaultTransport
		}
		client.Transport = counting{next, l}
		s.HTTPClient = &client
	}
	return s
}

// testBudget checks that the session asks for leave before its calls, by declared
// scopes, gives up when there is none, and tells what the provider refuses.
func (s suite) testBudget(t *testing.T) {
	t.Parallel()
	l := &ledger{most: -1}
	_, _, errs := s.readAll(t.Context(), t, l.on(s.Settings(t)))
	require.Empty(t, errs)
	l.mu.Lock()
	defer l.mu.Unlock()
	met := map[string]bool{}
	for _, u := range l.uses {
		scope, ok := s.manifest.ThrottleScope(u.Scope)
		require.True(t, ok, "a call takes from the scope %q, which the manifest does not declare", u.Scope)
		require.Len(t, u.Key, len(scope.Key), "scope %s", u.Scope)
		require.NotContains(t, u.Key, "", "scope %s", u.Scope)
		require.LessOrEqual(t, u.Cost(), scope.Limit.Burst, "scope %s: a call counts for more than there ever is", u.Scope)
		met[u.Scope] = true
	}
	for _, scope := range s.manifest.ThrottleScopes {
		require.NotEqual(t, slices.Contains(s.UnmetScopes, scope.Name), met[scope.Name], "scope %s: declared and never taken from, or named in UnmetScopes and taken from", scope.Name)
	}
	require.LessOrEqual(t, l.calls-l.taken, s.Unmetered, "requests are made without leave")
	require.Equal(t, l.taken, l.released, "leave is not released")

	short := &ledger{most: l.taken / 2}
	session := s.open(t, short.on(s.Settings(t)))
	err := readThrough(t, session)
	require.Error(t, err)
	require.Equal(t, connector.Throttled, connector.AsError(err).Category, "the budget's refusal becomes something else: %v", err)
	require.Equal(t, time.Hour, connector.AsError(err).RetryAfter)
	require.LessOrEqual(t, short.calls, short.most+s.Unmetered, "requests are made without leave")
}

// readThrough plans and reads until something fails.
func readThrough(t *testing.T, session connector.Session) error {
	t.Helper()
	plan, err := session.Plan(t.Context())
	for _, p := range plan.Partitions {
		if err == nil && p.Skip == nil {
			err = session.Read(t.Context(), p, "", discard{})
		}
	}
	return err
}

// discard is a sink that keeps nothing.
type discard struct{}

// Write takes a page.
func (discard) Write(context.Context, connector.Page) error { return nil }
