package worker

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/api"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/run"
	"github.com/gatehouse-project/gatehouse/internal/workerapi"
)

// Integrations is what the integrations service needs to serve workers.
type Integrations struct {
	Vault connection.Vault
	Store connection.Store
	// Renewals keeps who exchanges a connection's renewable secret.
	Renewals connection.RenewalStore
	Tenant   id.Tenant
}

// MountIntegrations adds the integrations service's side of the protocol.
func MountIntegrations(a huma.API, i Integrations) {
	register(a, http.MethodPost, "disclose-configuration", "/v1/worker/runs/{run_id}/configuration", i.configuration)
	registerRenewals(a, i)
}

type configurationOutput struct{ Body workerapi.Configuration }

// configuration hands a run's configuration to whoever holds the run, at
// most once for each epoch. Secrets leave here, and one that is to be exchanged by
// beginRenewal.
func (i Integrations) configuration(ctx context.Context, in *Held) (*configurationOutput, error) {
	token, err := run.ParseToken(in.Authorization.Reveal())
	if err != nil {
		return nil, err
	}
	if token.Run != in.RunID.ID {
		return nil, fault.New(fault.Stale, "the token is for another run")
	}
	d, err := i.Vault.Disclose(ctx, i.Store, connection.Claim{
		Scope: id.Scope{Tenant: i.Tenant, Workspace: token.Workspace}, Run: token.Run, Epoch: token.Epoch, TokenHash: token.Hash,
	})
	if err != nil {
		return nil, unreadable(err)
	}
	api.Accept(ctx)
	return &configurationOutput{Body: workerapi.Configuration{
		IntegrationID: string(d.Integration), Configuration: d.Configuration.Reveal(), Scope: d.Scope,
	}}, nil
}
