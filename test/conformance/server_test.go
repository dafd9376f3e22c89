package conformance

import (
	"bytes"
	"context"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/app"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// server is Gatehouse as `gatehouse dev` runs it: all services and their
// workers, on a PostgreSQL server of its own.
type server struct {
	url string
	// keys are of an administrator each of two workspaces.
	keys [2]string
	// tenantKey is of an administrator of the tenant, and licence one that can be
	// installed.
	tenantKey, licence string
	log                *logged
	// ended is closed when the server is no more.
	ended <-chan struct{}
}

// logged takes log lines from many goroutines.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func startServer(t *testing.T) *server {
	t.Helper()
	dir := t.TempDir()
	s := &server{log: &logged{}}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ready, ended := make(chan app.Running, 1), make(chan struct{})
	s.ended = ended
	var failed error
	go func() {
		defer close(ended)
		failed = app.Dev(ctx, app.DevConfig{
			DataDir: dir, Listen: "127.0.0.1:0", AllowPrivate: true, EndpointHosts: []string{"*"}, Version: "conformance",
			Logger: slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		}, func(ctx context.Context, r app.Running) error {
			ready <- r
			<-ctx.Done()
			return nil
		})
	}()
	t.Cleanup(func() {
		stop()
		<-ended
		require.NoError(t, failed)
	})
	select {
	case r := <-ready:
		s.url, s.keys[0], s.tenantKey = r.URL, r.Admin.Key.RevealString(), r.Tenant.Key.RevealString()
	case <-ended:
		require.NoError(t, failed)
	}
	s.prepare(t, dir)
	return s
}

// runsThatWait stay queued, since no worker serves their queue: what starts here
// ends so soon that there might be nothing to cancel.
const runsThatWait = `insert into runs (workspace_id, operation_type, queue, status, initiator)
select workspace_id, 'discovery.run', 'nobody', 'queued', 'system' from workspaces cross join generate_series(1, 10)`

// prepare makes what no request can: in the database a second workspace, runs
// that wait, and a key that licences may be signed with.
func (s *server) prepare(t *testing.T, dir string) {
	t.Helper()
	port := regexp.MustCompile(`msg="PostgreSQL is running" .*port=([0-9]+)`).FindStringSubmatch(s.log.String())
	require.NotNil(t, port, s.log)
	database := func(user, passwordFile string) string {
		password, err := os.ReadFile(filepath.Join(dir, passwordFile))
		require.NoError(t, err)
		u := url.URL{
			Scheme: "postgres", User: url.UserPassword(user, strings.TrimSpace(string(password))),
			Host: "127.0.0.1:" + port[1], Path: "gatehouse", RawQuery: "sslmode=disable",
		}
		return u.String()
	}
	super := database("postgres", "postgres/superuser.password")
	s.licence = issueLicence(t, super)
	conn, err := pgx.Connect(t.Context(), super)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	scope := id.Scope{Tenant: 1}
	require.NoError(t, conn.QueryRow(t.Context(), "insert into workspaces (name) values ('Second') returning workspace_id").Scan(&scope.Workspace))
	_, err = conn.Exec(t.Context(), runsThatWait)
	require.NoError(t, err)
	db, err := postgres.Open(t.Context(), postgres.Config{URL: database(postgres.RoleWorkspaces, "secrets/"+postgres.RoleWorkspaces), Service: "conformance", MaxConns: 1})
	require.NoError(t, err)
	defer db.Close()
	key, err := workspace.IssueAdminKey(t.Context(), postgres.NewWorkspaces(db), scope, "second")
	require.NoError(t, err)
	s.keys[1] = key.RevealString()
}

// newActors are administrators of two workspaces who know of each other.
func newActors(t *testing.T, s *server, d *document) [2]*actor {
	t.Helper()
	actors := [2]*actor{newActor(t, d, "Ada", s.url, s.keys[0], 1), newActor(t, d, "Ben", s.url, s.keys[1], 2)}
	actors[0].other, actors[1].other = actors[1], actors[0]
	for id := range actors[0].pool.seen {
		if actors[1].pool.seen[id] { // the tenant
			actors[0].shared[id], actors[1].shared[id] = true, true
		}
	}
	require.Len(t, actors[0].shared, 1, "%v", actors[0].shared)
	return actors
}

// ranOutOfTime is what background work logs, which tries again, when others keep
// the machine busy. A request that runs out of time is answered 503, which is never
// accepted.
var ranOutOfTime = regexp.MustCompile(`deadline exceeded|timeout`)

// requireWell fails when the server is gone or has logged that something inside
// went wrong.
func (s *server) requireWell(t *testing.T) {
	t.Helper()
	select {
	case <-s.ended:
		require.Fail(t, "the server has ended")
	default:
	}
	for line := range strings.SplitSeq(s.log.String(), "\n") {
		require.False(t, strings.Contains(line, "level=ERROR") && !ranOutOfTime.MatchString(line), line)
		require.NotContains(t, line, secretMark)
	}
}
