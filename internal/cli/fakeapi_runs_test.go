package cli_test

import (
	"encoding/json"
	"fmt"
	"net/http"
)

func (f *fakeAPI) listOperations(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{"operations": []any{
		map[string]any{
			"operation_type": "discovery.run", "verb": "Discover", "object": "access", "protects": "connection", "deadline_seconds": 43200, "integrations": []string{"aws"},
			"inputs": []any{map[string]any{"name": "streams", "kind": "list"}, map[string]any{"name": "partitions", "kind": "list"}},
		},
		map[string]any{
			"operation_type": "restore.execute", "verb": "Restore", "object": "policies", "protects": "target", "deadline_seconds": 7200, "integrations": []string{},
			"inputs": []any{map[string]any{"name": "restore_run_id", "kind": "text", "required": true}},
		},
	}})
}

// startOperation answers by the connection: the first is free, the second is
// busy, the third is blocked, and a run of the fourth fails.
func (f *fakeAPI) startOperation(w http.ResponseWriter, r *http.Request) {
	var request struct {
		ConnectionID  string         `json:"connection_id"`
		TargetID      string         `json:"target_id"`
		IntegrationID string         `json:"integration_id"`
		Input         map[string]any `json:"input"`
	}
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		refuse(w, http.StatusUnprocessableEntity, "must be valid JSON")
		return
	}
	if r.PathValue("type") != "discovery.run" {
		refuse(w, http.StatusNotFound, "there is no operation of that name")
		return
	}
	result := map[string]any{
		"status": "accepted", "operation_type": "discovery.run", "operator_message": "Discover access of Prod AWS: accepted, waiting for a worker.",
		"short_reason": nil, "reason_code": nil, "run": map[string]any{"id": "run_1", "status": "queued"}, "next_steps": []any{},
	}
	if request.TargetID != "" {
		result["operator_message"] = fmt.Sprintf("asked for the default of %s by %s", request.TargetID, request.IntegrationID)
	}
	if request.Input != nil {
		result["operator_message"] = fmt.Sprintf("asked for %v", request.Input)
	}
	if key := r.Header.Get("Idempotency-Key"); key != "" {
		result["operator_message"] = "sent under " + key
	}
	switch request.ConnectionID {
	case "conn_1":
		result["provider_connection"] = map[string]any{"id": "conn_1", "provider": "aws", "label": "Free"}
	case "conn_2":
		result["status"], result["short_reason"] = "scope_busy", "Something else is using the connection"
		result["operator_message"] = "Discover access: run_7 has had the connection to itself."
		result["next_steps"] = []any{map[string]string{"label": "Wait for it to end"}}
	case "conn_3":
		result["status"], result["short_reason"], result["reason_code"] = "blocked", "Connection disabled", "connection_disabled"
		result["next_steps"] = []any{map[string]string{"label": "Enable the connection", "description": "Set its lifecycle to active."}}
	case "conn_4":
		result["run"] = map[string]any{"id": "run_4", "status": "queued"}
	}
	answer(w, http.StatusOK, result)
}

func completedRun(id string) map[string]any {
	run := map[string]any{
		"run_id": id, "operation_type": "discovery.run", "connection_id": "conn_1", "connection_name": "Prod AWS",
		"status": "completed", "outcome": "partially_succeeded", "reason_code": "permission_denied", "short_reason": "Permission denied",
		"failure_summary": map[string]any{
			"message": "1 of 2 parts not read completely",
			"details": []string{"7 relationships were left out because one of their ends was not seen"},
		},
		"summary_counts": map[string]int{"entities_new": 1200, "relationships_new": 3400}, "next_steps": []any{},
		"coverage": []any{
			map[string]any{"stream": "iam", "coverage": "complete"},
			map[string]any{"stream": "lambda", "partition": "111122223333", "coverage": "skipped", "reason_code": "permission_denied", "message": "lambda:ListFunctions"},
		},
		"created_at": "2026-02-06T10:12:00Z", "started_at": "2026-02-06T10:12:01Z", "completed_at": "2026-02-06T10:12:09Z",
	}
	if id == "run_4" {
		run["outcome"], run["reason_code"], run["short_reason"] = "failed", "credential_invalid", "Credentials rejected"
		run["failure_summary"] = map[string]any{"message": "The provider does not accept the access key."}
		run["next_steps"] = []any{map[string]string{"label": "Enter new credentials", "description": "Store credentials that the provider accepts."}}
		delete(run, "coverage")
	}
	return run
}

func (f *fakeAPI) listRuns(w http.ResponseWriter, r *http.Request) {
	if outcome := r.URL.Query().Get("outcome"); outcome != "" && outcome != "failed" {
		page(w, r, "runs", nil)
		return
	}
	page(w, r, "runs", []map[string]any{completedRun("run_4")})
}

// getRun shows a run that is queued, then running, then completed, one step a
// look; the third look finds the server away for once.
func (f *fakeAPI) getRun(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if id == "run_9" {
		// It never ends.
		run := completedRun(id)
		run["status"], run["outcome"], run["phase"] = "running", "pending", "publishing"
		answer(w, http.StatusOK, run)
		return
	}
	if id != "run_1" && id != "run_4" {
		refuse(w, http.StatusNotFound, "there is no such run")
		return
	}
	run := completedRun(id)
	if r.URL.Query().Get("wait") != "" {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.polls[id]++
		switch f.polls[id] {
		case 1:
			run["status"], run["outcome"] = "queued", "pending"
		case 2:
			run["status"], run["outcome"] = "running", "pending"
			run["progress"] = map[string]any{"partitions_done": 3, "partitions_all": 8, "entities": 700, "relationships": 1500}
		case 3:
			refuse(w, http.StatusServiceUnavailable, "the database is not available")
			return
		}
	}
	answer(w, http.StatusOK, run)
}

// followRun tells of run_1 over three connections, of which the second finds the
// server away, and streams no other.
func (f *fakeAPI) followRun(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("id") != "run_1" {
		http.NotFound(w, r)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.polls["stream"]++
	last := r.Header.Get("Last-Event-ID")
	tell := func(id string, run map[string]any) {
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		text, err := json.Marshal(run)
		if err != nil {
			panic(err)
		}
		fmt.Fprintf(w, ": a comment\n\nretry: 1\n\nid: %s\nevent: run\ndata: %s\n\n", id, text)
	}
	run := completedRun("run_1")
	switch {
	case f.polls["stream"] == 2:
		refuse(w, http.StatusServiceUnavailable, "the database is not available")
	case last == "b":
		tell("c", run)
	case last == "":
		run["status"], run["outcome"] = "queued", "pending"
		tell("a", run)
		run["status"] = "running"
		run["progress"] = map[string]any{"partitions_done": 3, "partitions_all": 8, "entities": 700, "relationships": 1500}
		tell("b", run)
	}
}

func (f *fakeAPI) cancelRun(w http.ResponseWriter, r *http.Request) {
	run := completedRun(r.PathValue("id"))
	run["outcome"], run["reason_code"] = "cancelled", "cancelled"
	answer(w, http.StatusOK, run)
}
