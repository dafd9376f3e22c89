package cli_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// handleNotify is the inbox and the webhooks.
func (f *fakeAPI) handleNotify() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"GET /v1/notifications":            f.listNotifications,
		"POST /v1/notifications/{id}/read": f.readNotification,
		"POST /v1/notifications/read-all": func(w http.ResponseWriter, _ *http.Request) {
			answer(w, http.StatusOK, map[string]int{"read": 2})
		},
		"GET /v1/webhooks":                                    f.listWebhooks,
		"POST /v1/webhooks":                                   f.createWebhook,
		"GET /v1/webhooks/{id}":                               f.getWebhook,
		"PATCH /v1/webhooks/{id}":                             f.updateWebhook,
		"DELETE /v1/webhooks/{id}":                            ends("wh_3", "webhook"),
		"POST /v1/webhooks/{id}/rotate-secret":                f.rotateWebhook,
		"POST /v1/webhooks/{id}/test":                         f.testWebhook,
		"GET /v1/webhooks/{id}/deliveries":                    f.listDeliveries,
		"POST /v1/webhooks/{id}/deliveries/{delivery}/replay": f.replayDelivery,
		"POST /v1/webhooks/{id}/replay":                       f.replayWebhook,
	}
}

// aDay is when everything here happened.
const aDay = "2026-03-01T02:00:41Z"

// inbox holds one that was read and one that was not, which names with control
// characters have come into.
func inbox() []map[string]any {
	return []map[string]any{
		{
			"notification_id": "ntf_4", "kind": "run_ended", "title": "Discover access of Prod\u001b[31m AWS: failed",
			"message": "The provider does not accept the credentials. Enter new ones.", "run_id": "run_88", "operation_type": "discovery.run",
			"outcome": "failed", "reason_code": "credential_invalid", "connection_id": "conn_1", "webhook_id": nil, "created_at": aDay, "read_at": nil,
		},
		{
			"notification_id": "ntf_3", "kind": "webhook_disabled", "title": "Webhook wh_4 was switched off", "message": "Its endpoint answered 410 Gone.",
			"run_id": nil, "operation_type": nil, "outcome": nil, "reason_code": nil, "connection_id": nil, "webhook_id": "wh_4", "created_at": aDay, "read_at": aDay,
		},
	}
}

func (f *fakeAPI) listNotifications(w http.ResponseWriter, r *http.Request) {
	items := inbox()
	if r.URL.Query().Get("unread") == "true" {
		items = items[:1]
	}
	page(w, r, "notifications", items)
}

func (f *fakeAPI) readNotification(w http.ResponseWriter, r *http.Request) {
	for _, n := range inbox() {
		if n["notification_id"] == r.PathValue("id") {
			n["read_at"] = aDay
			answer(w, http.StatusOK, n)
			return
		}
	}
	refuse(w, http.StatusNotFound, "there is no notification "+r.PathValue("id")+" in your inbox")
}

// webhooks are one that works and one that was switched off.
func webhooks() []map[string]any {
	return []map[string]any{
		{
			"webhook_id": "wh_3", "url": "https://hooks.example.com/gatehouse", "description": "The SIEM", "event_types": []string{"run.completed", "access.changed"},
			"enabled": true, "disabled_at": nil, "disabled_reason": nil, "failing_since": aDay, "failures": 2, "created_at": aDay, "updated_at": aDay, "created_by": "mem_2",
		},
		{
			"webhook_id": "wh_4", "url": "https://gone.example.com", "description": "", "event_types": []string{"run.blocked"},
			"enabled": false, "disabled_at": aDay, "disabled_reason": "gone", "failing_since": nil, "failures": 0, "created_at": aDay, "updated_at": aDay, "created_by": nil,
		},
	}
}

func (f *fakeAPI) listWebhooks(w http.ResponseWriter, r *http.Request) {
	page(w, r, "webhooks", webhooks())
}

