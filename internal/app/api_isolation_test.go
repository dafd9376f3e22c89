package app

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func (b *apiBench) denials(t *testing.T) (n int) {
	t.Helper()
	require.NoError(t, b.super.QueryRow(t.Context(), "select count(*) from audit_events where action = 'access_denied'").Scan(&n))
	return n
}

// TestForeignWorkspaceSeesNothing has something of everything in workspace a
// and lists it from b.
func TestForeignWorkspaceSeesNothing(t *testing.T) {
	t.Parallel()
	b := newAPIBench(t, nowhere)
	connID := b.newConnection(t, "hidden-name")
	for _, path := range []string{"/v1/connections", "/v1/members", "/v1/api-keys", "/v1/audit-events", "/v1/workspaces"} {
		got := b.call(t, b.foreign, "GET", path, "")
		require.Equal(t, http.StatusOK, got.status)
		require.NotContains(t, got.text, "hidden-name")
		require.NotContains(t, got.text, `"`+connID+`"`)
		require.NotContains(t, got.text, `"`+b.a.Workspace.String()+`"`)
	}
}

func TestMalformedIDsAreNotFound(t *testing.T) {
	t.Parallel()
	b := newAPIBench(t, nowhere)
	for _, path := range []string{
		"/v1/connections/1", "/v1/connections/run_1", "/v1/connections/conn_0", "/v1/connections/conn_x/tests",
		"/v1/connections/%00", "/v1/connections/conn_9223372036854775808", "/v1/workspaces/x", "/v1/integrations/%00",
	} {
		got := b.builder(t, "GET", path, "")
		require.Equal(t, http.StatusNotFound, got.status, "%s: %s", path, got.text)
	}
}

func TestHostileQueriesAreRefused(t *testing.T) {
	t.Parallel()
	b := newAPIBench(t, nowhere)
	for _, path := range []string{
		"/v1/audit-events?action=%00", "/v1/audit-events?target_id=%ff", "/v1/connections?integration_id=%00",
		"/v1/audit-events?limit=-1", "/v1/connections?cursor=conn_1",
	} {
		got := b.builder(t, "GET", path, "")
		require.Equal(t, http.StatusUnprocessableEntity, got.status, "%s: %s", path, got.text)
	}
}
