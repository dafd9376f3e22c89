package webhook

import (
	"context"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// Cipher seals secrets to one version of one endpoint's.
type Cipher interface {
	// Seal encrypts with a fresh data key.
	Seal(ctx context.Context, scope id.Scope, w id.Webhook, version int64, plaintext secret.Secret) (connection.Sealed, error)
	// Open decrypts what Seal made for the same endpoint and version.
	Open(ctx context.Context, scope id.Scope, w id.Webhook, s connection.Sealed) (secret.Secret, error)
}

// Filter narrows a listing of deliveries.
type Filter struct {
	// Status is empty for any.
	Status Status
	// Before continues a listing: only deliveries older than this id.
	Before id.Delivery
	// Limit is the most deliveries to return, 1 to 201.
	Limit int
}

// Store keeps endpoints. Each change is one transaction with its event. What the
// workspace does not have is NotFound.
type Store interface {
	// List returns endpoints behind the given one, in order of id.
	List(ctx context.Context, scope id.Scope, after id.Webhook, limit int) ([]Endpoint, error)
	Get(ctx context.Context, scope id.Scope, w id.Webhook) (Endpoint, error)
	// NextID draws the id of an endpoint that will be made.
	NextID(ctx context.Context) (id.Webhook, error)
	// Create makes an endpoint and stores its secret. A Conflict when the
	// workspace has MaxEndpoints.
	Create(ctx context.Context, e Endpoint, sealed connection.Sealed, event audit.Event) (Endpoint, error)
	// Update changes an endpoint by fn, which may refuse. One that is disabled
	// by it gives up what waited for it.
	Update(ctx context.Context, scope id.Scope, w id.Webhook, fn func(*Endpoint) error, event audit.Event) (Endpoint, error)
	// Delete removes an endpoint, its secrets and its deliveries.
	Delete(ctx context.Context, scope id.Scope, w id.Webhook, event audit.Event) error
	// Rotate stores the secret of the version that follows the present one, which
	// stays good for formerFor; older ones end. A Conflict when somebody
	// rotated at the same time.
	Rotate(ctx context.Context, scope id.Scope, w id.Webhook, sealed connection.Sealed, formerFor time.Duration, event audit.Event) (Endpoint, error)

	// Ping makes an event for this endpoint alone; a Conflict when it is disabled.
	Ping(ctx context.Context, scope id.Scope, w id.Webhook, event audit.Event) (Delivery, error)
	// Deliveries returns the newest first.
	Deliveries(ctx context.Context, scope id.Scope, w id.Webhook, f Filter) ([]Delivery, error)
	// Replay has a delivery made again, at once; a Conflict when the endpoint is
	// disabled.
	Replay(ctx context.Context, scope id.Scope, w id.Webhook, d id.Delivery, event audit.Event) (Delivery, error)
	// ReplaySince does that with those of events since then that failed, or,
	// with all, that succeeded too; at most that many, the oldest first.
	ReplaySince(ctx context.Context, scope id.Scope, w id.Webhook, since time.Time, all bool, most int, event audit.Event) (replayed int, err error)
}

// Ref names one attempt at a delivery: the one that whoever claimed it may make.
type Ref struct {
	Scope    id.Scope
	Delivery id.Delivery
	// Attempt counts from 1.
	Attempt int
}

// Job is all that it takes to make an attempt.
type Job struct {
	Ref
	Endpoint Endpoint
	Event    Event
	// Failed counts the attempts of the schedule that failed before.
	Failed int
	// Secrets are those that are good now, the newest first.
	Secrets []connection.Sealed
}

// Ending is how an attempt ended.
type Ending struct {
	// Status is what the endpoint answered; 0 when it did not.
	Status int
	// Problem is empty when the endpoint took the event.
	Problem string
	// Retry is when to try again; nil for never.
	Retry *time.Duration
	// Gone says that the endpoint wants nothing more, Ours that the failure
	// was not the endpoint's and does not count against it.
	Gone, Ours bool
}

// DeliveryStore is the queue.
type DeliveryStore interface {
	// Claim takes due deliveries in hand for ClaimFor, at most that many and a few
	// of each endpoint. Each claim is an attempt, whatever comes of it.
	Claim(ctx context.Context, most int) ([]Ref, error)
	// Load returns what is needed for an attempt; ok is false when there is
	// nothing to do any more, or somebody else is at a later attempt.
	Load(ctx context.Context, r Ref) (j Job, ok bool, err error)
	// Finish stores how an attempt ended, unless another has been made since. An
	// endpoint that is gone, or has failed for DisableAfter, is disabled,
	// with the event, and the workspace's admins are told.
	Finish(ctx context.Context, j Job, end Ending, disabled audit.Event) error
	// Forget deletes events that have been kept for KeptFor.
	Forget(ctx context.Context) error
}
