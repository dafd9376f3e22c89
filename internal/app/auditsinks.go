package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gatehouse-project/gatehouse/internal/auditsink"
	"github.com/gatehouse-project/gatehouse/internal/egress"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// AuditSinks says where the audit log is sent on to.
type AuditSinks struct {
	// Targets by name: file:PATH, stdout: or the address of a webhook. A sink's
	// position is kept under its name.
	Targets map[string]string
	// SecretFiles by name of the sink hold what webhooks are signed with.
	SecretFiles map[string]string
	// AllowPrivate lets webhooks be at private and loopback addresses.
	AllowPrivate bool
	// Stdout is what stdout: writes to.
	Stdout io.Writer
}

// sinkName is the form of a sink's name, which is a label of metrics, too.
var sinkName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

// newForwarders makes what sends the log on, one for each sink.
func newForwarders(c AuditSinks, logs *postgres.AuditLogs, tenant id.Tenant, metrics prometheus.Registerer, log *slog.Logger) ([]func(context.Context) error, error) {
	if len(c.Targets) == 0 {
		return nil, nil
	}
	observer, err := newSinkMetrics(metrics)
	if err != nil {
		return nil, err
	}
	var running []func(context.Context) error
	for _, name := range slices.Sorted(maps.Keys(c.Targets)) {
		if !sinkName.MatchString(name) {
			return nil, fmt.Errorf("audit sink %q: a name is lower-case letters, digits, - and _, 63 at most", name)
		}
		sink, err := c.open(name, c.Targets[name])
		if err != nil {
			return nil, fmt.Errorf("audit sink %s: %w", name, err)
		}
		f := &auditsink.Forwarder{Name: name, Sink: sink, Store: logs, Tenant: tenant, Log: log, Observer: observer}
		running = append(running, f.Run)
	}
	return running, nil
}

func (c AuditSinks) open(name, target string) (auditsink.Sink, error) {
	if path, ok := strings.CutPrefix(target, "file:"); ok && path != "" {
		return &auditsink.File{Path: path}, nil
	}
	if target == "stdout:" && c.Stdout != nil {
		return &auditsink.Stream{Out: c.Stdout}, nil
	}
	plain := strings.HasPrefix(target, "http://")
	if !plain && !strings.HasPrefix(target, "https://") {
		return nil, errors.New("want file:PATH, stdout: or https://…")
	}
	if plain && !c.AllowPrivate {
		return nil, errors.New("want https; plain http is for private networks, with --allow-private-networks")
	}
	path, ok := c.SecretFiles[name]
	if !ok {
		return nil, errors.New("a webhook needs a secret to be signed with: give its file with --audit-sink-secret")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read its secret: %w", err)
	}
	return auditsink.NewWebhook(target, secret.FromBytes(text), egress.NewTransport(egress.Policy{AllowPrivate: c.AllowPrivate}))
}

// sinkMetrics is how sinks fare.
type sinkMetrics struct {
	lag               *prometheus.GaugeVec
	delivered, failed *prometheus.CounterVec
}

func newSinkMetrics(r prometheus.Registerer) (*sinkMetrics, error) {
	labels := []string{"sink"}
	m := &sinkMetrics{
		lag: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: "gatehouse", Subsystem: "audit", Name: "sink_lag_seconds", Help: "How long the oldest sealed event that a sink lacks has been there.",
		}, labels),
		delivered: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "gatehouse", Subsystem: "audit", Name: "sink_events_total", Help: "Audit events that a sink has taken.",
		}, labels),
		failed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "gatehouse", Subsystem: "audit", Name: "sink_failures_total", Help: "Attempts to send audit events to a sink that failed.",
		}, labels),
	}
	for _, c := range []prometheus.Collector{m.lag, m.delivered, m.failed} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics of audit sinks: %w", err)
		}
	}
	return m, nil
}

// Lag sets the gauge.
func (m *sinkMetrics) Lag(sink string, d time.Duration) { m.lag.WithLabelValues(sink).Set(d.Seconds()) }

// Delivered counts events.
func (m *sinkMetrics) Delivered(sink string, events int) {
	m.delivered.WithLabelValues(sink).Add(float64(events))
}

// Failed counts an attempt.
func (m *sinkMetrics) Failed(sink string) { m.failed.WithLabelValues(sink).Inc() }
