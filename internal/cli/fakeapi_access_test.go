package cli_test

import (
	"net/http"
	"strings"
)

func ref(digit string) map[string]any {
	for _, e := range entities() {
		if e["entity_id"] == entityID(digit) {
			return e
		}
	}
	return nil
}

// basis of the answers about payroll is complete, of those about anything else
// it is not, and nobody ever looked at conn_1's second bucket.
func basis(body map[string]any, observation string) map[string]any {
	coverage := map[string]any{
		"connection_id": "conn_1", "integration_id": "aws", "observation": observation,
		"streams": []any{map[string]any{"stream": "iam", "complete": 1, "oldest_complete_at": "2026-02-06T10:12:00Z"}}, "gaps": []any{},
	}
	if observation == "partial" {
		coverage["gaps"] = []any{map[string]any{"stream": "lambda", "partition": "111122223333", "coverage": "skipped", "reason_code": "permission_denied", "message": "lambda:ListFunctions"}}
	}
	body["as_of"], body["observed"], body["truncated"] = "2026-02-06T10:12:00Z", observation != "not_observed", false
	body["coverage"] = []any{coverage}
	return body
}

func row(account string) map[string]any {
	return map[string]any{
		"principals": []any{map[string]any{"entity_id": entityID("f"), "name": "Ann Smith", "identity": ann()}}, "account": ref(account), "resource": ref("a"),
		"access": "inherited", "decision": "conditional", "via": ref("e"), "acting_as": map[string]any{"name": "Operator"}, "hops": 3,
		"actions": []string{"s3:GetObject", "s3:ListBucket", "s3:PutObject", "s3:PutObjectAcl"},
	}
}

// whoCan needs two pages, the first of them empty, for payroll.
func (f *fakeAPI) whoCan(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.PathValue("id") == entityID("c"):
		answer(w, http.StatusOK, basis(map[string]any{"resource": ref("c"), "principals": []any{}}, "not_observed"))
	case r.PathValue("id") != entityID("a"):
		answer(w, http.StatusOK, basis(map[string]any{"resource": ref("b"), "principals": []any{}}, "partial"))
	case r.URL.Query().Get("action") == "s3:*":
		refuse(w, http.StatusUnprocessableEntity, "query.action is not valid", [2]string{"action", "must be one action without wildcards, such as s3:GetObject"})
	case r.URL.Query().Get("cursor") == "":
		answer(w, http.StatusOK, basis(map[string]any{"resource": ref("a"), "principals": []any{}, "next_cursor": "more"}, "complete"))
	default:
		body := map[string]any{"resource": ref("a"), "principals": []any{row("d")}}
		if r.URL.Query().Get("action") == "GetObject" {
			everything := row("d")
			everything["actions"] = []string{"*"}
			body["principals"] = []any{everything}
		}
		if r.URL.Query().Get("effective") == "true" {
			decided := row("d")
			decided["effective"] = route("depends")
			body["principals"] = []any{decided}
		}
		if r.URL.Query().Get("count") == "true" {
			body["count"] = 1
		}
		answer(w, http.StatusOK, basis(body, "complete"))
	}
}

// route is by way of a role, whose taking is certain and whose reading depends
// on an address.
func route(decision string) map[string]any {
	need := map[string]any{"key": "aws:SourceIp", "operator": "IpAddress", "values": []string{"203.0.113.0/24"}, "reason": "the value of aws:SourceIp is not known"}
	needs, applies := []any{need}, "unknown"
	if decision == "allowed" {
		needs, applies = []any{}, "yes"
	}
	statement := func(policy, key, layer, applies string) map[string]any {
		return map[string]any{"layer": layer, "policy": policy, "statement": key, "effect": "allow", "applies": applies, "depends_on": []any{}}
	}
	return map[string]any{
		"decision": decision, "accounts": []any{ref("d"), map[string]any{"name": "Operator"}},
		"steps": []any{
			map[string]any{
				"action": "sts:AssumeRole", "resource": "arn:aws:iam::111122223333:role/Operator", "decision": "allowed", "layers": []any{}, "depends_on": []any{},
				"statements": []any{statement("trust policy of Operator", "#0", "resource", "yes")},
			},
			map[string]any{
				"action": "s3:GetObject", "resource": "arn:aws:s3:::payroll/*", "decision": decision, "layers": []any{}, "depends_on": needs,
				"statements": []any{statement("read", "Office", "identity", applies)},
			},
		},
	}
}

// evaluate decides by the address that is given.
func (f *fakeAPI) evaluate(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	body := map[string]any{"principal": ref("d"), "action": q.Get("action"), "resource": q.Get("resource")}
	if strings.HasPrefix(q.Get("principal"), "identity_") {
		body["principal"], body["identity"], body["undecided_connection_ids"] = nil, ann(), []string{"conn_2"}
	}
	if q.Get("session_policy") != "" {
		body["decision"], body["routes"] = "denied", []any{}
		answer(w, http.StatusOK, basis(body, "complete"))
		return
	}
	switch q.Get("context") {
	case "":
		body["decision"], body["routes"] = "depends", []any{route("depends")}
	case "aws:SourceIp=203.0.113.7":
		body["decision"], body["routes"] = "allowed", []any{route("allowed")}
	default:
		own := map[string]any{"layer": "service_control", "level": "Sandbox", "allows": "no", "denies": "no", "unread": []any{}}
		body["decision"], body["routes"] = "denied", []any{map[string]any{
			"decision": "denied", "accounts": []any{ref("d")},
			"steps": []any{map[string]any{
				"action": q.Get("action"), "resource": q.Get("resource"), "decision": "denied", "layers": []any{own}, "statements": []any{}, "depends_on": []any{},
			}},
		}}
	}
	answer(w, http.StatusOK, basis(body, "complete"))
}

