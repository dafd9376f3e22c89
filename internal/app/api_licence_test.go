package app

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/secret"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// issuer is a vendor with a key that the bench's data plane trusts.
type issuer struct {
	b     *apiBench
	key   secret.Secret
	admin secret.Secret
}

func newIssuer(t *testing.T, b *apiBench) *issuer {
	t.Helper()
	key, public, err := NewLicenceKey("licences.example.com")
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "licence.pub")
	require.NoError(t, os.WriteFile(file, []byte(public+"\n"), 0o600))
	require.NoError(t, trustLicenceKeys(t.Context(), b.database.SuperuserURL(), file))
	admin, err := workspace.IssueTenantKey(t.Context(), b.store, "tenant")
	require.NoError(t, err)
	return &issuer{b: b, key: key, admin: admin}
}

// install issues a licence that is good until the given time and installs it.
func (i *issuer) install(t *testing.T, change func(*LicenceDraft)) answer {
	t.Helper()
	d := LicenceDraft{
		SigningKey: i.key, ID: "lic-7", Tenant: "t_1", Licensee: "Contoso", Integrations: []string{"aws"},
		IssuedAt: time.Now(), NotBefore: time.Now().Add(-time.Hour), GraceDays: 3,
	}
	change(&d)
	text, err := IssueLicence(d)
	require.NoError(t, err)
	body, err := json.Marshal(map[string]string{"licence": text})
	require.NoError(t, err)
	return i.b.call(t, i.admin, http.MethodPut, "/v1/licence", string(body))
}

func TestLicenceIsShownInstalledAndCounts(t *testing.T) {
	t.Parallel()
	b := newAPIBench(t, nowhere)
	i := newIssuer(t, b)
	connID := b.newConnection(t, "Prod AWS")

	shown := b.builder(t, http.MethodGet, "/v1/licence", "").decoded(t)
	require.Equal(t, "built_in", shown["state"])
	require.Equal(t, []any{"*"}, shown["integrations"])

	two := int64(2)
	end := time.Now().Add(24 * time.Hour).UTC().Truncate(time.Second)
	got := i.install(t, func(d *LicenceDraft) { d.Connections, d.ExpiresAt = &two, &end })
	require.Equal(t, http.StatusOK, got.status, got.text)
	installed := got.decoded(t)
	require.Equal(t, "valid", installed["state"])
	require.Equal(t, end.Add(72*time.Hour).Format(time.RFC3339), installed["grace_until"])
	require.Equal(t, map[string]any{"most": 2.0, "used": 1.0}, installed["limits"].(map[string]any)["connections"])
	shown = b.builder(t, http.MethodGet, "/v1/licence", "").decoded(t)
	require.Equal(t, map[string]any{"most": 2.0, "used": nil}, shown["limits"].(map[string]any)["connections"])

	b.newConnection(t, "second")
	full := b.builder(t, http.MethodPost, "/v1/connections", awsDraft("third"))
	require.Equal(t, http.StatusConflict, full.status)
	require.Contains(t, full.text, "licence lic-7 allows 2 connections in all workspaces, and there are 2; delete one")

	require.Equal(t, http.StatusOK, i.install(t, func(d *LicenceDraft) { d.Integrations = []string{"xero"} }).status)
	entry := b.builder(t, http.MethodGet, "/v1/integrations/aws", "").decoded(t)
	require.Equal(t, false, entry["licensed"])
	require.Contains(t, entry["licence_reason"], "does not include the integration aws")
	refused := b.builder(t, http.MethodPost, "/v1/connections", awsDraft("fourth"))
	require.Equal(t, http.StatusForbidden, refused.status)
	require.Contains(t, refused.text, "does not include the integration aws; ask for one that does")

	// Nothing that is there is hidden or stopped from being edited or deleted.
	for _, path := range []string{"/v1/connections", "/v1/connections/" + connID, "/v1/connections/" + connID + "/tests", "/v1/audit-events", "/v1/integrations"} {
		require.Equal(t, http.StatusOK, b.builder(t, http.MethodGet, path, "").status, path)
	}
	require.Equal(t, http.StatusOK, b.builder(t, http.MethodPatch, "/v1/connections/"+connID, `{"name":"Renamed","metadata":{"a":1}}`).status)
	require.Equal(t, http.StatusNoContent, b.builder(t, http.MethodDelete, "/v1/connections/"+connID, "").status)
}

func TestUnusableLicenceIsRefusedNamingTheField(t *testing.T) {
	t.Parallel()
	b := newAPIBench(t, nowhere)
	i := newIssuer(t, b)
	for name, change := range map[string]func(*LicenceDraft){
		"for tenant t_2": func(d *LicenceDraft) { d.Tenant = "t_2" },
		"valid from":     func(d *LicenceDraft) { d.NotBefore = time.Now().Add(time.Hour) },
		"it expired at": func(d *LicenceDraft) {
			past := d.NotBefore.Add(time.Second)
			d.ExpiresAt, d.GraceDays = &past, 0
		},
	} {
		got := i.install(t, change)
		require.Equal(t, http.StatusUnprocessableEntity, got.status, name)
		require.Contains(t, got.text, `"body.licence"`, name)
		require.Contains(t, got.text, name)
	}
	got := b.call(t, i.admin, http.MethodPut, "/v1/licence", `{"licence":"x"}`)
	require.Contains(t, got.text, "not a whole one")
	require.Equal(t, "built_in", b.builder(t, http.MethodGet, "/v1/licence", "").decoded(t)["state"])
}

// A tenant admin has the licence, and nothing of a workspace's own.
func TestOnlyATenantAdminInstalls(t *testing.T) {
	t.Parallel()
	b := newAPIBench(t, nowhere)
	i := newIssuer(t, b)
	for _, role := range []workspace.Role{workspace.Viewer, workspace.ConnectorBuilder, workspace.Admin} {
		got := b.call(t, b.keys[role], http.MethodPut, "/v1/licence", `{"licence":"x"}`)
		require.Equal(t, http.StatusForbidden, got.status, role)
		require.Contains(t, got.text, "licence.manage")
	}
	require.Equal(t, 3, b.denials(t))
	require.Equal(t, http.StatusForbidden, b.call(t, i.admin, http.MethodGet, "/v1/connections", "").status)
}

func TestLicenceKeyFileHasToBeOne(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "licence.pub")
	require.ErrorContains(t, trustLicenceKeys(context.Background(), "", file), "read the licence keys")
	require.NoError(t, os.WriteFile(file, []byte("nothing"), 0o600))
	require.ErrorContains(t, trustLicenceKeys(context.Background(), "", file), "public key 1 is none")
	require.NoError(t, trustLicenceKeys(context.Background(), "", ""), "without a file nothing changes")
	_, err := IssueLicence(LicenceDraft{SigningKey: secret.FromString("x")})
	require.ErrorContains(t, err, "no signing key")
}
