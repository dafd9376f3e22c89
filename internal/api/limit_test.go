package api

import (
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// limited is a listener with a clock of its own. Keys that begin with "good" are
// accepted; /open asks for none.
type limited struct {
	now     time.Time
	limiter *Limiter
	handler http.Handler
}

func newLimited(t *testing.T, l Limits) *limited {
	t.Helper()
	made := &limited{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	var err error
	made.limiter, err = NewLimiter(l)
	require.NoError(t, err)
	made.limiter.now = func() time.Time { return made.now }
	mux := http.NewServeMux()
	guarded := func(w http.ResponseWriter, r *http.Request) {
		if token, err := bearer(r.Header.Get("Authorization")); err != nil || !strings.HasPrefix(token, "good") {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		Accept(r.Context())
	}
	mux.HandleFunc("GET /v1/things", guarded)
	mux.HandleFunc("GET /v1/worker/runs", guarded)
	// What is wrong with a request may be found before its token is looked at.
	mux.HandleFunc("GET /v1/worker/invalid", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnprocessableEntity) })
	mux.HandleFunc("GET /open", func(http.ResponseWriter, *http.Request) {})
	made.handler = Wrap(mux, WrapConfig{Log: slog.New(slog.DiscardHandler), Limiter: made.limiter})
	return made
}

// ask makes a request and returns its answer.
func (l *limited) ask(from, path, key string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.RemoteAddr = netip.AddrPortFrom(netip.MustParseAddr(from), 40000).String()
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	l.handler.ServeHTTP(w, r)
	return w
}

// passing counts how many of many requests are not told to wait.
func (l *limited) passing(many int, from, path, key string, header ...string) (n int) {
	for range many {
		if l.ask(from, path, key, header...).Code != http.StatusTooManyRequests {
			n++
		}
	}
	return n
}

const here, there = "198.51.100.7", "203.0.113.9"

func TestEachKeyHasItsOwnRate(t *testing.T) {
	t.Parallel()
	l := newLimited(t, Limits{PerKey: 10, PerAddress: 100})
	require.Equal(t, 50, l.passing(100, here, "/v1/things", "good one"), "five seconds' worth")
	refused := l.ask(here, "/v1/things", "good one")
	require.Equal(t, http.StatusTooManyRequests, refused.Code)
	require.Equal(t, "1", refused.Header().Get("Retry-After"))
	require.Equal(t, "application/problem+json", refused.Header().Get("Content-Type"))
	require.Contains(t, refused.Body.String(), "too many requests; wait 1 s")
	require.Equal(t, 20, l.passing(20, here, "/v1/things", "good two"), "of the same address")
	l.now = l.now.Add(300 * time.Millisecond)
	require.Equal(t, 3, l.passing(100, there, "/v1/things", "good one"), "wherever it is used from")
}

func TestGuessingIsLimitedByAddressAndKeepsNobodyOut(t *testing.T) {
	t.Parallel()
	l := newLimited(t, Limits{PerKey: 1000, PerAddress: 2})
	require.Equal(t, http.StatusOK, l.ask(here, "/v1/things", "good one").Code)
	require.Equal(t, 9, func() (n int) {
		for i := range 1000 {
			if l.ask(here, "/v1/things", fmt.Sprintf("guess %d", i)).Code == http.StatusUnauthorized {
				n++
			}
		}
		return n
	}())
	require.Equal(t, 1, l.limiter.keys.byKey.Len(), "guesses take no place")
	require.Equal(t, 100, l.passing(100, here, "/v1/things", "good one"), "who was accepted goes on")
	require.Equal(t, 10, l.passing(50, there, "/v1/things", ""), "others have their own")
	require.Equal(t, http.StatusTooManyRequests, l.ask(here, "/v1/things", "good two").Code, "a key never seen waits with the guesses")
	l.now = l.now.Add(time.Second)
	require.Equal(t, http.StatusOK, l.ask(here, "/v1/things", "good two").Code)
}

// An operation that looks at no key must not make a guess a known key.
func TestOpenOperationsAcceptNoKey(t *testing.T) {
	t.Parallel()
	l := newLimited(t, Limits{PerKey: 1000, PerAddress: 2})
	require.Equal(t, 10, l.passing(50, here, "/open", "guess"))
	require.Zero(t, l.limiter.keys.byKey.Len())
	require.Equal(t, 10, l.passing(50, there, "/nothing/here", "guess"))
	require.Zero(t, l.limiter.keys.byKey.Len())
}

// However its header is written, a key has one bucket.
func TestAKeyIsOneInEverySpelling(t *testing.T) {
	t.Parallel()
	l := newLimited(t, Limits{PerKey: 10, PerAddress: 1000})
	passed := 0
	for i := range 200 {
		header := []string{"Bearer ", "bearer ", "BEARER  ", "bEaReR   "}[i%4] + "good one"
		passed += l.passing(1, here, "/v1/things", "", "Authorization", header)
	}
	require.Equal(t, 50, passed)
	require.Equal(t, 1, l.limiter.keys.byKey.Len())
}

// An invalid request of a worker says nothing about its token.
func TestRefusedBeforeTheTokenIsNotAccepted(t *testing.T) {
	t.Parallel()
	l := newLimited(t, Limits{PerWorkerToken: 1000, PerAddress: 2})
	require.Equal(t, 10, l.passing(50, here, "/v1/worker/invalid", "guess"))
	require.Zero(t, l.limiter.workers.byKey.Len())
}

func TestWorkersHaveRatesOfTheirOwn(t *testing.T) {
	t.Parallel()
	l := newLimited(t, Limits{PerKey: 1, PerWorkerToken: 20, PerAddress: 1000})
	require.Equal(t, 100, l.passing(200, here, "/v1/worker/runs", "good one"))
	require.Equal(t, 5, l.passing(50, here, "/v1/things", "good one"))
}

func TestIPv6CountsByCustomerNetwork(t *testing.T) {
	t.Parallel()
	l := newLimited(t, Limits{PerAddress: 2})
	n := 0
	for i := range 100 {
		n += l.passing(1, fmt.Sprintf("2001:db8:1:2::%x", i), "/open", "")
	}
	require.Equal(t, 10, n)
	require.Equal(t, 1, l.passing(1, "2001:db8:1:3::1", "/open", ""))
	require.Equal(t, 10, l.passing(20, "::ffff:"+here, "/open", ""))
	require.Zero(t, l.passing(20, here, "/open", ""), "the same address in another form")
}

func TestOnlyTrustedProxiesNameTheSource(t *testing.T) {
	t.Parallel()
	proxies, err := ParseProxies([]string{"10.0.0.0/8", "2001:db8::1"})
	require.NoError(t, err)
	s := sources{proxies: proxies}
	for _, c := range []struct{ remote, forwarded, want string }{
		{"10.1.2.3:1", "198.51.100.7", "198.51.100.7"},
		{"10.1.2.3:1", "1.1.1.1, 198.51.100.7", "198.51.100.7"},
		{"10.1.2.3:1", "198.51.100.7, 10.9.9.9", "198.51.100.7"},
		{"10.1.2.3:1", "1.1.1.1, nonsense", "10.1.2.3"},
		{"10.1.2.3:1", "", "10.1.2.3"},
		{"10.1.2.3:1", "10.1.1.1", "10.1.1.1"},
		{"[2001:db8::1]:1", "198.51.100.7", "198.51.100.7"},
		{"[::ffff:10.1.2.3]:1", "198.51.100.7", "198.51.100.7"},
		{"203.0.113.9:1", "198.51.100.7", "203.0.113.9"},
		{"[fe80::1%eth0]:1", "198.51.100.7", "fe80::1"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = c.remote
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		require.Equal(t, c.want, s.of(r).String(), "%+v", c)
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = "@"
	require.False(t, s.of(r).IsValid())
	for _, wrong := range []string{"", "proxy.internal", "10.0.0.0/33", "10.0.0.0/8:80"} {
		_, err := ParseProxies([]string{wrong})
		require.ErrorContains(t, err, "want an address or a network", wrong)
	}
}

// Whoever sends from however many addresses, the tables keep their size.
func TestTablesAreBounded(t *testing.T) {
	t.Parallel()
	b, err := newBuckets[int](1, 100)
	require.NoError(t, err)
	for i := range 10_000 {
		b.take(i, time.Unix(0, 0))
		require.LessOrEqual(t, b.byKey.Len(), 100)
	}
	require.Zero(t, b.take(9999, time.Unix(0, 0)))
	_, known := b.takeKnown(0, time.Unix(0, 0))
	require.False(t, known, "who was not heard of for longest is forgotten first")
}

// Requests at once from many connections do not get past the rate.
func TestRateHoldsUnderConcurrency(t *testing.T) {
	t.Parallel()
	b, err := newBuckets[string](10, 10)
	require.NoError(t, err)
	var passed [8]int
	var wg sync.WaitGroup
	for i := range passed {
		wg.Go(func() {
			for range 100 {
				if b.take("one", time.Unix(0, 0)) == 0 {
					passed[i]++
				}
			}
		})
	}
	wg.Wait()
	sum := 0
	for _, n := range passed {
		sum += n
	}
	require.Equal(t, 50, sum)
}

// Whatever the pauses: what passes stays below the burst and what the rate
// allows for the time, and who waits as long as told passes.
func TestWhatPassesStaysWithinTheRate(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		perSecond := rapid.Float64Range(0.1, 1000).Draw(r, "rate")
		b, err := newBuckets[int](perSecond, 4)
		require.NoError(r, err)
		begin := time.Unix(0, 0)
		now, passed := begin, 0
		for range rapid.IntRange(1, 200).Draw(r, "requests") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(2*time.Second)).Draw(r, "pause")))
			wait := b.take(1, now)
			if wait > 0 {
				// In whole seconds, as Retry-After is.
				now = now.Add(time.Duration(math.Ceil(wait.Seconds())) * time.Second)
				require.Zero(r, b.take(1, now), "waited %s and more", wait)
			}
			passed++
			require.LessOrEqual(r, float64(passed), float64(b.burst)+perSecond*now.Sub(begin).Seconds()+1e-6)
		}
	})
}

func TestNoLimitsLimitNothing(t *testing.T) {
	t.Parallel()
	l := newLimited(t, Limits{})
	require.Equal(t, 5000, l.passing(5000, here, "/v1/things", "good one"))
	require.Equal(t, 5000, l.passing(5000, here, "/open", ""))
}
