package app

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"

	apiaudit "github.com/gatehouse-project/gatehouse/internal/api/audit"
	"github.com/gatehouse-project/gatehouse/internal/api/health"
	apilicence "github.com/gatehouse-project/gatehouse/internal/api/licence"
	apiworkspace "github.com/gatehouse-project/gatehouse/internal/api/workspace"
	"github.com/gatehouse-project/gatehouse/internal/auditlog"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/licence"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// workspacesConfig is what the workspaces service needs.
type workspacesConfig struct {
	databaseURL string
	signIn      SignInConfig
	// auditKeyFile holds the key that signs the audit log's checkpoints.
	auditKeyFile string
	auditSinks   AuditSinks
	metrics      prometheus.Registerer
	log          *slog.Logger
}

// What an empty data plane is set up with.
const (
	firstTenant        id.Tenant = 1
	firstTenantName              = "Gatehouse"
	firstWorkspaceName           = "Default"
)

// workspacesConns bounds the pool: requests and the sealer. Each audit sink holds
// one more.
const workspacesConns = 10

// newWorkspaces makes the workspaces service: people, members, API keys, audit.
func newWorkspaces(ctx context.Context, c workspacesConfig) (*service, error) {
	db, err := postgres.Open(ctx, postgres.Config{URL: c.databaseURL, Service: "workspaces", MaxConns: workspacesConns + len(c.auditSinks.Targets)})
	if err != nil {
		return nil, err
	}
	s, err := workspacesOn(ctx, db, c)
	if err != nil {
		db.Close()
		return nil, err
	}
	return s, nil
}

func workspacesOn(ctx context.Context, db *postgres.DB, c workspacesConfig) (*service, error) {
	store := postgres.NewWorkspaces(db)
	workspaces := &workspace.Service{Store: store}
	if err := c.signIn.apply(workspaces, c.log); err != nil {
		return nil, err
	}
	tenant, err := tenantOf(ctx, db)
	if err != nil {
		return nil, err
	}
	logs := postgres.NewAuditLogs(db)
	signer, err := openAuditSigner(ctx, logs, tenant, c.auditKeyFile)
	if err != nil {
		return nil, err
	}
	observe, err := observeSealing(c.metrics)
	if err != nil {
		return nil, err
	}
	sealer := &auditlog.Sealer{Store: logs, Tenant: tenant, Signer: signer, Log: c.log, Observe: observe}
	events := &auditlog.Service{Events: db, Log: logs, Recorder: db, PublicKey: signer.PublicKey()}
	forwarders, err := newForwarders(c.auditSinks, logs, tenant, c.metrics, c.log)
	if err != nil {
		return nil, err
	}
	return &service{
		mount: func(a huma.API) {
			apiworkspace.Mount(a, workspaces)
			apiaudit.Mount(a, events)
			apiaudit.MountTenant(a, events, workspaces)
			apilicence.Mount(a, &licence.Service{Store: postgres.NewLicences(db)})
		},
		checks:     []health.Check{{Name: "workspaces database", Run: db.Ping}},
		background: append(forwarders, sealer.Run),
		close:      db.Close,
		callers:    store, denials: store,
	}, nil
}

// tenantOf returns the tenant this data plane belongs to. Before the data plane
// has been set up the error says how that is done.
func tenantOf(ctx context.Context, db *postgres.DB) (id.Tenant, error) {
	tenant, err := postgres.NewDataPlane(db).Tenant(ctx)
	if err != nil {
		return 0, fmt.Errorf("find the tenant: %w", err)
	}
	return tenant, nil
}
