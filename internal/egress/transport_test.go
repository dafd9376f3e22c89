package egress

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/egress/egresstest"
)

// newServer returns a server on loopback and the count of its requests.
func newServer(t *testing.T, handler http.HandlerFunc) (*httptest.Server, *atomic.Int64) {
	t.Helper()
	var requests atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		handler(w, r)
	}))
	t.Cleanup(server.Close)
	return server, &requests
}

func answerOK(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }

func get(t *testing.T, transport *http.Transport, url string) (*http.Response, error) {
	t.Helper()
	t.Cleanup(transport.CloseIdleConnections)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return nil, err
	}
	return response, response.Body.Close()
}

func requireBlocked(t *testing.T, err error, host string, reason Reason) *BlockedError {
	t.Helper()
	var blocked *BlockedError
	require.ErrorAs(t, err, &blocked)
	require.Equal(t, host, blocked.Host)
	require.Equal(t, reason, blocked.Reason)
	return blocked
}

func portOf(t *testing.T, server *httptest.Server) string {
	t.Helper()
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	require.NoError(t, err)
	return port
}

func TestLoopbackNeedsTheOperatorsLeave(t *testing.T) {
	t.Parallel()
	server, requests := newServer(t, answerOK)
	_, err := get(t, NewTransport(Policy{}), server.URL)
	blocked := requireBlocked(t, err, "127.0.0.1", ReasonPrivate)
	require.Equal(t, netip.MustParseAddr("127.0.0.1"), blocked.Address)
	require.ErrorContains(t, err, "--allow-private-networks")
	require.Zero(t, requests.Load())

	response, err := get(t, NewTransport(Policy{AllowPrivate: true}), server.URL)
	require.NoError(t, err)
	require.Equal(t, http.StatusNoContent, response.StatusCode)
}

func TestMetadataIsNeverAllowed(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"169.254.169.254", "[fd00:ec2::254]", "[::ffff:169.254.169.254]"} {
		_, err := get(t, NewTransport(Policy{AllowPrivate: true}), "http://"+host+"/latest/meta-data/")
		var blocked *BlockedError
		require.ErrorAs(t, err, &blocked, host)
		require.Equal(t, ReasonMetadata, blocked.Reason)
		require.ErrorContains(t, err, "never allowed")
	}
}

// The front server stands for a public one: its address is taken out of the
// private ranges for this test.
func TestRedirectIsChecked(t *testing.T) {
	t.Parallel()
	for location, want := range map[string]struct {
		host   string
		reason Reason
	}{
		"http://127.0.0.2/":                    {"127.0.0.2", ReasonPrivate},
		"http://[::1]/":                        {"::1", ReasonPrivate},
		"https://10.0.0.1/":                    {"10.0.0.1", ReasonPrivate},
		"http://169.254.169.254/latest/":       {"169.254.169.254", ReasonMetadata},
		"http://[::ffff:169.254.169.254]:8080": {"::ffff:169.254.169.254", ReasonMetadata},
		"http://0.0.0.0/":                      {"0.0.0.0", ReasonReserved},
	} {
		front, requests := newServer(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, location, http.StatusFound)
		})
		rules := newRules()
		rules.private = prefixes("127.0.0.2/32", "::1/128", "10.0.0.0/8")
		_, err := get(t, (&guard{rules: rules}).transport(), front.URL)
		requireBlocked(t, err, want.host, want.reason)
		require.Equal(t, int64(1), requests.Load(), location)
	}
}

func TestRedirectOffTheAllowListIsRefused(t *testing.T) {
	t.Parallel()
	inner, innerRequests := newServer(t, answerOK)
	target := "http://localhost:" + portOf(t, inner)
	front, _ := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, target, http.StatusTemporaryRedirect)
	})
	_, err := get(t, NewTransport(Policy{AllowPrivate: true, AllowedHosts: []string{"127.0.0.1"}}), front.URL)
	blocked := requireBlocked(t, err, "localhost", ReasonHost)
	require.False(t, blocked.Address.IsValid(), "refused before any look-up")
	require.Zero(t, innerRequests.Load())

	_, err = get(t, NewTransport(Policy{AllowPrivate: true, AllowedHosts: []string{"127.0.0.1", "localhost"}}), front.URL)
	require.NoError(t, err)
	require.Equal(t, int64(1), innerRequests.Load())
}

