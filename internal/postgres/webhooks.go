package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/keyring"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
	"github.com/gatehouse-project/gatehouse/internal/webhook"
)

// Webhooks keeps endpoints, their secrets and their deliveries. It is the
// integrations service's.
type Webhooks struct {
	db     *DB
	tenant id.Tenant
}

var _ webhook.Store = (*Webhooks)(nil)

// NewWebhooks returns the store on a pool.
func NewWebhooks(db *DB, tenant id.Tenant) *Webhooks { return &Webhooks{db: db, tenant: tenant} }

// noWebhook is the error about an endpoint that the workspace does not have.
func noWebhook(err error, w id.Webhook) error { return notFound(err, "there is no webhook %s", w) }

// List returns endpoints in order of id.
func (s *Webhooks) List(ctx context.Context, scope id.Scope, after id.Webhook, limit int) ([]webhook.Endpoint, error) {
	rows, err := s.db.read(scope.Workspace).ListWebhooks(ctx, dbsqlc.ListWebhooksParams{
		WorkspaceID: int64(scope.Workspace), After: int64(after), Most: int32(limit),
	})
	if err != nil {
		return nil, fmt.Errorf("list webhooks: %w", err)
	}
	found := make([]webhook.Endpoint, len(rows))
	for i, r := range rows {
		found[i] = s.endpoint(r)
	}
	return found, nil
}

// Get returns an endpoint.
func (s *Webhooks) Get(ctx context.Context, scope id.Scope, w id.Webhook) (webhook.Endpoint, error) {
	row, err := s.db.read(scope.Workspace).GetWebhook(ctx, dbsqlc.GetWebhookParams{WorkspaceID: int64(scope.Workspace), EndpointID: int64(w)})
	if err != nil {
		return webhook.Endpoint{}, noWebhook(err, w)
	}
	return s.endpoint(row), nil
}

// NextID draws the id of an endpoint.
func (s *Webhooks) NextID(ctx context.Context) (id.Webhook, error) {
	drawn, err := dbsqlc.New(s.db.pool).NextWebhookID(ctx)
	if err != nil {
		return 0, translate(fmt.Errorf("draw the id of a webhook: %w", err))
	}
	return id.Webhook(drawn), nil
}

// Create makes an endpoint and stores its secret.
func (s *Webhooks) Create(ctx context.Context, e webhook.Endpoint, sealed connection.Sealed, event audit.Event) (made webhook.Endpoint, err error) {
	err = s.db.InWorkspace(ctx, e.Scope.Workspace, func(tx pgx.Tx) error {
		q, w := dbsqlc.New(tx), int64(e.Scope.Workspace)
		if err := q.LockWebhookCount(ctx, w); err != nil {
			return fmt.Errorf("count webhooks: %w", err)
		}
		n, err := q.CountWebhooks(ctx, w)
		if err != nil {
			return fmt.Errorf("count webhooks: %w", err)
		}
		if n >= webhook.MaxEndpoints {
			return fault.New(fault.Conflict, "the workspace has %d webhooks, which is the most; delete one that is not needed", n)
		}
		row, err := q.InsertWebhook(ctx, dbsqlc.InsertWebhookParams{
			WorkspaceID: w, EndpointID: int64(e.ID), Url: e.URL, Description: e.Description, EventTypes: texts(e.Events), CreatedBy: numberOrNull(e.CreatedBy),
		})
		if err != nil {
			return fmt.Errorf("insert webhook: %w", err)
		}
		made = s.endpoint(row)
		if err := putWebhookSecret(ctx, q, made, sealed); err != nil {
			return err
		}
		return record(ctx, tx, e.Scope, event)
	})
	return made, err
}

