package app

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// figuresTimeout bounds how long a scrape waits for the database.
const figuresTimeout = 2 * time.Second

// runMetrics are the metrics of runs. The gauges are read when they are asked
// for, and say of the whole data plane, so each process tells the same; the
// counters say of this process.
type runMetrics struct {
	runs   *postgres.Runs
	log    *slog.Logger
	count  *prometheus.Desc
	oldest *prometheus.Desc
	swept  prometheus.Counter
	ended  *prometheus.CounterVec
}

// newRunMetrics registers the metrics; with nobody to register them at they are
// counted for nobody.
func newRunMetrics(runs *postgres.Runs, log *slog.Logger, to prometheus.Registerer) (*runMetrics, error) {
	labels := []string{"queue", "stage"}
	m := &runMetrics{
		runs: runs, log: log,
		count:  prometheus.NewDesc("gatehouse_runs", "Unfinished runs of all workspaces, by queue and stage: waiting, executing, publishing.", labels, nil),
		oldest: prometheus.NewDesc("gatehouse_runs_oldest_seconds", "How long the oldest of these has been at its stage.", labels, nil),
		swept: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "gatehouse_runs_swept_total", Help: "Runs that this process ended because nobody else would: out of time, out of attempts, or cancelled without a worker.",
		}),
		ended: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gatehouse_runs_ended_total", Help: "Runs whose end this process was told of, by operation and outcome; after a crash, one may be missing.",
		}, []string{"operation", "outcome"}),
	}
	if to == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m, m.swept, m.ended} {
		if err := to.Register(c); err != nil {
			return nil, fmt.Errorf("register the metrics of runs: %w", err)
		}
	}
	return m, nil
}

// Describe is for the registry.
func (m *runMetrics) Describe(descriptions chan<- *prometheus.Desc) {
	descriptions <- m.count
	descriptions <- m.oldest
}

// Collect reads the gauges. When the database does not answer there are none, and
// the other metrics are told all the same.
func (m *runMetrics) Collect(metrics chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), figuresTimeout)
	defer cancel()
	figures, err := m.runs.Figures(ctx)
	if err != nil {
		m.log.WarnContext(ctx, "the metrics of runs could not be read", slog.Any("error", err))
		return
	}
	type at struct {
		queue operation.Queue
		stage run.Stage
	}
	known := map[at]run.Figure{}
	for _, f := range figures {
		known[at{f.Queue, f.Stage}] = f
	}
	for _, queue := range operation.Queues() {
		for _, stage := range run.Stages() {
			f := known[at{queue, stage}]
			metrics <- prometheus.MustNewConstMetric(m.count, prometheus.GaugeValue, float64(f.Runs), string(queue), string(stage))
			metrics <- prometheus.MustNewConstMetric(m.oldest, prometheus.GaugeValue, f.Oldest.Seconds(), string(queue), string(stage))
		}
	}
}

// countEnded counts a run that has ended.
func (m *runMetrics) countEnded(ctx context.Context, r run.Ref) error {
	ended, err := m.runs.Get(ctx, r.Scope, r.Run)
	if err != nil {
		return err
	}
	m.ended.WithLabelValues(string(ended.Operation), string(ended.Outcome)).Inc()
	return nil
}
