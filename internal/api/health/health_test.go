package health_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/api/health"
)

func get(t *testing.T, mux *http.ServeMux, path string) (int, health.Answer) {
	t.Helper()
	rec := httptest.NewRecorder()
	mux.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	var a health.Answer
	require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &a))
	return rec.Code, a
}

func TestReadinessFollowsItsChecksAndHidesWhy(t *testing.T) {
	t.Parallel()
	failing := errors.New("dial 10.0.0.1: refused")
	broken := false
	mux := http.NewServeMux()
	health.Mount(mux, slog.New(slog.DiscardHandler), prometheus.NewRegistry(),
		health.Check{Name: "always", Run: func(context.Context) error { return nil }},
		health.Check{Name: "database", Run: func(context.Context) error {
			if broken {
				return failing
			}
			return nil
		}})

	code, a := get(t, mux, "/readyz")
	require.Equal(t, http.StatusOK, code)
	require.Equal(t, health.Answer{Status: "ok", Checks: map[string]string{"always": "ok", "database": "ok"}}, a)

	broken = true
	code, a = get(t, mux, "/readyz")
	require.Equal(t, http.StatusServiceUnavailable, code)
	require.Equal(t, health.Answer{Status: "unavailable", Checks: map[string]string{"always": "ok", "database": "unavailable"}}, a)

	code, a = get(t, mux, "/healthz")
	require.Equal(t, http.StatusOK, code, "a process that waits for its database is alive")
	require.Equal(t, "ok", a.Status)
}

func TestMetricsAreServed(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	counter := prometheus.NewCounter(prometheus.CounterOpts{Name: "gatehouse_example_total", Help: "An example."})
	require.NoError(t, registry.Register(counter))
	mux := http.NewServeMux()
	health.Mount(mux, slog.New(slog.DiscardHandler), registry)
	rec := httptest.NewRecorder()
	mux.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	require.Contains(t, rec.Body.String(), "gatehouse_example_total 0")
}
