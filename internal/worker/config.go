package worker

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/egress"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// Config is what a worker needs to know.
type Config struct {
	// Name of the worker, for logs and audit; 1 to 200 bytes.
	Name string
	// DiscoveryURL and IntegrationsURL are where the two services answer, such
	// as "https://discovery.internal:8443". Required.
	DiscoveryURL    string
	IntegrationsURL string
	// Token is the fleet's worker token. It is good for claiming only; each run
	// brings a token of its own.
	Token secret.Secret
	// Queues to take runs from; at least one, at most 16.
	Queues []string
	// Connectors by integration id.
	Connectors map[string]connector.Connector
	// HTTP makes the calls to the platform. Every call has its own time limit,
	// and redirects are not followed. The default is a client of its own.
	HTTP *http.Client
	// Egress says which addresses connectors may reach. The zero value allows
	// public addresses only.
	Egress egress.Policy
	// EndpointHosts are hosts that connectors may call beside their provider's,
	// for custom endpoints: names, addresses, "*." and a domain, or "*" for any.
	EndpointHosts []string
	// Logger gets no secrets. The default discards.
	Logger *slog.Logger
	// Metrics is where the worker's metrics are registered; several workers of
	// one process may share it. The default registers them nowhere.
	Metrics prometheus.Registerer
	// Grace is how long a run may go on once Run's context has ended: half of
	// it to finish, the rest to stop and be handed back. The default is 20 s.
	Grace time.Duration
}

const defaultGrace = 20 * time.Second

const (
	maxNameBytes = 200
	maxQueues    = 16
)

// withDefaults returns the configuration with what was left open filled in.
func (c Config) withDefaults() Config {
	if c.HTTP == nil {
		c.HTTP = &http.Client{}
	}
	// A redirect could carry a token, and with it a run, somewhere else.
	platform := *c.HTTP
	platform.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.HTTP = &platform
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Metrics == nil {
		c.Metrics = prometheus.NewRegistry()
	}
	if c.Grace == 0 {
		c.Grace = defaultGrace
	}
	c.DiscoveryURL = strings.TrimSuffix(c.DiscoveryURL, "/")
	c.IntegrationsURL = strings.TrimSuffix(c.IntegrationsURL, "/")
	return c
}

// validate reports everything that is wrong at once.
func (c Config) validate() error {
	var wrong []error
	if c.Name == "" || len(c.Name) > maxNameBytes {
		wrong = append(wrong, fmt.Errorf("name: want 1 to %d bytes", maxNameBytes))
	}
	wrong = append(wrong, validateURL("discovery URL", c.DiscoveryURL), validateURL("integrations URL", c.IntegrationsURL))
	if c.Token.IsZero() {
		wrong = append(wrong, errors.New("token: the fleet's worker token is missing"))
	}
	if len(c.Queues) == 0 || len(c.Queues) > maxQueues {
		wrong = append(wrong, fmt.Errorf("queues: want 1 to %d", maxQueues))
	}
	if len(c.Connectors) == 0 {
		wrong = append(wrong, errors.New("connectors: want at least one"))
	}
	if err := c.Egress.Validate(); err != nil {
		wrong = append(wrong, fmt.Errorf("egress: %w", err))
	}
	for _, k := range c.Connectors {
		if err := c.Egress.WithHosts(k.Manifest().Hosts, c.EndpointHosts).Validate(); err != nil {
			wrong = append(wrong, fmt.Errorf("hosts of %s: %w", k.Manifest().ConnectorID, err))
		}
	}
	if c.Grace < 0 {
		wrong = append(wrong, errors.New("grace: want no negative duration"))
	}
	return errors.Join(wrong...)
}

func validateURL(field, raw string) error {
	u, err := url.Parse(raw)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("%s: want http or https, a host, and no credentials", field)
	}
	return nil
}
