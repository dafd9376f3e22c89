package cli_test

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// handleOnboarding adds the sessions. A connection whose region is us-west-1 fails
// its verification; a bootstrap of two operations goes on as it is looked at, and
// stops once at connection.test.
func (f *fakeAPI) handleOnboarding() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"GET /v1/integrations/{id}/permissions":          f.getPermissions,
		"POST /v1/onboarding":                            f.startOnboarding,
		"GET /v1/onboarding":                             f.listOnboarding,
		"GET /v1/onboarding/{id}":                        f.getOnboarding,
		"PUT /v1/onboarding/{id}/connection":             f.pickConnection,
		"POST /v1/onboarding/{id}/operations/{op}/start": f.verifyOnboarding,
		"POST /v1/onboarding/{id}/bootstrap":             f.bootstrap,
		"POST /v1/onboarding/{id}/resume":                f.resumeOnboarding,
		"POST /v1/onboarding/{id}/abandon":               f.abandonOnboarding,
	}
}

func (f *fakeAPI) getPermissions(w http.ResponseWriter, r *http.Request) {
	// What was asked for comes back, so that a script sees it.
	answer(w, http.StatusOK, map[string]any{"integration_id": "aws", "permission_packs": []any{map[string]string{
		"kind": "aws_iam_policy", "title": "Permissions of the connection's identity", "instructions": "Attach it to the IAM user of the access key.",
		"format": "json", "file_name": "gatehouse-policy.json",
		"content": fmt.Sprintf("{\n  \"Version\": \"2012-10-17\",\n  \"Asked\": %q\n}\n", r.URL.Query().Get("configuration")+r.URL.Query().Get("scope")),
	}}})
}

func (f *fakeAPI) startOnboarding(w http.ResponseWriter, _ *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := map[string]any{
		"session_id": fmt.Sprintf("onb_%d", len(f.sessions)+1), "integration_id": "aws", "status": "open", "step": "connection", "version": 1,
		"connection_id": nil, "verification": nil, "operations": []any{}, "offered_operations": []string{"connection.test", "discovery.run"},
		"next_steps": []any{map[string]string{"label": "Create a connection"}}, "created_at": "2026-02-06T10:12:00Z", "updated_at": "2026-02-06T10:12:00Z",
	}
	f.sessions = append(f.sessions, s)
	f.stand(s, "pending")
	answer(w, http.StatusCreated, s)
}

// stand sets how far the steps of a session are; the lock is held.
func (f *fakeAPI) stand(s map[string]any, verify string) {
	connection := "pending"
	if s["connection_id"] != nil {
		connection = "done"
	}
	s["steps"] = []any{
		map[string]any{"step": "integration", "state": "done", "taken_by": "mem_2", "taken_at": "2026-02-06T10:12:00Z"},
		map[string]any{"step": "connection", "state": connection},
		map[string]any{"step": "verify", "state": verify},
		map[string]any{"step": "bootstrap", "state": "pending"},
	}
}

// session returns the session of the path; the lock is held.
func (f *fakeAPI) session(w http.ResponseWriter, r *http.Request) map[string]any {
	for _, s := range f.sessions {
		if s["session_id"] == r.PathValue("id") {
			return s
		}
	}
	refuse(w, http.StatusNotFound, "there is no such onboarding session")
	return nil
}

func (f *fakeAPI) listOnboarding(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	page(w, r, "sessions", f.sessions)
}

// getOnboarding shows a session, whose operations go on with every look.
func (f *fakeAPI) getOnboarding(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.session(w, r)
	if s == nil {
		return
	}
	if operations, ok := s["operations"].([]any); ok && s["status"] == "bootstrapping" {
		advance(s, operations)
	}
	answer(w, http.StatusOK, s)
}

