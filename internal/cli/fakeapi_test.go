package cli_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
)

// apiKey is the only key that the fake server accepts.
const apiKey = "gk_1_test"

// fakeAPI answers like a server with one integration. What it is given and what
// it answers is fixed by the API's documentation; it judges nothing but what a
// script needs to see refused.
type fakeAPI struct {
	mu          sync.Mutex
	connections []map[string]any
	polls       map[string]int
	sessions    []map[string]any
}

// newFakeAPI returns the address of a fake server that ends with the test. People
// sign in as people says.
func newFakeAPI(t testing.TB, people *fakeSignIn) string {
	t.Helper()
	f := &fakeAPI{polls: map[string]int{}}
	mux := http.NewServeMux()
	for pattern, handle := range map[string]http.HandlerFunc{
		"GET /v1/integrations":                      f.listIntegrations,
		"GET /v1/integrations/{id}":                 f.getIntegration,
		"GET /v1/connections":                       f.listConnections,
		"POST /v1/connections":                      f.createConnection,
		"GET /v1/connections/{id}":                  f.getConnection,
		"PATCH /v1/connections/{id}":                f.editConnection,
		"POST /v1/connections/{id}/make-default":    f.makeDefault,
		"GET /v1/targets":                           f.listTargets,
		"DELETE /v1/connections/{id}":               f.deleteConnection,
		"POST /v1/connections/{id}/test":            f.testConnection,
		"GET /v1/connections/{id}/tests":            f.listTests,
		"GET /v1/operations":                        f.listOperations,
		"POST /v1/operations/{type}/start":          f.startOperation,
		"GET /v1/runs":                              f.listRuns,
		"GET /v1/runs/{id}":                         f.getRun,
		"GET /v1/runs/{id}/events":                  f.followRun,
		"POST /v1/runs/{id}/cancel":                 f.cancelRun,
		"GET /v1/entities":                          f.listEntities,
		"GET /v1/entities/{id}":                     f.getEntity,
		"GET /v1/audit-events":                      f.listAudit,
		"GET /v1/audit-log":                         f.getAuditLog,
		"GET /v1/api-keys":                          f.listKeys,
		"POST /v1/api-keys":                         f.createKey,
		"DELETE /v1/api-keys/{id}":                  f.revokeKey,
		"GET /v1/throttle-budgets":                  f.listThrottleBudgets,
		"GET /v1/throttle-limits":                   f.listThrottleLimits,
		"PUT /v1/throttle-limits/{id}":              f.setThrottleLimit,
		"DELETE /v1/throttle-limits/{id}":           ends("aws.iam", "throttle limit"),
		"GET /v1/licence":                           f.getLicence,
		"PUT /v1/licence":                           f.putLicence,
		"POST /v1/connections/{id}/pause-schedule":  f.pauseSchedule,
		"POST /v1/connections/{id}/resume-schedule": f.resumeSchedule,

		"GET /v1/session":                f.getSession,
		"DELETE /v1/session":             f.deleteSession,
		"GET /v1/workspaces":             f.listWorkspaces,
		"GET /v1/members":                f.listMembers,
		"PATCH /v1/members/{id}":         f.setMemberRole,
		"DELETE /v1/members/{id}":        ends("mem_8", "member"),
		"GET /v1/invitations":            f.listInvitations,
		"POST /v1/invitations":           f.invite,
		"DELETE /v1/invitations/{id}":    ends("inv_6", "invitation"),
		"GET /v1/claim-mappings":         f.listMappings,
		"POST /v1/claim-mappings":        f.createMapping,
		"DELETE /v1/claim-mappings/{id}": ends("map_7", "claim mapping"),

		"GET /v1/tenant/workspaces":                 atTenantLevel(f.listTenantWorkspaces),
		"POST /v1/tenant/workspaces":                atTenantLevel(f.createWorkspace),
		"POST /v1/tenant/workspaces/{id}/archive":   atTenantLevel(f.changeWorkspace),
		"POST /v1/tenant/workspaces/{id}/unarchive": atTenantLevel(f.changeWorkspace),
		"POST /v1/tenant/workspaces/{id}/transfer":  atTenantLevel(f.changeWorkspace),

		"GET /v1/access/resources/{id}/principals": f.whoCan,
		"GET /v1/access/resources/{id}/identities": f.whoCanByIdentity,
		"GET /v1/access/identities/{id}/resources": f.whatIdentityCan,
		"GET /v1/access/since":                     f.since,

		"GET /v1/access/resources/{id}/principals/compare": f.compareWhoCan,
		"GET /v1/access/principals/{id}/resources/compare": f.compareWhatCan,
		"GET /v1/access/identities/{id}/resources/compare": f.compareWhatCan,

		"GET /v1/changes":                          f.listChanges,
		"GET /v1/access/principals/{id}/resources": f.whatCan,
		"GET /v1/access/paths":                     f.paths,
		"GET /v1/access/evaluate":                  f.evaluate,
	} {
		mux.Handle(pattern, authenticated(handle))
	}
	for _, more := range []map[string]http.HandlerFunc{f.handleOnboarding(), f.handleNotify(), f.handleExports(), f.handleIdentities()} {
		for pattern, handle := range more {
			mux.Handle(pattern, authenticated(handle))
		}
	}
	mux.HandleFunc("GET /v1/sign-in", people.getSignIn)
	mux.HandleFunc("POST /v1/sessions", people.createSession)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func authenticated(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch r.Header.Get("Authorization") {
		case "Bearer " + apiKey, "Bearer " + sessionToken:
			next(w, r)
		case "":
			refuse(w, http.StatusUnauthorized, "an API key is missing")
		case "Bearer gk_1_viewer":
			refuse(w, http.StatusForbidden, "your role viewer lacks the capability connections.manage; ask an admin of the workspace for a role that has it")
		default:
			refuse(w, http.StatusUnauthorized, "the API key is not known, has expired or was revoked")
		}
	}
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The script sees an answer that did not come through.
	_ = json.NewEncoder(w).Encode(body)
}

