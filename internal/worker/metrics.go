package worker

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics of all workers that share a registerer.
type metrics struct {
	runs     *prometheus.CounterVec
	batches  prometheus.Counter
	records  *prometheus.CounterVec
	waited   *prometheus.CounterVec
	repeated prometheus.Counter

	budgetAsks, budgetTokens, budgetWaits, refusals *prometheus.CounterVec
}

func newMetrics(to prometheus.Registerer) (*metrics, error) {
	var r registration
	m := &metrics{
		runs: register(&r, to, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gatehouse_worker_runs_total", Help: "Runs this worker had in hand, by operation and how it let go of them.",
		}, []string{"operation", "outcome"})),
		batches: register(&r, to, prometheus.NewCounter(prometheus.CounterOpts{
			Name: "gatehouse_worker_batches_total", Help: "Batches that the platform has stored.",
		})),
		records: register(&r, to, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gatehouse_worker_records_total", Help: "Records in stored batches, by kind.",
		}, []string{"kind"})),
		waited: register(&r, to, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gatehouse_worker_provider_wait_seconds_total", Help: "Time spent waiting before a provider was asked again, by why.",
		}, []string{"category"})),
		repeated: register(&r, to, prometheus.NewCounter(prometheus.CounterOpts{
			Name: "gatehouse_worker_repeated_calls_total", Help: "Calls to the platform that had to be repeated.",
		})),
		budgetAsks: register(&r, to, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gatehouse_worker_budget_asks_total", Help: "Questions to the platform for leave to call a provider, by throttle scope.",
		}, []string{"integration", "scope"})),
		budgetTokens: register(&r, to, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gatehouse_worker_budget_tokens_total", Help: "Calls to a provider that the platform gave leave for, by throttle scope.",
		}, []string{"integration", "scope"})),
		budgetWaits: register(&r, to, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gatehouse_worker_budget_wait_seconds_total", Help: "Time that calls to a provider waited for leave, by throttle scope.",
		}, []string{"integration", "scope"})),
		refusals: register(&r, to, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gatehouse_worker_provider_refusals_total", Help: "Calls that a provider refused because of their rate, by throttle scope.",
		}, []string{"integration", "scope"})),
	}
	return m, r.err
}

// registration keeps the first error of several.
type registration struct{ err error }

// register registers c, or finds the one that another worker of the process
// has registered.
func register[C prometheus.Collector](r *registration, to prometheus.Registerer, c C) C {
	err := to.Register(c)
	if err == nil || r.err != nil {
		return c
	}
	var taken prometheus.AlreadyRegisteredError
	if errors.As(err, &taken) {
		if existing, ok := taken.ExistingCollector.(C); ok {
			return existing
		}
	}
	r.err = fmt.Errorf("register the worker's metrics: %w", err)
	return c
}