func advance(s map[string]any, operations []any) {
	for _, each := range operations {
		o, _ := each.(map[string]any)
		switch o["state"] {
		case "pending":
			o["state"], o["run_id"] = "started", "run_4"
			return
		case "started":
			o["state"], o["outcome"] = "ended", "succeeded"
			if o["operation_type"] == "connection.test" && s["resumed"] == nil {
				o["outcome"], o["reason_code"], o["short_reason"] = "failed", "credential_expired", "Credentials expired"
				s["status"], s["reason_code"], s["short_reason"] = "stopped", "credential_expired", "Credentials expired"
				s["explanation"] = "The credentials of this connection were valid once and have run out."
				return
			}
		}
	}
	for _, each := range operations {
		if o, _ := each.(map[string]any); o["state"] != "ended" {
			return
		}
	}
	s["status"], s["step"] = "completed", nil
}

func (f *fakeAPI) pickConnection(w http.ResponseWriter, r *http.Request) {
	var picked map[string]string
	if err := json.NewDecoder(r.Body).Decode(&picked); err != nil {
		refuse(w, http.StatusUnprocessableEntity, "must be valid JSON")
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := f.session(w, r); s != nil {
		s["connection_id"], s["connection_name"], s["step"] = picked["connection_id"], "Prod AWS", "verify"
		f.stand(s, "pending")
		answer(w, http.StatusOK, s)
	}
}

// verifyOnboarding has the test over at once.
func (f *fakeAPI) verifyOnboarding(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.session(w, r)
	if s == nil {
		return
	}
	config := map[string]any{}
	for _, c := range f.connections {
		if c["connection_id"] == s["connection_id"] {
			config, _ = c["config"].(map[string]any)
			if edited, ok := c["configuration"].(map[string]any); ok {
				config = edited
			}
		}
	}
	verified := map[string]any{"run_id": "run_1", "state": "done", "remediation": []any{}, "streams": []any{map[string]any{"stream": "iam", "coverage": "complete"}}}
	if config["region"] == "us-west-1" {
		verified["state"], verified["reason_code"], verified["short_reason"] = "failed", "permission_denied", "Permission denied"
		verified["explanation"] = "The provider refused something the operation needs to read."
		verified["remediation"] = []any{map[string]string{"category": "permissions", "message": "Missing iam:ListUsers", "action": "Add the permission to the role"}}
	}
	s["verification"] = verified
	f.stand(s, fmt.Sprint(verified["state"]))
	answer(w, http.StatusOK, map[string]any{"status": "accepted", "run": map[string]string{"id": "run_1"}, "operator_message": "Test connection Prod AWS: accepted."})
}

func (f *fakeAPI) bootstrap(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Operations []string `json:"selected_operations"`
	}
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		refuse(w, http.StatusUnprocessableEntity, "must be valid JSON")
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.session(w, r)
	if s == nil {
		return
	}
	operations := []any{}
	for _, name := range request.Operations {
		if name != "discovery.run" && name != "connection.test" {
			refuse(w, http.StatusUnprocessableEntity, "the request is not valid", [2]string{"selected_operations[0]", "is not offered by aws"})
			return
		}
		operations = append(operations, map[string]any{"operation_type": name, "state": "pending"})
	}
	s["status"], s["operations"] = "bootstrapping", operations
	advance(s, operations)
	answer(w, http.StatusOK, map[string]any{"status": "accepted", "operator_message": "Discover access of Prod AWS: accepted, waiting for a worker.", "session": s})
}

func (f *fakeAPI) resumeOnboarding(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.session(w, r)
	if s == nil {
		return
	}
	if s["status"] != "stopped" {
		refuse(w, http.StatusConflict, "the session cannot be resumed")
		return
	}
	s["status"], s["resumed"] = "bootstrapping", true
	for _, key := range []string{"reason_code", "short_reason", "explanation"} {
		delete(s, key)
	}
	operations, _ := s["operations"].([]any)
	for _, each := range operations {
		if o, _ := each.(map[string]any); o["outcome"] == "failed" {
			o["state"] = "pending"
			delete(o, "outcome")
			delete(o, "reason_code")
			delete(o, "short_reason")
		}
	}
	answer(w, http.StatusOK, map[string]any{"status": "accepted", "operator_message": "Test connection Prod AWS: accepted.", "session": s})
}

func (f *fakeAPI) abandonOnboarding(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := f.session(w, r); s != nil {
		s["status"] = "abandoned"
		answer(w, http.StatusOK, s)
	}
}