func putWebhookSecret(ctx context.Context, q *dbsqlc.Queries, e webhook.Endpoint, sealed connection.Sealed) error {
	err := q.InsertWebhookSecret(ctx, dbsqlc.InsertWebhookSecretParams{
		WorkspaceID: int64(e.Scope.Workspace), EndpointID: int64(e.ID), Version: sealed.Version, Algorithm: sealed.Algorithm,
		Wrapper: sealed.Wrapper, KmsKeyID: sealed.KMSKeyID, WrappedKey: sealed.WrappedKey, Nonce: sealed.Nonce, Ciphertext: sealed.Ciphertext,
		SchemaVersion: sealed.SchemaVersion,
	})
	if violatesKeyReference(err) {
		return keyNotRegistered(err, keyring.Key{Wrapper: sealed.Wrapper, ID: sealed.KMSKeyID})
	}
	if err != nil {
		return fmt.Errorf("store the secret of %s: %w", e.ID, err)
	}
	return nil
}

// Update changes an endpoint that nobody else changes meanwhile.
func (s *Webhooks) Update(ctx context.Context, scope id.Scope, w id.Webhook, fn func(*webhook.Endpoint) error, event audit.Event) (changed webhook.Endpoint, err error) {
	err = s.db.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		q := dbsqlc.New(tx)
		row, err := q.LockWebhook(ctx, dbsqlc.LockWebhookParams{WorkspaceID: int64(scope.Workspace), EndpointID: int64(w)})
		if err != nil {
			return noWebhook(err, w)
		}
		e := s.endpoint(row)
		if err := fn(&e); err != nil {
			return err
		}
		row, err = q.UpdateWebhook(ctx, dbsqlc.UpdateWebhookParams{
			WorkspaceID: row.WorkspaceID, EndpointID: row.EndpointID, Url: e.URL, Description: e.Description, EventTypes: texts(e.Events),
			DisabledAt: e.DisabledAt, DisabledReason: orNull(string(e.DisabledReason)), FailingSince: e.FailingSince, Failures: int32(e.Failures),
		})
		if err != nil {
			return fmt.Errorf("update webhook: %w", err)
		}
		changed = s.endpoint(row)
		if changed.DisabledAt != nil {
			if err := giveUpDeliveries(ctx, q, scope, w); err != nil {
				return err
			}
		}
		return record(ctx, tx, scope, event)
	})
	return changed, err
}

// giveUpDeliveries ends what waits for an endpoint that is disabled.
func giveUpDeliveries(ctx context.Context, q *dbsqlc.Queries, scope id.Scope, w id.Webhook) error {
	problem := "the webhook was disabled; enable it and replay what it missed"
	err := q.GiveUpDeliveries(ctx, dbsqlc.GiveUpDeliveriesParams{WorkspaceID: int64(scope.Workspace), EndpointID: int64(w), Problem: &problem})
	if err != nil {
		return fmt.Errorf("give up deliveries: %w", err)
	}
	return nil
}

// Delete removes an endpoint with all that belongs to it.
func (s *Webhooks) Delete(ctx context.Context, scope id.Scope, w id.Webhook, event audit.Event) error {
	return s.db.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		n, err := dbsqlc.New(tx).DeleteWebhook(ctx, dbsqlc.DeleteWebhookParams{WorkspaceID: int64(scope.Workspace), EndpointID: int64(w)})
		if err != nil {
			return fmt.Errorf("delete webhook: %w", err)
		}
		if n == 0 {
			return noWebhook(pgx.ErrNoRows, w)
		}
		return record(ctx, tx, scope, event)
	})
}

