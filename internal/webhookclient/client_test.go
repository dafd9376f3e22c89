package webhookclient_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/egress"
	"github.com/gatehouse-project/gatehouse/internal/egress/egresstest"
	"github.com/gatehouse-project/gatehouse/internal/secret"
	"github.com/gatehouse-project/gatehouse/internal/webhook"
	"github.com/gatehouse-project/gatehouse/internal/webhookclient"
)

// words are what no receipt may repeat.
const words = "internal-host-says-hello"

func message(address string) webhook.Message {
	return webhook.Message{URL: address, ID: "evt_1", At: time.Unix(1614265330, 0), Body: []byte(`{}`), Secrets: []secret.Secret{webhook.NewSecret()}}
}

func serve(t *testing.T, start func(http.Handler) *httptest.Server, handler http.HandlerFunc) (address string, requests *atomic.Int64) {
	t.Helper()
	requests = &atomic.Int64{}
	server := start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		// A server sees that its client has gone once it has read the body.
		_, _ = io.Copy(io.Discard, r.Body)
		handler(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL, requests
}

func answer(status int, location string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", location)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(words))
	}
}

func client(allowPrivate bool) *webhookclient.Client {
	return webhookclient.New(egress.NewTransport(egress.Policy{AllowPrivate: allowPrivate}))
}

func TestPrivateAddressesAreNotReached(t *testing.T) {
	t.Parallel()
	address, requests := serve(t, httptest.NewServer, answer(http.StatusOK, ""))
	_, port, err := net.SplitHostPort(address[len("http://"):])
	require.NoError(t, err)
	// localhost and the odd spellings are names, whose addresses are known only
	// once they have been looked up.
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0", "169.254.169.254", "[fd00:ec2::254]", "10.0.0.1"} {
		got := client(false).Send(t.Context(), message("http://"+host+":"+port+"/"))
		require.Zero(t, got.Status, host)
		require.Contains(t, got.Problem, "refused", host)
	}
	require.Zero(t, requests.Load())
	require.Empty(t, client(true).Send(t.Context(), message(address)).Problem)
	require.Contains(t, client(true).Send(t.Context(), message("http://169.254.169.254/")).Problem, "never allowed")
}

// A name is looked up, and what it leads to is checked, by each attempt: one that
// was harmless at first gains nothing by leading inside later.
func TestANameThatLeadsInsideLaterIsRefusedThen(t *testing.T) {
	t.Parallel()
	address, requests := serve(t, httptest.NewServer, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close") // so that the next attempt connects anew
	})
	_, port, err := net.SplitHostPort(address[len("http://"):])
	require.NoError(t, err)
	harmless, inside := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("169.254.169.254")
	var leads atomic.Pointer[netip.Addr]
	leads.Store(&harmless)
	resolver := egresstest.NewResolver(t, func() []netip.Addr { return []netip.Addr{*leads.Load()} })
	c := webhookclient.New(egress.NewTransport(egress.Policy{AllowPrivate: true, Resolver: resolver}))

	require.Empty(t, c.Send(t.Context(), message("http://rebind.example.:"+port+"/")).Problem)
	require.EqualValues(t, 1, requests.Load())
	leads.Store(&inside)
	got := c.Send(t.Context(), message("http://rebind.example.:"+port+"/"))
	require.Zero(t, got.Status)
	require.Contains(t, got.Problem, "never allowed")
	require.NotContains(t, got.Problem, inside.String(), "nobody learns where an internal name leads")
	require.EqualValues(t, 1, requests.Load())
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	inside, requests := serve(t, httptest.NewServer, answer(http.StatusOK, ""))
	for _, status := range []int{301, 302, 303, 307, 308} {
		front, _ := serve(t, httptest.NewServer, answer(status, inside))
		got := client(true).Send(t.Context(), message(front))
		require.Equal(t, status, got.Status)
		require.Contains(t, got.Problem, "redirects are not followed")
		require.NotContains(t, got.Problem, inside)
	}
	require.Zero(t, requests.Load())
}

// Whatever a host says, and whatever a certificate names, the receipt has it not.
func TestProblemsAreInOurWords(t *testing.T) {
	t.Parallel()
	refusing, _ := serve(t, httptest.NewServer, answer(http.StatusTeapot, ""))
	untrusted, _ := serve(t, httptest.NewTLSServer, answer(http.StatusOK, ""))
	broken, _ := serve(t, httptest.NewServer, func(w http.ResponseWriter, _ *http.Request) {
		if hijacker, ok := w.(http.Hijacker); ok {
			conn, _, err := hijacker.Hijack()
			if err == nil {
				_, _ = conn.Write([]byte("HTTP/9.9 " + words + "\r\n\r\n"))
				_ = conn.Close()
			}
		}
	})
	for address, want := range map[string]string{
		refusing:             "the endpoint answered 418",
		untrusted:            "the endpoint's certificate is not one that is trusted for its name",
		broken:               "no connection to the endpoint could be made, or it broke off",
		"http://127.0.0.1:1": "no connection to the endpoint could be made, or it broke off",
		"http://\x7f":        "the endpoint's address cannot be used",
	} {
		require.Equal(t, want, client(true).Send(t.Context(), message(address)).Problem, address)
	}
}

// An endpoint that takes its time is given up when the attempt's time is over.
func TestSlowEndpointIsGivenUp(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	address, _ := serve(t, httptest.NewServer, func(_ http.ResponseWriter, r *http.Request) {
		cancel(context.DeadlineExceeded)
		<-r.Context().Done()
	})
	got := client(true).Send(&overdue{ctx}, message(address))
	require.Zero(t, got.Status)
	require.Contains(t, got.Problem, "did not answer within 15s")
}

// overdue ends as a context whose time is over does.
type overdue struct{ context.Context }

func (o *overdue) Err() error {
	if o.Context.Err() != nil {
		return context.DeadlineExceeded
	}
	return nil
}

// A huge answer takes no memory, and no longer than its begin.
func TestHugeAnswerIsCutOff(t *testing.T) {
	t.Parallel()
	address, _ := serve(t, httptest.NewServer, func(w http.ResponseWriter, r *http.Request) {
		block := make([]byte, 64<<10)
		for r.Context().Err() == nil {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	})
	require.Equal(t, http.StatusOK, client(true).Send(t.Context(), message(address)).Status)
}
