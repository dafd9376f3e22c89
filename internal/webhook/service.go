package webhook

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/secret"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Service is what admins do with endpoints. Looking at them needs the same
// capability as changing them, because an address may hold a token.
type Service struct {
	Store  Store
	Cipher Cipher
	Rules  Rules
}

// ReplayMost is the most deliveries that one call replays.
const ReplayMost = 10_000

// List returns endpoints in order of id.
func (s *Service) List(ctx context.Context, c workspace.Caller, after id.Webhook, limit int) ([]Endpoint, error) {
	if err := c.RequireRole(workspace.ManageWebhooks); err != nil {
		return nil, err
	}
	return s.Store.List(ctx, c.Scope, after, limit)
}

// Get returns an endpoint, or NotFound.
func (s *Service) Get(ctx context.Context, c workspace.Caller, w id.Webhook) (Endpoint, error) {
	if err := c.RequireRole(workspace.ManageWebhooks); err != nil {
		return Endpoint{}, err
	}
	return s.Store.Get(ctx, c.Scope, w)
}

// Create makes an endpoint. Its secret is returned once and cannot be read again.
func (s *Service) Create(ctx context.Context, c workspace.Caller, d Draft) (Endpoint, secret.Secret, error) {
	if err := c.Require(workspace.ManageWebhooks); err != nil {
		return Endpoint{}, secret.Secret{}, err
	}
	e := Endpoint{
		Scope: c.Scope, URL: d.URL, Description: strings.TrimSpace(d.Description), Events: d.Events, SecretVersion: 1, CreatedBy: c.Member,
	}
	if wrong := e.check(s.Rules); len(wrong) > 0 {
		return Endpoint{}, secret.Secret{}, fault.InvalidFields(wrong...)
	}
	var err error
	if e.ID, err = s.Store.NextID(ctx); err != nil {
		return Endpoint{}, secret.Secret{}, err
	}
	plain := NewSecret()
	sealed, err := s.Cipher.Seal(ctx, c.Scope, e.ID, e.SecretVersion, plain)
	if err != nil {
		return Endpoint{}, secret.Secret{}, fmt.Errorf("seal the secret of a webhook: %w", err)
	}
	made, err := s.Store.Create(ctx, e, sealed, event(c, audit.WebhookCreated, e.ID, map[string]any{"event_types": e.Events}))
	if err != nil {
		return Endpoint{}, secret.Secret{}, err
	}
	return made, plain, nil
}

// Update changes an endpoint.
func (s *Service) Update(ctx context.Context, c workspace.Caller, w id.Webhook, p Patch) (Endpoint, error) {
	if err := c.Require(workspace.ManageWebhooks); err != nil {
		return Endpoint{}, err
	}
	return s.Store.Update(ctx, c.Scope, w, func(e *Endpoint) error {
		e.apply(p, time.Now())
		if wrong := e.check(s.Rules); len(wrong) > 0 {
			return fault.InvalidFields(wrong...)
		}
		return nil
	}, event(c, audit.WebhookEdited, w, map[string]any{"fields": p.changed()}))
}

// Delete removes an endpoint, its secrets and its deliveries.
func (s *Service) Delete(ctx context.Context, c workspace.Caller, w id.Webhook) error {
	if err := c.Require(workspace.ManageWebhooks); err != nil {
		return err
	}
	return s.Store.Delete(ctx, c.Scope, w, event(c, audit.WebhookDeleted, w, nil))
}

// RotateSecret gives an endpoint another secret, which is returned once. For
// FormerSecretFor deliveries are signed with the former one, too.
func (s *Service) RotateSecret(ctx context.Context, c workspace.Caller, w id.Webhook) (Endpoint, secret.Secret, error) {
	if err := c.Require(workspace.ManageWebhooks); err != nil {
		return Endpoint{}, secret.Secret{}, err
	}
	e, err := s.Store.Get(ctx, c.Scope, w)
	if err != nil {
		return Endpoint{}, secret.Secret{}, err
	}
	plain := NewSecret()
	sealed, err := s.Cipher.Seal(ctx, c.Scope, w, e.SecretVersion+1, plain)
	if err != nil {
		return Endpoint{}, secret.Secret{}, fmt.Errorf("seal the secret of a webhook: %w", err)
	}
	rotated, err := s.Store.Rotate(ctx, c.Scope, w, sealed, FormerSecretFor, event(c, audit.WebhookSecretRotated, w, map[string]any{"version": e.SecretVersion + 1}))
	if err != nil {
		return Endpoint{}, secret.Secret{}, err
	}
	return rotated, plain, nil
}

// Ping sends an event that means nothing to one endpoint.
func (s *Service) Ping(ctx context.Context, c workspace.Caller, w id.Webhook) (Delivery, error) {
	if err := c.Require(workspace.ManageWebhooks); err != nil {
		return Delivery{}, err
	}
	return s.Store.Ping(ctx, c.Scope, w, event(c, audit.WebhookPinged, w, nil))
}

// Deliveries returns the newest deliveries of an endpoint first.
func (s *Service) Deliveries(ctx context.Context, c workspace.Caller, w id.Webhook, f Filter) ([]Delivery, error) {
	if err := c.RequireRole(workspace.ManageWebhooks); err != nil {
		return nil, err
	}
	return s.Store.Deliveries(ctx, c.Scope, w, f)
}

// Replay has a delivery made again, with the schedule of retries from its begin.
func (s *Service) Replay(ctx context.Context, c workspace.Caller, w id.Webhook, d id.Delivery) (Delivery, error) {
	if err := c.Require(workspace.ManageWebhooks); err != nil {
		return Delivery{}, err
	}
	return s.Store.Replay(ctx, c.Scope, w, d, event(c, audit.WebhookReplayed, w, map[string]any{"delivery_id": d.String()}))
}

// ReplaySince has deliveries of events since then made again: those that failed,
// or, with all, those that succeeded too. At most ReplayMost.
func (s *Service) ReplaySince(ctx context.Context, c workspace.Caller, w id.Webhook, since time.Time, all bool) (int, error) {
	if err := c.Require(workspace.ManageWebhooks); err != nil {
		return 0, err
	}
	return s.Store.ReplaySince(ctx, c.Scope, w, since, all, ReplayMost, event(c, audit.WebhookReplayed, w, map[string]any{
		"since": since.UTC().Format(time.RFC3339), "all": all,
	}))
}

func event(c workspace.Caller, a audit.Action, w id.Webhook, payload map[string]any) audit.Event {
	if payload == nil {
		payload = map[string]any{}
	}
	return audit.Event{Actor: c.Actor(), Action: a, Outcome: audit.Succeeded, TargetType: "webhook", TargetID: w.String(), Payload: payload}
}
