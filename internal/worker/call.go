package worker

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/run"
	"github.com/gatehouse-project/gatehouse/internal/secret"
	"github.com/gatehouse-project/gatehouse/internal/workerapi"
)

// Time limits of single calls. A batch may wait for the database.
const (
	callTimeout  = 20 * time.Second
	batchTimeout = 60 * time.Second
)

// platformPatience is how long a call is repeated while the heartbeats are
// answered. After it the run is left to the end of its lease, which counts as an
// attempt, so that a run the platform cannot store does not go round for ever.
const platformPatience = 5 * time.Minute

// Reasons for a run to end before its work does.
var (
	errStale        = errors.New("the run is no longer this worker's")
	errLeaseLost    = errors.New("the lease may have ended")
	errCancelled    = errors.New("the run was cancelled")
	errDeadline     = errors.New("the run's deadline has passed")
	errDraining     = errors.New("the worker is stopping")
	errNotItsTarget = errors.New("the run has ended, because its credentials are not the connection's")
	errNoCredential = errors.New("the platform has no credential that opens")
	errPlatformDown = errors.New("the platform did not take a call for too long")
)

// runCall makes the calls about one run and repeats them where that is safe.
// Every call is idempotent by its fence, its number or its nature.
type runCall struct {
	platform *platform
	run      id.Run
	token    secret.Secret
	lease    workerapi.Lease
	leaseFor time.Duration

	mu sync.Mutex
	// renewed is when the last call started that kept the lease, by the
	// monotonic clock.
	renewed time.Time
}

func newRunCall(p *platform, a *workerapi.Assignment, token secret.Secret) *runCall {
	return &runCall{
		platform: p, run: a.RunID, token: token,
		lease:    workerapi.Lease{Epoch: a.Epoch, LeaseID: a.LeaseID},
		leaseFor: time.Duration(a.LeaseSeconds) * time.Second,
		renewed:  time.Now(),
	}
}

// left returns how long the lease is certain to last.
func (c *runCall) left() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.leaseFor - time.Since(c.renewed)
}

func (c *runCall) renew(from time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if from.After(c.renewed) {
		c.renewed = from
	}
}

// configuration fetches what the connector is opened with. It is handed out
// once, so an answer that is lost ends in errStale.
func (c *runCall) configuration(ctx context.Context) (workerapi.Configuration, error) {
	var answer workerapi.Configuration
	err := c.repeat(ctx, callTimeout, func(ctx context.Context) error {
		_, err := c.platform.post(ctx, c.platform.integrations+workerapi.ConfigurationPath(c.run), c.token, c.lease, &answer)
		return err
	})
	return answer, err
}

// reach says what the credentials reach. An answer that is lost ends in errStale
// if the run has ended for it.
func (c *runCall) reach(ctx context.Context, r workerapi.Reach) error {
	r.Lease = c.lease
	var answer workerapi.ReachAnswer
	err := c.repeat(ctx, callTimeout, func(ctx context.Context) error {
		_, err := c.platform.post(ctx, c.platform.discovery+workerapi.ReachPath(c.run), c.token, r, &answer)
		return err
	})
	if err == nil && answer.Ended {
		return errNotItsTarget
	}
	return err
}

// budget asks for tokens of a throttle budget. Those of an answer that is lost are
// lost.
func (c *runCall) budget(ctx context.Context, r workerapi.BudgetRequest) (answer workerapi.BudgetAnswer, err error) {
	err = c.repeat(ctx, callTimeout, func(ctx context.Context) (err error) {
		answer, err = c.budgetOnce(ctx, r)
		return err
	})
	return answer, err
}

// budgetOnce is budget without repeating.
func (c *runCall) budgetOnce(ctx context.Context, r workerapi.BudgetRequest) (answer workerapi.BudgetAnswer, err error) {
	r.Lease = c.lease
	_, err = c.platform.post(ctx, c.platform.discovery+workerapi.BudgetPath(c.run), c.token, r, &answer)
	return answer, err
}

