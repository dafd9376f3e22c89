package api_test

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/api"
)

// Every answer has them: a page, a problem, what no route matches, a panic.
func TestSecurityHeaders(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	api.New(mux, api.Config{Version: "1", Log: slog.New(slog.DiscardHandler)})
	mux.HandleFunc("GET /fine", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /panic", func(http.ResponseWriter, *http.Request) { panic("on purpose") })
	handler := api.Wrap(mux, api.WrapConfig{Log: slog.New(slog.DiscardHandler)})
	ask := func(path string, secure bool) http.Header {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		if secure {
			r.TLS = &tls.ConnectionState{}
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Result().Header
	}
	for header, want := range map[string]string{
		"X-Content-Type-Options":       "nosniff",
		"X-Frame-Options":              "DENY",
		"Referrer-Policy":              "no-referrer",
		"Content-Security-Policy":      "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
		"Permissions-Policy":           "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), microphone=(), payment=(), usb=()",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Cache-Control":                "no-store",
		"Strict-Transport-Security":    "max-age=31536000",
	} {
		t.Run(header, func(t *testing.T) {
			t.Parallel()
			for _, path := range []string{"/fine", "/panic", "/nowhere", "/openapi.json"} {
				require.Equal(t, []string{want}, ask(path, true).Values(header), path)
			}
		})
	}
	t.Run("none of transport security over plain HTTP", func(t *testing.T) {
		t.Parallel()
		require.Empty(t, ask("/fine", false).Values("Strict-Transport-Security"))
	})
	t.Run("the page of the reference runs its own scripts and no others", func(t *testing.T) {
		t.Parallel()
		policy := ask("/docs", true).Get("Content-Security-Policy")
		require.Contains(t, policy, "default-src 'self'")
		require.Contains(t, policy, "frame-ancestors 'none'")
	})
}

// Every operation that takes a body has a bound of its own, and every operation
// says that it may answer 429.
func TestOperationsAreBounded(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	a := api.New(mux, api.Config{Version: "1", Log: slog.New(slog.DiscardHandler)})
	type input struct{ Body struct{} }
	api.Register(a, huma.Operation{OperationID: "take", Method: http.MethodPost, Path: "/take"}, noop[input])
	op := a.OpenAPI().Paths["/take"].Post
	require.EqualValues(t, 1<<20, op.MaxBodyBytes)
	require.Positive(t, op.BodyReadTimeout)
	require.Contains(t, op.Responses, "429")
}

func noop[I any](context.Context, *I) (*struct{}, error) { return nil, nil }
