package app

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/auditsink"
	"github.com/gatehouse-project/gatehouse/internal/egress"
)

// collector is a webhook that takes events by workspace and sometimes refuses,
// also after it has taken them.
type collector struct {
	mu     sync.Mutex
	calls  int
	source map[string][]string
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls++
	var batch []struct{ Source, Sequence string }
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(body, &batch)
	}
	if err != nil || c.calls%3 == 1 {
		http.Error(w, "not now", http.StatusServiceUnavailable)
		return
	}
	for _, e := range batch {
		c.source[e.Source] = append(c.source[e.Source], e.Sequence)
	}
	if c.calls%3 == 2 {
		http.Error(w, "taken, but you will not know", http.StatusBadGateway)
	}
}

// newForwarder is what one process of the service runs for a sink.
func (b *auditBench) newForwarder(t *testing.T, sink auditsink.Sink) *auditsink.Forwarder {
	t.Helper()
	observer, err := newSinkMetrics(newMetrics())
	require.NoError(t, err)
	return &auditsink.Forwarder{Name: "siem", Sink: sink, Store: b.logs, Tenant: b.a.Tenant, Log: slog.New(slog.DiscardHandler), Observer: observer}
}

// A sink that refuses, takes without saying so, or whose sender dies in between
// gets every event at least once and in order.
func TestASinkGetsEverythingInOrder(t *testing.T) {
	t.Parallel()
	b := newAuditBench(t)
	c := &collector{source: map[string][]string{}}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	secretFile := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(secretFile, []byte("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=\n"), 0o600))
	sinks := AuditSinks{SecretFiles: map[string]string{"siem": secretFile}, AllowPrivate: true}
	sink, err := sinks.open("siem", server.URL)
	require.NoError(t, err)
	b.record(t, b.a, 250)
	b.record(t, b.b, 30)
	deadline := time.Now().Add(time.Minute)
	for {
		// Each round is a new process.
		_, failed := b.newForwarder(t, sink).Forward(t.Context())
		behind, err := b.logs.Undelivered(t.Context(), "siem", 10)
		require.NoError(t, err)
		if failed == nil && len(behind) == 0 {
			break
		}
		require.True(t, time.Now().Before(deadline), "%v", failed)
	}
	for _, scope := range []struct {
		source string
		least  int
	}{{"/gatehouse/" + b.a.Tenant.String() + "/" + b.a.Workspace.String() + "/audit", 250}, {"/gatehouse/" + b.a.Tenant.String() + "/" + b.b.Workspace.String() + "/audit", 30}} {
		seen := map[string]bool{}
		first := ""
		for _, sequence := range c.source[scope.source] {
			if !seen[sequence] {
				require.Greater(t, sequence, first, "new events come in order")
				first = sequence
			}
			seen[sequence] = true
		}
		require.GreaterOrEqual(t, len(seen), scope.least)
		require.Greater(t, len(c.source[scope.source]), len(seen), "some came twice")
		require.Equal(t, first, sequenceOf(len(seen)-1), "none was left out")
	}
}

func sequenceOf(entry int) string {
	digits := []byte("0000000000000000000")
	for i := len(digits) - 1; entry > 0; i-- {
		digits[i] = byte('0' + entry%10)
		entry /= 10
	}
	return string(digits)
}

// One process at a time serves a sink, and a sink that hangs holds up nothing else.
func TestASinkThatHangsHoldsUpNothing(t *testing.T) {
	t.Parallel()
	b := newAuditBench(t)
	b.record(t, b.a, 3)
	asked, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		// The server notices that a client has gone only once it has read the body.
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		once.Do(func() { close(asked) })
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(server.Close)
	secretFile := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(secretFile, []byte("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="), 0o600))
	sink, err := AuditSinks{SecretFiles: map[string]string{"siem": secretFile}, AllowPrivate: true}.open("siem", server.URL)
	require.NoError(t, err)
	f := b.newForwarder(t, sink)
	done := make(chan error, 1)
	go func() {
		done <- b.logs.HoldSink(t.Context(), "siem", func(ctx context.Context) error {
			_, err := f.Forward(ctx)
			return err
		})
	}()
	<-asked
	called := false
	require.NoError(t, b.logs.HoldSink(t.Context(), "siem", func(context.Context) error { called = true; return nil }))
	require.False(t, called, "another process holds the sink")
	b.newConnection(t, "made meanwhile")
	b.record(t, b.a, 2) // recorded and sealed while the sink hangs
	close(release)
	require.NoError(t, <-done)
	require.NoError(t, b.logs.HoldSink(t.Context(), "siem", func(context.Context) error { called = true; return nil }))
	require.True(t, called)
}

func TestSinkSettingsAreChecked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, target, find string }{
		{"Siem", "stdout:", "lower-case"},
		{"siem", "ftp://host", "want file:PATH"},
		{"siem", "file:", "want file:PATH"},
		{"siem", "http://host/", "want https"},
		{"siem", "https://host/", "needs a secret"},
	} {
		_, err := newForwarders(AuditSinks{Targets: map[string]string{c.name: c.target}}, nil, 1, newMetrics(), nil)
		require.ErrorContains(t, err, c.find)
	}
	// What may not be reached is refused where it is dialled.
	b := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(b, []byte("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="), 0o600))
	sink, err := AuditSinks{SecretFiles: map[string]string{"siem": b}}.open("siem", "https://127.0.0.1:1/")
	require.NoError(t, err)
	var blocked *egress.BlockedError
	require.ErrorAs(t, sink.Deliver(t.Context(), "aud-1", nil), &blocked)
}
