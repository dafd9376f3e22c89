package app

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/egress"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/seal"
	"github.com/gatehouse-project/gatehouse/internal/secret"
	"github.com/gatehouse-project/gatehouse/internal/webhook"
	"github.com/gatehouse-project/gatehouse/internal/webhookclient"
)

// webhookSecretPurpose is what sealed secrets of webhooks are bound to beside
// their row, and webhookSecretForm the version of their form.
const (
	webhookSecretPurpose = "webhook.secret"
	webhookSecretForm    = "1"
)

// webhookCipher seals secrets of webhooks with package seal.
type webhookCipher struct {
	sealer *seal.Sealer
	opener *seal.Opener
}

var _ webhook.Cipher = (*webhookCipher)(nil)

func newWebhookCipher(k *keys) *webhookCipher {
	return &webhookCipher{sealer: seal.NewSealer(k.current), opener: k.opener}
}

// Seal encrypts one version of an endpoint's secret.
func (c *webhookCipher) Seal(ctx context.Context, scope id.Scope, w id.Webhook, version int64, plaintext secret.Secret) (connection.Sealed, error) {
	plain := plaintext.Reveal()
	defer clear(plain)
	s, err := c.sealer.Seal(ctx, webhookBinding(scope, w, version), webhookSecretForm, plain)
	if err != nil {
		return connection.Sealed{}, explain(err)
	}
	return columns(version, s), nil
}

// Open decrypts what Seal made for the same endpoint.
func (c *webhookCipher) Open(ctx context.Context, scope id.Scope, w id.Webhook, s connection.Sealed) (secret.Secret, error) {
	plain, err := c.opener.Open(ctx, webhookBinding(scope, w, s.Version), record(s))
	if err != nil {
		return secret.Secret{}, explain(err)
	}
	defer clear(plain)
	return secret.FromBytes(plain), nil
}

// webhookBinding has the endpoint where credentials have their connection; the
// purpose keeps the two apart.
func webhookBinding(scope id.Scope, w id.Webhook, version int64) seal.Binding {
	return seal.Binding{
		Purpose: webhookSecretPurpose, Tenant: int64(scope.Tenant), Workspace: int64(scope.Workspace), Connection: int64(w), Version: version,
	}
}

// rewrapWebhooks moves the secrets of webhooks under the current key.
func rewrapWebhooks(ctx context.Context, db *postgres.DB, k *keys, by audit.Actor) (webhook.Rewrapped, error) {
	tenant, err := tenantOf(ctx, db)
	if err != nil {
		return webhook.Rewrapped{}, err
	}
	to := nameOf(k.current)
	r := &webhook.Rewrapper{
		Store: postgres.NewWebhookSecrets(db, tenant, by), Wrapper: to.Wrapper, KeyID: to.ID,
		Rewrap: func(ctx context.Context, ref webhook.SecretRef, sealed connection.Sealed) (connection.Sealed, error) {
			rewrapped, err := k.opener.Rewrap(ctx, webhookBinding(ref.Scope, ref.Webhook, ref.Version), record(sealed), k.current)
			if err != nil {
				return connection.Sealed{}, explain(err)
			}
			return columns(sealed.Version, rewrapped), nil
		},
	}
	return r.Run(ctx)
}

// webhooks is what manages endpoints and what delivers to them.
type webhooks struct {
	service   *webhook.Service
	deliverer *webhook.Deliverer
}

// newWebhooks makes both on a pool.
func newWebhooks(db *postgres.DB, tenant id.Tenant, k *keys, policy egress.Policy, metrics prometheus.Registerer, log *slog.Logger) (webhooks, error) {
	attempts := prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "gatehouse", Subsystem: "webhooks", Name: "attempts_total",
		Help: "Attempts to deliver an event to an endpoint, by how they ended: succeeded, failed, or ours for one that Gatehouse could not sign.",
	}, []string{"result"})
	if err := metrics.Register(attempts); err != nil {
		return webhooks{}, fmt.Errorf("register metrics of webhooks: %w", err)
	}
	store, cipher := postgres.NewWebhooks(db, tenant), newWebhookCipher(k)
	return webhooks{
		service: &webhook.Service{Store: store, Cipher: cipher, Rules: webhook.Rules{AllowPrivate: policy.AllowPrivate, Reachable: policy.CheckHost}},
		deliverer: &webhook.Deliverer{
			Store: store, Cipher: cipher, Sender: webhookclient.New(egress.NewTransport(policy)), Log: log,
			Observe: func(result string) { attempts.WithLabelValues(result).Inc() },
		},
	}, nil
}
