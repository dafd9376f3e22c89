package cli_test

import (
	"net/http"
)

// listChanges tells of the last publication, and from an earlier moment on of a
// connection that was read for the first time. Of ann nothing changed.
func (f *fakeAPI) listChanges(w http.ResponseWriter, r *http.Request) {
	change := func(what, of string, more map[string]any) map[string]any {
		c := map[string]any{
			"change": what, "of": of, "at": "2026-02-06T10:12:00Z", "run_id": "run_2", "connection_id": "conn_1", "entity": nil, "relationship": nil, "fields": []any{},
		}
		for name, value := range more {
			c[name] = value
		}
		return c
	}
	query := r.URL.Query()
	var changes []any
	if query.Get("from") != "" {
		changes = append(changes, change("first_observed", "connection", nil))
	}
	changes = append(changes,
		change("changed", "entity", map[string]any{"entity": ref("d"), "fields": []any{
			map[string]any{"field": "attributes.a", "before": 1, "after": nil},
			map[string]any{"field": "attributes.b", "before": nil, "after": "x"},
			map[string]any{"field": "name", "before": "an", "after": "ann"},
			map[string]any{"field": "type", "before": "x", "after": "iam_user"},
		}}),
		change("added", "relationship", map[string]any{"relationship": map[string]any{
			"kind": "entitlement_grants_resource", "from": ref("e"), "to": ref("a"), "key": "k", "effect": "deny",
		}}))
	body := basis(map[string]any{"from": nil, "to": "2026-02-06T10:12:00Z", "summary": map[string]any{
		"publications": 1, "entities": map[string]any{"new": 0, "changed": 1, "removed": 0}, "relationships": map[string]any{"new": 1, "changed": 0, "removed": 0},
	}}, "complete")
	if query.Get("subject") == entityID("d") {
		changes, body["summary"] = []any{}, nil
	}
	if query.Get("to") == "run_9" {
		refuse(w, http.StatusUnprocessableEntity, "query.to is not valid", [2]string{"query.to", "run_9 published nothing"})
		return
	}
	body["changes"] = changes
	answer(w, http.StatusOK, body)
}