func refuse(w http.ResponseWriter, status int, detail string, fields ...[2]string) {
	problem := map[string]any{"status": status, "title": http.StatusText(status), "detail": detail}
	var wrong []map[string]string
	for _, f := range fields {
		wrong = append(wrong, map[string]string{"location": "body." + f[0], "message": f[1]})
	}
	if wrong != nil {
		problem["errors"] = wrong
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(problem)
}

// page answers with the part of items that the query asks for.
func page(w http.ResponseWriter, r *http.Request, plural string, items []map[string]any) {
	limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil || limit < 1 || limit > 200 {
		refuse(w, http.StatusUnprocessableEntity, "validation failed", [2]string{"limit", "must be 1 to 200"})
		return
	}
	from := 0
	if cursor := r.URL.Query().Get("cursor"); cursor != "" {
		if _, err := fmt.Sscanf(cursor, "at%d", &from); err != nil {
			refuse(w, http.StatusUnprocessableEntity, "validation failed", [2]string{"cursor", "is not a cursor of this list"})
			return
		}
	}
	to := min(len(items), from+limit)
	body := map[string]any{plural: append([]map[string]any{}, items[from:to]...)}
	if to < len(items) {
		body["next_cursor"] = fmt.Sprintf("at%d", to)
	}
	answer(w, http.StatusOK, body)
}

func integration() map[string]any {
	text := func(title string) map[string]any { return map[string]any{"type": "string", "title": title} }
	secret := text("Secret access key")
	secret["writeOnly"] = true
	return map[string]any{
		"integration_id": "aws", "name": "Amazon Web Services", "connector_type": "discovery", "provider_system": "aws",
		"connector_id": "aws-discovery", "version": "0.1.0", "status": "available", "supports_test": true, "licensed": true,
		"required_permissions": []string{"iam:GetAccountAuthorizationDetails"},
		"emits_entities":       []string{"Account", "Resource"}, "emits_relationships": []string{"entitlement_grants_resource"},
		"limits_blind_spots": []string{"Conditions are shown, not evaluated."},
		"configuration": map[string]any{
			"type": "object", "additionalProperties": false, "required": []string{"access_key_id", "secret_access_key"},
			"properties": map[string]any{
				"access_key_id": text("Access key id"), "secret_access_key": secret,
				"region":                map[string]any{"type": "string", "title": "Region", "default": "us-east-1"},
				"organizations_enabled": map[string]any{"type": "boolean", "title": "Read the organisation"},
				"retries":               map[string]any{"type": "integer"},
			},
		},
		"scope": map[string]any{
			"type": "object", "additionalProperties": false,
			"properties": map[string]any{"aws_accounts": map[string]any{"type": "array", "items": map[string]any{"type": "string"}}},
		},
	}
}

func (f *fakeAPI) listIntegrations(w http.ResponseWriter, r *http.Request) {
	page(w, r, "integrations", []map[string]any{integration()})
}

func (f *fakeAPI) getIntegration(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("id") == "salesforce" {
		answer(w, http.StatusOK, unlicensed())
		return
	}
	if r.PathValue("id") != "aws" {
		refuse(w, http.StatusNotFound, fmt.Sprintf("there is no integration %q in the catalog", r.PathValue("id")))
		return
	}
	answer(w, http.StatusOK, integration())
}
