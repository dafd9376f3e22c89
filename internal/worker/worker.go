package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/egress"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/secret"
	"github.com/gatehouse-project/gatehouse/internal/workerapi"
)

// Worker claims and executes runs, one at a time. It does not change after it
// was made.
type Worker struct {
	config   Config
	catalog  *integration.Catalog
	platform *platform
	metrics  *metrics
}

// New makes a worker. The error names each setting that is wrong.
func New(c Config) (*Worker, error) {
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("configure worker: %w", err)
	}
	ids := slices.Sorted(maps.Keys(c.Connectors))
	for _, id := range ids {
		if own := c.Connectors[id].Manifest().IntegrationID; own != id {
			return nil, fmt.Errorf("configure worker: connector %q calls itself %q", id, own)
		}
	}
	catalog, err := integration.NewCatalog(slices.Collect(maps.Values(c.Connectors)))
	if err != nil {
		return nil, fmt.Errorf("configure worker: %w", err)
	}
	metrics, err := newMetrics(c.Metrics)
	if err != nil {
		return nil, fmt.Errorf("configure worker: %w", err)
	}
	return &Worker{
		config: c, catalog: catalog, metrics: metrics,
		platform: &platform{http: c.HTTP, discovery: c.DiscoveryURL, integrations: c.IntegrationsURL, metrics: metrics},
	}, nil
}

// ErrAbandoned says that a connector did not stop within the grace time. Its
// run is left to the lease's end, and the process should exit.
var ErrAbandoned = errors.New("a connector did not stop in time and its run was abandoned")

// Run claims and executes runs until the context ends. It then lets the current
// run finish or hands it back, and returns nil within the grace time, or
// [ErrAbandoned] a second after it.
func (w *Worker) Run(ctx context.Context) error {
	log := w.config.Logger.With(slog.String("worker", w.config.Name))
	log.InfoContext(ctx, "worker started", slog.Any("queues", w.config.Queues))
	defer log.InfoContext(ctx, "worker stopped")
	claims := claims{worker: w, log: log}
	for {
		a, ok := claims.next(ctx)
		if !ok {
			return nil
		}
		if err := w.carry(ctx, log, a); err != nil {
			return err
		}
	}
}

// carry executes a run to its end and, once ctx has ended, to the end of the
// grace time.
func (w *Worker) carry(ctx context.Context, log *slog.Logger, a *workerapi.Assignment) error {
	log = log.With(slog.String("run", a.RunID.String()), slog.Int64("epoch", a.Epoch),
		slog.String("operation", a.OperationType), slog.String("integration", a.IntegrationID))
	hold, letGo := context.WithCancelCause(context.WithoutCancel(ctx))
	defer letGo(nil)
	work, stop := context.WithCancelCause(hold)
	defer stop(nil)

	var hosts []string
	if k, ok := w.config.Connectors[a.IntegrationID]; ok {
		hosts = k.Manifest().Hosts
	}
	transport := egress.NewTransport(w.config.Egress.WithHosts(hosts, w.config.EndpointHosts))
	e := &execution{
		worker: w, log: log, assignment: a, transport: transport, hold: hold, letGo: letGo, work: work, stop: stop,
		call: newRunCall(w.platform, a, secret.FromString(a.Token)),
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer transport.CloseIdleConnections()
		e.execute()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	log.InfoContext(ctx, "worker is draining: the run may finish or is handed back", slog.Duration("grace", w.config.Grace))
	if within(done, w.config.Grace/2) {
		return nil
	}
	stop(errDraining)
	if within(done, w.config.Grace/2) {
		return nil
	}
	letGo(errDraining)
	// Everything but connector code ends at once when its context has ended.
	if within(done, time.Second) {
		return nil
	}
	log.ErrorContext(ctx, "connector did not stop; its run is left to the end of its lease")
	return ErrAbandoned
}

// within reports whether done was closed in time.
func within(done <-chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}
