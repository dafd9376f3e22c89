package app

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/keyring"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/seal"
	"github.com/gatehouse-project/gatehouse/internal/secret"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// rotating is a connector whose provider replaces a secret at each use.
type rotating struct{ connector.Connector }

// Manifest describes the connector.
func (rotating) Manifest() connector.Manifest {
	return connector.Manifest{
		IntegrationID: "rotating", ConnectorID: "rotating", Name: "Rotating", Version: "1", ContractVersion: connector.ContractVersion, ConfigurationVersion: "1",
		Configuration: json.RawMessage(`{"type":"object","additionalProperties":false,"properties":{
			"region":{"type":"string"},"client_secret":{"type":"string","writeOnly":true},"refresh_token":{"type":"string","writeOnly":true}}}`),
		Scope: json.RawMessage(`{"type":"object"}`), Renewal: &connector.Renewal{Field: "refresh_token"},
	}
}

// authority is a provider of tokens that are good for one use. Those before the newest
// can be used again as long as nobody has used a newer one, as in a grace window; once
// it is over only the newest can.
type authority struct {
	issued int
	// used counts how often each token was exchanged.
	used map[string]int
	// good are the tokens that can be exchanged.
	good []string
}

func (a *authority) issue() string {
	a.issued++
	token := fmt.Sprintf("refresh-token-%d", a.issued)
	a.good = append(a.good, token)
	return token
}

// signIn is a person's: what was issued before is no good any more.
func (a *authority) signIn() string {
	a.good = nil
	return a.issue()
}

func (a *authority) exchange(token string) (string, error) {
	a.used[token]++
	at := slices.Index(a.good, token)
	if at < 0 {
		return "", &connector.Error{Category: connector.CredentialExpired, Message: "invalid_grant"}
	}
	a.good = a.good[at:]
	return a.issue(), nil
}

// endGrace leaves the newest token alone.
func (a *authority) endGrace() { a.good = a.good[len(a.good)-1:] }

// rotation is a database with one workspace, and the service that renews.
type rotation struct {
	super    *pgxpool.Pool
	store    *postgres.Connections
	service  *connection.Service
	renewals connection.Renewals
	caller   workspace.Caller
}

func newRotation(t *testing.T) *rotation {
	t.Helper()
	d := databases.New(t)
	scope, _, err := workspace.Bootstrap(t.Context(), postgres.NewWorkspaces(integrationsDB(t, d.URL("svc_workspace"))), 1, "Contoso", "first")
	require.NoError(t, err)
	db := integrationsDB(t, d.URL("svc_integration"))
	catalog, err := integration.NewCatalog([]connector.Connector{rotating{}})
	require.NoError(t, err)
	require.NoError(t, postgres.NewIntegrations(db).SyncCatalog(t.Context(), catalog))
	key, err := seal.CreateLocal(t.TempDir() + "/master.key")
	require.NoError(t, err)
	err = postgres.NewKeyring(db).Register(t.Context(), nameOf(key), key.CheckValue(), func([]keyring.Registered) error { return nil }, testEvent(audit.EncryptionKeyRegistered))
	require.NoError(t, err)
	opener, err := seal.NewOpener(key)
	require.NoError(t, err)
	store := postgres.NewConnections(db)
	vault := connection.Vault{Cipher: &cipher{sealer: seal.NewSealer(key), opener: opener}, Catalog: catalog}
	return &rotation{
		super: d.SuperuserPool(), store: store,
		service:  &connection.Service{Store: store, Catalog: catalog, Vault: vault},
		renewals: connection.Renewals{Vault: vault, Store: store},
		caller:   workspace.Caller{Scope: scope, Role: workspace.Admin},
	}
}

// connect makes a connection with a token.
func (r *rotation) connect(ctx context.Context, t require.TestingT, token string) connection.Connection {
	var name [8]byte
	rand.Read(name[:])
	made, _, err := r.service.Create(ctx, r.caller, connection.Draft{
		Integration: "rotating", Name: fmt.Sprintf("%x", name),
		Configuration: json.RawMessage(`{"region":"a","client_secret":"never-changes","refresh_token":"` + token + `"}`),
	})
	require.NoError(t, err)
	return made
}

// hold makes a run that somebody holds who was given the configuration.
func (r *rotation) hold(ctx context.Context, t require.TestingT, c id.Connection, operationType string) connection.Claim {
	claim := connection.Claim{Scope: r.caller.Scope, Epoch: 1}
	var token [16]byte
	rand.Read(token[:])
	claim.TokenHash = sha256.Sum256(token[:])
	require.NoError(t, r.super.QueryRow(ctx, `
		insert into runs (workspace_id, operation_type, integration_id, connection_id, queue, status, initiator, epoch, lease_id, lease_until, token_hash)
		values ($1, $2, 'rotating', $3, 'discovery', 'running', 'user', 1, gen_random_uuid(), now() + interval '1 hour', $4)
		returning run_id`, r.caller.Scope.Workspace, operationType, c, claim.TokenHash[:]).Scan(&claim.Run))
	disclosed, err := r.renewals.Vault.Disclose(ctx, r.store, claim)
	require.NoError(t, err)
	require.NotContains(t, disclosed.Configuration.RevealString(), "refresh")
	return claim
}

// expire lets the lease of a connection's renewal end.
func (r *rotation) expire(ctx context.Context, t require.TestingT, c id.Connection) {
	_, err := r.super.Exec(ctx, "update credential_renewals set lease_until = now() - interval '1 second' where connection_id = $1 and outcome is null", c)
	require.NoError(t, err)
}

// stored is the token that is sealed now.
func (r *rotation) stored(ctx context.Context, t require.TestingT, c id.Connection) string {
	conn, err := r.store.Get(ctx, r.caller.Scope, c)
	require.NoError(t, err)
	sealed, ok, err := r.store.Credential(ctx, r.caller.Scope, c)
	require.NoError(t, err)
	require.True(t, ok)
	plain, err := r.renewals.Vault.Cipher.Open(ctx, conn.Scope, c, sealed)
	require.NoError(t, err)
	var fields struct {
		ClientSecret string `json:"client_secret"`
		RefreshToken string `json:"refresh_token"`
	}
	require.NoError(t, json.Unmarshal(plain.Reveal(), &fields))
	require.Equal(t, "never-changes", fields.ClientSecret)
	return fields.RefreshToken
}

func renewalID() (n connection.RenewalID) {
	rand.Read(n[:])
	return n
}

// renew exchanges once, as a worker does whom nothing happens to.
func (r *rotation) renew(ctx context.Context, claim connection.Claim, at *authority) error {
	renewal := connection.Renewal{Claim: claim, ID: renewalID()}
	turn, err := r.renewals.Begin(ctx, renewal)
	if err != nil {
		return err
	}
	if turn.Wait > 0 {
		return fault.New(fault.Conflict, "busy")
	}
	next, err := at.exchange(turn.Secret.RevealString())
	if connector.RefusedForGood(err) {
		if err := r.renewals.End(ctx, renewal, connection.SecretRefused, secret.Secret{}); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	return r.renewals.End(ctx, renewal, connection.SecretRenewed, secret.FromString(next))
}