func (f *fakeAPI) whatCan(w http.ResponseWriter, r *http.Request) {
	reached := row("d")
	if q := r.URL.Query(); q.Get("effective") == "true" && q.Get("context") == "aws:SourceIp=203.0.113.7" {
		reached["effective"] = route("allowed")
	}
	answer(w, http.StatusOK, basis(map[string]any{"principal": ref("d"), "resources": []any{reached}}, "partial"))
}

func (f *fakeAPI) paths(w http.ResponseWriter, r *http.Request) {
	body := map[string]any{"from": ref("d"), "to": ref("a"), "paths": []any{}}
	if r.URL.Query().Get("to") == entityID("a") {
		edge := func(effect string, actions ...string) map[string]any {
			return map[string]any{
				"effect": effect, "actions": actions, "not_actions": []string{}, "conditions": nil, "given": "direct",
				"first_seen_run_id": "run_1", "stream": "iam", "partition": "111122223333",
			}
		}
		conditional := edge("allow", "s3:GetObject")
		conditional["conditions"] = map[string]any{"Bool": map[string]string{"aws:MultiFactorAuthPresent": "true"}}
		body["paths"] = []any{map[string]any{"effect": "allow", "hops": 2, "steps": []any{
			map[string]any{"kind": "account_assigned_entitlement", "from": ref("d"), "to": ref("e"), "edges": []any{edge("allow")}},
			map[string]any{"kind": "entitlement_grants_resource", "from": ref("e"), "to": ref("a"), "edges": []any{conditional, edge("deny", "s3:DeleteObject")}},
		}}}
	}
	answer(w, http.StatusOK, basis(body, "complete"))
}

func ann() map[string]any {
	return map[string]any{"identity_id": "identity_" + entityID("f")[len("ent_"):], "name": "Ann Smith", "principal_count": 2}
}

// whoCanByIdentity tells of ann, by two accounts, and of one that is nobody's.
func (f *fakeAPI) whoCanByIdentity(w http.ResponseWriter, _ *http.Request) {
	body := map[string]any{"resource": ref("a"), "count": 2, "account_count": 3, "identities": []any{
		map[string]any{"identity": ann(), "decision": "allowed", "access": "direct", "accounts": 2, "ways": []any{row("d"), row("d")}},
		map[string]any{"identity": nil, "decision": "conditional", "access": "inherited", "accounts": 1, "ways": []any{row("d")}},
	}}
	answer(w, http.StatusOK, basis(body, "complete"))
}

func (f *fakeAPI) whatIdentityCan(w http.ResponseWriter, _ *http.Request) {
	body := basis(map[string]any{"principal": nil, "identity": ann(), "resources": []any{row("d")}}, "partial")
	body["history_begins_at"] = "2026-01-01T00:00:00Z"
	answer(w, http.StatusOK, body)
}

// since tells of two times of ann; nobody else ever reached anything.
func (f *fakeAPI) since(w http.ResponseWriter, r *http.Request) {
	body := map[string]any{"from": ref("d"), "identity": nil, "to": ref("a"), "since": nil, "intervals": []any{}}
	if r.URL.Query().Get("to") == entityID("a") {
		steps := []any{map[string]any{"kind": "account_assigned_entitlement", "from": ref("d"), "to": ref("e"), "edges": []any{}}}
		body["since"] = "2026-02-01T00:00:00Z"
		body["intervals"] = []any{
			map[string]any{
				"from": "2026-02-01T00:00:00Z", "until": nil, "decision": "allowed", "began": "added", "began_run_id": "run_7", "steps": steps,
				"not_observed": []any{map[string]any{"from": "2026-02-02T00:00:00Z", "until": "2026-02-03T00:00:00Z"}},
			},
			map[string]any{
				"from": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z", "decision": "allowed", "began": "first_observed", "began_run_id": "run_1",
				"ended_run_id": "run_2", "steps": steps, "not_observed": []any{},
			},
		}
	}
	answer(w, http.StatusOK, basis(body, "complete"))
}

// comparison is of two days, on the first of which nobody had looked.
func comparison(r *http.Request, subject map[string]any) map[string]any {
	reason := func(change, run string) map[string]any {
		return map[string]any{"change": change, "at": "2026-02-05T00:00:00Z", "run_id": run, "kind": "account_assigned_entitlement", "from": ref("d"), "to": ref("e")}
	}
	changes := []any{
		map[string]any{"change": "gained", "uncertain": true, "before": nil, "after": row("d"), "steps": []any{}, "reasons": []any{reason("first_observed", "run_7"), reason("added", "run_8")}},
		map[string]any{"change": "lost", "uncertain": false, "before": row("d"), "after": nil, "steps": []any{}, "reasons": []any{reason("expired", "")}},
	}
	if r.URL.Query().Get("change") == "changed" {
		changes = []any{}
	}
	subject["changes"] = changes
	subject["before"] = basis(map[string]any{}, "not_observed")
	return basis(subject, "complete")
}

func (f *fakeAPI) compareWhoCan(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("from") == "run_9" {
		refuse(w, http.StatusUnprocessableEntity, "query.from is not valid", [2]string{"from", "is later than to; moments are compared from the earlier one to the later one"})
		return
	}
	answer(w, http.StatusOK, comparison(r, map[string]any{"resource": ref("a")}))
}

func (f *fakeAPI) compareWhatCan(w http.ResponseWriter, r *http.Request) {
	subject := map[string]any{"principal": ref("d"), "identity": nil}
	if r.PathValue("id") != entityID("d") {
		subject = map[string]any{"principal": nil, "identity": ann()}
	}
	answer(w, http.StatusOK, comparison(r, subject))
}
