package egress

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/egress/egresstest"
)

// ask makes a call with a client that may reach loopback and trusts the server's
// certificate.
func ask(t *testing.T, server *httptest.Server, policy Policy) error {
	t.Helper()
	policy.AllowPrivate = true
	transport := NewTransport(policy)
	t.Cleanup(transport.CloseIdleConnections)
	if own, ok := server.Client().Transport.(*http.Transport); ok && own.TLSClientConfig != nil {
		transport.TLSClientConfig.RootCAs = own.TLSClientConfig.RootCAs
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer canary")
	res, err := NewClient(transport).Do(r)
	if err != nil {
		return err
	}
	return res.Body.Close()
}

func TestRedirectFromHTTPSToHTTPIsRefused(t *testing.T) {
	t.Parallel()
	plain, requests := newServer(t, answerOK)
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, plain.URL, http.StatusTemporaryRedirect)
	}))
	t.Cleanup(secure.Close)
	err := ask(t, secure, Policy{})
	requireBlocked(t, err, "127.0.0.1", ReasonDowngrade)
	require.ErrorContains(t, err, "from HTTPS to plain HTTP")
	require.Zero(t, requests.Load())
}

func TestRedirectToHTTPSIsFollowed(t *testing.T) {
	t.Parallel()
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/there" {
			http.Redirect(w, r, "/there", http.StatusFound)
		}
	}))
	t.Cleanup(secure.Close)
	require.NoError(t, ask(t, secure, Policy{}))
}

func TestRedirectsEnd(t *testing.T) {
	t.Parallel()
	loop, requests := newServer(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) })
	err := ask(t, loop, Policy{})
	requireBlocked(t, err, "127.0.0.1", ReasonRedirects)
	require.EqualValues(t, 1+maxRedirects, requests.Load())
}

// file, gopher and the like have no transport.
func TestRedirectToOtherSchemesIsRefused(t *testing.T) {
	t.Parallel()
	for _, location := range []string{"file:///etc/passwd", "gopher://127.0.0.1/", "ftp://127.0.0.1/", "unix:///var/run/docker.sock"} {
		front, _ := newServer(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, location, http.StatusFound) })
		require.ErrorContains(t, ask(t, front, Policy{}), "unsupported protocol scheme", location)
	}
}

// Names of metadata services are refused by what they resolve to.
func TestMetadataNamesAreRefused(t *testing.T) {
	t.Parallel()
	for name, address := range map[string]string{
		"metadata.google.internal.": "169.254.169.254", "instance-data.ec2.internal.": "169.254.169.254",
		"metadata.azure.internal.": "169.254.169.254", "metadata.aliyun.example.": "100.100.100.200", "wireserver.azure.example.": "168.63.129.16",
		"metadata.oracle.example.": "192.0.0.192",
	} {
		resolver := egresstest.NewResolver(t, func() []netip.Addr { return []netip.Addr{netip.MustParseAddr(address)} })
		guard := &guard{rules: newRules(), resolver: resolver, policy: Policy{AllowPrivate: true}}
		_, err := get(t, guard.transport(), "http://"+name+"/")
		requireBlocked(t, err, name, ReasonMetadata)
	}
}

// The IPv6 addresses of metadata services lie in private space that an operator
// may have allowed.
func TestIPv6MetadataIsNeverAllowed(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"fd00:ec2::254", "fd00:ec2::253", "fd00:ec2::23", "fd20:ce::254", "fd00:c1::a9fe:a9fe", "fd00:42::42"} {
		require.Equal(t, ReasonMetadata, newRules().check(netip.MustParseAddr(address), true), address)
		_, err := get(t, NewTransport(Policy{AllowPrivate: true}), "http://["+address+"]/")
		requireBlocked(t, err, address, ReasonMetadata)
	}
}

// An address with a zone is none of the wide network's.
func TestZonesAreRefused(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"[fe80::1%25eth0]", "[::1%25lo]", "[fd00:ec2::254%25eth0]"} {
		_, err := get(t, NewTransport(Policy{}), "http://"+host+"/")
		require.Error(t, err, host)
	}
}

func TestHostsOfAConnectorAndItsOperator(t *testing.T) {
	t.Parallel()
	base := Policy{AllowPrivate: true, AllowedHosts: []string{"from.before"}}
	aws := []string{"*.amazonaws.com"}
	for _, c := range []struct {
		provider, operator []string
		host               string
		allowed            bool
	}{
		{aws, nil, "sts.amazonaws.com", true},
		{aws, nil, "127.0.0.1", false},
		{aws, nil, "from.before", false},
		{aws, nil, "evil.example", false},
		{aws, nil, "amazonaws.com.evil.example", false},
		{aws, []string{"127.0.0.1"}, "127.0.0.1", true},
		{aws, []string{"127.0.0.1"}, "127.0.0.2", false},
		{aws, []string{"127.0.0.1"}, "iam.amazonaws.com", true},
		{aws, []string{AnyHost}, "evil.example", true},
		{nil, nil, "evil.example", true},
		{nil, []string{"one.example"}, "evil.example", true},
	} {
		p := base.WithHosts(c.provider, c.operator)
		require.NoError(t, p.Validate())
		require.True(t, p.AllowPrivate)
		require.Equal(t, c.allowed, p.allowsHost(c.host), "%+v", c)
	}
	require.Error(t, base.WithHosts(aws, []string{"https://x"}).Validate())
}

// A proxy would resolve names out of sight; none of the environment's is used.
func TestProxiesOfTheEnvironmentAreIgnored(t *testing.T) {
	proxy, requests := newServer(t, answerOK)
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"} {
		t.Setenv(name, proxy.URL)
	}
	resolver := egresstest.NewResolver(t, func() []netip.Addr { return []netip.Addr{netip.MustParseAddr("10.0.0.1")} })
	_, err := get(t, (&guard{rules: newRules(), resolver: resolver}).transport(), "http://inside.example./")
	requireBlocked(t, err, "inside.example.", ReasonPrivate)
	require.Zero(t, requests.Load())
}

func TestRefusalOfAHostNamesTheWayOut(t *testing.T) {
	t.Parallel()
	text := (&BlockedError{Host: "evil.example", Reason: ReasonHost}).Error()
	require.True(t, strings.HasSuffix(text, "--endpoint-hosts"), text)
}
