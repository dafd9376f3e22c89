package story

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/client"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// plane is a running Gatehouse and an admin's key to it.
type plane struct {
	url, key string
	api      *client.Client
	// database is its superuser's URL, and tenantKey a tenant administrator's key,
	// of a plane that keeps a server itself.
	database, tenantKey string
}

func newPlane(t *testing.T, url, key string) *plane {
	t.Helper()
	api, err := client.New(url, secret.FromString(key), "story")
	require.NoError(t, err)
	return &plane{url: url, key: key, api: api}
}

// startDev runs `gatehouse dev` on a directory, with further variables in its
// environment, and returns it with its process.
func startDev(t *testing.T, dir string, env ...string) (*plane, *process) {
	t.Helper()
	p := start(t, env, "dev", "--data-dir", dir, "--listen", "127.0.0.1:0", "--log-level", "debug")
	url := p.await(t, `Gatehouse serves (http://[0-9.:]+) `)
	key, err := os.ReadFile(filepath.Join(dir, "admin.key"))
	require.NoError(t, err)
	password, err := os.ReadFile(filepath.Join(dir, "postgres", "superuser.password"))
	require.NoError(t, err)
	tenantKey, err := os.ReadFile(filepath.Join(dir, "tenant-admin.key"))
	require.NoError(t, err)
	made := newPlane(t, url, strings.TrimSpace(string(key)))
	made.tenantKey = strings.TrimSpace(string(tenantKey))
	made.database = fmt.Sprintf("postgres://postgres:%s@127.0.0.1:%s/gatehouse?sslmode=disable",
		strings.TrimSpace(string(password)), p.await(t, `msg="PostgreSQL is running" .*port=([0-9]+)`))
	return made, p
}

// as is the same Gatehouse for the holder of another key.
func (p *plane) as(t *testing.T, key string) *plane {
	t.Helper()
	return newPlane(t, p.url, key)
}

// cli runs a command against the plane, with further variables in its environment.
func (p *plane) cli(t *testing.T, variables []string, args ...string) printed {
	t.Helper()
	return command(t, append([]string{"GATEHOUSE_URL=" + p.url, "GATEHOUSE_API_KEY=" + p.key}, variables...), args...)
}

// ask runs a command that has to succeed, with -o json, and decodes its answer.
func (p *plane) ask(t *testing.T, into any, args ...string) string {
	t.Helper()
	got := p.cli(t, nil, append(args, "-o", "json")...)
	require.Zero(t, got.status, "gatehouse %v\n%s%s", args, got.stdout, got.stderr)
	decode(t, got.stdout, into)
	return got.stdout
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	require.NoError(t, json.NewDecoder(bytes.NewReader([]byte(text))).Decode(into), text)
}

// connect creates a connection by the API and returns its id.
func (p *plane) connect(t *testing.T, name string, fields map[string]any) string {
	t.Helper()
	created, err := p.api.CreateConnection(t.Context(), draft(t, name, fields), "")
	require.NoError(t, err)
	return created.Value.ConnectionID
}

// connectInstead is connect for credentials that another connection uses, which
// it deletes: the same identity is connected once.
func (p *plane) connectInstead(t *testing.T, name string, fields map[string]any) string {
	t.Helper()
	all, err := p.api.Connections(t.Context(), client.ConnectionFilter{}, client.Pages{})
	require.NoError(t, err)
	for _, c := range all.Items {
		require.NoError(t, p.api.DeleteConnection(t.Context(), c.ConnectionID, 0))
	}
	return p.connect(t, name, fields)
}

func draft(t *testing.T, name string, fields map[string]any) client.ConnectionDraft {
	t.Helper()
	return client.ConnectionDraft{IntegrationID: "aws", Name: name, Configuration: raw(t, fields)}
}

func raw(t *testing.T, fields map[string]any) map[string]json.RawMessage {
	t.Helper()
	values := map[string]json.RawMessage{}
	for name, value := range fields {
		text, err := json.Marshal(value)
		require.NoError(t, err)
		values[name] = text
	}
	return values
}

// edit changes fields of a connection's configuration.
func (p *plane) edit(t *testing.T, conn string, fields map[string]any) {
	t.Helper()
	current, err := p.api.Connection(t.Context(), conn)
	require.NoError(t, err)
	_, err = p.api.EditConnection(t.Context(), conn, current.Value.Version, client.ConnectionPatch{Configuration: raw(t, fields)})
	require.NoError(t, err)
}

// discover runs a discovery to its end.
func (p *plane) discover(t *testing.T, conn string) client.Run {
	t.Helper()
	return p.finished(t, p.startRun(t, conn))
}

// startRun starts a discovery that the gate has to accept.
func (p *plane) startRun(t *testing.T, conn string) string {
	t.Helper()
	started, err := p.api.StartOperation(t.Context(), "discovery.run", conn)
	require.NoError(t, err)
	require.Equal(t, "accepted", started.Value.Status, string(started.Raw))
	return started.Value.Run.ID
}

// longPoll is how long one request waits for a run's end.
const longPoll = 20 * time.Second

// finished waits for the end of a run.
func (p *plane) finished(t *testing.T, run string) client.Run {
	t.Helper()
	var last client.Run
	eventually(t, run+" has ended", func() bool {
		// While a service is down on purpose, there is no answer.
		a, err := p.api.Run(t.Context(), run, longPoll)
		if err == nil {
			last = a.Value
		}
		return last.Status == "completed"
	})
	return last
}

// test tests a connection.
func (p *plane) test(t *testing.T, conn string) client.ConnectionTest {
	t.Helper()
	a, err := p.api.TestConnection(t.Context(), conn)
	require.NoError(t, err)
	return a.Value
}

// entities are all entities that a connection read, by provider id.
func (p *plane) entities(t *testing.T, conn string) map[string]client.Entity {
	t.Helper()
	l, err := p.api.Entities(t.Context(), client.EntityFilter{Connection: conn}, client.Pages{})
	require.NoError(t, err)
	found := map[string]client.Entity{}
	for _, e := range l.Items {
		found[e.Kind+" "+e.ProviderID] = e
	}
	require.Len(t, found, len(l.Items), "no entity comes twice over all pages")
	return found
}

// requireUnchanged runs a discovery without faults and requires that it finds
// the graph as it is in the provider: what an earlier run left out, or left too
// much of, would be new or closed now.
func (p *plane) requireUnchanged(t *testing.T, conn string) client.Run {
	t.Helper()
	again := p.discover(t, conn)
	require.Equal(t, "succeeded", again.Outcome, "%+v", again)
	for _, what := range []string{"entities", "relationships"} {
		require.Positive(t, again.SummaryCounts[what+"_read"])
		for _, change := range []string{"new", "changed", "closed"} {
			require.Contains(t, again.SummaryCounts, what+"_"+change)
			require.Zero(t, again.SummaryCounts[what+"_"+change], "%s %s: %v", what, change, again.SummaryCounts)
		}
	}
	return again
}

// get makes a request as any program would and returns the answer as it is.
func (p *plane) get(t *testing.T, path string) (status int, text string) {
	t.Helper()
	return p.send(t, http.MethodGet, path, "")
}

// send makes a request with a JSON body.
func (p *plane) send(t *testing.T, method, path, body string) (status int, text string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, p.url+path, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+p.key)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(answer)
}
