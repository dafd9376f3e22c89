package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
	"github.com/gatehouse-project/gatehouse/internal/webhook"
)

var _ webhook.DeliveryStore = (*Webhooks)(nil)

// How many deliveries of one endpoint, and of one workspace, are in hand at once:
// half of what a process has, so that endpoints which answer late keep nobody else's
// events waiting.
const (
	mostPerEndpoint  = 4
	mostPerWorkspace = 8
)

// Claim takes due deliveries in hand.
func (s *Webhooks) Claim(ctx context.Context, most int) ([]webhook.Ref, error) {
	rows, err := dbsqlc.New(s.db.pool).ClaimDeliveries(ctx, dbsqlc.ClaimDeliveriesParams{
		Most: int32(most), MostPerEndpoint: mostPerEndpoint, MostPerWorkspace: mostPerWorkspace, ClaimFor: webhook.ClaimFor,
	})
	if err != nil {
		return nil, translate(fmt.Errorf("claim deliveries: %w", err))
	}
	refs := make([]webhook.Ref, len(rows))
	for i, r := range rows {
		refs[i] = webhook.Ref{
			Scope: id.Scope{Tenant: s.tenant, Workspace: id.Workspace(r.WorkspaceID)}, Delivery: id.Delivery(r.DeliveryID), Attempt: int(r.Attempt),
		}
	}
	return refs, nil
}

// Load returns what an attempt needs.
func (s *Webhooks) Load(ctx context.Context, r webhook.Ref) (j webhook.Job, ok bool, err error) {
	err = s.db.InWorkspace(ctx, r.Scope.Workspace, func(tx pgx.Tx) error {
		q := dbsqlc.New(tx)
		row, err := q.GetDeliveryJob(ctx, dbsqlc.GetDeliveryJobParams{
			WorkspaceID: int64(r.Scope.Workspace), DeliveryID: int64(r.Delivery), Attempt: int32(r.Attempt),
		})
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("load %s: %w", r.Delivery, err)
		}
		d := row.WebhookDelivery
		j = webhook.Job{
			Ref: r, Endpoint: s.endpoint(row.WebhookEndpoint), Failed: int(d.Step),
			Event: webhook.Event{ID: id.WebhookEvent(d.EventID), Type: webhook.EventType(row.EventType), OccurredAt: row.OccurredAt, Data: row.Data},
		}
		secrets, err := q.ListGoodWebhookSecrets(ctx, dbsqlc.ListGoodWebhookSecretsParams{WorkspaceID: d.WorkspaceID, EndpointID: d.EndpointID})
		if err != nil {
			return fmt.Errorf("load the secrets of %s: %w", j.Endpoint.ID, err)
		}
		for _, sealed := range secrets {
			j.Secrets = append(j.Secrets, sealedWebhookSecret(sealed))
		}
		ok = true
		return nil
	})
	return j, ok, err
}

// Finish stores how an attempt ended, unless another has been begun since.
func (s *Webhooks) Finish(ctx context.Context, j webhook.Job, end webhook.Ending, disabled audit.Event) error {
	return s.db.InWorkspace(ctx, j.Scope.Workspace, func(tx pgx.Tx) error {
		q, w, e := dbsqlc.New(tx), int64(j.Scope.Workspace), int64(j.Endpoint.ID)
		// The endpoint before its delivery, as whoever switches it off: else two
		// that end at once would wait for each other.
		_, err := q.LockWebhook(ctx, dbsqlc.LockWebhookParams{WorkspaceID: w, EndpointID: e})
		if errors.Is(err, pgx.ErrNoRows) {
			return nil // deleted, with its deliveries
		}
		if err != nil {
			return fmt.Errorf("lock %s: %w", j.Endpoint.ID, err)
		}
		stored, err := finish(ctx, q, j, end)
		if err != nil || stored == 0 || end.Ours {
			return err
		}
		if end.Problem == "" {
			return q.NoteWebhookSuccess(ctx, dbsqlc.NoteWebhookSuccessParams{WorkspaceID: w, EndpointID: e})
		}
		failed, err := q.NoteWebhookFailure(ctx, dbsqlc.NoteWebhookFailureParams{WorkspaceID: w, EndpointID: e, Long: webhook.DisableAfter})
		if err != nil {
			return fmt.Errorf("note a failure of %s: %w", j.Endpoint.ID, err)
		}
		reason, ok := webhook.Disables(end, int(failed.Failures), failed.ForLong)
		if !ok {
			return nil
		}
		return disable(ctx, tx, j, reason, disabled)
	})
}

func finish(ctx context.Context, q *dbsqlc.Queries, j webhook.Job, end webhook.Ending) (int64, error) {
	var status *int32
	if end.Status != 0 {
		answered := int32(end.Status)
		status = &answered
	}
	w, d, attempt := int64(j.Scope.Workspace), int64(j.Delivery), int32(j.Attempt)
	if end.Retry != nil {
		return q.PostponeDelivery(ctx, dbsqlc.PostponeDeliveryParams{
			WorkspaceID: w, DeliveryID: d, Attempt: attempt, Pause: *end.Retry, LastStatus: status, LastError: &end.Problem,
		})
	}
	completed := dbsqlc.DeliveryStatusSucceeded
	if end.Problem != "" {
		completed = dbsqlc.DeliveryStatusFailed
	}
	return q.CompleteDelivery(ctx, dbsqlc.CompleteDeliveryParams{
		WorkspaceID: w, DeliveryID: d, Attempt: attempt, Status: completed, LastStatus: status, LastError: orNull(end.Problem),
	})
}