// A name that resolved to a public address when somebody looked, and to
// loopback when the connection is made.
func TestRebindingGainsNothing(t *testing.T) {
	t.Parallel()
	server, requests := newServer(t, answerOK)
	public, loopback := netip.MustParseAddr("93.184.215.14"), netip.MustParseAddr("127.0.0.1")
	var looked atomic.Int64
	resolver := egresstest.NewResolver(t, func() []netip.Addr {
		if looked.Add(1) == 1 {
			return []netip.Addr{public}
		}
		return []netip.Addr{loopback}
	})
	seen, err := resolver.LookupNetIP(t.Context(), "ip4", "rebind.example.")
	require.NoError(t, err)
	require.Equal(t, []netip.Addr{public}, seen)

	guard := &guard{rules: newRules(), resolver: resolver, policy: Policy{AllowedHosts: []string{"*.example"}}}
	_, err = get(t, guard.transport(), "http://rebind.example.:"+portOf(t, server))
	blocked := requireBlocked(t, err, "rebind.example.", ReasonPrivate)
	require.Equal(t, loopback, blocked.Address)
	require.NotContains(t, err.Error(), loopback.String(), "the message must not tell what an internal name resolves to")
	require.Zero(t, requests.Load())
}

func TestEveryAddressOfANameIsChecked(t *testing.T) {
	t.Parallel()
	resolver := egresstest.NewResolver(t, func() []netip.Addr {
		return []netip.Addr{
			netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("169.254.169.254"), netip.MustParseAddr("127.0.0.1"),
		}
	})
	_, err := get(t, (&guard{rules: newRules(), resolver: resolver}).transport(), "http://many.example./")
	var blocked *BlockedError
	require.ErrorAs(t, err, &blocked)
}

// Other spellings of loopback. Go's resolver takes the numeric ones for no
// names at all, the C library's turns them into addresses; a name server may
// answer the rest. Whoever resolves, nothing arrives.
func TestOddSpellingsOfLoopback(t *testing.T) {
	t.Parallel()
	server, requests := newServer(t, answerOK)
	port := portOf(t, server)
	resolver := egresstest.NewResolver(t, func() []netip.Addr { return []netip.Addr{netip.MustParseAddr("127.0.0.1")} })
	for _, host := range []string{"2130706433", "017700000001", "0177.0.0.1", "127.1", "0", "127.000.000.001"} {
		_, err := get(t, (&guard{rules: newRules(), resolver: resolver}).transport(), "http://"+host+":"+port)
		require.Error(t, err, host)
	}
	for _, host := range []string{"0x7f000001.", "0x7f.0.0.1.", "127.0.0.1.nip.example.", "localhost"} {
		_, err := get(t, (&guard{rules: newRules(), resolver: resolver}).transport(), "http://"+host+":"+port)
		requireBlocked(t, err, host, ReasonPrivate)
	}
	for _, host := range []string{"::1", "::ffff:127.0.0.1", "::ffff:7f00:1", "0:0:0:0:0:0:0:1", "64:ff9b::127.0.0.1"} {
		_, err := get(t, NewTransport(Policy{}), "http://["+host+"]:"+port)
		requireBlocked(t, err, host, ReasonPrivate)
	}
	require.Zero(t, requests.Load())
}

func TestTransportSettings(t *testing.T) {
	t.Parallel()
	transport := NewTransport(Policy{})
	require.Nil(t, transport.Proxy, "HTTP_PROXY of the environment must not count")
	require.Positive(t, transport.TLSHandshakeTimeout)
	require.Positive(t, transport.ResponseHeaderTimeout)
	require.Positive(t, transport.IdleConnTimeout)
}

func TestOldTLSIsRefusedAndHTTP2Used(t *testing.T) {
	t.Parallel()
	for version, accepted := range map[uint16]bool{tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		server := httptest.NewUnstartedServer(http.HandlerFunc(answerOK))
		server.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: version}
		server.EnableHTTP2 = true
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.StartTLS()
		t.Cleanup(server.Close)
		transport := NewTransport(Policy{AllowPrivate: true})
		transport.TLSClientConfig.RootCAs = server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
		response, err := get(t, transport, server.URL)
		if !accepted {
			require.ErrorContains(t, err, "protocol version")
			continue
		}
		require.NoError(t, err)
		require.Equal(t, 2, response.ProtoMajor)
	}
}

func TestCallersPolicyMayChangeLater(t *testing.T) {
	t.Parallel()
	hosts := []string{"one.example"}
	transport := NewTransport(Policy{AllowedHosts: hosts})
	hosts[0] = "two.example"
	_, err := get(t, transport, "http://two.example/")
	requireBlocked(t, err, "two.example", ReasonHost)
}

func TestOtherDialErrorsPassThrough(t *testing.T) {
	t.Parallel()
	resolver := egresstest.NewResolver(t, func() []netip.Addr { return nil })
	_, err := get(t, (&guard{rules: newRules(), resolver: resolver}).transport(), "http://unknown.example./")
	var lookup *net.DNSError
	require.ErrorAs(t, err, &lookup)
	var blocked *BlockedError
	require.NotErrorAs(t, err, &blocked)
}
