package health

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// checkTimeout bounds each check of /readyz.
const checkTimeout = 2 * time.Second

// Check is one thing a service needs to serve requests.
type Check struct {
	// Name is shown to anyone who asks, such as "database".
	Name string
	// Run returns an error while the thing is missing. It keeps to its context.
	Run func(ctx context.Context) error
}

// Answer is what /healthz and /readyz say.
type Answer struct {
	// Status is "ok" or "unavailable".
	Status string            `json:"status"`
	Checks map[string]string `json:"checks,omitempty"`
}

// The words of an Answer.
const (
	ok          = "ok"
	unavailable = "unavailable"
)

// Mount adds /healthz, /readyz and /metrics.
func Mount(mux *http.ServeMux, log *slog.Logger, metrics prometheus.Gatherer, checks ...Check) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { write(w, Answer{Status: ok}) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) { write(w, run(r.Context(), log, checks)) })
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
}

// run makes all checks side by side.
func run(ctx context.Context, log *slog.Logger, checks []Check) Answer {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	errs := make([]error, len(checks))
	var all sync.WaitGroup
	for i, c := range checks {
		all.Go(func() { errs[i] = c.Run(ctx) })
	}
	all.Wait()
	answer := Answer{Status: ok, Checks: map[string]string{}}
	for i, c := range checks {
		answer.Checks[c.Name] = ok
		if errs[i] != nil {
			answer.Status, answer.Checks[c.Name] = unavailable, unavailable
			log.LogAttrs(ctx, slog.LevelWarn, "not ready", slog.String("check", c.Name), slog.Any("error", errs[i]))
		}
	}
	return answer
}

func write(w http.ResponseWriter, a Answer) {
	w.Header().Set("Content-Type", "application/json")
	if a.Status != ok {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	// A client that went away needs no answer.
	_ = json.NewEncoder(w).Encode(a)
}
