package cli_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"

	"github.com/gatehouse-project/gatehouse/internal/mergepatch"
)

func (f *fakeAPI) listConnections(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	page(w, r, "connections", f.connections)
}

func (f *fakeAPI) createConnection(w http.ResponseWriter, r *http.Request) {
	var draft struct {
		IntegrationID string            `json:"integration_id"`
		Name          string            `json:"name"`
		Configuration map[string]any    `json:"configuration"`
		Scope         map[string]any    `json:"scope"`
		Schedule      map[string]any    `json:"schedule"`
		Metadata      map[string]string `json:"metadata"`
	}
	if err := json.NewDecoder(r.Body).Decode(&draft); err != nil {
		refuse(w, http.StatusUnprocessableEntity, "validation failed", [2]string{"", "must be valid JSON"})
		return
	}
	if draft.Configuration["region"] == "mars" {
		refuse(w, http.StatusUnprocessableEntity, "configuration.region is not valid", [2]string{"configuration.region", "is not a region"})
		return
	}
	// The secret comes back as its length, so that a script sees which it was.
	config, refs := map[string]any{}, map[string]string{}
	for name, value := range draft.Configuration {
		if ref, ok := value.(map[string]any); ok && name == "secret_access_key" {
			refs[name], _, _ = strings.Cut(fmt.Sprint(ref["$ref"]), ":")
			continue
		}
		if name == "secret_access_key" {
			config["secret_length"] = len(fmt.Sprint(value))
			continue
		}
		config[name] = value
	}
	if draft.Schedule == nil {
		draft.Schedule = map[string]any{"type": "manual"}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	c := map[string]any{
		"connection_id": fmt.Sprintf("conn_%d", len(f.connections)+1), "integration_id": draft.IntegrationID,
		"connector_id": "aws-discovery", "connector_version": "0.1.0", "name": draft.Name, "scope": draft.Scope,
		"schedule": draft.Schedule, "config": config, "config_refs": refs, "credential_type": "access_key", "status": "unknown", "lifecycle": "active", "version": 1,
	}
	if draft.Name == "Paused" {
		maps.Copy(c, map[string]any{
			"schedule_failures": 10, "schedule_paused_at": "2026-03-01T02:00:00Z", "schedule_pause_reason_code": "credential_invalid",
		})
	}
	f.connections = append(f.connections, c)
	answer(w, http.StatusCreated, c)
}

// find returns a connection by the id in the path; the lock is held.
func (f *fakeAPI) find(w http.ResponseWriter, r *http.Request) map[string]any {
	for _, c := range f.connections {
		if c["connection_id"] == r.PathValue("id") {
			return c
		}
	}
	refuse(w, http.StatusNotFound, "there is no such connection")
	return nil
}

func (f *fakeAPI) getConnection(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c := f.find(w, r); c != nil {
		answer(w, http.StatusOK, c)
	}
}

func (f *fakeAPI) editConnection(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.find(w, r)
	if c == nil {
		return
	}
	if r.Header.Get("If-Match") != fmt.Sprintf(`"%v"`, c["version"]) {
		refuse(w, http.StatusPreconditionFailed, "the connection has changed since you read it")
		return
	}
	var patch map[string]any
	if err := json.NewDecoder(r.Body).Decode(&patch); err != nil {
		refuse(w, http.StatusUnprocessableEntity, "must be valid JSON")
		return
	}
	merged, ok := mergepatch.Merge(c, patch).(map[string]any)
	if !ok {
		refuse(w, http.StatusUnprocessableEntity, "must be an object")
		return
	}
	maps.Copy(c, merged)
	if changes, ok := patch["configuration"].(map[string]any); ok {
		shown, _ := c["config"].(map[string]any)
		maps.DeleteFunc(shown, func(name string, _ any) bool {
			value, named := changes[name]
			return named && value == nil
		})
	}
	answer(w, http.StatusOK, c)
}

func (f *fakeAPI) makeDefault(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c := f.find(w, r); c != nil {
		c["is_default"] = true
		answer(w, http.StatusOK, c)
	}
}

func (f *fakeAPI) pauseSchedule(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c := f.find(w, r); c != nil {
		maps.Copy(c, map[string]any{"schedule_paused_at": aDay, "schedule_pause_reason_code": "requested"})
		answer(w, http.StatusOK, c)
	}
}

func (f *fakeAPI) resumeSchedule(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c := f.find(w, r); c != nil {
		maps.Copy(c, map[string]any{"schedule_failures": 0, "schedule_paused_at": nil, "schedule_pause_reason_code": ""})
		answer(w, http.StatusOK, c)
	}
}

func (f *fakeAPI) listTargets(w http.ResponseWriter, r *http.Request) {
	page(w, r, "targets", []map[string]any{{
		"target_id": "tgt_3", "provider_system": "aws", "provider_id": "o-1", "type": "organization", "name": "Contoso",
	}})
}

func (f *fakeAPI) deleteConnection(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, c := range f.connections {
		if c["connection_id"] == r.PathValue("id") {
			f.connections = append(f.connections[:i:i], f.connections[i+1:]...)
			w.WriteHeader(http.StatusNoContent)
			return
		}
	}
	refuse(w, http.StatusNotFound, "there is no such connection")
}

// testResult fails for a connection called Broken.
func testResult(c map[string]any) map[string]any {
	if c["name"] != "Broken" {
		return map[string]any{"test_id": "test_1", "status": "success", "checked_at": "2026-02-06T10:12:00Z", "remediation": []any{}, "reason_code": ""}
	}
	return map[string]any{
		"test_id": "test_2", "status": "failure", "checked_at": "2026-02-06T10:12:00Z", "reason_code": "permission_denied",
		"remediation": []any{map[string]string{"category": "permissions", "message": "Missing iam:ListUsers", "action": "Add the permission to the role"}},
		"streams":     []any{map[string]any{"stream": "iam", "coverage": "skipped", "missing": []string{"iam:ListUsers"}}},
	}
}

func (f *fakeAPI) testConnection(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c := f.find(w, r); c != nil {
		answer(w, http.StatusOK, testResult(c))
	}
}

func (f *fakeAPI) listTests(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c := f.find(w, r); c != nil {
		page(w, r, "tests", []map[string]any{testResult(c)})
	}
}
