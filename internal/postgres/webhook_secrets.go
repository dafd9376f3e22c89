package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/keyring"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
	"github.com/gatehouse-project/gatehouse/internal/webhook"
)

// WebhookSecrets moves secrets of webhooks from one key-encryption key to another.
type WebhookSecrets struct {
	db     *DB
	tenant id.Tenant
	by     audit.Actor
}

var _ webhook.SecretStore = (*WebhookSecrets)(nil)

// NewWebhookSecrets returns the store on a pool. by is who moves them.
func NewWebhookSecrets(db *DB, tenant id.Tenant, by audit.Actor) *WebhookSecrets {
	return &WebhookSecrets{db: db, tenant: tenant, by: by}
}

// NotUnder finds secrets that are not under a key.
func (s *WebhookSecrets) NotUnder(ctx context.Context, wrapper, keyID string, after webhook.SecretRef, most int) ([]webhook.SecretRef, error) {
	rows, err := dbsqlc.New(s.db.pool).FindWebhookSecretsToRewrap(ctx, dbsqlc.FindWebhookSecretsToRewrapParams{
		Wrapper: wrapper, KeyID: keyID, AfterWorkspace: int64(after.Scope.Workspace), AfterEndpoint: int64(after.Webhook), AfterVersion: after.Version,
		Most: int32(most),
	})
	if err != nil {
		return nil, translate(fmt.Errorf("find secrets of webhooks: %w", err))
	}
	refs := make([]webhook.SecretRef, len(rows))
	for i, r := range rows {
		refs[i] = webhook.SecretRef{
			Scope: id.Scope{Tenant: s.tenant, Workspace: id.Workspace(r.WorkspaceID)}, Webhook: id.Webhook(r.EndpointID), Version: r.Version,
		}
	}
	return refs, nil
}

// Read returns a secret as it is sealed.
func (s *WebhookSecrets) Read(ctx context.Context, r webhook.SecretRef) (sealed connection.Sealed, ok bool, err error) {
	row, err := s.db.read(r.Scope.Workspace).GetWebhookSecret(ctx, dbsqlc.GetWebhookSecretParams{
		WorkspaceID: int64(r.Scope.Workspace), EndpointID: int64(r.Webhook), Version: r.Version,
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return sealed, false, nil
	}
	if err != nil {
		return sealed, false, fmt.Errorf("read the secret of %s: %w", r.Webhook, err)
	}
	return sealedWebhookSecret(row), true, nil
}

func sealedWebhookSecret(r dbsqlc.WebhookSecret) connection.Sealed {
	return connection.Sealed{
		Version: r.Version, Algorithm: r.Algorithm, Wrapper: r.Wrapper, KMSKeyID: r.KmsKeyID, WrappedKey: r.WrappedKey,
		Nonce: r.Nonce, Ciphertext: r.Ciphertext, SchemaVersion: r.SchemaVersion,
	}
}

// Move stores a wrapped key where the record is still what was read.
func (s *WebhookSecrets) Move(ctx context.Context, r webhook.SecretRef, was []byte, now connection.Sealed) (moved bool, err error) {
	err = s.db.InWorkspace(ctx, r.Scope.Workspace, func(tx pgx.Tx) error {
		n, err := dbsqlc.New(tx).RewrapWebhookSecret(ctx, dbsqlc.RewrapWebhookSecretParams{
			WorkspaceID: int64(r.Scope.Workspace), EndpointID: int64(r.Webhook), Version: r.Version,
			Wrapper: now.Wrapper, KeyID: now.KMSKeyID, Wrapped: now.WrappedKey, Was: was,
		})
		if violatesKeyReference(err) {
			return keyNotRegistered(err, keyring.Key{Wrapper: now.Wrapper, ID: now.KMSKeyID})
		}
		if moved = n > 0; err != nil || !moved {
			return err
		}
		return record(ctx, tx, r.Scope, audit.Event{
			Actor: s.by, Action: audit.CredentialsRewrapped, Outcome: audit.Succeeded, TargetType: "encryption_key", TargetID: now.KMSKeyID,
			Payload: map[string]any{"wrapper": now.Wrapper, "webhook_id": r.Webhook.String()},
		})
	})
	return moved && err == nil, err
}
