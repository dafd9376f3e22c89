package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/workerapi"
)

// budgets is a run's leave to call its provider: tokens that the platform gives out
// to all workers of the tenant. Without an answer of the platform there is no leave
// and no call. It implements [connector.Budget].
type budgets struct {
	e        *execution
	manifest connector.Manifest
	// patience is how long a call may wait for its turn.
	patience time.Duration

	mu  sync.Mutex
	all map[string]*allowance
}

var _ connector.Budget = (*budgets)(nil)

// shownWait is from when those who watch a run are told what it waits for.
const shownWait = 2 * time.Second

// leaveTime bounds how long a run's end may take for the sake of others.
const leaveTime = 5 * time.Second

func newBudgets(e *execution, m connector.Manifest) *budgets {
	patience := discoveryPatience()
	if operation.Type(e.assignment.OperationType) == operation.ConnectionTest {
		patience = testPatience()
	}
	return &budgets{e: e, manifest: m, patience: patience.mostWaited, all: map[string]*allowance{}}
}

// Take waits until a call may be made.
func (b *budgets) Take(ctx context.Context, uses ...connector.Use) (release func(), err error) {
	needs, err := b.needs(uses)
	if err != nil {
		return nil, err
	}
	// In one order for everybody, so that no two wait for each other.
	release = func() {}
	for _, n := range needs {
		if n.allowance.slot == nil {
			continue
		}
		if err := n.allowance.enter(ctx); err != nil {
			release()
			return nil, err
		}
		before := release
		release = sync.OnceFunc(func() { n.allowance.exit(); before() })
	}
	for started := time.Now(); ; {
		short := b.spend(needs)
		if short == nil {
			return release, nil
		}
		if err := b.fill(ctx, short, started); err != nil {
			release()
			return nil, err
		}
	}
}

// need is what one call takes from one allowance.
type need struct {
	allowance *allowance
	cost      int
}

// needs finds the allowances of a call. The same budget is there once.
func (b *budgets) needs(uses []connector.Use) ([]need, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []need
	for _, u := range uses {
		scope, ok := b.manifest.ThrottleScope(u.Scope)
		if !ok || len(u.Key) != len(scope.Key) || u.Cost() > min(scope.Limit.Burst, mostAsked) {
			return nil, &connector.Error{Category: connector.ContractViolation, Message: fmt.Sprintf("a call takes %d from the throttle scope %.64q with %d parts of a key, which the manifest does not declare", u.Cost(), u.Scope, len(u.Key))}
		}
		name := strings.Join(append([]string{u.Scope}, u.Key...), "\x00")
		a, ok := b.all[name]
		if !ok {
			a = newAllowance(name, u, scope)
			b.all[name] = a
		}
		if i := slices.IndexFunc(all, func(n need) bool { return n.allowance == a }); i >= 0 {
			all[i].cost += u.Cost()
			continue
		}
		all = append(all, need{a, u.Cost()})
	}
	slices.SortFunc(all, func(a, b need) int { return cmp.Compare(a.allowance.name, b.allowance.name) })
	return all, nil
}

// spend takes a call's tokens, all or none. It returns where some are missing.
func (b *budgets) spend(needs []need) (short *need) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	for i, n := range needs {
		if !n.allowance.has(now, n.cost) {
			return &needs[i]
		}
	}
	for _, n := range needs {
		n.allowance.tokens -= n.cost
	}
	return nil
}

// fill asks the platform for tokens until it gives some. One goroutine asks for
// each budget; the others find what it was given.
func (b *budgets) fill(ctx context.Context, n *need, started time.Time) error {
	a := n.allowance
	select {
	case a.asking <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-a.asking }()
	defer b.e.progress.waitsFor("")
	for {
		request, enough := b.requestUnless(n)
		if enough {
			return nil
		}
		asked := time.Now()
		answer, err := b.ask(ctx, request)
		if err != nil {
			return err
		}
		b.mu.Lock()
		a.settle(asked, request, answer)
		b.mu.Unlock()
		if answer.Granted >= n.cost {
			continue
		}
		if answer.Granted > 0 {
			return &connector.Error{Category: connector.Internal, Message: fmt.Sprintf("a call counts for %d, more than the limit set for %s allows at once; raise its burst", n.cost, a.scope)}
		}
		wait := max(answer.Wait(), time.Millisecond)
		if time.Since(started)+wait > b.patience {
			return b.exhausted(a, wait)
		}
		if wait >= shownWait {
			b.e.progress.waitsFor(b.e.redact.text(fmt.Sprintf("waiting for the budget of %s until %s", a.title, clock(time.Now().Add(wait)))))
		}
		b.e.worker.metrics.budgetWaits.WithLabelValues(b.manifest.IntegrationID, a.scope).Add(wait.Seconds())
		if !pause(ctx, wait) {
			return ctx.Err()
		}
	}
}

