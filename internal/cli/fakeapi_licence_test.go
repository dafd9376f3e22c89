package cli_test

import (
	"encoding/json"
	"net/http"
	"strings"
)

// licence is a licence in its days of grace.
func licence() map[string]any {
	return map[string]any{
		"state": "grace", "message": "licence lic-1 expired at 2026-03-01 00:00:00 UTC", "licence_id": "lic-1", "tenant_id": "t_1", "licensee": "Contoso",
		"integrations": []string{"aws", "xero"},
		"limits": map[string]any{
			"workspaces": map[string]any{"most": nil, "used": nil}, "connections": map[string]any{"most": 5, "used": 3},
		},
		"issued_at": "2025-03-01T00:00:00Z", "not_before": "2025-03-01T00:00:00Z", "expires_at": "2026-03-01T00:00:00Z",
		"grace_until": "2026-03-15T00:00:00Z", "installed_at": "2025-03-02T00:00:00Z", "installed_by": "mem_1",
	}
}

func (f *fakeAPI) getLicence(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, licence())
}

func (f *fakeAPI) putLicence(w http.ResponseWriter, r *http.Request) {
	var draft struct{ Licence string }
	if err := json.NewDecoder(r.Body).Decode(&draft); err != nil || !strings.HasPrefix(draft.Licence, "gatehouse-licence/v1\n") {
		refuse(w, http.StatusUnprocessableEntity, "the licence is refused", [2]string{"licence", "it is no licence, or not a whole one"})
		return
	}
	f.getLicence(w, r)
}

// unlicensed is an integration that the licence does not name.
func unlicensed() map[string]any {
	i := integration()
	i["integration_id"], i["licensed"], i["licence_reason"] = "salesforce", false, "licence lic-1 does not include the integration salesforce; ask for one that does"
	return i
}
