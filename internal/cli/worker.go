package cli

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"
)

// WorkerCmd is `gatehouse worker`.
type WorkerCmd struct {
	logging
	programs
	DiscoveryURL         string        `required:"" name:"discovery-url" env:"GATEHOUSE_DISCOVERY_URL" placeholder:"URL" help:"Address of the discovery service."`
	IntegrationsURL      string        `required:"" name:"integrations-url" env:"GATEHOUSE_INTEGRATIONS_URL" placeholder:"URL" help:"Address of the integrations service."`
	TokenFile            string        `required:"" env:"GATEHOUSE_WORKER_TOKEN_FILE" type:"path" complete:"files" placeholder:"PATH" help:"File with the token that workers of this deployment share."`
	Queues               []string      `sep:";" default:"tests;discovery,sync,restore" env:"GATEHOUSE_QUEUES" placeholder:"QUEUES" help:"Queues to take runs from, one run at a time. What a semicolon divides are slots, which work side by side (${default})."`
	Grace                time.Duration `default:"20s" env:"GATEHOUSE_WORKER_GRACE" placeholder:"DURATION" help:"How long runs may go on at SIGTERM: half of it to finish, the rest to be handed back (${default})."`
	MetricsListen        string        `env:"GATEHOUSE_METRICS_LISTEN" placeholder:"HOST:PORT" help:"Where to serve /metrics and /healthz, such as 127.0.0.1:9090; nowhere without it."`
	Name                 string        `env:"GATEHOUSE_WORKER_NAME" placeholder:"NAME" help:"Name in runs and logs; the host's name without it."`
	AllowPrivateNetworks bool          `negatable:"" env:"GATEHOUSE_ALLOW_PRIVATE_NETWORKS" help:"Let connections reach loopback and private addresses."`
	ConnectorIsolation   string        `enum:"required,preferred" default:"required" env:"GATEHOUSE_CONNECTOR_ISOLATION" placeholder:"WHEN" help:"Run connectors of your own only where the system keeps them from the network and other processes (required), or all the same (preferred)."`
	EndpointHosts        []string      `env:"GATEHOUSE_ENDPOINT_HOSTS" placeholder:"HOST" help:"Hosts that connections may name as custom endpoints, beside the provider's own; * for any, none without it."`
}

// Help returns examples.
func (WorkerCmd) Help() string {
	return `A worker has no access to the database: it takes runs from the discovery service, fetches each run's configuration once, and sends what it read in batches. Run as many as needed, near the provider if need be.

Each slot has one run at a time. By default there are two, so that a test of a connection does not wait behind a discovery; a slot that is named twice is there twice.

    gatehouse worker --discovery-url https://discovery:8443 --integrations-url https://integrations:8443 --token-file worker.token
    gatehouse worker --queues "tests;discovery;discovery" --metrics-listen 127.0.0.1:9090 \
      --discovery-url https://discovery:8443 --integrations-url https://integrations:8443 --token-file worker.token`
}

// Run runs a worker.
func (cmd *WorkerCmd) Run(ctx context.Context, e *environment) error {
	if e.services.Worker == nil {
		return errNotBuilt
	}
	var slots [][]string
	for _, queues := range cmd.Queues {
		slots = append(slots, strings.Split(queues, ","))
	}
	if cmd.Grace <= 0 {
		return usagef("--grace: must be longer than 0")
	}
	name := cmd.Name
	if name == "" {
		host, err := os.Hostname()
		if err != nil {
			return fmt.Errorf("find the host's name (--name gives another): %w", err)
		}
		name = host
	}
	return listening(e.services.Worker(ctx, cmd.process(e), WorkerOptions{
		DiscoveryURL: cmd.DiscoveryURL, IntegrationsURL: cmd.IntegrationsURL, TokenFile: cmd.TokenFile, Slots: slots, Grace: cmd.Grace,
		MetricsListen: cmd.MetricsListen, Name: name, AllowPrivateNetworks: cmd.AllowPrivateNetworks, EndpointHosts: cmd.EndpointHosts,
		Connectors: ConnectorOptions{File: cmd.ConnectorsFile, Isolated: cmd.ConnectorIsolation == isolationRequired},
	}))
}
