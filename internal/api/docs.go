package api

import (
	"net/http"

	"github.com/swaggest/swgui"
	"github.com/swaggest/swgui/v5emb"
)

// docsPolicy lets the docs page run its own script, which stands in the page.
const docsPolicy = "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"

// mountDocs serves the docs page at /docs from files inside the binary.
func mountDocs(mux *http.ServeMux, documentPath string) {
	page := v5emb.NewHandlerWithConfig(swgui.Config{Title: "Gatehouse API", SwaggerJSON: documentPath, BasePath: "/docs/"})
	handler := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", docsPolicy)
		page.ServeHTTP(w, r)
	}
	mux.HandleFunc("GET /docs", handler)
	mux.HandleFunc("GET /docs/", handler)
}
