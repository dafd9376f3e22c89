package cli_test

import (
	"encoding/json"
	"net/http"
	"strings"
)

// identityID makes an id out of a digit.
func identityID(digit string) string { return "identity_" + strings.Repeat(digit, 32) }

// identities are Ann, whom two connections know, and her namesake.
func identities() []map[string]any {
	principal := func(digit, name, connection, address, standing string, with ...string) map[string]any {
		return map[string]any{
			"entity_id": entityID(digit), "kind": "Principal", "type": "person", "name": name, "provider_id": name, "connection_id": connection, "since": aDay,
			"identifiers": []any{map[string]any{
				"type": "email", "value": address, "standing": standing, "shared": false, "joins": standing == "verified", "shared_with": with, "first_seen_run_id": "run_2",
			}},
			"joins": []any{}, "accounts": []any{ref("d")},
		}
	}
	return []map[string]any{
		{
			"identity_id": identityID("1"), "name": "ann", "principal_count": 2, "connection_ids": []string{"conn_1", "conn_2"},
			"principals": []any{
				principal("1", "ann", "conn_1", "ann@example.com", "verified", entityID("2")),
				principal("2", "a.smith", "conn_2", "ann@example.com", "verified", entityID("1")),
			},
			"candidates": []any{map[string]any{"identity_id": identityID("3"), "name": "evil\x1b[2J", "type": "email", "value": "ann@example.com", "obstacle": "unverified"}},
		},
		{
			"identity_id": identityID("3"), "name": "evil\x1b[2J", "principal_count": 1, "connection_ids": []string{"conn_2"},
			"principals": []any{principal("3", "evil\x1b[2J", "conn_2", "ann@example.com", "unverified")}, "candidates": []any{},
		},
	}
}

func (f *fakeAPI) handleIdentities() map[string]http.HandlerFunc {
	trusts := func(w http.ResponseWriter, r *http.Request) { answer(w, http.StatusOK, map[string]any{}) }
	return map[string]http.HandlerFunc{
		"GET /v1/identities":              listIdentities,
		"GET /v1/identities/{id}":         ofIdentity(func(w http.ResponseWriter, _ *http.Request, i map[string]any) { answer(w, http.StatusOK, i) }),
		"GET /v1/identities/{id}/history": ofIdentity(identityHistory),
		"POST /v1/identities/{id}/join":   ofIdentity(joinIdentities),
		"POST /v1/identities/{id}/split": ofIdentity(func(w http.ResponseWriter, _ *http.Request, i map[string]any) {
			answer(w, http.StatusOK, map[string]any{"identity": i, "split": identities()[1:]})
		}),
		"GET /v1/identity-sources": func(w http.ResponseWriter, _ *http.Request) {
			answer(w, http.StatusOK, map[string]any{"identity_sources": []any{map[string]any{"connection_id": "conn_1", "correction": correction("trust")}}})
		},
		"PUT /v1/identity-sources/{id}":    trusts,
		"DELETE /v1/identity-sources/{id}": trusts,
	}
}

func correction(kind string) map[string]any {
	return map[string]any{"correction_id": "cor_2", "kind": kind, "reason": "our own directory", "made_by": "mem_2", "made_at": aDay}
}

func listIdentities(w http.ResponseWriter, r *http.Request) {
	var found []map[string]any
	query := r.URL.Query()
	if query.Get("identifier") == "ann.smith@example.com" { // of the answers about access
		found = append(found, ann())
	}
	for _, i := range identities() {
		joined := i["principal_count"] != 1
		name, address := query.Get("name"), query.Get("identifier")
		if (query.Get("joined") == "" || joined) && (name == "" || name == i["name"]) && (address == "" || address == "ann@example.com" && joined || address == "both") {
			found = append(found, i)
		}
	}
	page(w, r, "identities", found)
}

func ofIdentity(then func(http.ResponseWriter, *http.Request, map[string]any)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for _, i := range identities() {
			if i["identity_id"] == r.PathValue("id") {
				then(w, r, i)
				return
			}
		}
		refuse(w, http.StatusNotFound, "there is no identity "+r.PathValue("id"))
	}
}

func identityHistory(w http.ResponseWriter, r *http.Request, _ map[string]any) {
	page(w, r, "changes", []map[string]any{
		{
			"at": aDay, "change": "left", "principal_id": entityID("3"), "name": "namesake", "connection_id": "conn_2", "other_identity_id": identityID("3"),
			"cause": map[string]any{"correction_id": "cor_2"}, "correction": correction("split"),
		},
		{"at": aDay, "change": "joined", "principal_id": entityID("2"), "name": "a.smith", "connection_id": "conn_2", "other_identity_id": nil, "cause": map[string]any{"run_id": "run_2"}},
	})
}

// joinIdentities answers with the first, and refuses to join one with itself.
func joinIdentities(w http.ResponseWriter, r *http.Request, i map[string]any) {
	var body struct {
		Others []string `json:"identity_ids"`
	}
	if json.NewDecoder(r.Body).Decode(&body) != nil || len(body.Others) == 0 || body.Others[0] == i["identity_id"] {
		refuse(w, http.StatusUnprocessableEntity, "validation failed", [2]string{"identity_ids", "names the identity itself"})
		return
	}
	answer(w, http.StatusOK, i)
}
