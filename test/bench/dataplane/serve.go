package dataplane

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/api"
	apiworker "github.com/gatehouse-project/gatehouse/internal/api/worker"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/job"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/workerapi"
)

// serve answers workers and works on jobs until Close.
func (p *Plane) serve(ctx context.Context, log *slog.Logger, listener *postgres.Listener, engine *job.Engine) error {
	batches, err := workerapi.NewDecoder()
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	a := api.New(mux, api.Config{Version: "bench", Log: log})
	apiworker.MountDiscovery(a, apiworker.Discovery{
		Leases: p.Leases, Ingest: p.Ingest, Budgets: p.Budgets, Batches: batches, Token: p.Token,
	})
	apiworker.MountIntegrations(a, apiworker.Integrations{
		Vault: connection.Vault{}, Store: p.Connections.Store, Tenant: p.Caller.Scope.Tenant,
	})
	var config net.ListenConfig
	ln, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	p.URL = "http://" + ln.Addr().String()
	server := &http.Server{Handler: api.Wrap(mux, api.WrapConfig{Log: log}), ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	p.stop = append(p.stop, func() error {
		stopped := server.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			return errors.Join(stopped, err)
		}
		return stopped
	})

	listening, endListening := context.WithCancel(context.WithoutCancel(ctx))
	listened := make(chan error, 1)
	go func() { listened <- listener.Run(listening) }()
	p.stop = append(p.stop, func() error {
		endListening()
		return <-listened
	})
	if err := engine.Start(ctx); err != nil {
		return err
	}
	p.stop = append(p.stop, func() error {
		stopping, cancel := context.WithTimeout(context.Background(), stopTime)
		defer cancel()
		return engine.Stop(stopping)
	})
	return nil
}
