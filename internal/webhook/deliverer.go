package webhook

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// Message is one attempt, ready to be sent.
type Message struct {
	URL string
	// ID is the event's: the same in every attempt.
	ID      string
	At      time.Time
	Body    []byte
	Secrets []secret.Secret
}

// Receipt is what came of sending a message.
type Receipt struct {
	// Status is what the endpoint answered; 0 when it did not.
	Status int
	// Problem is empty when the endpoint took the message. It is in our words.
	Problem string
	// RetryAfter is what the endpoint asked for; 0 for nothing.
	RetryAfter time.Duration
}

// Sender sends messages. It follows no redirect and reaches no address that the
// operator does not allow.
type Sender interface {
	Send(ctx context.Context, m Message) Receipt
}

// Bounds of a deliverer's work.
const (
	// atOnce is the rounds under way at once in one process, roundMost the most
	// deliveries of one.
	atOnce    = 4
	roundMost = 4
	// lookEvery is how often due deliveries are looked for when there were none.
	lookEvery = 2 * time.Second
	// forgetEvery is how often old events are looked for.
	forgetEvery = time.Hour
	// finishTime bounds storing how an attempt ended, also while the process
	// stops.
	finishTime = 10 * time.Second
)

// Deliverer makes deliveries. Any number may work side by side.
type Deliverer struct {
	Store  DeliveryStore
	Cipher Cipher
	Sender Sender
	Log    *slog.Logger
	// Observe is told of each attempt: succeeded, failed or ours.
	Observe func(result string)
}

// Run delivers until ctx ends. It returns an error for nothing: an endpoint or a
// database that is down must not take the service with it.
func (d *Deliverer) Run(ctx context.Context) error {
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() { d.repeat(ctx, lookEvery, "webhooks could not be delivered, and will be", d.Round) })
	}
	all.Go(func() {
		d.repeat(ctx, forgetEvery, "old events of webhooks could not be removed, and will be", func(ctx context.Context) (int, error) {
			return 0, d.Store.Forget(ctx)
		})
	})
	all.Wait()
	return nil
}

// repeat does something again and again: at once while there is something to do,
// and else after a pause. What is logged when it failed is for the caller to say.
func (d *Deliverer) repeat(ctx context.Context, every time.Duration, failed string, do func(ctx context.Context) (int, error)) {
	for ctx.Err() == nil {
		n, err := do(ctx)
		if err != nil && ctx.Err() == nil {
			d.Log.LogAttrs(ctx, slog.LevelWarn, failed, slog.Any("error", err))
		}
		if n > 0 && err == nil {
			continue
		}
		timer := time.NewTimer(every/2 + rand.N(every/2+1))
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

// Round makes the deliveries that are due, some of them, and returns how many
// attempts that were.
func (d *Deliverer) Round(ctx context.Context) (int, error) {
	refs, err := d.Store.Claim(ctx, roundMost)
	if err != nil {
		return 0, err
	}
	errs := make([]error, len(refs))
	var all sync.WaitGroup
	for i, r := range refs {
		all.Go(func() { errs[i] = d.deliver(ctx, r) })
	}
	all.Wait()
	return len(refs), errors.Join(errs...)
}

// deliver makes one attempt. When the process stops in the middle of it, the
// claim runs out and the attempt is made again.
func (d *Deliverer) deliver(ctx context.Context, r Ref) error {
	j, ok, err := d.Store.Load(ctx, r)
	if err != nil || !ok {
		return err
	}
	end := d.attempt(ctx, j)
	if ctx.Err() != nil && end.Problem != "" {
		return ctx.Err()
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTime)
	defer cancel()
	return d.Store.Finish(ending, j, end, audit.Event{
		Actor: audit.System("webhooks"), Action: audit.WebhookDisabled, Outcome: audit.Succeeded, TargetType: "webhook", TargetID: j.Endpoint.ID.String(),
		Payload: map[string]any{},
	})
}

// attempt sends what is to be delivered and says what that means.
func (d *Deliverer) attempt(ctx context.Context, j Job) Ending {
	m, err := d.message(ctx, j)
	if err != nil {
		d.Log.LogAttrs(ctx, slog.LevelError, "a webhook could not be signed", slog.String("webhook", j.Endpoint.ID.String()), slog.Any("error", err))
		d.Observe("ours")
		return retried(j, Ending{Problem: "the delivery could not be signed; the log of the integrations service says why", Ours: true}, 0)
	}
	within, cancel := context.WithTimeout(ctx, AttemptTimeout)
	defer cancel()
	got := d.Sender.Send(within, m)
	if got.Problem == "" {
		d.Observe("succeeded")
		return Ending{Status: got.Status}
	}
	d.Observe("failed")
	if got.Status == statusGone {
		return Ending{Status: got.Status, Problem: got.Problem, Gone: true}
	}
	return retried(j, Ending{Status: got.Status, Problem: got.Problem}, got.RetryAfter)
}

// statusGone is how an endpoint says that it wants nothing more.
const statusGone = 410

func retried(j Job, end Ending, retryAfter time.Duration) Ending {
	if pause, ok := pauseAfter(j.Failed+1, retryAfter); ok {
		end.Retry = &pause
	}
	return end
}

// message opens the secrets, in the only place where they become readable.
func (d *Deliverer) message(ctx context.Context, j Job) (Message, error) {
	body, err := j.Event.Body(j.Scope.Workspace)
	if err != nil {
		return Message{}, err
	}
	m := Message{URL: j.Endpoint.URL, ID: j.Event.ID.String(), At: time.Now(), Body: body}
	var failed []error
	for _, sealed := range j.Secrets {
		s, err := d.Cipher.Open(ctx, j.Scope, j.Endpoint.ID, sealed)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		m.Secrets = append(m.Secrets, s)
	}
	// One of two that does not open leaves the other, which a receiver may have.
	if len(m.Secrets) == 0 {
		return Message{}, errors.Join(append(failed, connection.ErrUnreadable)...)
	}
	return m, nil
}
