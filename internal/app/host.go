package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/api/health"
	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// service is one target of the binary, ready to be mounted on a listener.
type service struct {
	mount  func(a huma.API)
	checks []health.Check
	// background runs beside the listener until its context ends.
	background []func(ctx context.Context) error
	// close releases what the service holds; it is called once, last.
	close func()
	// callers finds the callers of a listener that serves this service alone, and
	// denials records what they were refused.
	callers workspace.CallerFinder
	denials audit.Recorder
}

// host is a listener and what is mounted on it.
type host struct {
	version  string
	callers  workspace.CallerFinder
	denials  audit.Recorder
	log      *slog.Logger
	services []*service
	// metrics is what /metrics shows; the host adds its own.
	metrics *prometheus.Registry
	// limits bound how often requests may come; the zero value sets none.
	limits api.Limits
	// tls is nil for plain HTTP.
	tls *tls.Config
}

func newMetrics() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// handler mounts the services.
func (h *host) handler() (http.Handler, error) {
	mux := http.NewServeMux()
	denials, err := api.NewDenials(h.denials, h.metrics)
	if err != nil {
		return nil, err
	}
	a := api.New(mux, api.Config{Version: h.version, Callers: h.callers, Denials: denials, Log: h.log})
	var checks []health.Check
	for _, s := range h.services {
		s.mount(a)
		checks = append(checks, s.checks...)
	}
	health.Mount(mux, h.log, h.metrics, checks...)
	measured, err := api.NewMetrics(h.metrics)
	if err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	limiter, err := api.NewLimiter(h.limits)
	if err != nil {
		return nil, err
	}
	return api.Wrap(mux, api.WrapConfig{Log: h.log, Metrics: measured, Limiter: limiter}), nil
}

// serve answers requests and runs what belongs to the services until ctx ends
// or one of them fails, and closes the services.
func (h *host) serve(ctx context.Context, ln net.Listener, ready func()) error {
	defer func() {
		for _, s := range h.services {
			s.close()
		}
	}()
	handler, err := h.handler()
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	var g group
	for _, s := range h.services {
		for _, run := range s.background {
			g.add(run)
		}
	}
	g.add(func(ctx context.Context) error { return serveHTTP(ctx, ln, handler, h.tls, h.log) })
	if ready != nil {
		g.add(func(context.Context) error {
			ready()
			return nil
		})
	}
	return g.run(ctx)
}