// requestUnless makes the request for another chunk, unless there is enough, which
// somebody else may have asked for.
func (b *budgets) requestUnless(n *need) (request workerapi.BudgetRequest, enough bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n.allowance.has(time.Now(), n.cost) {
		return workerapi.BudgetRequest{}, true
	}
	return n.allowance.request(n.cost), false
}

// exhausted is the error of a call that would have to wait for too long, such as to
// the next day. What else the run can read, it goes on with.
func (b *budgets) exhausted(a *allowance, wait time.Duration) error {
	return &connector.Error{
		Category: connector.Throttled, RetryAfter: wait,
		Message: fmt.Sprintf("the calls that the budget of %s allows are used up; there will be more at %s", a.title, clock(time.Now().Add(wait))),
	}
}

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// ask has the platform answer. Where it cannot be had, the run is left.
func (b *budgets) ask(ctx context.Context, request workerapi.BudgetRequest) (workerapi.BudgetAnswer, error) {
	request.IntegrationID = b.manifest.IntegrationID
	answer, err := b.e.call.budget(ctx, request)
	b.e.worker.metrics.budgetAsks.WithLabelValues(request.IntegrationID, request.Scope).Inc()
	b.e.worker.metrics.budgetTokens.WithLabelValues(request.IntegrationID, request.Scope).Add(float64(answer.Granted))
	var refused *callError
	switch {
	case err == nil, ctx.Err() != nil:
		return answer, err
	case errors.As(err, &refused) && !refused.temporary() && !refused.notOurs():
		return answer, &connector.Error{Category: connector.Internal, Message: "the platform gave no leave to call the provider: " + refused.detail, Cause: err}
	}
	b.e.stop(err)
	return answer, err
}

// Throttled tells everybody that the provider refused a call. What is left of the
// tokens was meant for before.
func (b *budgets) Throttled(ctx context.Context, retryAfter time.Duration, uses ...connector.Use) {
	needs, err := b.needs(uses)
	if err != nil {
		b.e.log.ErrorContext(ctx, "the connector broke the contract", slog.Any("error", err))
		return
	}
	for _, n := range needs {
		b.e.worker.metrics.refusals.WithLabelValues(b.manifest.IntegrationID, n.allowance.scope).Inc()
		b.mu.Lock()
		request := n.allowance.drop()
		b.mu.Unlock()
		request.Throttled, request.RetryAfterMilliseconds = true, retryAfter.Milliseconds()
		// If this is not taken, the next who is refused says it again.
		if _, err := b.ask(ctx, request); err != nil {
			b.e.log.WarnContext(ctx, "the platform does not know that the provider limits calls", slog.String("budget", n.allowance.scope), slog.Any("error", err))
		}
	}
}

// leave gives back what is worth it, and lets nobody wait for this run.
func (b *budgets) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, leaveTime)
	defer cancel()
	b.mu.Lock()
	var requests []workerapi.BudgetRequest
	for _, a := range b.all {
		if a.worthLeaving(time.Now()) {
			request := a.drop()
			request.Leaves, request.IntegrationID = true, b.manifest.IntegrationID
			requests = append(requests, request)
		}
	}
	b.mu.Unlock()
	for _, request := range requests {
		// What is not taken back is lost, and nobody waits for it for long.
		if _, err := b.e.call.budgetOnce(ctx, request); err != nil {
			b.e.log.DebugContext(ctx, "tokens were not given back", slog.Any("error", err))
			return
		}
	}
}
