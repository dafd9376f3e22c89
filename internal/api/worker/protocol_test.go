package worker_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/api"
	apirun "github.com/gatehouse-project/gatehouse/internal/api/run"
	"github.com/gatehouse-project/gatehouse/internal/api/worker"
	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/budget"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/postgres/pgtest"
	"github.com/gatehouse-project/gatehouse/internal/run"
	"github.com/gatehouse-project/gatehouse/internal/secret"
	"github.com/gatehouse-project/gatehouse/internal/workerapi"
)

// databases gives each test a database of the current schema.
var databases = pgtest.Kit{
	Migrate:     postgres.Migrate,
	Fingerprint: postgres.SchemaFingerprint(),
	Roles:       []string{"svc_integration", "svc_discovery"},
}

func TestMain(m *testing.M) { os.Exit(databases.Run(m)) }

const fleetToken = "the-fleets-worker-token"

// oneStream is a connector of one stream that nobody opens.
type oneStream struct{ connector.Connector }

func (oneStream) Manifest() connector.Manifest {
	empty := []byte(`{"type": "object", "additionalProperties": false, "properties": {}}`)
	return connector.Manifest{
		IntegrationID: "aws", ConnectorID: "aws-discovery", ContractVersion: connector.ContractVersion, Configuration: empty, Scope: empty,
		Operations: []string{string(operation.DiscoveryRun)}, Streams: []connector.Stream{{Name: "people", Entities: connector.EntityKinds()}},
		ThrottleScopes: []connector.ThrottleScope{{
			Name: "calls", Description: "Calls", Key: []string{"account"}, Limit: connector.ThrottleLimit{Calls: 1, PerSeconds: 3600, Burst: 5},
		}},
	}
}

// platform is both services' side of the protocol on one listener.
type platform struct {
	url        string
	super      *pgxpool.Pool
	runs       *postgres.Runs
	graph      *postgres.Graph
	scope      id.Scope
	connection id.Connection
}

// noWait makes a claim look by itself.
type noWait struct{}

func (noWait) Wait(context.Context, time.Duration) {}

