package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// ServeConfig says how to run one service by itself.
type ServeConfig struct {
	// Service is integrations, discovery or workspaces.
	Service string
	Listen  string
	// DatabaseURL connects as the service's own role.
	DatabaseURL string
	// TLSCert and TLSKey are PEM files; both or neither.
	TLSCert, TLSKey string
	// Limits bound how often requests may come.
	Limits Limits
	// Keys name the keys that wrap data keys; for integrations.
	Keys KeySettings
	// AllowRefs is what connections may refer to outside of Gatehouse; for
	// integrations.
	AllowRefs []string
	// Connectors are those beside the built-in ones; for integrations and discovery,
	// which never run one.
	Connectors ConnectorSettings
	// DiscoveryURL is where tests are started; for integrations.
	DiscoveryURL string
	// TokenFile holds what workers claim with; for discovery.
	TokenFile string
	// KeepRuns is how long runs are kept once they have ended, zero for ever; for
	// discovery.
	KeepRuns time.Duration
	// KeepHistory is how far back questions can go, zero for ever; for discovery.
	KeepHistory time.Duration
	// Exports bounds exports; for discovery alone.
	Exports ExportLimits
	// AdminKeyFile is where the first admin key of an empty data plane is
	// written, and beside it a tenant administrator's; for workspaces.
	AdminKeyFile string
	// AuditKeyFile holds the key that signs the audit log; for workspaces.
	AuditKeyFile string
	// AuditSinks says where the audit log is sent on to; of workspaces.
	AuditSinks AuditSinks
	// SignIn lets people sign in; for workspaces.
	SignIn SignInConfig
	// AllowPrivate lets webhooks be at private and loopback addresses; for
	// integrations. Those of the audit log have a setting of their own.
	AllowPrivate bool
	Version      string
	Logger       *slog.Logger
}

// Serve runs one service until ctx ends.
func Serve(ctx context.Context, c ServeConfig) error {
	TuneMemory()
	limits, err := c.Limits.parse()
	if err != nil {
		return err
	}
	secure, err := openCertificate(c.TLSCert, c.TLSKey, c.Logger)
	if err != nil {
		return err
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", c.Listen, err)
	}
	metrics := newMetrics()
	s, err := newService(ctx, c, metrics)
	if err != nil {
		return errors.Join(postgres.ExplainConnect(err), ln.Close())
	}
	h := &host{
		version: c.Version, callers: s.callers, denials: s.denials, log: c.Logger, services: []*service{s}, metrics: metrics,
		limits: limits, tls: secure.config(),
	}
	defer secure.reloadOnHangup(ctx)()
	return h.serve(ctx, ln, func() { c.Logger.InfoContext(ctx, "serving", "service", c.Service, "address", ln.Addr().String()) })
}

func newService(ctx context.Context, c ServeConfig, metrics prometheus.Registerer) (*service, error) {
	catalog, err := newCatalog(c.Connectors)
	if err != nil {
		return nil, err
	}
	switch c.Service {
	case "integrations":
		return newIntegrations(ctx, integrationsConfig{
			databaseURL: c.DatabaseURL, keys: c.Keys, allowRefs: c.AllowRefs, discoveryURL: c.DiscoveryURL,
			allowPrivate: c.AllowPrivate, metrics: metrics, catalog: catalog, log: c.Logger,
		})
	case "discovery":
		token, err := readToken(c.TokenFile)
		if err != nil {
			return nil, err
		}
		return newDiscovery(ctx, discoveryConfig{
			databaseURL: c.DatabaseURL, workerToken: token, catalog: catalog, keepRuns: c.KeepRuns, keepHistory: c.KeepHistory, exports: c.Exports, metrics: metrics, log: c.Logger,
		})
	case "workspaces":
		admin, tenant, err := firstKeys(ctx, c.DatabaseURL, c.AdminKeyFile)
		if err != nil {
			return nil, err
		}
		for _, key := range []KeptKey{admin, tenant} {
			if key.Made {
				c.Logger.InfoContext(ctx, "wrote an admin key", "file", key.File)
			}
		}
		return newWorkspaces(ctx, workspacesConfig{
			databaseURL: c.DatabaseURL, auditKeyFile: c.AuditKeyFile, auditSinks: c.AuditSinks, signIn: c.SignIn, metrics: metrics, log: c.Logger,
		})
	}
	return nil, fmt.Errorf("there is no service %q; services are integrations, discovery and workspaces", c.Service)
}

// minTokenBytes is the least a worker token may have; it is not to be guessed.
const minTokenBytes = 32

func readToken(path string) (secret.Secret, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return secret.Secret{}, fmt.Errorf("read the worker token: %w", err)
	}
	token := strings.TrimSpace(string(text))
	if len(token) < minTokenBytes {
		return secret.Secret{}, fmt.Errorf("the worker token in %s is shorter than %d bytes; make one with: openssl rand -hex 32", path, minTokenBytes)
	}
	return secret.FromString(token), nil
}
