package dataplane

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/gatehouse-project/gatehouse/internal/api"
	apiconnection "github.com/gatehouse-project/gatehouse/internal/api/connection"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/secret"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// ServeConnections serves the API of connections on an address of its own, as the
// integrations service does, and makes a key for it.
func (p *Plane) ServeConnections(ctx context.Context) (url string, key secret.Secret, err error) {
	db, err := p.open(ctx, postgres.RoleIntegrations)
	if err != nil {
		return "", key, err
	}
	key, hash, hint := workspace.NewKey(p.Caller.Scope.Workspace)
	_, err = p.Super.Exec(ctx, `
		with made as (insert into members (workspace_id, kind, name, role) values ($1, 'api_key', 'bench', 'viewer') returning member_id)
		insert into api_keys (workspace_id, member_id, key_hash, hint) select $1, member_id, $2, $3 from made`,
		p.Caller.Scope.Workspace, hash[:], hint)
	if err != nil {
		return "", key, fmt.Errorf("make a key: %w", err)
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	mux := http.NewServeMux()
	a := api.New(mux, api.Config{Version: "bench", Log: log, Callers: postgres.NewWorkspaces(db)})
	apiconnection.Mount(a, p.Connections, nil)
	server := httptest.NewServer(api.Wrap(mux, api.WrapConfig{Log: log}))
	p.stop = append(p.stop, func() error {
		server.Close()
		return nil
	})
	return server.URL, key, nil
}

// FillConnections makes so many connections without credentials.
func (p *Plane) FillConnections(ctx context.Context, integration string, n int) error {
	// They are counted one by one at the end of a transaction, in a row that gets a
	// version for each: many in one would take a time that grows with their square.
	const together = 500
	for first := 1; first <= n; first += together {
		_, err := p.Super.Exec(ctx, `
			insert into connections (tenant_id, workspace_id, integration_id, connector_id, connector_version, name, config, scope, schedule)
			select $1, $2, $3, $3, '1', 'filled ' || n, '{"region": "us-east-1"}', '{}', '{"type": "daily", "hour": 2, "minute": 0}'
			from generate_series($4::int, $5::int) n`, p.Caller.Scope.Tenant, p.Caller.Scope.Workspace, integration, first, min(first+together-1, n))
		if err != nil {
			return fmt.Errorf("fill in connections: %w", err)
		}
	}
	// As the server does by itself within minutes.
	_, err := p.Super.Exec(ctx, "vacuum analyze connections")
	return err
}