// beginRenewal asks for leave to exchange the connection's renewable secret. The
// same exchange may be asked for again, so an answer that is lost does no harm.
func (c *runCall) beginRenewal(ctx context.Context, renewal string) (answer workerapi.RenewalAnswer, err error) {
	err = c.repeat(ctx, callTimeout, func(ctx context.Context) error {
		_, err := c.platform.post(ctx, c.platform.integrations+workerapi.RenewalPath(c.run), c.token,
			workerapi.RenewalRequest{Lease: c.lease, RenewalID: renewal}, &answer)
		return err
	})
	return answer, err
}

// endRenewal has what the provider gave stored.
func (c *runCall) endRenewal(ctx context.Context, end workerapi.RenewalEnd) error {
	end.Lease = c.lease
	return c.repeat(ctx, callTimeout, func(ctx context.Context) error {
		_, err := c.platform.post(ctx, c.platform.integrations+workerapi.RenewalEndPath(c.run), c.token, end, nil)
		return err
	})
}

// heartbeat is not repeated: the next one says more.
func (c *runCall) heartbeat(ctx context.Context, p run.Progress) (cancel bool, err error) {
	ctx, stop := context.WithTimeout(ctx, min(callTimeout, max(c.left(), 0)))
	defer stop()
	started := time.Now()
	var answer workerapi.HeartbeatAnswer
	if _, err := c.platform.post(ctx, c.platform.discovery+workerapi.HeartbeatPath(c.run), c.token, workerapi.Heartbeat{Lease: c.lease, Progress: p}, &answer); err != nil {
		return false, outcomeOf(err)
	}
	c.renew(started)
	return answer.Cancel, nil
}

// batch stores the n-th batch. Sending the same bytes again is what resolves an answer
// that was lost.
func (c *runCall) batch(ctx context.Context, n int64, body []byte) error {
	url := c.platform.discovery + workerapi.BatchPath(c.run, n)
	return c.repeat(ctx, batchTimeout, func(ctx context.Context) error {
		started := time.Now()
		_, err := c.platform.send(ctx, http.MethodPut, url, c.token, http.Header{
			"Content-Type": {workerapi.BatchContentType}, "Content-Encoding": {workerapi.BatchEncoding},
			workerapi.LeaseHeader: {c.lease.Header()},
		}, body, nil)
		if err == nil {
			c.renew(started)
		}
		return err
	})
}

func (c *runCall) finish(ctx context.Context, f workerapi.Finish) error {
	f.Lease = c.lease
	return c.repeat(ctx, callTimeout, func(ctx context.Context) error {
		_, err := c.platform.post(ctx, c.platform.discovery+workerapi.FinishPath(c.run), c.token, f, nil)
		return err
	})
}

func (c *runCall) handBack(ctx context.Context) error {
	return c.repeat(ctx, callTimeout, func(ctx context.Context) error {
		_, err := c.platform.post(ctx, c.platform.discovery+workerapi.HandBackPath(c.run), c.token, c.lease, nil)
		return err
	})
}

// repeat makes a call until it has a definite answer. It returns nil, errStale,
// errPlatformDown, the context's cause, or a [*callError] that will not change.
func (c *runCall) repeat(ctx context.Context, each time.Duration, call func(context.Context) error) error {
	started := time.Now()
	for failures := 0; ; failures++ {
		err := limited(ctx, each, call)
		if ctx.Err() != nil && err != nil {
			return context.Cause(ctx)
		}
		var bad *callError
		if err == nil || !errors.As(err, &bad) || !bad.temporary() {
			return outcomeOf(err)
		}
		if time.Since(started) >= platformPatience {
			return fmt.Errorf("%w: %w", errPlatformDown, err)
		}
		c.platform.metrics.repeated.Inc()
		if !pause(ctx, max(bad.retryAfter, callBackoff().after(failures))) {
			return context.Cause(ctx)
		}
	}
}

func limited(ctx context.Context, d time.Duration, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return call(ctx)
}

// outcomeOf turns an answer that the run is someone else's into errStale.
func outcomeOf(err error) error {
	var bad *callError
	if errors.As(err, &bad) && bad.notOurs() {
		return fmt.Errorf("%w: %w", errStale, err)
	}
	return err
}