// webhookOf answers that there is none like the one of the path, if so.
func webhookOf(w http.ResponseWriter, r *http.Request) (found map[string]any, ok bool) {
	at := slices.IndexFunc(webhooks(), func(h map[string]any) bool { return h["webhook_id"] == r.PathValue("id") })
	if at < 0 {
		refuse(w, http.StatusNotFound, "there is no webhook "+r.PathValue("id"))
		return nil, false
	}
	return webhooks()[at], true
}

func (f *fakeAPI) getWebhook(w http.ResponseWriter, r *http.Request) {
	if found, ok := webhookOf(w, r); ok {
		answer(w, http.StatusOK, found)
	}
}

func (f *fakeAPI) createWebhook(w http.ResponseWriter, r *http.Request) {
	var draft map[string]any
	if json.NewDecoder(r.Body).Decode(&draft) != nil {
		refuse(w, http.StatusBadRequest, "not JSON")
		return
	}
	if text, _ := draft["url"].(string); !strings.HasPrefix(text, "https://") {
		refuse(w, http.StatusUnprocessableEntity, "validation failed", [2]string{"url", "must begin with https://"})
		return
	}
	made := webhooks()[0]
	maps.Copy(made, draft)
	made["webhook_id"], made["failures"], made["secret"] = "wh_5", 0, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	answer(w, http.StatusCreated, made)
}

func (f *fakeAPI) updateWebhook(w http.ResponseWriter, r *http.Request) {
	found, ok := webhookOf(w, r)
	if !ok {
		return
	}
	var patch map[string]any
	if json.NewDecoder(r.Body).Decode(&patch) != nil {
		refuse(w, http.StatusBadRequest, "not JSON")
		return
	}
	maps.Copy(found, patch)
	if patch["enabled"] == true {
		found["disabled_at"], found["disabled_reason"], found["failures"] = nil, nil, 0
	}
	answer(w, http.StatusOK, found)
}

func (f *fakeAPI) rotateWebhook(w http.ResponseWriter, r *http.Request) {
	if found, ok := webhookOf(w, r); ok {
		found["secret"] = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
		answer(w, http.StatusOK, found)
	}
}

func delivery(of string) map[string]any {
	return map[string]any{
		"delivery_id": of, "webhook_id": "wh_3", "event_id": "evt_12", "event_type": "run.completed", "occurred_at": aDay, "data": map[string]any{},
		"status": "failed", "attempts": 10, "next_attempt_at": nil, "last_attempt_at": aDay, "last_status": 503, "problem": "the endpoint answered 503", "completed_at": aDay,
	}
}

func (f *fakeAPI) testWebhook(w http.ResponseWriter, r *http.Request) {
	found, ok := webhookOf(w, r)
	switch {
	case !ok:
	case found["enabled"] == false:
		refuse(w, http.StatusConflict, "the webhook is disabled; enable it first")
	default:
		answer(w, http.StatusAccepted, delivery("dlv_10"))
	}
}

func (f *fakeAPI) listDeliveries(w http.ResponseWriter, r *http.Request) {
	if _, ok := webhookOf(w, r); !ok {
		return
	}
	items := []map[string]any{delivery("dlv_9")}
	if s := r.URL.Query().Get("status"); s != "" && s != "failed" {
		items = nil
	}
	page(w, r, "deliveries", items)
}

func (f *fakeAPI) replayDelivery(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("delivery") != "dlv_9" {
		refuse(w, http.StatusNotFound, "there is no delivery "+r.PathValue("delivery")+" of webhook wh_3")
		return
	}
	answer(w, http.StatusOK, delivery("dlv_9"))
}

func (f *fakeAPI) replayWebhook(w http.ResponseWriter, r *http.Request) {
	var replay struct {
		Since string
		All   bool
	}
	if json.NewDecoder(r.Body).Decode(&replay) != nil || replay.Since != "2026-01-31T00:00:00Z" {
		refuse(w, http.StatusUnprocessableEntity, "validation failed", [2]string{"since", "is not what this test sends"})
		return
	}
	n := 3
	if replay.All {
		n = 7
	}
	answer(w, http.StatusOK, map[string]int{"deliveries": n})
}
