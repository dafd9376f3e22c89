package app

import (
	"bufio"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/run"
	"github.com/gatehouse-project/gatehouse/internal/secret"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// eventBench is all services, whose discovery listens for changes, and leases of
// runs as workers have them.
type eventBench struct {
	*walker
	leases *run.Leases
}

func newEventBench(t *testing.T) *eventBench {
	t.Helper()
	b := &eventBench{walker: newWalk(t)}
	db, err := postgres.Open(t.Context(), postgres.Config{URL: b.database.URL("svc_discovery"), Service: "test", MaxConns: 2})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	ignore := func(context.Context, pgx.Tx, run.Ref) error { return nil }
	catalog, err := newCatalog(ConnectorSettings{})
	require.NoError(t, err)
	b.leases = &run.Leases{Store: postgres.NewRuns(db, 1, catalog, postgres.Jobs{Publish: ignore, Ended: ignore})}
	var g group
	for _, background := range b.services[0].background {
		g.add(background)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- g.run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	return b
}

// start starts a discovery and returns its public id.
func (b *eventBench) start(t *testing.T) string {
	t.Helper()
	got := b.builder(t, http.MethodPost, "/v1/operations/discovery.run/start", `{"connection_id":"`+b.newConnection(t, b.name("connection"))+`"}`)
	require.Equal(t, http.StatusOK, got.status, got.text)
	started, ok := got.decoded(t)["run"].(map[string]any)
	require.True(t, ok)
	name, ok := started["id"].(string)
	require.True(t, ok)
	return name
}

// claim takes the run in line.
func (b *eventBench) claim(t *testing.T) run.Fence {
	t.Helper()
	a, token, ok, err := b.leases.Claim(t.Context(), "worker", []operation.Queue{operation.DiscoveryQueue}, run.LeaseID{}, 0)
	require.NoError(t, err)
	require.True(t, ok)
	parsed, err := run.ParseToken(token.RevealString())
	require.NoError(t, err)
	return run.Fence{Workspace: parsed.Workspace, Run: parsed.Run, Epoch: parsed.Epoch, Lease: a.Lease, TokenHash: parsed.Hash}
}

// stream is an open stream of events.
type stream struct {
	status int
	header http.Header
	lines  *bufio.Reader
	close  func() error
}

// follow opens a stream of a run's events at an address.
func follow(t *testing.T, url string, key secret.Secret, name, last string) *stream {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/v1/runs/"+name+"/events", http.NoBody)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+key.RevealString())
	req.Header.Set("Accept", "text/event-stream")
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	res, err := (&http.Client{Transport: &http.Transport{}}).Do(req)
	require.NoError(t, err)
	t.Cleanup(func() { _ = res.Body.Close() })
	return &stream{status: res.StatusCode, header: res.Header, lines: bufio.NewReader(res.Body), close: res.Body.Close}
}

// received is one event.
type received struct {
	id  string
	run map[string]any
}

// next returns the next event; false at the stream's end.
func (s *stream) next(t *testing.T) (e received, ok bool) {
	t.Helper()
	for {
		line, err := s.lines.ReadString('\n')
		if err != nil {
			return e, false
		}
		line = strings.TrimSuffix(line, "\n")
		switch {
		case line == "" && e.run != nil:
			return e, true
		case strings.HasPrefix(line, "id: "):
			e.id = line[len("id: "):]
		case strings.HasPrefix(line, "data: "):
			require.NoError(t, json.Unmarshal([]byte(line[len("data: "):]), &e.run))
		case line == "", line == "event: run", strings.HasPrefix(line, "retry: "), strings.HasPrefix(line, ":"):
		default:
			require.Fail(t, "a line that is no event", line)
		}
	}
}

func (s *stream) mustNext(t *testing.T) received {
	t.Helper()
	e, ok := s.next(t)
	require.True(t, ok, "the stream has ended")
	return e
}

// until returns the first event that fits.
func (s *stream) until(t *testing.T, fits func(run map[string]any) bool) received {
	t.Helper()
	for {
		if e := s.mustNext(t); fits(e.run) {
			return e
		}
	}
}

func TestARunIsFollowedToItsEnd(t *testing.T) {
	t.Parallel()
	b := newEventBench(t)
	viewer := b.keys[workspace.Viewer]
	name := b.start(t)
	s := follow(t, b.url, viewer, name, "")
	require.Equal(t, http.StatusOK, s.status)
	require.Equal(t, "text/event-stream", s.header.Get("Content-Type"))
	require.Equal(t, "no-store", s.header.Get("Cache-Control"))
	require.Equal(t, "nosniff", s.header.Get("X-Content-Type-Options"))
	first := s.mustNext(t)
	require.Equal(t, "queued", first.run["status"])
	var shown map[string]any
	require.NoError(t, json.Unmarshal([]byte(b.call(t, viewer, http.MethodGet, "/v1/runs/"+name, "").text), &shown))
	require.Equal(t, shown, first.run, "an event is the run as GET shows it")

	fence := b.claim(t)
	s.until(t, func(r map[string]any) bool { return r["status"] == "running" })
	_, err := b.leases.Heartbeat(t.Context(), fence, run.Progress{Message: "reading", Entities: 7})
	require.NoError(t, err)
	s.until(t, func(r map[string]any) bool { return r["progress"].(map[string]any)["entities"] == 7.0 })
	require.Equal(t, http.StatusOK, b.builder(t, http.MethodPost, "/v1/runs/"+name+"/cancel", "").status)
	asked := s.until(t, func(r map[string]any) bool { return r["cancel_requested_at"] != nil })
	require.Equal(t, "running", asked.run["status"])
	_, err = b.leases.Finish(t.Context(), fence, run.Report{Cancelled: true})
	require.NoError(t, err)
	last := s.until(t, func(r map[string]any) bool { return r["status"] == "completed" })
	require.Equal(t, "cancelled", last.run["outcome"])
	_, more := s.next(t)
	require.False(t, more, "nothing follows the end")

	again := follow(t, b.url, viewer, name, first.id)
	require.Equal(t, last, again.mustNext(t), "any process gives an event the same id")
	require.Equal(t, http.StatusNoContent, follow(t, b.url, viewer, name, last.id).status, "a client that has seen the end need not come again")
	require.Equal(t, http.StatusNotFound, follow(t, b.url, b.foreign, name, "").status)
	require.Equal(t, http.StatusNotFound, follow(t, b.url, viewer, "run_999999", "").status)
}

// Whoever comes back hears of what changed meanwhile, and of nothing twice.
func TestAStreamGoesOnWhereItEnded(t *testing.T) {
	t.Parallel()
	b := newEventBench(t)
	viewer := b.keys[workspace.Viewer]
	name := b.start(t)
	s := follow(t, b.url, viewer, name, "")
	queued := s.mustNext(t)
	require.NoError(t, s.close())
	again := follow(t, b.url, viewer, name, queued.id)
	fence := b.claim(t)
	require.Equal(t, "running", again.mustNext(t).run["status"], "the run as it was is not told again")
	require.NoError(t, again.close())
	require.NoError(t, b.leases.HandBack(t.Context(), fence))
	_, err := b.super.Exec(t.Context(), "update runs set cancel_requested_at = now() where run_id = $1", int64(fence.Run))
	require.NoError(t, err)
	require.NotNil(t, follow(t, b.url, viewer, name, queued.id).mustNext(t).run["cancel_requested_at"])
}

// Credentials that are not good any more see nothing more.
func TestAStreamEndsWithItsCredentials(t *testing.T) {
	t.Parallel()
	b := newEventBench(t)
	admin := b.callerOf(t, b.keys[workspace.Admin], "")
	key, token, err := b.people.CreateKey(t.Context(), admin, "short", workspace.Viewer, nil)
	require.NoError(t, err)
	session := b.session(t, admin, workspace.Viewer)
	end := map[string]func(){
		"key":     func() { require.NoError(t, b.people.RevokeKey(t.Context(), admin, key.ID)) },
		"session": func() { require.NoError(t, b.people.SignOut(t.Context(), b.callerOf(t, session, ""), false)) },
	}
	for kind, token := range map[string]secret.Secret{"key": token, "session": session} {
		name := b.start(t)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.url+"/v1/runs/"+name+"/events", http.NoBody)
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer "+token.RevealString())
		req.Header.Set("Gatehouse-Workspace", b.a.Workspace.String())
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, res.StatusCode, kind)
		s := &stream{lines: bufio.NewReader(res.Body)}
		s.mustNext(t)
		end[kind]()
		b.claim(t)
		_, more := s.next(t)
		require.False(t, more, "a %s that has ended", kind)
		require.NoError(t, res.Body.Close())
	}
}

