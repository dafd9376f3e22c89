package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gatehouse-project/gatehouse/internal/api/health"
)

// WorkConfig says how to run a worker process.
type WorkConfig struct {
	Name                          string
	DiscoveryURL, IntegrationsURL string
	TokenFile                     string
	// Slots are the queues that each slot takes runs from, one run at a time. Each
	// slot is a worker of its own to the platform. With none there is one, for
	// all queues.
	Slots        [][]string
	AllowPrivate bool
	// EndpointHosts may be called beside the providers' own; "*" stands for any.
	EndpointHosts []string
	// Connectors are those beside the built-in ones.
	Connectors ConnectorSettings
	// Grace is how long runs may go on when the process is told to stop.
	Grace time.Duration
	// MetricsListen is where /metrics and /healthz are served; empty for nowhere.
	MetricsListen string
	Logger        *slog.Logger
}

// Work runs a worker process until ctx ends and its runs have ended or were
// handed back.
func Work(ctx context.Context, c WorkConfig) error {
	token, err := readToken(c.TokenFile)
	if err != nil {
		return err
	}
	metrics := newMetrics()
	slots := c.Slots
	if len(slots) == 0 {
		slots = [][]string{queueNames()}
	}
	var g group
	for i, queues := range slots {
		for _, queue := range queues {
			if !slices.Contains(queueNames(), queue) {
				return fmt.Errorf("there is no queue %q; there are %s", queue, strings.Join(queueNames(), ", "))
			}
		}
		name := c.Name
		if len(slots) > 1 {
			name = fmt.Sprintf("%s/%d", c.Name, i+1)
		}
		w, err := newWorker(workerConfig{
			name: name, discoveryURL: c.DiscoveryURL, integrationsURL: c.IntegrationsURL, token: token, queues: queues,
			allowPrivate: c.AllowPrivate, endpointHosts: c.EndpointHosts, connectors: c.Connectors, grace: c.Grace, metrics: metrics, log: c.Logger,
		})
		if err != nil {
			return err
		}
		g.add(w.Run)
	}
	if c.MetricsListen == "" {
		return g.run(ctx)
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", c.MetricsListen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", c.MetricsListen, err)
	}
	return measured(ctx, &g, ln, metrics, c.Logger)
}

// measured runs workers and serves their metrics for as long as they run.
func measured(ctx context.Context, workers *group, ln net.Listener, metrics *prometheus.Registry, log *slog.Logger) error {
	mux := http.NewServeMux()
	health.Mount(mux, log, metrics)
	// They go on while the workers drain.
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	working, stopWorking := context.WithCancel(ctx)
	defer stopWorking()
	served := make(chan error, 1)
	go func() {
		served <- serveHTTP(serving, ln, mux, nil, log)
		// A worker that cannot be seen is stopped, like a service.
		stopWorking()
	}()
	log.InfoContext(ctx, "serving metrics", slog.String("address", ln.Addr().String()))
	err := workers.run(working)
	stop()
	return errors.Join(err, <-served)
}