// disable switches an endpoint off, and tells the workspace's admins.
func disable(ctx context.Context, tx pgx.Tx, j webhook.Job, reason webhook.DisabledReason, e audit.Event) error {
	q, w, endpoint := dbsqlc.New(tx), int64(j.Scope.Workspace), int64(j.Endpoint.ID)
	text := string(reason)
	n, err := q.DisableWebhook(ctx, dbsqlc.DisableWebhookParams{WorkspaceID: w, EndpointID: endpoint, Reason: &text})
	if err != nil || n == 0 {
		return err
	}
	if err := giveUpDeliveries(ctx, q, j.Scope, j.Endpoint.ID); err != nil {
		return err
	}
	if err := q.NotifyAdmins(ctx, dbsqlc.NotifyAdminsParams{WorkspaceID: w, EndpointID: endpoint}); err != nil {
		return fmt.Errorf("tell the admins: %w", err)
	}
	e.Payload["reason"] = text
	return record(ctx, tx, j.Scope, e)
}

// Deliveries returns the newest first.
func (s *Webhooks) Deliveries(ctx context.Context, scope id.Scope, w id.Webhook, f webhook.Filter) (found []webhook.Delivery, err error) {
	if _, err := s.Get(ctx, scope, w); err != nil {
		return nil, err
	}
	return deliveries(ctx, s.db.read(scope.Workspace), dbsqlc.ListDeliveriesParams{
		WorkspaceID: int64(scope.Workspace), EndpointID: int64(w), Status: string(f.Status), Before: int64(f.Before), Most: int32(f.Limit),
	})
}

// delivery returns one of an endpoint's.
func delivery(ctx context.Context, q *dbsqlc.Queries, scope id.Scope, w id.Webhook, d id.Delivery) (webhook.Delivery, error) {
	found, err := deliveries(ctx, q, dbsqlc.ListDeliveriesParams{
		WorkspaceID: int64(scope.Workspace), EndpointID: int64(w), This: int64(d), Most: 1,
	})
	if err != nil {
		return webhook.Delivery{}, err
	}
	// No row has the zero id, which the statement takes for any.
	if d == 0 || len(found) == 0 {
		return webhook.Delivery{}, fault.New(fault.NotFound, "there is no delivery %s of webhook %s", d, w)
	}
	return found[0], nil
}

func deliveries(ctx context.Context, q *dbsqlc.Queries, p dbsqlc.ListDeliveriesParams) ([]webhook.Delivery, error) {
	rows, err := q.ListDeliveries(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("list deliveries: %w", err)
	}
	found := make([]webhook.Delivery, len(rows))
	for i, r := range rows {
		d := r.WebhookDelivery
		found[i] = webhook.Delivery{
			ID: id.Delivery(d.DeliveryID), Webhook: id.Webhook(d.EndpointID), Status: webhook.Status(d.Status), Attempts: int(d.Attempts),
			Event:         webhook.Event{ID: id.WebhookEvent(d.EventID), Type: webhook.EventType(r.EventType), OccurredAt: r.OccurredAt, Data: r.Data},
			NextAttemptAt: d.NextAttemptAt, LastAttemptAt: d.LastAttemptAt, LastStatus: int(orZero(d.LastStatus)), Problem: orZero(d.LastError),
			CreatedAt: d.CreatedAt, CompletedAt: d.CompletedAt,
		}
	}
	return found, nil
}

// Replay has a delivery made again.
func (s *Webhooks) Replay(ctx context.Context, scope id.Scope, w id.Webhook, d id.Delivery, event audit.Event) (replayed webhook.Delivery, err error) {
	err = s.db.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		q := dbsqlc.New(tx)
		if err := s.enabled(ctx, q, scope, w); err != nil {
			return err
		}
		_, err := q.ReplayDelivery(ctx, dbsqlc.ReplayDeliveryParams{WorkspaceID: int64(scope.Workspace), EndpointID: int64(w), DeliveryID: int64(d)})
		if err != nil {
			return fmt.Errorf("replay %s: %w", d, err)
		}
		if replayed, err = delivery(ctx, q, scope, w, d); err != nil {
			return err
		}
		return record(ctx, tx, scope, event)
	})
	return replayed, err
}

// ReplaySince has deliveries of events since then made again.
func (s *Webhooks) ReplaySince(ctx context.Context, scope id.Scope, w id.Webhook, since time.Time, all bool, most int, event audit.Event) (replayed int, err error) {
	err = s.db.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		q := dbsqlc.New(tx)
		if err := s.enabled(ctx, q, scope, w); err != nil {
			return err
		}
		n, err := q.ReplayDeliveries(ctx, dbsqlc.ReplayDeliveriesParams{
			WorkspaceID: int64(scope.Workspace), EndpointID: int64(w), Since: since, AlsoSucceeded: all, Most: int32(most),
		})
		if err != nil {
			return fmt.Errorf("replay deliveries: %w", err)
		}
		replayed = int(n)
		event.Payload["deliveries"] = replayed
		return record(ctx, tx, scope, event)
	})
	return replayed, err
}

// Forget deletes events that have been kept long enough, with their deliveries.
func (s *Webhooks) Forget(ctx context.Context) error {
	return forgetAll(func() (int64, error) {
		return dbsqlc.New(s.db.pool).ForgetWebhookEvents(ctx, dbsqlc.ForgetWebhookEventsParams{Kept: webhook.KeptFor, Most: forgetMost})
	})
}
