package app

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"

	apiconnection "github.com/gatehouse-project/gatehouse/internal/api/connection"
	"github.com/gatehouse-project/gatehouse/internal/api/health"
	apiintegration "github.com/gatehouse-project/gatehouse/internal/api/integration"
	apiwebhook "github.com/gatehouse-project/gatehouse/internal/api/webhook"
	apiworker "github.com/gatehouse-project/gatehouse/internal/api/worker"
	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/egress"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/reference"
)

// integrationsConfig is what the integrations service needs.
type integrationsConfig struct {
	databaseURL string
	// keys name the keys that wrap data keys.
	keys KeySettings
	// allowRefs is what connections may refer to outside of Gatehouse.
	allowRefs []string
	// discoveryURL is where tests are started.
	discoveryURL string
	// allowPrivate lets webhooks be at private and loopback addresses.
	allowPrivate bool
	metrics      prometheus.Registerer
	catalog      *integration.Catalog
	log          *slog.Logger
}

// newIntegrations makes the integrations service: catalog, connections, and the
// disclosure of configurations to workers.
func newIntegrations(ctx context.Context, c integrationsConfig) (*service, error) {
	db, err := postgres.Open(ctx, postgres.Config{URL: c.databaseURL, Service: "integrations"})
	if err != nil {
		return nil, err
	}
	s, err := integrationsOn(ctx, db, c)
	if err != nil {
		db.Close()
		return nil, err
	}
	return s, nil
}

func integrationsOn(ctx context.Context, db *postgres.DB, c integrationsConfig) (*service, error) {
	callers := postgres.NewWorkspaces(db)
	tenant, err := tenantOf(ctx, db)
	if err != nil {
		return nil, err
	}
	sealing, err := openKeys(ctx, db, c.keys)
	if err != nil {
		return nil, err
	}
	if err := sealing.use(ctx, db, audit.System("integrations")); err != nil {
		return nil, err
	}
	references, err := reference.New(c.allowRefs)
	if err != nil {
		return nil, fmt.Errorf("--allow-ref: %w", err)
	}
	if err := postgres.NewIntegrations(db).SyncCatalog(ctx, c.catalog); err != nil {
		return nil, fmt.Errorf("store the catalog: %w", err)
	}
	store := postgres.NewConnections(db)
	connections := &connection.Service{
		Store: store, Catalog: c.catalog, Vault: connection.Vault{Cipher: newCipher(sealing), References: references, Catalog: c.catalog},
	}
	hooks, err := newWebhooks(db, tenant, sealing, egress.Policy{AllowPrivate: c.allowPrivate}, c.metrics, c.log)
	if err != nil {
		return nil, err
	}
	tests := newTester(c.discoveryURL, connections.Store)
	return &service{
		mount: func(a huma.API) {
			apiintegration.Mount(a, c.catalog, postgres.NewLicences(db))
			apiconnection.Mount(a, connections, tests)
			apiwebhook.Mount(a, hooks.service)
			apiworker.MountIntegrations(a, apiworker.Integrations{Vault: connections.Vault, Store: store, Renewals: store, Tenant: tenant})
		},
		checks:     []health.Check{{Name: "integrations database", Run: db.Ping}},
		background: []func(context.Context) error{hooks.deliverer.Run},
		close:      db.Close,
		callers:    callers, denials: callers,
	}, nil
}
