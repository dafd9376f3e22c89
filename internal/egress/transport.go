package egress

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"syscall"
	"time"
)

// Time limits of one request's stages. A whole request is limited by its
// context.
const (
	dialTimeout           = 10 * time.Second
	keepAlive             = 30 * time.Second
	tlsHandshakeTimeout   = 10 * time.Second
	responseHeaderTimeout = 60 * time.Second
	idleConnTimeout       = 90 * time.Second
	expectContinueTimeout = time.Second
)

const (
	maxIdleConns           = 100
	maxIdleConnsPerHost    = 16
	maxResponseHeaderBytes = 1 << 20
)

// NewTransport returns a transport whose connections all keep to policy: at
// least TLS 1.2, no proxy whatever the environment says, response headers of at
// most 1 MiB. It does not limit bodies; readers do. The caller owns the
// transport and ends it by CloseIdleConnections, and must leave its dial and
// proxy fields alone.
func NewTransport(policy Policy) *http.Transport {
	policy.AllowedHosts = slices.Clone(policy.AllowedHosts)
	guard := &guard{policy: policy, rules: newRules(), resolver: policy.Resolver}
	return guard.transport()
}

// maxRedirects is how many redirects one call follows.
const maxRedirects = 5

// NewClient returns a client on a transport of [NewTransport]. It follows at most
// five redirects and none from HTTPS to HTTP, which would carry a credential over
// in the open. A call is limited by its context.
func NewClient(transport http.RoundTripper) *http.Client {
	return &http.Client{Transport: transport, CheckRedirect: checkRedirect}
}

func checkRedirect(next *http.Request, before []*http.Request) error {
	switch {
	case before[len(before)-1].URL.Scheme == "https" && next.URL.Scheme != "https":
		return &BlockedError{Host: next.URL.Hostname(), Reason: ReasonDowngrade}
	case len(before) > maxRedirects:
		return &BlockedError{Host: next.URL.Hostname(), Reason: ReasonRedirects}
	}
	return nil
}

// guard dials under a policy.
type guard struct {
	policy Policy
	rules  rules
	// resolver is nil for the system's.
	resolver *net.Resolver
}

func (g *guard) transport() *http.Transport {
	return &http.Transport{
		DialContext: g.dial,
		// Without this, a custom dialer or TLS configuration turns HTTP/2 off.
		ForceAttemptHTTP2:      true,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    tlsHandshakeTimeout,
		ResponseHeaderTimeout:  responseHeaderTimeout,
		ExpectContinueTimeout:  expectContinueTimeout,
		IdleConnTimeout:        idleConnTimeout,
		MaxIdleConns:           maxIdleConns,
		MaxIdleConnsPerHost:    maxIdleConnsPerHost,
		MaxResponseHeaderBytes: maxResponseHeaderBytes,
	}
}

func (g *guard) dial(ctx context.Context, network, hostPort string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(hostPort)
	if err != nil {
		return nil, fmt.Errorf("dial %q: %w", hostPort, err)
	}
	if !g.policy.allowsHost(host) {
		return nil, &BlockedError{Host: host, Reason: ReasonHost}
	}
	dialer := net.Dialer{
		Timeout:   dialTimeout,
		KeepAlive: keepAlive,
		Resolver:  g.resolver,
		// Called for each address that the name resolved to, when the socket
		// exists and before it connects: no other look-up lies in between.
		Control: func(_, addressPort string, _ syscall.RawConn) error {
			return g.checkAddress(host, addressPort)
		},
	}
	conn, err := dialer.DialContext(ctx, network, hostPort)
	if blocked, ok := errors.AsType[*BlockedError](err); ok {
		// Without the dialer's own words around it, which name the address.
		return nil, blocked
	}
	return conn, err
}

func (g *guard) checkAddress(host, addressPort string) error {
	parsed, err := netip.ParseAddrPort(addressPort)
	if err != nil {
		return fmt.Errorf("check address of %q: %w", host, err)
	}
	if reason := g.rules.check(parsed.Addr(), g.policy.AllowPrivate); reason != "" {
		return &BlockedError{Host: host, Address: parsed.Addr(), Reason: reason}
	}
	return nil
}
