package cli_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// entityID makes an id out of a digit.
func entityID(digit string) string { return "ent_" + strings.Repeat(digit, 32) }

// entities are two buckets of the same name, a user and a role. One name tries
// to clear the screen.
func entities() []map[string]any {
	entity := func(digit, kind, term, name, providerID string) map[string]any {
		return map[string]any{
			"entity_id": entityID(digit), "kind": kind, "type": term, "name": name, "provider_id": providerID,
			"connection_id": "conn_1", "attributes": map[string]any{"path": "/"},
		}
	}
	ann := entity("d", "Account", "iam_user", "ann", "AIDA1")
	ann["attributes"] = map[string]any{"arn": "arn:aws:iam::111122223333:user/staff/ann", "keys": []string{"arn"}}
	return []map[string]any{
		entity("a", "Resource", "s3_bucket", "payroll", "arn:aws:s3:::payroll"),
		entity("b", "Resource", "s3_bucket", "shared", "arn:aws:s3:::shared-1"),
		entity("c", "Resource", "s3_bucket", "shared", "arn:aws:s3:::shared-2"),
		ann,
		entity("e", "Entitlement", "iam_policy", "evil\x1b[2J", "arn:aws:iam::111122223333:policy/evil"),
	}
}

func (f *fakeAPI) listEntities(w http.ResponseWriter, r *http.Request) {
	var found []map[string]any
	for _, e := range entities() {
		fits := true
		for _, name := range []string{"name", "provider_id", "kind", "connection_id"} {
			if want := r.URL.Query().Get(name); want != "" && e[name] != want {
				fits = false
			}
		}
		if fits {
			found = append(found, e)
		}
	}
	page(w, r, "entities", found)
}

func (f *fakeAPI) getEntity(w http.ResponseWriter, r *http.Request) {
	for _, e := range entities() {
		if e["entity_id"] == r.PathValue("id") {
			e["principals"] = []any{}
			if e["kind"] == "Account" {
				e["principals"] = []any{map[string]any{"entity_id": entityID("f"), "name": "asmith", "connection_id": "conn_1", "identity": ann()}}
			}
			answer(w, http.StatusOK, basis(e, "partial"))
			return
		}
	}
	refuse(w, http.StatusNotFound, "there is no such entity")
}

// listAudit has 250 events, more than one page.
func (f *fakeAPI) listAudit(w http.ResponseWriter, r *http.Request) {
	var events []map[string]any
	for n := 250; n > 0; n-- {
		events = append(events, map[string]any{
			"event_id": fmt.Sprintf("aud_%d", n), "actor_id": "mem_1", "action": "connection_created", "outcome": "succeeded",
			"target_type": "connection", "target_id": "conn_1", "payload": map[string]any{"name": "Prod AWS"}, "created_at": "2026-02-06T10:12:00Z",
		})
	}
	page(w, r, "audit_events", events)
}

func key() map[string]any {
	return map[string]any{"member_id": "mem_3", "name": "CI", "role": "viewer", "hint": "gk_1_abcd", "created_at": "2026-02-06T10:12:00Z"}
}

func (f *fakeAPI) listKeys(w http.ResponseWriter, r *http.Request) {
	page(w, r, "api_keys", []map[string]any{key()})
}

func (f *fakeAPI) createKey(w http.ResponseWriter, r *http.Request) {
	created := key()
	var draft map[string]any
	if err := json.NewDecoder(r.Body).Decode(&draft); err != nil {
		refuse(w, http.StatusUnprocessableEntity, "must be valid JSON")
		return
	}
	created["name"], created["role"], created["key"] = draft["name"], draft["role"], "gk_1_abcdefgh"
	answer(w, http.StatusCreated, created)
}

func (f *fakeAPI) revokeKey(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("id") != "mem_3" {
		refuse(w, http.StatusNotFound, "there is no such key")
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// getAuditLog has a key and nothing sealed.
func (f *fakeAPI) getAuditLog(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{
		"origin": "gatehouse/t_1/w_1/audit", "public_key": "gatehouse/t_1+0af82a92+AYqI49AKdhBcAxHb4Vt7hhzQhlUH/2BM+b5U",
	})
}
