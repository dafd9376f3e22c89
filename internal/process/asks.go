package process

import (
	"context"
	"fmt"
	"sync"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/wire"
)

// mostAsks is how many calls a program may ask leave for at once.
const mostAsks = 256

// asks are a program's questions to the budget that are not settled: those that wait
// for leave, and calls that are under way with it.
type asks struct {
	budget connector.Budget
	out    *wire.Writer
	work   sync.WaitGroup

	mu      sync.Mutex
	held    map[int64]*ask
	pending int
}

// ask is one of them. Until it is granted it has no release.
type ask struct {
	release func()
	over    bool
}

// ask begins to wait for leave and answers the program when there is some. The error
// says what is wrong with the question.
func (a *asks) ask(ctx context.Context, m wire.Message) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case m.Take < 1:
		return fmt.Errorf("it asks for leave without a number")
	case a.held[m.Take] != nil:
		return fmt.Errorf("it asks for leave with the number %d, which is in use", m.Take)
	case len(a.held) >= mostAsks:
		return fmt.Errorf("it asks for leave for more than %d calls at once", mostAsks)
	}
	one := &ask{}
	a.held[m.Take] = one
	a.pending++
	a.work.Go(func() { a.await(ctx, m, one) })
	return nil
}

func (a *asks) await(ctx context.Context, m wire.Message, one *ask) {
	release, err := a.budget.Take(ctx, wire.Uses(m.Uses)...)
	a.mu.Lock()
	a.pending--
	answer := wire.Message{Type: wire.Granted, ID: m.ID, Take: m.Take}
	switch {
	case err != nil:
		if a.held[m.Take] == one { // and not one of a later call
			delete(a.held, m.Take)
		}
		answer.Type, answer.Error = wire.Refused, wire.NewError(connector.AsError(err))
	case one.over:
		defer release()
	default:
		one.release = release
	}
	a.mu.Unlock()
	if err != nil && ctx.Err() != nil {
		return // the call is over, and its answer with it
	}
	// A program that cannot be told has ended, which its next line will show.
	_ = a.out.Write(answer)
}

// waiting reports whether the program waits for leave.
func (a *asks) waiting() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.pending > 0
}

// done ends a call that had leave. One that is not known says nothing.
func (a *asks) done(number int64) {
	a.mu.Lock()
	one := a.held[number]
	delete(a.held, number)
	a.mu.Unlock()
	a.settle(one)
}

// release ends all of them.
func (a *asks) release() {
	a.mu.Lock()
	all := a.held
	a.held = map[int64]*ask{}
	a.mu.Unlock()
	for _, one := range all {
		a.settle(one)
	}
}

func (a *asks) settle(one *ask) {
	if one == nil {
		return
	}
	a.mu.Lock()
	one.over = true
	release := one.release
	a.mu.Unlock()
	if release != nil {
		release()
	}
}
