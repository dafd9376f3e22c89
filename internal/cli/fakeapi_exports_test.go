package cli_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
	"time"
)

// exportedFile is what every export of the fake server holds.
const exportedFile = "entity_id,name\nent_a,payroll\n"

// exports are one that is whole, one that was cancelled, one that has failed, and
// one of which the server says another hash than its file has.
func exports() []map[string]any {
	export := func(id, what, format, status string) map[string]any {
		return map[string]any{
			"export_id": id, "requested_by": "mem_2", "query": map[string]any{"what": what, "format": format}, "status": status, "rows": 1, "bytes": 0, "sha256": nil,
			"file_name": "gatehouse-" + id + "-" + what + "." + format, "media_type": "text/csv", "created_at": aDay, "started_at": aDay, "ended_at": aDay, "expires_at": aDay,
		}
	}
	sum := sha256.Sum256([]byte(exportedFile))
	whole, wrong := export("exp_3", "entities", "csv", "completed"), export("exp_6", "entities", "csv", "completed")
	for _, x := range []map[string]any{whole, wrong} {
		x["bytes"], x["sha256"] = len(exportedFile), hex.EncodeToString(sum[:])
	}
	wrong["sha256"] = hex.EncodeToString(make([]byte, sha256.Size))
	failed := export("exp_4", "who_can", "evidence", "failed")
	failed["failure"] = "the answer has more than 10000 rows"
	return []map[string]any{wrong, export("exp_5", "graph", "opengraph", "cancelled"), failed, whole}
}

func (f *fakeAPI) handleExports() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"GET /v1/exports":      listExports,
		"POST /v1/exports":     createExport,
		"GET /v1/exports/{id}": ofExport(func(w http.ResponseWriter, _ *http.Request, x map[string]any) { answer(w, http.StatusOK, x) }),
		"GET /v1/exports/{id}/manifest": ofExport(func(w http.ResponseWriter, _ *http.Request, x map[string]any) {
			answer(w, http.StatusOK, map[string]any{"version": "gatehouse.export.v1", "export_id": x["export_id"]})
		}),
		"GET /v1/exports/{id}/content": ofExport(func(w http.ResponseWriter, r *http.Request, x map[string]any) {
			w.Header().Set("ETag", strconv.Quote(x["sha256"].(string)))
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader([]byte(exportedFile)))
		}),
		"POST /v1/exports/{id}/cancel": ofExport(func(w http.ResponseWriter, _ *http.Request, x map[string]any) {
			refuse(w, http.StatusConflict, x["export_id"].(string)+" has ended already")
		}),
		"DELETE /v1/exports/{id}": ends("exp_3", "export"),
	}
}

func listExports(w http.ResponseWriter, r *http.Request) {
	var found []map[string]any
	for _, x := range exports() {
		if status := r.URL.Query().Get("status"); status == "" || status == x["status"] {
			found = append(found, x)
		}
	}
	page(w, r, "exports", found)
}

// createExport answers with the whole one, and with what was asked for.
func createExport(w http.ResponseWriter, r *http.Request) {
	var query map[string]any
	if json.NewDecoder(r.Body).Decode(&query) != nil || len(r.Header.Get("Idempotency-Key")) < 16 {
		refuse(w, http.StatusBadRequest, "not a request")
		return
	}
	if query["what"] == "graph" && query["format"] != "opengraph" {
		refuse(w, http.StatusUnprocessableEntity, "validation failed", [2]string{"format", "of graph must be one of opengraph"})
		return
	}
	made := maps.Clone(exports()[3])
	made["query"] = query
	answer(w, http.StatusCreated, made)
}

func ofExport(then func(http.ResponseWriter, *http.Request, map[string]any)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for _, x := range exports() {
			if x["export_id"] == r.PathValue("id") {
				then(w, r, x)
				return
			}
		}
		refuse(w, http.StatusNotFound, "there is no export "+r.PathValue("id"))
	}
}
