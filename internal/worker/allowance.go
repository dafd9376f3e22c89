package worker

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/workerapi"
)

// How many tokens are asked for at once: as many as last for a while, up to what
// the protocol allows.
const (
	firstAsked = 4
	mostAsked  = 256
)

// allowance is what a run was given of one budget. All but its channels is guarded
// by the mutex of [budgets].
type allowance struct {
	// name tells allowances apart, title says in messages which it is.
	name, title, scope string
	key                []string
	rate               float64
	// slot is who calls, where calls under way are limited: the platform gives
	// leave for one at a time.
	slot   chan struct{}
	asking chan struct{}

	tokens int
	// until is when the tokens go bad, and chunk the platform's number of them.
	until time.Time
	chunk int64
	// asked is how many to ask for next, and full whether the last were given.
	asked int
	full  bool
	heard time.Time
}

func newAllowance(name string, u connector.Use, s connector.ThrottleScope) *allowance {
	parts := make([]string, len(s.Key))
	for i, part := range s.Key {
		parts[i] = part + " " + u.Key[i]
	}
	a := &allowance{
		name: name, title: fmt.Sprintf("%s (%s)", u.Scope, strings.Join(parts, ", ")), scope: u.Scope, key: u.Key, rate: s.Limit.Rate(),
		asking: make(chan struct{}, 1), asked: firstAsked,
	}
	if s.Limit.Concurrent > 0 {
		a.slot = make(chan struct{}, 1)
	}
	return a
}

func (a *allowance) enter(ctx context.Context) error {
	select {
	case a.slot <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (a *allowance) exit() { <-a.slot }

// has reports whether there are n tokens that are still good.
func (a *allowance) has(now time.Time, n int) bool { return a.tokens >= n && now.Before(a.until) }

// request asks for another chunk and gives back what is left of the last one.
func (a *allowance) request(least int) workerapi.BudgetRequest {
	if a.tokens > 0 {
		// More than could be used in time.
		a.asked = max(1, a.asked-a.tokens)
	} else if a.full {
		a.asked = min(2*a.asked, mostAsked)
	}
	request := a.drop()
	request.Want, request.Least = max(a.asked, least), least
	return request
}

// drop gives up the tokens that are left.
func (a *allowance) drop() workerapi.BudgetRequest {
	request := workerapi.BudgetRequest{Scope: a.scope, Key: a.key, Chunk: a.chunk, Unused: a.tokens}
	a.tokens = 0
	return request
}

// settle takes what was given. It is good from when it was asked for, because
// nobody knows when the answer was on its way.
func (a *allowance) settle(asked time.Time, request workerapi.BudgetRequest, answer workerapi.BudgetAnswer) {
	a.heard, a.full = asked, answer.Granted >= request.Want
	if answer.Granted == 0 {
		return
	}
	a.tokens, a.chunk, a.until = answer.Granted, answer.Chunk, asked.Add(answer.GoodFor())
}

// worthLeaving reports whether somebody may wait for this run, or tokens are left
// that do not come back within a minute by themselves.
func (a *allowance) worthLeaving(now time.Time) bool {
	return a.slot != nil || now.Sub(a.heard) < leavesWithin || float64(a.tokens) > a.rate*60
}

// leavesWithin is for how long a run that asked is waited for, and a little more.
const leavesWithin = 5 * time.Second
