package app

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/secret"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// TestRoles calls every operation with every role, and as an admin of another
// workspace. {c} stands for a connection, {k} for a key's member, {w} for the
// workspace, each made for the one call.
func TestRoles(t *testing.T) {
	t.Parallel()
	const (
		viewer  = http.StatusForbidden // what a viewer gets where only builders may
		missing = http.StatusNotFound
	)
	for _, op := range []struct {
		method, path, body              string
		viewer, builder, admin, foreign int
	}{
		{"GET", "/v1/integrations", "", 200, 200, 200, 200},
		{"GET", "/v1/integrations/aws", "", 200, 200, 200, 200},
		{"GET", "/v1/connections", "", 200, 200, 200, 200},
		{"POST", "/v1/connections", awsDraft("new {n}"), viewer, 201, 201, 201},
		{"GET", "/v1/connections/{c}", "", 200, 200, 200, missing},
		{"PATCH", "/v1/connections/{c}", `{"metadata":{"a":1}}`, viewer, 200, 200, missing},
		{"DELETE", "/v1/connections/{c}", "", viewer, 204, 204, missing},
		// A connection that was never tested has no target to be the default of.
		{"POST", "/v1/connections/{c}/make-default", "", viewer, 422, 422, missing},
		{"GET", "/v1/targets", "", 200, 200, 200, 200},
		{"GET", "/v1/targets/tgt_1", "", missing, missing, missing, missing},
		{"GET", "/v1/connections/{c}/tests", "", 200, 200, 200, missing},
		// Nobody answers for the discovery service here.
		{"POST", "/v1/connections/{c}/test", "", viewer, 503, 503, missing},
		{"GET", "/v1/workspaces", "", 200, 200, 200, 200},
		{"GET", "/v1/workspaces/{w}", "", 200, 200, 200, missing},
		{"GET", "/v1/members", "", 200, 200, 200, 200},
		{"GET", "/v1/api-keys", "", 200, 200, 200, 200},
		{"POST", "/v1/api-keys", `{"name":"ci","role":"viewer"}`, 403, 403, 201, 201},
		{"DELETE", "/v1/api-keys/{k}", "", 403, 403, 204, missing},
		{"GET", "/v1/audit-events", "", 200, 200, 200, 200},
		{"GET", "/v1/licence", "", 200, 200, 200, 200},
		{"PUT", "/v1/licence", `{"licence":"x"}`, 403, 403, 403, 403},
	} {
		t.Run(op.method+" "+op.path, func(t *testing.T) {
			t.Parallel()
			b := newAPIBench(t, nowhere)
			for _, c := range []struct {
				who  string
				key  secret.Secret
				want int
			}{
				{"viewer", b.keys[workspace.Viewer], op.viewer},
				{"foreign admin", b.foreign, op.foreign},
				{"builder", b.keys[workspace.ConnectorBuilder], op.builder},
				{"admin", b.keys[workspace.Admin], op.admin},
				{"nobody", secret.FromString("gk_1_nobody"), http.StatusUnauthorized},
			} {
				path := op.path
				if strings.Contains(path, "{c}") {
					path = strings.ReplaceAll(path, "{c}", b.newConnection(t, "for "+c.who))
				}
				if strings.Contains(path, "{k}") {
					made := b.call(t, b.keys[workspace.Admin], "POST", "/v1/api-keys", `{"name":"short-lived","role":"viewer"}`)
					member, _ := made.decoded(t)["member_id"].(string)
					path = strings.ReplaceAll(path, "{k}", member)
				}
				path = strings.ReplaceAll(path, "{w}", b.a.Workspace.String())
				before := b.denials(t)
				got := b.call(t, c.key, op.method, path, strings.ReplaceAll(op.body, "{n}", c.who))
				require.Equal(t, c.want, got.status, "%s: %s", c.who, got.text)
				denied := 0
				if c.want == http.StatusForbidden {
					denied = 1
				}
				require.Equal(t, before+denied, b.denials(t), "denied attempts are recorded, nothing else is")
			}
			require.NotContains(t, b.log.String(), canary)
		})
	}
}

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