// Rotate stores another secret and has the former one end.
func (s *Webhooks) Rotate(
	ctx context.Context, scope id.Scope, w id.Webhook, sealed connection.Sealed, formerFor time.Duration, event audit.Event,
) (rotated webhook.Endpoint, err error) {
	err = s.db.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		q, former := dbsqlc.New(tx), sealed.Version-1
		row, err := q.RaiseWebhookSecretVersion(ctx, dbsqlc.RaiseWebhookSecretVersionParams{
			WorkspaceID: int64(scope.Workspace), EndpointID: int64(w), FormerVersion: former,
		})
		if errors.Is(err, pgx.ErrNoRows) {
			return fault.New(fault.Conflict, "the secret of webhook %s was rotated by somebody else at the same time", w)
		}
		if err != nil {
			return fmt.Errorf("rotate secret: %w", err)
		}
		rotated = s.endpoint(row)
		if err := q.DeleteFormerWebhookSecrets(ctx, dbsqlc.DeleteFormerWebhookSecretsParams{
			WorkspaceID: row.WorkspaceID, EndpointID: row.EndpointID, Version: former,
		}); err != nil {
			return fmt.Errorf("delete former secrets: %w", err)
		}
		if err := q.ExpireWebhookSecret(ctx, dbsqlc.ExpireWebhookSecretParams{
			WorkspaceID: row.WorkspaceID, EndpointID: row.EndpointID, Version: former, GoodFor: formerFor,
		}); err != nil {
			return fmt.Errorf("end the former secret: %w", err)
		}
		if err := putWebhookSecret(ctx, q, rotated, sealed); err != nil {
			return err
		}
		return record(ctx, tx, scope, event)
	})
	return rotated, err
}

// enabled locks an endpoint that can be delivered to.
func (s *Webhooks) enabled(ctx context.Context, q *dbsqlc.Queries, scope id.Scope, w id.Webhook) error {
	row, err := q.LockWebhook(ctx, dbsqlc.LockWebhookParams{WorkspaceID: int64(scope.Workspace), EndpointID: int64(w)})
	if err != nil {
		return noWebhook(err, w)
	}
	if row.DisabledAt != nil {
		return fault.New(fault.Conflict, "webhook %s is switched off; switch it on first: PATCH /v1/webhooks/%s with enabled, or gatehouse webhooks update %s --enable", w, w, w)
	}
	return nil
}

// Ping makes an event for one endpoint.
func (s *Webhooks) Ping(ctx context.Context, scope id.Scope, w id.Webhook, event audit.Event) (made webhook.Delivery, err error) {
	data, err := json.Marshal(webhook.PingData{WebhookID: w})
	if err != nil {
		return made, fmt.Errorf("encode a ping: %w", err)
	}
	err = s.db.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		q := dbsqlc.New(tx)
		if err := s.enabled(ctx, q, scope, w); err != nil {
			return err
		}
		e, err := q.InsertWebhookPing(ctx, dbsqlc.InsertWebhookPingParams{WorkspaceID: int64(scope.Workspace), EventType: string(webhook.Ping), Data: data})
		if err != nil {
			return fmt.Errorf("insert ping: %w", err)
		}
		d, err := q.InsertDelivery(ctx, dbsqlc.InsertDeliveryParams{WorkspaceID: int64(scope.Workspace), EndpointID: int64(w), EventID: e})
		if err != nil {
			return fmt.Errorf("insert delivery: %w", err)
		}
		if made, err = delivery(ctx, q, scope, w, id.Delivery(d)); err != nil {
			return err
		}
		return record(ctx, tx, scope, event)
	})
	return made, err
}

func (s *Webhooks) endpoint(r dbsqlc.WebhookEndpoint) webhook.Endpoint {
	e := webhook.Endpoint{
		ID: id.Webhook(r.EndpointID), Scope: id.Scope{Tenant: s.tenant, Workspace: id.Workspace(r.WorkspaceID)}, URL: r.Url, Description: r.Description,
		DisabledAt: r.DisabledAt, DisabledReason: webhook.DisabledReason(orZero(r.DisabledReason)), FailingSince: r.FailingSince, Failures: int(r.Failures),
		SecretVersion: r.SecretVersion, CreatedBy: id.Member(orZero(r.CreatedBy)), CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
	}
	for _, t := range r.EventTypes {
		e.Events = append(e.Events, webhook.EventType(t))
	}
	return e
}

func texts[T ~string](values []T) []string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = string(v)
	}
	return all
}