func newPlatform(t *testing.T) *platform {
	t.Helper()
	base := databases.New(t)
	open := func(role string) *postgres.DB {
		db, err := postgres.Open(t.Context(), postgres.Config{URL: base.URL(role), Service: "test"})
		require.NoError(t, err)
		t.Cleanup(db.Close)
		return db
	}
	catalog, err := integration.NewCatalog([]connector.Connector{oneStream{}})
	require.NoError(t, err)
	p := &platform{super: base.SuperuserPool(), scope: id.Scope{Tenant: 1}}
	ignore := func(context.Context, pgx.Tx, run.Ref) error { return nil }
	p.runs = postgres.NewRuns(open("svc_discovery"), 1, catalog, postgres.Jobs{Publish: ignore, Ended: ignore})
	p.graph = postgres.NewGraph(open("svc_discovery"), p.runs)
	_, err = p.super.Exec(t.Context(), `insert into integrations (integration_id, name, connector_id, connector_version, connector_type, provider_system,
		required_permissions, emits_entities, emits_relationships, limits_blind_spots, supports_test, manifest)
		values ('aws', 'AWS', 'aws-discovery', '1', 'cloud', 'aws', '[]', '[]', '[]', '[]', true, '{}')`)
	require.NoError(t, err)
	require.NoError(t, p.super.QueryRow(t.Context(), `insert into workspaces (name) values ('test') returning workspace_id`).Scan(&p.scope.Workspace))
	require.NoError(t, p.super.QueryRow(t.Context(), `
		insert into connections (tenant_id, workspace_id, integration_id, connector_id, connector_version, name, config, scope, schedule)
		values (1, $1, 'aws', 'aws-discovery', '1', 'prod', '{"region": "us-east-1"}', '{"aws_accounts": []}', '{"type": "manual"}') returning connection_id`,
		p.scope.Workspace).Scan(&p.connection))

	batches, err := workerapi.NewDecoder()
	require.NoError(t, err)
	mux, log := http.NewServeMux(), slog.New(slog.DiscardHandler)
	a := api.New(mux, api.Config{Version: "1", Log: log})
	worker.MountDiscovery(a, worker.Discovery{
		Leases: &run.Leases{Store: p.runs, Ready: noWait{}}, Ingest: &graph.Ingest{Store: p.graph, Catalog: catalog}, Batches: batches, Token: secret.FromString(fleetToken),
		Budgets: &budget.Service{Store: postgres.NewBudgets(open("svc_discovery")), Catalog: catalog},
	})
	worker.MountIntegrations(a, worker.Integrations{Store: postgres.NewConnections(open("svc_integration")), Tenant: 1})
	server := httptest.NewServer(api.Wrap(mux, api.WrapConfig{Log: log}))
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

// start makes a queued discovery of the connection.
func (p *platform) start(t *testing.T) id.Run {
	t.Helper()
	op, err := operation.Get(operation.DiscoveryRun)
	require.NoError(t, err)
	admitted, err := p.runs.Admit(t.Context(), run.Admission{
		Scope: p.scope, Operation: op, Integration: "aws", Connection: p.connection, Input: []byte(`{}`), Context: []byte(`{}`), Initiator: run.BySystem,
	}, audit.Event{Actor: audit.System("test"), Action: audit.RunAccepted, Outcome: audit.Succeeded, TargetType: "run"})
	require.NoError(t, err)
	return admitted.Run.ID
}

// call is one request of a worker.
type call struct {
	method, path, token string
	body                any // []byte is sent as a batch
	header              map[string]string
}

// do sends a call and returns status and body.
func (p *platform) do(t *testing.T, c call) (int, string) {
	t.Helper()
	raw, isBatch := c.body.([]byte)
	contentType := workerapi.BatchContentType
	if !isBatch {
		var err error
		raw, err = json.Marshal(c.body)
		require.NoError(t, err)
		contentType = "application/json"
	}
	req, err := http.NewRequestWithContext(t.Context(), c.method, p.url+c.path, bytes.NewReader(raw))
	require.NoError(t, err)
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Authorization", "Bearer "+c.token)
	if isBatch {
		req.Header.Set("Content-Encoding", workerapi.BatchEncoding)
	}
	for name, value := range c.header {
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(answer)
}

func (p *platform) post(path, token string, body any) call {
	return call{method: http.MethodPost, path: path, token: token, body: body}
}

func (p *platform) claim(t *testing.T) workerapi.Assignment {
	t.Helper()
	status, body := p.do(t, p.post(workerapi.ClaimPath, fleetToken, workerapi.ClaimRequest{Worker: "w", Queues: []string{"discovery"}}))
	require.Equal(t, http.StatusOK, status, body)
	var a workerapi.Assignment
	require.NoError(t, json.Unmarshal([]byte(body), &a))
	return a
}

func lease(a workerapi.Assignment) workerapi.Lease {
	return workerapi.Lease{Epoch: a.Epoch, LeaseID: a.LeaseID}
}

func batch(a workerapi.Assignment, n int64, sent []byte) call {
	return call{
		method: http.MethodPut, path: workerapi.BatchPath(a.RunID, n), token: a.Token, body: sent,
		header: map[string]string{workerapi.LeaseHeader: lease(a).Header()},
	}
}

func encode(t *testing.T, h workerapi.Header, names ...string) []byte {
	t.Helper()
	e, err := workerapi.NewEncoder()
	require.NoError(t, err)
	var page connector.Page
	for _, n := range names {
		page.Entities = append(page.Entities, connector.Entity{Ref: connector.Ref{Kind: connector.Account, ID: n}, Name: n, Attributes: []byte(`{"b": 1, "a": 2}`)})
	}
	page.Next = h.Next
	sent, err := e.Encode(h, &page)
	require.NoError(t, err)
	return sent
}

func zipped(t *testing.T, plain []byte) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	return z.EncodeAll(plain, nil)
}

func TestRunFromClaimToFinish(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	status, _ := p.do(t, p.post(workerapi.ClaimPath, fleetToken, workerapi.ClaimRequest{Worker: "w", Queues: []string{"discovery"}}))
	require.Equal(t, http.StatusNoContent, status)

	_, err := p.super.Exec(t.Context(), `insert into stream_partitions (workspace_id, connection_id, stream, partition_key) values ($1, $2, 'people', 'former')`,
		p.scope.Workspace, p.connection)
	require.NoError(t, err)
	started := p.start(t)
	a := p.claim(t)
	require.Equal(t, started, a.RunID)
	require.EqualValues(t, 1, a.Epoch)
	require.Equal(t, 45, a.LeaseSeconds)
	require.Positive(t, a.DeadlineSeconds)

	status, body := p.do(t, p.post(workerapi.ConfigurationPath(a.RunID), a.Token, lease(a)))
	require.Equal(t, http.StatusOK, status, body)
	var c workerapi.Configuration
	require.NoError(t, json.Unmarshal([]byte(body), &c))
	require.JSONEq(t, `{"region": "us-east-1"}`, string(c.Configuration))
	require.JSONEq(t, `{"aws_accounts": []}`, string(c.Scope))
	status, body = p.do(t, p.post(workerapi.ConfigurationPath(a.RunID), a.Token, lease(a)))
	require.Equal(t, http.StatusConflict, status, body)

	status, body = p.do(t, p.post(workerapi.HeartbeatPath(a.RunID), a.Token, workerapi.Heartbeat{Lease: lease(a), Progress: run.Progress{Message: "reading"}}))
	require.Equal(t, http.StatusOK, status, body)
	require.JSONEq(t, `{"cancel": false}`, body)

	first := encode(t, workerapi.Header{Stream: "people", Next: "1"}, "a", "b")
	for range 2 { // the answer was lost
		status, body = p.do(t, batch(a, 0, first))
		require.Equal(t, http.StatusNoContent, status, body)
	}
	status, body = p.do(t, p.post(workerapi.HandBackPath(a.RunID), a.Token, lease(a)))
	require.Equal(t, http.StatusNoContent, status, body)

	again := p.claim(t)
	require.EqualValues(t, 2, again.Epoch)
	require.EqualValues(t, 1, again.NextBatch)
	require.Equal(t, []workerapi.Partition{{Stream: "people", Cursor: "1"}}, again.Partitions)
	status, body = p.do(t, batch(a, 1, first))
	require.Equal(t, http.StatusConflict, status, "the first worker is too late: %s", body)
	status, body = p.do(t, batch(again, 1, encode(t, workerapi.Header{Stream: "people", End: connector.Complete}, "c")))
	require.Equal(t, http.StatusNoContent, status, body)
	done := workerapi.Finish{Lease: lease(again), PlanComplete: true}
	status, body = p.do(t, p.post(workerapi.FinishPath(again.RunID), again.Token, done))
	require.Equal(t, http.StatusConflict, status, "nobody has said what the second worker reaches: %s", body)
	reach := workerapi.Reach{Lease: lease(again), Target: connector.Target{Type: "organization"}}
	status, body = p.do(t, p.post(workerapi.ReachPath(again.RunID), again.Token, reach))
	require.Equal(t, http.StatusUnprocessableEntity, status, body)
	reach.Target.ID = "o-1"
	for range 2 { // the answer was lost
		status, body = p.do(t, p.post(workerapi.ReachPath(again.RunID), again.Token, reach))
		require.Equal(t, http.StatusOK, status, body)
		require.JSONEq(t, `{"ended": false}`, body)
	}
	status, body = p.do(t, p.post(workerapi.FinishPath(again.RunID), again.Token, done))
	require.Equal(t, http.StatusOK, status, body)
	var shown apirun.Run
	require.NoError(t, json.Unmarshal([]byte(body), &shown))
	require.Equal(t, "publishing", shown.Phase)

	published, err := p.graph.Publish(t.Context(), p.scope, started)
	require.NoError(t, err)
	require.True(t, published)
	ended, err := p.runs.Get(t.Context(), p.scope, started)
	require.NoError(t, err)
	require.Equal(t, run.Succeeded, ended.Outcome)
	require.EqualValues(t, 3, ended.Counts[graph.CountEntitiesNew])
	require.EqualValues(t, 1, ended.Counts[graph.CountPartitionsRetired], "what the complete plan did not name")
}

func TestOnlyTheHolderIsHeard(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	p.start(t)
	p.start(t)
	a, other := p.claim(t), p.claim(t)
	for _, token := range []string{"", "wrong", fleetToken + "x", a.Token} {
		status, body := p.do(t, p.post(workerapi.ClaimPath, token, workerapi.ClaimRequest{Worker: "w", Queues: []string{"discovery"}}))
		require.Equal(t, http.StatusUnauthorized, status, body)
	}
	swapped := lease(a)
	swapped.LeaseID = other.LeaseID
	forged := a.Token[:strings.LastIndex(a.Token, ".")+1] + strings.Repeat("A", 43)
	for name, c := range map[string]struct {
		token string
		lease workerapi.Lease
		want  int
	}{
		"no token":                  {"", lease(a), http.StatusUnauthorized},
		"the fleet's token":         {fleetToken, lease(a), http.StatusUnauthorized},
		"a forged token":            {forged, lease(a), http.StatusConflict},
		"another run's token":       {other.Token, lease(a), http.StatusConflict},
		"another run's lease":       {a.Token, swapped, http.StatusConflict},
		"another epoch":             {a.Token, workerapi.Lease{Epoch: a.Epoch + 1, LeaseID: a.LeaseID}, http.StatusConflict},
		"a lease that is no lease":  {a.Token, workerapi.Lease{Epoch: a.Epoch, LeaseID: strings.Repeat("z", 32)}, http.StatusUnprocessableEntity},
		"a token for no workspace":  {fmt.Sprintf("gr_9999.%d.1.%s", int64(a.RunID), strings.Repeat("A", 43)), lease(a), http.StatusConflict},
		"a token that says nothing": {"gr_...", lease(a), http.StatusUnauthorized},
	} {
		sent := batch(a, 0, encode(t, workerapi.Header{Stream: "people"}))
		sent.token, sent.header[workerapi.LeaseHeader] = c.token, c.lease.Header()
		for _, each := range []call{
			p.post(workerapi.HeartbeatPath(a.RunID), c.token, workerapi.Heartbeat{Lease: c.lease}),
			p.post(workerapi.HandBackPath(a.RunID), c.token, c.lease),
			p.post(workerapi.FinishPath(a.RunID), c.token, workerapi.Finish{Lease: c.lease}),
			sent,
		} {
			status, body := p.do(t, each)
			require.Equal(t, c.want, status, "%s on %s: %s", name, each.path, body)
			require.NotContains(t, body, strings.Repeat("A", 43))
		}
	}
	for _, token := range []string{"", fleetToken, forged, other.Token} {
		status, body := p.do(t, p.post(workerapi.ConfigurationPath(a.RunID), token, lease(a)))
		require.Contains(t, []int{http.StatusUnauthorized, http.StatusConflict}, status, body)
		require.NotContains(t, body, "us-east-1")
	}
	status, body := p.do(t, p.post(workerapi.HeartbeatPath(a.RunID), a.Token, workerapi.Heartbeat{Lease: lease(a)}))
	require.Equal(t, http.StatusOK, status, body)
}

// TestNobodysBatchIsNotRead sends a batch whose body never comes: the answer must
// not wait for it.
func TestNobodysBatchIsNotRead(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	p.start(t)
	a := p.claim(t)
	for _, token := range []string{"", "x", a.Token[:strings.LastIndex(a.Token, ".")+1] + strings.Repeat("A", 43)} {
		body, never := io.Pipe()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, p.url+workerapi.BatchPath(a.RunID, 0), body)
		require.NoError(t, err)
		req.ContentLength = 1 << 20
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set(workerapi.LeaseHeader, lease(a).Header())
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Contains(t, []int{http.StatusUnauthorized, http.StatusConflict}, resp.StatusCode)
		require.NoError(t, never.Close())
	}
}

