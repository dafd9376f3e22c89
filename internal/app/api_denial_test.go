package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/secret"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Who uses a key that has ended is refused like anybody with none, and the
// workspace that the key was of sees it.
func TestUseOfAnEndedKeyIsRecorded(t *testing.T) {
	t.Parallel()
	b := newAPIBench(t, nowhere)
	admin := b.keys[workspace.Admin]
	make := func(name string) (key secret.Secret, member string) {
		made := b.call(t, admin, http.MethodPost, "/v1/api-keys", `{"name":"`+name+`","role":"viewer","expires_at":"2999-01-01T00:00:00Z"}`).decoded(t)
		return secret.FromString(fmt.Sprint(made["key"])), fmt.Sprint(made["member_id"])
	}
	revoked, revokedMember := make("revoked")
	require.Equal(t, http.StatusNoContent, b.call(t, admin, http.MethodDelete, "/v1/api-keys/"+revokedMember, "").status)
	expired, expiredMember := make("expired")
	_, err := b.super.Exec(t.Context(), `update api_keys set expires_at = now() - interval '1 day' where hint = $1`, hintOf(t, b, expiredMember))
	require.NoError(t, err)
	unknown, _, _ := workspace.NewKey(b.a.Workspace)

	var said []string
	for _, key := range []secret.Secret{revoked, expired, unknown} {
		got := b.call(t, key, http.MethodGet, "/v1/connections", "")
		require.Equal(t, http.StatusUnauthorized, got.status)
		detail, _ := got.decoded(t)["detail"].(string)
		said = append(said, detail)
	}
	require.Equal(t, said[2], said[0], "the answer tells nothing")
	require.Equal(t, said[2], said[1])

	events, _ := b.call(t, admin, http.MethodGet, "/v1/audit-events?action=access_denied", "").decoded(t)["audit_events"].([]any)
	got := map[string]string{}
	for _, e := range events {
		text, err := json.Marshal(e)
		require.NoError(t, err)
		var event struct {
			Actor   string `json:"actor_id"`
			Outcome string
			Target  string `json:"target_id"`
			Payload struct{ Reason string }
		}
		require.NoError(t, json.Unmarshal(text, &event))
		require.Equal(t, "denied", event.Outcome)
		require.Equal(t, "list-connections", event.Target)
		got[event.Actor] = event.Payload.Reason
	}
	require.Len(t, events, 2, "the unknown key is nobody's")
	require.Equal(t, map[string]string{revokedMember: "the API key was revoked", expiredMember: "the API key has expired"}, got)
}

// The tenant level is no secret: whoever is not of it is told which capability
// they lack, and their own workspace's record has the attempt, also of an archived
// one. A workspace that is not theirs stays one that does not exist.
func TestTenantOperationsAreRefusedToOthersAndRecorded(t *testing.T) {
	t.Parallel()
	b := newAPIBench(t, nowhere)
	admin := b.keys[workspace.Admin]
	tenant := []string{"Gatehouse-Workspace", workspace.TenantName}
	refuse := func(method, path, body string, want workspace.Capability) {
		got := b.call(t, admin, method, path, body, tenant...)
		require.Equal(t, http.StatusForbidden, got.status, got.text)
		require.Contains(t, got.text, string(want))
	}
	refuse(http.MethodPost, "/v1/tenant/workspaces", `{"name":"Mine"}`, workspace.ManageWorkspaces)
	refuse(http.MethodGet, "/v1/tenant/workspaces", "", workspace.ManageWorkspaces)
	refuse(http.MethodPost, "/v1/invitations", `{"email":"eve@example.com","role":"tenant_admin"}`, workspace.ManageMembers)
	_, err := b.super.Exec(t.Context(), "update workspaces set archived_at = now() where workspace_id = $1", b.a.Workspace)
	require.NoError(t, err)
	refuse(http.MethodGet, "/v1/tenant/workspaces", "", workspace.ManageWorkspaces)

	foreign := b.call(t, admin, http.MethodGet, "/v1/connections", "", "Gatehouse-Workspace", "w_999999")
	require.Equal(t, http.StatusNotFound, foreign.status, foreign.text)
	events, _ := b.call(t, admin, http.MethodGet, "/v1/audit-events?action=access_denied", "").decoded(t)["audit_events"].([]any)
	var targets []string
	for _, e := range events {
		object, _ := e.(map[string]any)
		targets = append(targets, fmt.Sprint(object["target_id"]))
	}
	require.Equal(t, []string{"list-tenant-workspaces", "create-invitation", "list-tenant-workspaces", "create-workspace"}, targets)
}

func hintOf(t *testing.T, b *apiBench, member string) (hint string) {
	t.Helper()
	keys, _ := b.call(t, b.keys[workspace.Admin], http.MethodGet, "/v1/api-keys", "").decoded(t)["api_keys"].([]any)
	for _, k := range keys {
		if object, _ := k.(map[string]any); object["member_id"] == member {
			hint = fmt.Sprint(object["hint"])
		}
	}
	require.NotEmpty(t, hint)
	return hint
}
