package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

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
	// keys finds the callers of a listener that serves this service alone, and
	// denials records what they were refused.
	keys    workspace.KeyFinder
	denials audit.Recorder
}

// host is a listener and what is mounted on it.
type host struct {
	version  string
	keys     workspace.KeyFinder
	denials  audit.Recorder
	log      *slog.Logger
	services []*service
	// metrics is what /metrics shows; the host adds its own.
	metrics *prometheus.Registry
	// tls is nil for plain HTTP.
	tls *tls.Config
}

// Limits of every listener.
const (
	headerTimeout = 10 * time.Second
	// bodyTimeout covers a batch on a slow line, and a long poll's answer.
	bodyTimeout  = 2 * time.Minute
	writeTimeout = 3 * time.Minute
	idleTimeout  = 2 * time.Minute
	maxHeader    = 64 << 10
	// drainTime is how long requests may go on when the service stops.
	drainTime = 10 * time.Second
	// pollTime is how long of that long polls may.
	pollTime = 2 * time.Second
)

func newMetrics() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// handler mounts the services.
func (h *host) handler() (http.Handler, error) {
	mux := http.NewServeMux()
	a := api.New(mux, api.Config{Version: h.version, Keys: h.keys, Denials: h.denials, Log: h.log})
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
	return api.Wrap(mux, api.WrapConfig{Log: h.log, Metrics: measured}), nil
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

// serveHTTP answers requests until ctx ends and then lets those under way end;
// long polls are cut short, so that they do not hold up the stop.
func serveHTTP(ctx context.Context, ln net.Listener, handler http.Handler, secure *tls.Config, log *slog.Logger) error {
	base, endPolls := context.WithCancel(context.WithoutCancel(ctx))
	defer endPolls()
	server := &http.Server{
		Handler: handler, TLSConfig: secure, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		ReadHeaderTimeout: headerTimeout, ReadTimeout: bodyTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		BaseContext: func(net.Listener) context.Context { return base },
	}
	ended := make(chan error, 1)
	go func() {
		if secure != nil {
			ended <- server.ServeTLS(ln, "", "")
			return
		}
		ended <- server.Serve(ln)
	}()
	select {
	case err := <-ended:
		return fmt.Errorf("serve %s: %w", ln.Addr(), err)
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	polls := time.AfterFunc(pollTime, endPolls)
	defer polls.Stop()
	err := server.Shutdown(drain)
	if err != nil {
		err = errors.Join(err, server.Close())
	}
	if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
