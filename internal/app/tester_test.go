package app

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/run"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// claimWait is how long the stand-in for a worker waits for a run.
const claimWait = 30 * time.Second

// testBench is the API with a discovery service, and the leases that a worker
// would take by HTTP.
type testBench struct {
	*apiBench
	leases *run.Leases
}

func newTestBench(t *testing.T) *testBench {
	t.Helper()
	return newTestBenchUnder(t, KeySettings{})
}

// newTestBenchUnder is newTestBench with other keys of credentials, and with
// references to secrets that are allowed.
func newTestBenchUnder(t *testing.T, protection KeySettings, allowRefs ...string) *testBench {
	t.Helper()
	b := &testBench{}
	b.apiBench = newAPIBenchUnder(t, protection, allowRefs, func(a *apiBench) string {
		log := slog.New(slog.NewTextHandler(a.log, nil))
		catalog, err := newCatalog(ConnectorSettings{})
		require.NoError(t, err)
		discovery, err := newDiscovery(t.Context(), discoveryConfig{
			databaseURL: a.database.URL("svc_discovery"), workerToken: secret.FromString("worker-token-of-this-test"), catalog: catalog, log: log,
		})
		require.NoError(t, err)
		t.Cleanup(discovery.close)
		handler, err := (&host{
			version: "test", callers: discovery.callers, denials: discovery.denials, log: log, services: []*service{discovery}, metrics: newMetrics(),
		}).handler()
		require.NoError(t, err)
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)

		db, err := postgres.Open(t.Context(), postgres.Config{URL: a.database.URL("svc_discovery"), Service: "test worker", MaxConns: 3})
		require.NoError(t, err)
		t.Cleanup(db.Close)
		listener := postgres.NewListener(db, log)
		ctx, cancel := context.WithCancel(t.Context())
		var listening sync.WaitGroup
		listening.Go(func() { _ = listener.Run(ctx) })
		t.Cleanup(func() { cancel(); listening.Wait() })
		ignore := func(context.Context, pgx.Tx, run.Ref) error { return nil }
		b.leases = &run.Leases{Store: postgres.NewRuns(db, 1, catalog, postgres.Jobs{Ended: ignore}), Ready: listener}
		return server.URL
	})
	return b
}

// work takes the next test and ends it with what check says.
func (b *testBench) work(t *testing.T, check func(a run.Assignment, token run.Token) run.Report) (done func()) {
	t.Helper()
	var working sync.WaitGroup
	working.Go(func() {
		a, bearer, ok, err := b.leases.Claim(t.Context(), "test worker", []operation.Queue{operation.TestQueue}, run.LeaseID{}, claimWait)
		if err != nil || !ok {
			t.Errorf("claimed %v: %v", ok, err)
			return
		}
		token, err := run.ParseToken(bearer.RevealString())
		if err != nil {
			t.Error(err)
			return
		}
		fence := run.Fence{Workspace: token.Workspace, Run: token.Run, Epoch: token.Epoch, Lease: a.Lease, TokenHash: token.Hash}
		if _, err := b.leases.Finish(t.Context(), fence, check(a, token)); err != nil {
			t.Error(err)
		}
	})
	return working.Wait
}

