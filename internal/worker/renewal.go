package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/workerapi"
)

const (
	// exchangeTimeout bounds the provider's answer to an exchange, within the lease.
	exchangeTimeout = 45 * time.Second
	// exchangeMargin is what has to be left of the lease when an exchange begins,
	// beside the time it may take.
	exchangeMargin = 15 * time.Second
	// renewalPatience is how long another worker's exchange is waited for: one lease
	// that nobody ended, and what may be left of another.
	renewalPatience = 4 * time.Minute
	// storeTimeout is how long the platform is asked to store what the provider gave,
	// whatever has become of the run: nothing else knows it.
	storeTimeout = 2 * time.Minute
	// leastRenewalWait keeps workers that wait from asking all the time.
	leastRenewalWait = 250 * time.Millisecond
	// mostRenewalWait has a worker notice soon that another has ended early.
	mostRenewalWait = 2 * time.Second
)

// credentials exchanges the run's renewable secret, with the platform's leave. It
// implements [connector.Credentials].
type credentials struct {
	e *execution
}

var _ connector.Credentials = (*credentials)(nil)

// credentials returns nil for a connector whose provider replaces no secret.
func (e *execution) credentials(m connector.Manifest) connector.Credentials {
	if m.Renewal == nil {
		return nil
	}
	return &credentials{e}
}

// Renew exchanges the secret when it is this worker's turn.
func (c *credentials) Renew(ctx context.Context, exchange func(ctx context.Context, secret string) (connector.Renewed, error)) error {
	renewal := newLeaseID()
	turn, asked, err := c.turn(ctx, renewal)
	if err != nil {
		return err
	}
	c.e.redact.learned.add(turn.Secret)
	// By this worker's own clock, and from before the platform has counted from: a
	// worker that was stopped meanwhile leaves the secret to the next.
	left := turn.Lease() - time.Since(asked)
	if left < exchangeTimeout+exchangeMargin {
		return c.end(ctx, workerapi.RenewalEnd{RenewalID: renewal, Outcome: workerapi.RenewalUnknown}, &connector.Error{
			Category: connector.ProviderUnavailable, Message: "the worker was held up before it could renew the sign-in; it will be tried again",
		})
	}
	// A run that is cancelled meanwhile does not end the exchange: what the provider
	// gives would be lost, and what it took is used.
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), exchangeTimeout)
	defer cancel()
	ended := false
	defer func() {
		if !ended { // the connector panicked
			_ = c.end(ctx, workerapi.RenewalEnd{RenewalID: renewal, Outcome: workerapi.RenewalUnknown}, nil)
		}
	}()
	renewed, err := exchange(limited, turn.Secret)
	ended = true
	c.e.redact.learned.add(renewed.Secret)
	end := workerapi.RenewalEnd{RenewalID: renewal, Outcome: workerapi.RenewalKept}
	switch {
	case connector.RefusedForGood(err):
		end.Outcome = workerapi.RenewalRefused
	case err != nil:
		end.Outcome = workerapi.RenewalUnknown
	case renewed.Secret != "":
		end.Outcome, end.Secret = workerapi.RenewalRenewed, renewed.Secret
	}
	return c.end(ctx, end, err)
}

// turn waits until nobody else exchanges the secret. asked is from when on it is
// known to be this worker's.
func (c *credentials) turn(ctx context.Context, renewal string) (answer workerapi.RenewalAnswer, asked time.Time, err error) {
	started := time.Now()
	defer c.e.progress.waitsFor("")
	for {
		asked = time.Now()
		answer, err = c.e.call.beginRenewal(ctx, renewal)
		if err != nil {
			return answer, asked, c.failed(ctx, err)
		}
		if answer.Wait() == 0 {
			return answer, asked, nil
		}
		if time.Since(started) > renewalPatience {
			return answer, asked, &connector.Error{
				Category: connector.ProviderUnavailable, RetryAfter: answer.Wait(), Message: "another worker renews the sign-in and has not ended; start the operation again later",
			}
		}
		c.e.progress.waitsFor("waiting for another worker to renew the sign-in")
		if !pause(ctx, min(max(answer.Wait(), leastRenewalWait), mostRenewalWait)) {
			return answer, asked, ctx.Err()
		}
	}
}

// end tells the platform, whatever has become of the run, and returns why nothing may
// be used of what the provider gave; nil when it may.
func (c *credentials) end(ctx context.Context, end workerapi.RenewalEnd, cause error) error {
	kept, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	err := c.e.call.endRenewal(kept, end)
	switch {
	case cause != nil:
		if err != nil {
			c.e.log.WarnContext(ctx, "the platform was not told how a renewal ended", slog.Any("error", err))
		}
		return cause
	case err == nil:
		return nil
	case errors.Is(err, errStale):
		return &connector.Error{
			Category: connector.ProviderUnavailable, Cause: err, Message: "the sign-in was renewed or entered anew by somebody else meanwhile; it will be tried again",
		}
	}
	c.e.log.ErrorContext(ctx, "what the provider gave for the sign-in was not stored and is lost", slog.Any("error", err))
	return &connector.Error{
		Category: connector.ProviderUnavailable, Cause: err, Message: "the platform did not store the renewed sign-in, so it is not used",
	}
}

// failed explains why there is no leave. Where the platform cannot be had, the run
// is left.
func (c *credentials) failed(ctx context.Context, err error) error {
	var refused *callError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &refused) && !refused.temporary() && !refused.notOurs():
		e := &connector.Error{Category: connector.CredentialInvalid, Message: refused.detail, Cause: fmt.Errorf("%w: %w", errNoCredential, err)}
		if refused.detail == "" {
			e.Message = "the platform gave no leave to renew the sign-in"
		}
		return e
	}
	c.e.stop(err)
	return err
}
