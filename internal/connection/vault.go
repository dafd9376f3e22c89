package connection

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// ErrUnreadable is in the chain of a [Cipher]'s error when this one record does
// not open, and will not when it is tried again: it was damaged, is gone, or its
// key is not among those that the service reads.
var ErrUnreadable = errors.New("credential does not open")

// Cipher seals secrets to one version of one connection.
type Cipher interface {
	// Seal encrypts with a fresh data key. The result's type is left empty.
	Seal(ctx context.Context, scope id.Scope, c id.Connection, version int64, schemaVersion string, plaintext secret.Secret) (Sealed, error)
	// Open decrypts what Seal made for the same connection and version, and
	// fails for anything else.
	Open(ctx context.Context, scope id.Scope, c id.Connection, s Sealed) (secret.Secret, error)
}

// Vault is the only place where stored configurations become readable again.
type Vault struct {
	Cipher Cipher
	// References finds secrets that are kept elsewhere; nil where the operator
	// allows none.
	References Resolver
	// Catalog tells which secrets providers replace; nil where none does.
	Catalog *integration.Catalog
}

// Disclosure is a configuration on its way to the worker that runs it.
type Disclosure struct {
	Connection    id.Connection
	Integration   integration.ID
	Configuration secret.Secret
	Scope         json.RawMessage
}

// Disclose hands the whole configuration to the worker that holds a run. The
// audit event is committed before the secret is opened.
func (v Vault) Disclose(ctx context.Context, store Store, claim Claim) (Disclosure, error) {
	conn, sealed, err := store.Disclose(ctx, claim, audit.Event{
		Actor: audit.Worker("run/" + claim.Run.String()), Action: audit.ConfigurationDisclosed, Outcome: audit.Succeeded,
		TargetType: "connection", Payload: map[string]any{"run_id": claim.Run.String(), "epoch": claim.Epoch},
	})
	if err != nil {
		return Disclosure{}, err
	}
	whole, err := v.join(ctx, conn, sealed)
	if err != nil {
		return Disclosure{}, err
	}
	if whole, err = v.resolve(ctx, conn, whole); err != nil {
		return Disclosure{}, err
	}
	if whole, err = v.withhold(conn.Integration, whole); err != nil {
		return Disclosure{}, err
	}
	return Disclosure{Connection: conn.ID, Integration: conn.Integration, Configuration: secret.FromString(string(whole)), Scope: conn.ReadScope}, nil
}

// open returns a connection's whole configuration.
func (v Vault) open(ctx context.Context, store Store, conn Connection) (json.RawMessage, error) {
	sealed, ok, err := store.Credential(ctx, conn.Scope, conn.ID)
	if err != nil {
		return nil, err
	}
	if !ok {
		return v.join(ctx, conn, nil)
	}
	return v.join(ctx, conn, &sealed)
}

func (v Vault) join(ctx context.Context, conn Connection, sealed *Sealed) (json.RawMessage, error) {
	if sealed == nil && len(conn.SecretFields) > 0 {
		return nil, fmt.Errorf("open credential of %s: %w: it is gone", conn.ID, ErrUnreadable)
	}
	if sealed == nil {
		return conn.Config, nil
	}
	plain, err := v.Cipher.Open(ctx, conn.Scope, conn.ID, *sealed)
	if err != nil {
		return nil, fmt.Errorf("open credential of %s: %w", conn.ID, err)
	}
	return integration.Join(conn.Config, plain.Reveal())
}

// seal encrypts the secret half; the result is nil when there is none.
func (v Vault) seal(ctx context.Context, conn Connection, entry *integration.Integration, c integration.Configuration) (*Sealed, error) {
	if err := v.allowed(conn.Scope, c); err != nil {
		return nil, err
	}
	if c.Secrets.IsZero() {
		return nil, nil
	}
	sealed, err := v.Cipher.Seal(ctx, conn.Scope, conn.ID, max(conn.Version, conn.CredentialVersion+1), entry.ConfigurationVersion, c.Secrets)
	if err != nil {
		return nil, fmt.Errorf("seal credential of %s: %w", conn.ID, err)
	}
	sealed.Type = credentialType(entry, c)
	return &sealed, nil
}

// credentialType names the stored credential after the authentication it is for.
func credentialType(entry *integration.Integration, c integration.Configuration) string {
	var readable struct {
		AuthMode string `json:"auth_mode"`
	}
	if json.Unmarshal(c.Config, &readable) == nil && readable.AuthMode != "" {
		return readable.AuthMode
	}
	if len(entry.AuthTypes) > 0 {
		return entry.AuthTypes[0].ID
	}
	return "secret"
}
