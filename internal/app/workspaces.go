package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"

	apiaudit "github.com/gatehouse-project/gatehouse/internal/api/audit"
	"github.com/gatehouse-project/gatehouse/internal/api/health"
	apilicence "github.com/gatehouse-project/gatehouse/internal/api/licence"
	apiworkspace "github.com/gatehouse-project/gatehouse/internal/api/workspace"
	"github.com/gatehouse-project/gatehouse/internal/auditlog"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/licence"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/secret"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// workspacesConfig is what the workspaces service needs.
type workspacesConfig struct {
	databaseURL string
	// auditKeyFile holds the key that signs the audit log's checkpoints.
	auditKeyFile string
	metrics      prometheus.Registerer
	log          *slog.Logger
}

// What an empty data plane is set up with.
const (
	firstTenant        id.Tenant = 1
	firstTenantName              = "Gatehouse"
	firstWorkspaceName           = "Default"
)

// newWorkspaces makes the workspaces service: members, API keys, audit.
func newWorkspaces(ctx context.Context, c workspacesConfig) (*service, error) {
	db, err := postgres.Open(ctx, postgres.Config{URL: c.databaseURL, Service: "workspaces"})
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
	keys := postgres.NewWorkspaces(db)
	workspaces := &workspace.Service{Store: keys}
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
	return &service{
		mount: func(a huma.API) {
			apiworkspace.Mount(a, workspaces)
			apiaudit.Mount(a, &auditlog.Service{Events: db, Log: logs, Recorder: db, PublicKey: signer.PublicKey()})
			apilicence.Mount(a, &licence.Service{Store: postgres.NewLicences(db)})
		},
		checks:     []health.Check{{Name: "workspaces database", Run: db.Ping}},
		background: []func(context.Context) error{sealer.Run},
		close:      db.Close,
		keys:       keys, denials: keys,
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

// firstKey sets an empty data plane up and returns its first admin key. The key
// is also written to keyFile, readable by its owner alone; a data plane that was
// set up before gives the key that the file holds, or a new one when it is gone.
// made says that the key has just been made.
func firstKey(ctx context.Context, databaseURL, keyFile string) (key secret.Secret, made bool, err error) {
	db, err := postgres.Open(ctx, postgres.Config{URL: databaseURL, Service: "setup", MaxConns: 2})
	if err != nil {
		return secret.Secret{}, false, err
	}
	defer db.Close()
	store := postgres.NewWorkspaces(db)
	scope, key, err := workspace.Bootstrap(ctx, store, firstTenant, firstTenantName, firstWorkspaceName)
	if err != nil {
		return secret.Secret{}, false, fmt.Errorf("set up the data plane: %w", err)
	}
	if key.IsZero() {
		key, err = readKey(ctx, store, keyFile)
		if err != nil || !key.IsZero() {
			return key, false, err
		}
		if key, err = workspace.IssueAdminKey(ctx, store, scope, "admin key of this machine"); err != nil {
			return secret.Secret{}, false, fmt.Errorf("make an admin key: %w", err)
		}
	}
	return key, true, writeKey(keyFile, key)
}

// readKey returns the key in the file if it is still good, and else none.
func readKey(ctx context.Context, store workspace.KeyFinder, keyFile string) (secret.Secret, error) {
	text, err := os.ReadFile(keyFile)
	if errors.Is(err, fs.ErrNotExist) {
		return secret.Secret{}, nil
	}
	if err != nil {
		return secret.Secret{}, fmt.Errorf("read the admin key: %w", err)
	}
	key := strings.TrimSpace(string(text))
	_, err = workspace.Authenticate(ctx, store, key)
	if fault.KindOf(err) == fault.Unauthenticated {
		return secret.Secret{}, nil
	}
	if err != nil {
		return secret.Secret{}, fmt.Errorf("try the admin key of %s: %w", keyFile, err)
	}
	return secret.FromString(key), nil
}

// writeKey keeps the key for its owner alone, whatever the file was before.
func writeKey(keyFile string, key secret.Secret) error {
	if err := os.Remove(keyFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("replace the admin key: %w", err)
	}
	if err := os.WriteFile(keyFile, []byte(key.RevealString()+"\n"), 0o600); err != nil {
		return fmt.Errorf("write the admin key: %w", err)
	}
	return nil
}