// The listener's limit on time is for answers of known length, and its end is
// every stream's.
func TestAStreamOutlivesTheListenersTimeoutAndEndsWithIt(t *testing.T) {
	t.Parallel()
	b := newEventBench(t)
	handler, err := (&host{
		version: "test", callers: b.services[2].callers, log: slog.New(slog.DiscardHandler), services: b.services, metrics: newMetrics(),
	}).handler()
	require.NoError(t, err)
	const timeout = 150 * time.Millisecond
	short := httptest.NewUnstartedServer(handler)
	short.Config.WriteTimeout = timeout
	short.Start()
	t.Cleanup(short.Close)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	stopped := make(chan error, 1)
	go func() { stopped <- serveHTTP(ctx, ln, handler, nil, slog.New(slog.DiscardHandler)) }()

	name := b.start(t)
	outlives := follow(t, short.URL, b.keys[workspace.Viewer], name, "")
	ends := follow(t, "http://"+ln.Addr().String(), b.keys[workspace.Viewer], name, "")
	begun := time.Now()
	outlives.mustNext(t)
	fence := b.claim(t)
	for n := int64(1); n <= 5 || time.Since(begun) < 3*timeout; n++ {
		_, err := b.leases.Heartbeat(t.Context(), fence, run.Progress{Entities: n})
		require.NoError(t, err)
		outlives.until(t, func(r map[string]any) bool { return r["progress"].(map[string]any)["entities"] == float64(n) })
	}
	stop()
	require.NoError(t, <-stopped)
	for more := true; more; {
		_, more = ends.next(t)
	}
}

// A member cannot use up a process with streams.
func TestAMemberFollowsSoManyRunsAndNoMore(t *testing.T) {
	t.Parallel()
	b := newEventBench(t)
	name := b.start(t)
	var open []*stream
	for range 32 {
		s := follow(t, b.url, b.keys[workspace.Viewer], name, "")
		require.Equal(t, http.StatusOK, s.status)
		open = append(open, s)
	}
	got := b.call(t, b.keys[workspace.Viewer], http.MethodGet, "/v1/runs/"+name+"/events", "")
	require.Equal(t, http.StatusTooManyRequests, got.status)
	require.Contains(t, got.text, "wait=30s")
	require.Contains(t, got.text, "urn:gatehouse:request:")
	require.Equal(t, http.StatusOK, follow(t, b.url, b.keys[workspace.Admin], name, "").status, "others may")
	require.NoError(t, open[0].close())
	require.Eventually(t, func() bool {
		return follow(t, b.url, b.keys[workspace.Viewer], name, "").status == http.StatusOK
	}, time.Minute, 10*time.Millisecond)
}
