package cli_test

import (
	"encoding/json"
	"net/http"
	"path"
	"strings"
)

// sessionToken is the only session that the fake server accepts.
const sessionToken = "gs_new"

func alice() map[string]any {
	return map[string]any{"person_id": "per_5", "name": "Alice", "email": "alice@example.com"}
}

// memberships are Alice's places.
func memberships() []map[string]any {
	return []map[string]any{
		{"workspace_id": "w_3", "tenant_id": "t_1", "level": "workspace", "name": "Payments", "member_id": "mem_7", "role": "admin", "created_at": "2026-02-06T10:12:00Z"},
		{"workspace_id": "w_4", "tenant_id": "t_1", "level": "workspace", "name": "Audit", "member_id": "mem_8", "role": "viewer", "created_at": "2026-02-06T10:12:00Z", "archived_at": "2026-02-07T10:12:00Z"},
		{"workspace_id": "w_1", "tenant_id": "t_1", "level": "tenant", "name": "tenant", "member_id": "mem_9", "role": "tenant_admin", "created_at": "2026-02-06T10:12:00Z"},
	}
}

// byKey says that the request came with the API key.
func byKey(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer "+apiKey }

func (f *fakeAPI) getSession(w http.ResponseWriter, r *http.Request) {
	if byKey(r) {
		answer(w, http.StatusOK, map[string]any{"kind": "api_key", "name": "CI", "workspaces": memberships()[:1]})
		return
	}
	answer(w, http.StatusOK, map[string]any{
		"kind": "person", "name": "Alice", "person": alice(), "workspaces": memberships(),
		"session": map[string]any{"session_id": "ses_8", "created_at": "2026-02-06T10:12:00Z", "expires_at": "2026-02-06T22:12:00Z", "idle_seconds": 3600},
	})
}

func (f *fakeAPI) deleteSession(w http.ResponseWriter, r *http.Request) {
	if byKey(r) {
		refuse(w, http.StatusNotFound, "an API key is no session; revoke it instead")
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (f *fakeAPI) listWorkspaces(w http.ResponseWriter, r *http.Request) {
	page(w, r, "workspaces", memberships())
}

// atTenantLevel refuses what is not asked for there.
func atTenantLevel(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Gatehouse-Workspace") != "tenant" {
			refuse(w, http.StatusForbidden, "this is for tenant administrators, at the tenant level")
			return
		}
		next(w, r)
	}
}

func workspace(id string) map[string]any {
	return map[string]any{"workspace_id": id, "tenant_id": "t_1", "name": "Payments", "owner_id": "mem_7", "created_at": "2026-02-06T10:12:00Z", "archived_at": nil}
}

func (f *fakeAPI) listTenantWorkspaces(w http.ResponseWriter, r *http.Request) {
	awaited := workspace("w_4")
	awaited["owner_id"], awaited["pending_owner"] = nil, map[string]any{"email": "bob@example.com", "expires_at": "2026-02-13T10:12:00Z"}
	page(w, r, "workspaces", []map[string]any{workspace("w_3"), awaited})
}

func (f *fakeAPI) createWorkspace(w http.ResponseWriter, r *http.Request) {
	var draft struct {
		Name  string `json:"name"`
		Owner string `json:"owner_email"`
	}
	if err := json.NewDecoder(r.Body).Decode(&draft); err != nil || draft.Name == "" {
		refuse(w, http.StatusUnprocessableEntity, "validation failed", [2]string{"name", "is missing"})
		return
	}
	made := workspace("w_5")
	made["name"], made["owner_id"] = draft.Name, nil
	made["pending_owner"] = map[string]any{"email": draft.Owner, "expires_at": "2026-02-13T10:12:00Z"}
	if draft.Owner == "" {
		delete(made, "pending_owner")
		made["admin_key"] = "gk_5_admin"
	}
	answer(w, http.StatusCreated, made)
}

// changeWorkspace answers to archive, unarchive and transfer of w_3.
func (f *fakeAPI) changeWorkspace(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("id") != "w_3" {
		refuse(w, http.StatusNotFound, "there is no such workspace")
		return
	}
	changed := workspace("w_3")
	switch path.Base(r.URL.Path) {
	case "archive":
		changed["archived_at"] = "2026-02-06T10:12:00Z"
	case "transfer":
		var to map[string]string
		if err := json.NewDecoder(r.Body).Decode(&to); err == nil && to["owner_email"] != "" {
			changed["pending_owner"] = map[string]any{"email": to["owner_email"], "expires_at": "2026-02-13T10:12:00Z"}
		}
	}
	answer(w, http.StatusOK, changed)
}

func member(id, kind, name, email, role, source string) map[string]any {
	return map[string]any{"member_id": id, "kind": kind, "name": name, "email": email, "role": role, "source": source, "created_at": "2026-02-06T10:12:00Z"}
}

func (f *fakeAPI) listMembers(w http.ResponseWriter, r *http.Request) {
	page(w, r, "members", []map[string]any{
		member("mem_7", "person", "Alice", "alice@example.com", "admin", "invitation"),
		member("mem_8", "person", "Bob", "bob@example.com", "viewer", "claims"),
		member("mem_3", "api_key", "CI", "", "viewer", ""),
	})
}

func (f *fakeAPI) setMemberRole(w http.ResponseWriter, r *http.Request) {
	var draft struct{ Role string }
	if err := json.NewDecoder(r.Body).Decode(&draft); err != nil {
		refuse(w, http.StatusUnprocessableEntity, "must be valid JSON")
		return
	}
	switch r.PathValue("id") {
	case "mem_7":
		refuse(w, http.StatusConflict, "this is the last admin of the workspace; make somebody else one first")
	case "mem_8":
		answer(w, http.StatusOK, member("mem_8", "person", "Bob", "bob@example.com", draft.Role, "invitation"))
	default:
		refuse(w, http.StatusNotFound, "there is no such member")
	}
}

// ends answers to the end of one thing, by its id.
func ends(id, what string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("id") != id {
			refuse(w, http.StatusNotFound, "there is no such "+what)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

func (f *fakeAPI) listInvitations(w http.ResponseWriter, r *http.Request) {
	page(w, r, "invitations", []map[string]any{{
		"invitation_id": "inv_6", "email": "carol@example.com", "role": "viewer", "status": "open",
		"created_at": "2026-02-06T10:12:00Z", "expires_at": "2026-02-13T10:12:00Z",
	}})
}

func (f *fakeAPI) invite(w http.ResponseWriter, r *http.Request) {
	var draft struct {
		Email   string `json:"email"`
		Role    string `json:"role"`
		Expires string `json:"expires_at"`
	}
	if err := json.NewDecoder(r.Body).Decode(&draft); err != nil || !strings.Contains(draft.Email, "@") {
		refuse(w, http.StatusUnprocessableEntity, "validation failed", [2]string{"email", "is not an e-mail address"})
		return
	}
	if draft.Role == "tenant_admin" && r.Header.Get("Gatehouse-Workspace") != "tenant" {
		refuse(w, http.StatusUnprocessableEntity, "validation failed", [2]string{"role", "tenant_admin is for the tenant level"})
		return
	}
	if draft.Expires == "" {
		draft.Expires = "2026-02-13T10:12:00Z"
	}
	answer(w, http.StatusCreated, map[string]any{
		"invitation_id": "inv_7", "workspace_id": "w_3", "email": draft.Email, "role": draft.Role, "status": "open", "created_at": "2026-02-06T10:12:00Z", "expires_at": draft.Expires,
	})
}

func (f *fakeAPI) listMappings(w http.ResponseWriter, r *http.Request) {
	page(w, r, "claim_mappings", []map[string]any{
		{"mapping_id": "map_7", "claim": "groups", "value": "platform", "role": "viewer", "created_at": "2026-02-06T10:12:00Z"},
	})
}

func (f *fakeAPI) createMapping(w http.ResponseWriter, r *http.Request) {
	var draft map[string]string
	if err := json.NewDecoder(r.Body).Decode(&draft); err != nil || draft["value"] == "" {
		refuse(w, http.StatusUnprocessableEntity, "validation failed", [2]string{"value", "is missing"})
		return
	}
	answer(w, http.StatusCreated, map[string]any{
		"mapping_id": "map_8", "claim": draft["claim"], "value": draft["value"], "role": draft["role"], "created_at": "2026-02-06T10:12:00Z",
	})
}
