package cli_test

import (
	"encoding/json"
	"net/http"
)

func (f *fakeAPI) listThrottleBudgets(w http.ResponseWriter, r *http.Request) {
	items := []map[string]any{{
		"budget_id": "00", "throttle_scope": "aws.iam", "key": []map[string]any{{"name": "account", "value": "123456789012"}},
		"limit":     map[string]any{"calls": 10, "per_seconds": 1, "burst": 20},
		"available": 3.7, "pace": 0.5, "throttled_at": "2026-03-01T00:00:00Z", "paused_until": "2026-03-01T00:01:00Z", "asked_at": "2026-03-01T00:00:00Z",
		"connections": []string{"conn_1", "conn_2"}, "waiting_runs": 1,
	}}
	if c := r.URL.Query().Get("connection_id"); c != "" && c != "conn_1" {
		items = nil
	}
	page(w, r, "throttle_budgets", items)
}

// iamLimit is what calls to IAM may be.
func iamLimit() map[string]any {
	declared := map[string]any{"calls": 10, "per_seconds": 1, "burst": 20}
	return map[string]any{
		"throttle_scope": "aws.iam", "description": "IAM", "key": []string{"account"}, "declared": declared, "in_force": declared, "set_by": nil, "set_at": nil,
	}
}

func (f *fakeAPI) listThrottleLimits(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{"throttle_limits": []map[string]any{iamLimit()}})
}

func (f *fakeAPI) setThrottleLimit(w http.ResponseWriter, r *http.Request) {
	var set map[string]any
	if err := json.NewDecoder(r.Body).Decode(&set); err != nil || r.PathValue("id") != "aws.iam" {
		refuse(w, http.StatusNotFound, "there is no throttle scope like this")
		return
	}
	l := iamLimit()
	l["in_force"], l["set_by"], l["set_at"] = set, "mem_1", "2026-03-01T00:00:00Z"
	answer(w, http.StatusOK, l)
}
