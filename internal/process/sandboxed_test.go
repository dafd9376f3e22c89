package process

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/egress"
	"github.com/gatehouse-project/gatehouse/internal/sandbox"
)

// isolated returns a program that has to be kept apart, or skips the test where the
// system does not allow that, and says why.
func isolated(t *testing.T, how string) *Program {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("programs are limited and kept apart on Linux alone")
	}
	p := ownProgram(t, how)
	p.Isolated = true
	s, err := p.Open(t.Context(), settingsOf(t, script{}, io.Discard))
	var failure *connector.Error
	if errors.As(err, &failure) && errors.Is(failure.Cause, sandbox.ErrNotIsolated) {
		t.Skipf("this system does not keep programs apart: %v", failure.Cause)
	}
	require.NoError(t, err)
	require.NoError(t, s.Close())
	return p
}

// ended reads with a program and returns what the read ended with.
func ended(t *testing.T, p *Program, log io.Writer) *connector.Error {
	t.Helper()
	s, err := p.Open(t.Context(), settingsOf(t, script{}, log))
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	var failure *connector.Error
	require.ErrorAs(t, s.Read(t.Context(), connector.Partition{Stream: "books"}, "", &collector{}), &failure)
	return failure
}

func TestProgramFindsNothingAround(t *testing.T) {
	t.Parallel()
	found := ended(t, isolated(t, "looks around"), io.Discard).Message
	for _, want := range []string{
		"environment=0 ", "descriptors=0 ", "interfaces=lo ", "network is unreachable", "root=false", "pid=1 ", "CapEff:0000000000000000", "NoNewPrivs:1",
	} {
		require.Contains(t, found+" ", want)
	}
}

func TestProcessorTimeIsLimited(t *testing.T) {
	t.Parallel()
	p := isolated(t, "spins")
	p.Limits.Sandbox.CPU = time.Second
	require.Contains(t, ended(t, p, io.Discard).Message, "used up its 1s of processor time")
}

func TestMemoryIsLimited(t *testing.T) {
	t.Parallel()
	p := isolated(t, "eats memory")
	p.Limits.Sandbox.Memory = 256 << 20
	var log lockedBuffer
	require.Contains(t, ended(t, p, &log).Message, "before its work was done")
	require.Contains(t, log.String(), "out of memory")
}

func TestProcessesAreLimited(t *testing.T) {
	t.Parallel()
	p := isolated(t, "forks")
	require.Contains(t, ended(t, p, io.Discard).Message, "resource temporarily unavailable")
}

// TestChildrenEndWithTheProgram has a program leave a child in a session of its own.
func TestChildrenEndWithTheProgram(t *testing.T) {
	t.Parallel()
	p := isolated(t, "leaves children")
	ctx, cancel := context.WithCancel(t.Context())
	log := &noticing{want: "child", seen: cancel}
	p.Limits.Stopping /= 10
	s, err := p.Open(t.Context(), settingsOf(t, script{}, log))
	require.NoError(t, err)
	pid := s.(*session).talk.child
	before := descendants(t, p)
	require.ErrorIs(t, s.Read(ctx, connector.Partition{Stream: "books"}, "", &collector{}), context.Canceled)
	<-pid.Done()
	require.Empty(t, descendants(t, p), "before it was cancelled there were %d", len(before))
	require.NoError(t, s.Close())
}

// noticing is a log that tells when a word is written.
type noticing struct {
	want string
	seen func()
}

func (n *noticing) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(n.want)) {
		n.seen()
	}
	return len(p), nil
}

// descendants are the processes of the host that sleep as the program's do.
func descendants(t *testing.T, _ *Program) (found []string) {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	require.NoError(t, err)
	for _, e := range entries {
		if !regexp.MustCompile(`^\d+$`).MatchString(e.Name()) {
			continue
		}
		// Those that end meanwhile have no command line.
		line, _ := os.ReadFile("/proc/" + e.Name() + "/cmdline")
		if strings.Contains(string(line), "leaves children") && !strings.Contains(string(line), "sandbox") {
			found = append(found, e.Name())
		}
	}
	return found
}

// provider is where the program of the test calls.
func provider(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "hello from %s", r.URL.Path)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestProxyKeepsTheRules asks the proxy for what the client may and may not reach, in
// both of the ways that there are.
func TestProxyKeepsTheRules(t *testing.T) {
	t.Parallel()
	there := provider(t)
	host, err := url.Parse(there)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		policy  egress.Policy
		allowed bool
	}{
		"allowed":      {egress.Policy{AllowPrivate: true}, true},
		"private":      {egress.Policy{}, false},
		"another host": {egress.Policy{AllowPrivate: true, AllowedHosts: []string{"provider.example"}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			transport := egress.NewTransport(c.policy)
			t.Cleanup(transport.CloseIdleConnections)
			var log lockedBuffer
			p := newProxy(listener, egress.NewClient(transport), &journal{log: settingsOf(t, script{}, &log).Logger, limits: DefaultLimits()})
			served := make(chan struct{})
			go func() { defer close(served); p.serve() }()
			t.Cleanup(func() { p.close(); <-served })
			through, err := url.Parse(p.url)
			require.NoError(t, err)
			client := &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(through), DisableKeepAlives: true}}

			response, err := client.Get(there + "/plain")
			require.NoError(t, err)
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			require.NoError(t, err)
			require.Equal(t, c.allowed, response.StatusCode == http.StatusOK, string(body))
			require.Equal(t, c.allowed, string(body) == "hello from /plain")

			conn, err := net.Dial("tcp", through.Host)
			require.NoError(t, err)
			defer conn.Close()
			password, _ := through.User.Password()
			fmt.Fprintf(conn, "CONNECT %s HTTP/1.1\r\nHost: %s\r\nProxy-Authorization: Basic %s\r\n\r\n", host.Host, host.Host,
				base64.StdEncoding.EncodeToString([]byte(through.User.Username()+":"+password)))
			answer := make([]byte, 12)
			_, err = io.ReadFull(conn, answer)
			require.NoError(t, err)
			require.Equal(t, c.allowed, string(answer) == "HTTP/1.1 200", "%s: %s", answer, log.String())

			through.User = nil
			stranger := &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(through), DisableKeepAlives: true}}
			response, err = stranger.Get(there)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			require.Equal(t, http.StatusProxyAuthRequired, response.StatusCode)
		})
	}
}

func TestProgramOfAnotherHashIsNotStarted(t *testing.T) {
	t.Parallel()
	p := ownProgram(t, "shelf")
	sum, err := sandbox.Hash(p.Command.Program)
	require.NoError(t, err)
	p.Command.SHA256 = sum
	s, err := p.Open(t.Context(), settingsOf(t, script{}, io.Discard))
	require.NoError(t, err)
	require.NoError(t, s.Close())
	p.Command.SHA256 = strings.Repeat("0", 64)
	_, err = p.Open(t.Context(), settingsOf(t, script{}, io.Discard))
	require.ErrorContains(t, err, "is not the program that was registered: its SHA-256 is "+sum)
	require.ErrorContains(t, err, "register it again")
}
