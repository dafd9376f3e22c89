package oidc_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/oidc"
)

// slowProvider answers for its discovery document once it is released, with the
// keys at an address of the test's choice.
func slowProvider(t *testing.T, keys string) (url string, asked *atomic.Int64, release func()) {
	t.Helper()
	asked = &atomic.Int64{}
	released := make(chan struct{})
	release = sync.OnceFunc(func() { close(released) })
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		select {
		case <-released:
		case <-r.Context().Done():
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"issuer":"http://%s","jwks_uri":%q}`, r.Host, keys)
	}))
	t.Cleanup(server.Close)
	t.Cleanup(release) // before the server waits for what it has begun
	return server.URL, asked, release
}

func TestThoseWhoSignInTogetherAskTheProviderOnce(t *testing.T) {
	t.Parallel()
	url, asked, release := slowProvider(t, "http://127.0.0.1:1/keys")
	p := newProvider(t, oidc.Config{Issuer: url})
	const many = 20
	var all sync.WaitGroup
	for range many {
		all.Go(func() {
			_, err := p.Verify(t.Context(), "x.y.z", "verifier")
			if fault.KindOf(err) != fault.Unauthenticated {
				t.Errorf("%v", err)
			}
		})
	}
	release()
	all.Wait()
	require.EqualValues(t, 1, asked.Load())
}

func TestNobodyWaitsLongerForTheProviderThanTheyWant(t *testing.T) {
	t.Parallel()
	url, asked, release := slowProvider(t, "http://127.0.0.1:1/keys")
	p := newProvider(t, oidc.Config{Issuer: url})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := p.Verify(ctx, "x.y.z", "verifier")
	require.ErrorIs(t, err, context.Canceled)
	// The request goes on for the next one, who waits for the same.
	release()
	_, err = p.Verify(t.Context(), "x.y.z", "verifier")
	require.Equal(t, fault.Unauthenticated, fault.KindOf(err), "%v", err)
	require.EqualValues(t, 1, asked.Load())
}

func TestProviderThatIsDownIsNotAskedByEverySignIn(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	p := newProvider(t, oidc.Config{Issuer: i.url})
	verify := func() error {
		_, err := p.Verify(t.Context(), i.sign(t, i.claims(nil)), "verifier")
		return err
	}
	i.down.Store(true)
	for range 5 {
		require.Equal(t, fault.Unavailable, fault.KindOf(verify()))
	}
	require.EqualValues(t, 1, i.fetched.Load())
	oidc.Advance(p, 6*time.Second)
	require.Equal(t, fault.Unavailable, fault.KindOf(verify()))
	require.EqualValues(t, 2, i.fetched.Load())

	i.down.Store(false)
	oidc.Advance(p, 6*time.Second)
	require.NoError(t, verify())
	known := i.fetched.Load()
	require.NoError(t, verify())
	require.Equal(t, known, i.fetched.Load(), "document and keys are kept")

	// When the document is to be read anew and cannot be, the one before does.
	i.down.Store(true)
	oidc.Advance(p, 2*time.Hour)
	for range 3 {
		require.NoError(t, verify())
	}
	require.Equal(t, known+1, i.fetched.Load())
}

func TestKeysThatCouldBeExchangedOnTheWayAreRefused(t *testing.T) {
	t.Parallel()
	for _, keys := range []string{"http://login.example.com/keys", "file:///etc/passwd", "javascript:alert(1)", ""} {
		url, _, release := slowProvider(t, keys)
		release()
		_, err := newProvider(t, oidc.Config{Issuer: url}).Verify(t.Context(), "x.y.z", "verifier")
		require.Equal(t, fault.Unavailable, fault.KindOf(err), "%q: %v", keys, err)
		require.ErrorContains(t, err, "jwks_uri")
	}
}