func TestBatchesThatAreNoneChangeNothing(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	p.start(t)
	a := p.claim(t)
	header := `{"stream":"people","entities":1}` + "\n"
	for name, c := range map[string]struct {
		sent []byte
		want int
	}{
		"nothing":               {[]byte{}, 0},
		"no Zstandard":          {[]byte(header), http.StatusUnprocessableEntity},
		"cut off":               {encode(t, workerapi.Header{Stream: "people"}, "a", "b")[:20], http.StatusUnprocessableEntity},
		"no JSON":               {zipped(t, []byte("people")), http.StatusUnprocessableEntity},
		"no header":             {zipped(t, nil), http.StatusUnprocessableEntity},
		"unknown member":        {zipped(t, []byte(header+`{"kind":"Account","id":"a","secret":"hunter2"}`)), http.StatusUnprocessableEntity},
		"undeclared stream":     {encode(t, workerapi.Header{Stream: "buckets"}), http.StatusUnprocessableEntity},
		"huge number":           {zipped(t, []byte(header+`{"kind":"Account","id":"a","attributes":{"n":1e400000}}`)), http.StatusUnprocessableEntity},
		"lone surrogate":        {zipped(t, []byte(header+`{"kind":"Account","id":"a","attributes":{"n":"\ud800"}}`)), http.StatusUnprocessableEntity},
		"NUL":                   {zipped(t, []byte(header+`{"kind":"Account","id":"a\u0000"}`)), http.StatusUnprocessableEntity},
		"an endless line":       {zipped(t, append([]byte(header+`{"kind":"Account","id":"`), bytes.Repeat([]byte("a"), 8<<20)...)), 0},
		"a bomb":                {zipped(t, bytes.Repeat([]byte(" "), workerapi.MaxBatchPlainBytes+(1<<20))), http.StatusRequestEntityTooLarge},
		"more than may be sent": {make([]byte, workerapi.MaxBatchBytes+1), http.StatusRequestEntityTooLarge},
	} {
		status, body := p.do(t, batch(a, 0, c.sent))
		if c.want == 0 {
			require.GreaterOrEqual(t, status, 400, name)
			require.Less(t, status, 500, "%s: %s", name, body)
		} else {
			require.Equal(t, c.want, status, "%s: %s", name, body)
		}
		require.NotContains(t, body, "hunter2", name)
	}
	bad := batch(a, 0, encode(t, workerapi.Header{Stream: "people"}))
	for _, value := range []string{"", "1", ".", "x." + a.LeaseID, "1." + a.LeaseID + "0"} {
		bad.header[workerapi.LeaseHeader] = value
		status, body := p.do(t, bad)
		require.Contains(t, []int{http.StatusUnprocessableEntity, http.StatusConflict}, status, "%q: %s", value, body)
	}
	status, body := p.do(t, batch(a, 0, encode(t, workerapi.Header{Stream: "people", End: connector.Complete}, "a")))
	require.Equal(t, http.StatusNoContent, status, body)
}
