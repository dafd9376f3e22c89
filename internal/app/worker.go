package app

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connectors/builtin"
	"github.com/gatehouse-project/gatehouse/internal/egress"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/secret"
	"github.com/gatehouse-project/gatehouse/internal/worker"
)

// workerConfig is what a worker needs: no database, no credentials.
type workerConfig struct {
	name            string
	discoveryURL    string
	integrationsURL string
	token           secret.Secret
	queues          []string
	allowPrivate    bool
	endpointHosts   []string
	connectors      ConnectorSettings
	// grace is how long a run may go on when the worker is told to stop; zero for
	// the worker's default.
	grace   time.Duration
	metrics prometheus.Registerer
	log     *slog.Logger
}

func newWorker(c workerConfig) (*worker.Worker, error) {
	connectors := map[string]connector.Connector{}
	registered, err := c.connectors.registered()
	if err != nil {
		return nil, err
	}
	for _, k := range append(builtin.Connectors(), registered...) {
		if _, taken := connectors[k.Manifest().IntegrationID]; taken {
			return nil, fmt.Errorf("two connectors call themselves %q", k.Manifest().IntegrationID)
		}
		connectors[k.Manifest().IntegrationID] = k
	}
	if len(c.queues) == 0 {
		c.queues = queueNames()
	}
	return worker.New(worker.Config{
		Name: c.name, DiscoveryURL: c.discoveryURL, IntegrationsURL: c.integrationsURL, Token: c.token, Queues: c.queues,
		Connectors: connectors, Egress: egress.Policy{AllowPrivate: c.allowPrivate}, EndpointHosts: c.endpointHosts, Grace: c.grace, Logger: c.log, Metrics: c.metrics,
	})
}

func queueNames() []string {
	var names []string
	for _, q := range operation.Queues() {
		names = append(names, string(q))
	}
	return names
}
