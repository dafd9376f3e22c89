package conformance

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/licence"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
)

// atTenantLevel are the operations that no key of a workspace can have succeed.
func atTenantLevel() []string {
	return []string{
		"create-workspace", "list-tenant-workspaces", "list-workspace-audit-events", "transfer-workspace", "archive-workspace", "unarchive-workspace",
		"set-throttle-limit", "clear-throttle-limit", "install-licence",
	}
}

// newTenant is an administrator of the tenant, who learns of workspaces by making
// some. Those of the other actors are read and not changed.
func newTenant(t *testing.T, s *server, d *document, others []*actor) *actor {
	t.Helper()
	a := &actor{
		name: "Tess", url: s.url, key: s.tenantKey, workspace: "tenant", document: d, estate: others[0].estate, client: others[0].client,
		pool: newPool(), other: &actor{name: "Nobody", pool: newPool()}, spared: map[string]string{}, integrations: others[0].integrations,
	}
	a.bodies = forBodies(a.name, a.estate)
	a.bodies.drawn["licence"] = func(t *rapid.T) any {
		return rapid.SampledFrom([]string{s.licence, s.licence, strings.Replace(s.licence, "Conformance", "Somebody", 1)}).Draw(t, "licence")
	}
	a.key, a.viewer = a.issue(t, "tenant_admin"), a.issue(t, "tenant_admin")
	for _, other := range others {
		a.spared[other.workspace] = ""
	}
	return a
}

// manage takes a workspace from its start to its end, which requests that are drawn
// one by one seldom do: most are not of a workspace that is there and in the right
// state.
func (a *actor) manage(t *testing.T, c *count) {
	t.Helper()
	made := a.counted(t, c, "create-workspace", nil, node{"name": a.name + "'s number 0"})
	workspace := map[string]string{"workspace_id": fmt.Sprint(made["workspace_id"])}
	a.counted(t, c, "transfer-workspace", workspace, node{"owner_email": "owner@conformance.example"})
	a.counted(t, c, "archive-workspace", workspace, nil)
	a.counted(t, c, "unarchive-workspace", workspace, nil)
}

// requireTenantLevel sends requests to the operations of the tenant level until
// rapid has enough. In the end nothing is left of them that others would notice.
func requireTenantLevel(t *testing.T, d *document, a *actor, ways []spoiling, c *count) {
	t.Helper()
	a.manage(t, c)
	rapid.Check(t, func(rt *rapid.T) {
		for _, name := range rapid.Permutation(atTenantLevel()).Draw(rt, "operations") {
			r := a.draw(rt, d.operation(t, name))
			spoil(rt, a, r, ways)
			got, err := a.send(rt.Context(), r)
			if err != nil {
				rt.Fatalf("%v\n%s", err, r.shown())
			}
			if wrong := a.judge(r, got); wrong != "" {
				rt.Fatalf("%s\n\n%s\n\n%d %v\n%.2000s", wrong, r.shown(), got.status, got.header, got.text)
			}
			c.add(r, got)
		}
	})
	for _, scope := range throttleScopes() {
		r := &request{op: d.operation(t, "clear-throttle-limit"), method: http.MethodDelete, path: map[string]string{"throttle_scope": scope}, key: a.key}
		_, err := a.exchange(t.Context(), r)
		require.NoError(t, err)
	}
	for _, name := range atTenantLevel() {
		require.Positive(t, c.succeeded[name], "%s never succeeded: %v", name, c.statuses[name])
	}
}

// throttleScopes are scopes of the catalogue's connectors, and one of none.
func throttleScopes() []string { return []string{"aws.iam", "aws.organizations", "nothing.such"} }

// issueLicence makes a key that the server trusts and returns a licence for
// everything.
func issueLicence(t *testing.T, adminURL string) string {
	t.Helper()
	text, public, err := licence.NewKey("conformance")
	require.NoError(t, err)
	require.NoError(t, postgres.TrustLicenceKeys(t.Context(), adminURL, []licence.PublicKey{public}))
	key, err := licence.ParseSigningKey(text.RevealString())
	require.NoError(t, err)
	issued := time.Now().Add(-time.Hour).UTC().Truncate(time.Second)
	document, err := licence.Sign(licence.Licence{
		ID: "lic-conformance", Tenant: id.Tenant(1), Licensee: "Conformance", Integrations: []integration.ID{licence.AllIntegrations}, IssuedAt: issued, NotBefore: issued,
	}, key)
	require.NoError(t, err)
	return document
}

// Whatever an operation of the tenant level is called, it is tried as one.
func TestTenantLevelIsWhatItsCapabilitiesSay(t *testing.T) {
	t.Parallel()
	d := readDocument(t)
	var found []string
	for _, op := range d.operations {
		switch op.capability {
		case "workspaces.manage", "audit.read_across", "licence.manage", "throttling.manage":
			found = append(found, op.id)
		}
	}
	require.ElementsMatch(t, found, atTenantLevel())
	require.True(t, slices.ContainsFunc(d.operations, func(op *operation) bool { return op.capability == "connections.manage" }))
}