func TestConnectionIsTestedThroughTheGate(t *testing.T) {
	t.Parallel()
	b := newTestBench(t)
	connID := b.newConnection(t, "Prod AWS")
	var disclosed json.RawMessage
	done := b.work(t, func(_ run.Assignment, token run.Token) run.Report {
		disclosed = b.disclose(t, token)
		return run.Report{Check: &connector.CheckResult{
			Target:      connector.Target{ID: "123456789012", Name: "Prod", Type: "account"},
			Streams:     []connector.StreamOutlook{{Stream: "iam", Coverage: connector.Partial, Missing: []string{"iam:ListUsers"}}},
			Remediation: []connector.Remediation{{Category: connector.RemedyPermissions, Message: "Missing iam:ListUsers", Action: "Add the permission to the role"}},
		}}
	})
	got := b.builder(t, http.MethodPost, "/v1/connections/"+connID+"/test", "")
	done()
	require.Equal(t, http.StatusOK, got.status, got.text)
	object := got.decoded(t)
	require.Equal(t, "failure", object["status"])
	require.NotEmpty(t, object["checked_at"])
	require.Equal(t, []any{map[string]any{"category": "permissions", "message": "Missing iam:ListUsers", "action": "Add the permission to the role"}}, object["remediation"])
	require.Regexp(t, "^run_", object["run_id"])
	require.JSONEq(t, `{"access_key_id":"AKIAIOSFODNN7EXAMPLE","secret_access_key":"`+canary+`","region":"us-east-1"}`, string(disclosed))

	done = b.work(t, func(run.Assignment, run.Token) run.Report {
		return run.Report{Check: &connector.CheckResult{Target: connector.Target{ID: "123456789012", Name: "Prod", Type: "account"}, Sufficient: true}}
	})
	got = b.builder(t, http.MethodPost, "/v1/connections/"+connID+"/test", "")
	done()
	require.Equal(t, "success", got.decoded(t)["status"], got.text)
	require.Equal(t, []any{}, got.decoded(t)["remediation"])
	tests, _ := b.builder(t, http.MethodGet, "/v1/connections/"+connID+"/tests", "").decoded(t)["tests"].([]any)
	require.Len(t, tests, 2)
	conn := b.builder(t, http.MethodGet, "/v1/connections/"+connID, "").decoded(t)
	require.Equal(t, "healthy", conn["status"])
	require.NotNil(t, conn["target_id"])

	events := b.builder(t, http.MethodGet, "/v1/audit-events?action=connection_tested", "").decoded(t)
	require.Len(t, events["audit_events"], 2)
	require.NotContains(t, b.log.String(), canary)
	b.requireNoCanaryStored(t)

	require.Equal(t, http.StatusNoContent, b.builder(t, http.MethodDelete, "/v1/connections/"+connID, "").status)
	kept, _ := b.builder(t, http.MethodGet, "/v1/connections/"+connID+"/tests", "").decoded(t)["tests"].([]any)
	require.Equal(t, tests, kept, "the results outlive the connection")
	require.Equal(t, http.StatusNotFound, b.builder(t, http.MethodGet, "/v1/connections/"+connID, "").status)
	require.Equal(t, http.StatusNotFound, b.builder(t, http.MethodGet, "/v1/connections/conn_999999/tests", "").status)
}

// disclose takes a run's configuration as its worker does.
func (b *testBench) disclose(t *testing.T, token run.Token) json.RawMessage {
	db, err := postgres.Open(t.Context(), postgres.Config{URL: b.database.URL("svc_integration"), Service: "test", MaxConns: 2})
	if err != nil {
		t.Error(err)
		return nil
	}
	defer db.Close()
	k, err := openKeys(t.Context(), db, b.protection)
	if err != nil {
		t.Error(err)
		return nil
	}
	claim := connection.Claim{Scope: id.Scope{Workspace: token.Workspace}, Run: token.Run, Epoch: token.Epoch, TokenHash: token.Hash}
	d, err := connection.Vault{Cipher: newCipher(k)}.Disclose(t.Context(), postgres.NewConnections(db), claim)
	if err != nil {
		t.Error(err)
		return nil
	}
	return d.Configuration.Reveal()
}

// requireNoCanaryStored looks for the secret in every row of every table, as it
// is and as hexadecimal digits.
func (b *apiBench) requireNoCanaryStored(t *testing.T) {
	t.Helper()
	rows, err := b.super.Query(t.Context(), `
		select format('select count(*) from %I.%I t where t::text like $1 or t::text like ''%%'' || encode($2::bytea, ''hex'') || ''%%''', n.nspname, c.relname)
		from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where c.relkind in ('r', 'p') and n.nspname in ('public', 'river', 'staging')`)
	require.NoError(t, err)
	var queries []string
	for rows.Next() {
		var query string
		require.NoError(t, rows.Scan(&query))
		queries = append(queries, query)
	}
	require.NoError(t, rows.Err())
	require.NotEmpty(t, queries)
	for _, query := range queries {
		var n int
		require.NoError(t, b.super.QueryRow(t.Context(), query, "%"+canary+"%", []byte(canary)).Scan(&n), query)
		require.Zero(t, n, query)
	}
}

func TestBlockedTestIsAFailureWithARemedy(t *testing.T) {
	t.Parallel()
	b := newTestBench(t)
	connID := b.newConnection(t, "Prod AWS")
	changed := b.builder(t, http.MethodPatch, "/v1/connections/"+connID, `{"lifecycle":"disabled"}`)
	require.Equal(t, http.StatusOK, changed.status, changed.text)
	got := b.builder(t, http.MethodPost, "/v1/connections/"+connID+"/test", "")
	require.Equal(t, http.StatusOK, got.status, got.text)
	object := got.decoded(t)
	require.Equal(t, "failure", object["status"])
	require.Equal(t, "connection_disabled", object["reason_code"])
	require.NotContains(t, object, "test_id")
	remediation, _ := object["remediation"].([]any)
	require.Len(t, remediation, 1)
	first, _ := remediation[0].(map[string]any)
	require.Equal(t, "configuration", first["category"])
	require.True(t, strings.HasPrefix(first["action"].(string), "Enable the connection"))
}
