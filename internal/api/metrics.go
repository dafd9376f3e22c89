package api

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics counts and times requests by route, method and status. Routes are
// patterns, never paths, so that ids do not become labels.
type Metrics struct {
	duration *prometheus.HistogramVec
}

// NewMetrics registers the metrics. An error means that they are registered
// already.
func NewMetrics(r prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: "gatehouse", Subsystem: "http", Name: "request_duration_seconds",
		Help:    "Time from the request's header to the end of its answer, by route.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
	}, []string{"route", "method", "status"})}
	if err := r.Register(m.duration); err != nil {
		return nil, fmt.Errorf("register HTTP metrics: %w", err)
	}
	return m, nil
}

func (m *Metrics) observe(r *http.Request, status int, took time.Duration) {
	if m == nil {
		return
	}
	route, method := r.Pattern, r.Method
	if route == "" {
		// Anyone can make up paths and methods.
		route, method = "none", "any"
	}
	m.duration.WithLabelValues(route, method, strconv.Itoa(status)).Observe(took.Seconds())
}
