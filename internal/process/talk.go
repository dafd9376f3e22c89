package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/wire"
	"github.com/gatehouse-project/gatehouse/internal/sandbox"
)

// talk is the conversation with one process. Its calls are for one goroutine at a time.
type talk struct {
	child  *sandbox.Child
	limits Limits
	out    *wire.Writer
	// lines are the program's messages, until the one that could not be read.
	lines chan line
	// gone is closed when nobody reads them any more.
	gone  chan struct{}
	log   *journal
	asks  *asks
	proxy *proxy
	work  sync.WaitGroup

	last       int64
	identifies bool

	mu     sync.Mutex
	why    error
	ending sync.Once
}

// line is a message, or why there is none.
type line struct {
	message wire.Message
	err     error
}

func newTalk(child *sandbox.Child, limits Limits, settings connector.Settings) *talk {
	t := &talk{
		child: child, limits: limits, out: wire.NewWriter(child.Stdin), lines: make(chan line), gone: make(chan struct{}),
		log: &journal{log: settings.Logger, limits: limits},
	}
	t.asks = &asks{budget: settings.Budget, out: t.out, held: map[int64]*ask{}}
	if child.Listener != nil {
		t.proxy = newProxy(child.Listener, settings.HTTPClient, t.log)
		t.work.Go(t.proxy.serve)
	}
	t.work.Go(t.listen)
	t.work.Go(func() { t.log.stderr(child.Stderr) })
	return t
}

// listen reads the program's messages and hands them over one by one.
func (t *talk) listen() {
	defer close(t.lines)
	from := wire.NewReader(t.child.Stdout)
	for {
		m, err := from.Read()
		select {
		case t.lines <- line{m, err}:
		case <-t.gone:
			return
		}
		if err != nil {
			return
		}
	}
}

// over reports whether the process is of no more use.
func (t *talk) over() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.why != nil
}

// broken ends the process and says why, in terms of the contract.
func (t *talk) broken(format string, args ...any) error {
	return t.fail(connector.ContractViolation, fmt.Sprintf(format, args...))
}

func (t *talk) fail(c connector.Category, message string) error {
	err := &connector.Error{Category: c, Message: "the connector's program: " + message}
	t.mu.Lock()
	t.why = err
	t.mu.Unlock()
	t.end()
	return err
}

// leave lets the program end by itself, for a moment. The error says that it did not.
func (t *talk) leave() error {
	defer t.end()
	_ = t.child.Stdin.Close()
	timer := time.NewTimer(t.limits.Stopping)
	defer timer.Stop()
	for lines := t.lines; ; {
		select {
		case l, more := <-lines:
			if !more || l.err != nil {
				lines = nil
			}
		case <-t.child.Done():
			return nil
		case <-timer.C:
			return fmt.Errorf("the connector's program did not end within %s after its standard input had, and was killed", t.limits.Stopping)
		}
	}
}

// end ends the process and everything that belongs to it.
func (t *talk) end() {
	t.ending.Do(func() {
		close(t.gone)
		t.asks.release()
		t.child.Kill()
		if t.proxy != nil {
			t.proxy.close()
		}
		t.work.Wait()
		t.asks.work.Wait()
		t.log.close()
	})
}

// greet exchanges hellos.
func (t *talk) greet(ctx context.Context) error {
	if err := t.send(ctx, wire.Message{Type: wire.Hello, Protocol: wire.Protocol, Contract: connector.ContractVersion}); err != nil {
		return err
	}
	for {
		m, err := t.receive(ctx)
		switch {
		case err != nil:
			return err
		case m.Type == wire.Log:
			if err := t.note(m); err != nil {
				return err
			}
		case m.Type != wire.Hello:
			return t.broken("it begins with %.32q and not with hello", string(m.Type))
		case m.Protocol != wire.Protocol || m.Contract != connector.ContractVersion:
			return t.broken("it speaks protocol %d for contract %.32q; this version of Gatehouse speaks %d for %q", m.Protocol, m.Contract, wire.Protocol, connector.ContractVersion)
		default:
			t.identifies = slices.Contains(m.Capabilities, wire.IdentifyCapability)
			return nil
		}
	}
}

// send writes a message; the program has as long to take it as it may be silent.
func (t *talk) send(ctx context.Context, m wire.Message) error {
	if err := t.child.Stdin.SetWriteDeadline(time.Now().Add(t.limits.Silence)); err != nil {
		return t.ended()
	}
	stop := context.AfterFunc(ctx, func() { _ = t.child.Stdin.SetWriteDeadline(time.Now().Add(t.limits.Stopping)) })
	err := t.out.Write(m)
	if stop() && err == nil {
		// What is written during the call, such as leave, may come much later; a pipe
		// that nobody reads is closed when the program ends.
		_ = t.child.Stdin.SetWriteDeadline(time.Time{})
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, wire.ErrLineTooLong):
		return t.fail(connector.ScopeInvalid, "what it is told does not fit into a line: "+err.Error())
	case errors.Is(err, os.ErrDeadlineExceeded):
		if ctx.Err() != nil {
			return t.stopped(ctx)
		}
		return t.broken("it did not read its standard input for %s", t.limits.Silence)
	}
	return t.ended()
}

// receive waits for the next message.
func (t *talk) receive(ctx context.Context) (wire.Message, error) {
	for {
		silence := time.NewTimer(t.limits.Silence)
		select {
		case l, more := <-t.lines:
			silence.Stop()
			if !more {
				l.err = io.EOF
			}
			return l.message, t.unread(l.err)
		case <-silence.C:
			// Waiting for leave is not silence.
			if !t.asks.waiting() {
				return wire.Message{}, t.fail(connector.Internal, fmt.Sprintf("it said nothing for %s", t.limits.Silence))
			}
		case <-ctx.Done():
			silence.Stop()
			return wire.Message{}, ctx.Err()
		}
	}
}

// unread is the error of a line that could not be read.
func (t *talk) unread(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF), errors.Is(err, os.ErrDeadlineExceeded):
		return t.ended()
	case errors.Is(err, wire.ErrCutOff):
		return t.fail(connector.Internal, "it ended in the middle of a line; "+t.exit())
	}
	return t.broken("%v", err)
}

// exit says how the process ended, which may take a moment to be known.
func (t *talk) exit() string {
	timer := time.NewTimer(t.limits.Stopping)
	defer timer.Stop()
	select {
	case <-t.child.Done():
		return t.child.Exit(t.limits.Sandbox)
	case <-timer.C:
		return "it closed its standard output"
	}
}

// ended is the error of a process that is no longer there.
func (t *talk) ended() error {
	return t.fail(connector.Internal, t.exit()+" before its work was done; the log has what it wrote to standard error")
}

// stopped is the error of a call whose context ended before the program could be told.
func (t *talk) stopped(ctx context.Context) error {
	if errors.Is(context.Cause(ctx), errSlow) {
		return t.fail(connector.Internal, fmt.Sprintf("it did not begin within %s", t.limits.Starting))
	}
	_ = t.fail(connector.Internal, "it was stopped")
	return ctx.Err()
}

// call makes a call and returns its result. Pages go to the function; its error ends
// the call and comes back unchanged.
func (t *talk) call(ctx context.Context, m wire.Message, page func(connector.Page) error) (json.RawMessage, error) {
	t.last++
	m.ID = t.last
	if err := t.send(ctx, m); err != nil {
		return nil, err
	}
	asking, enough := context.WithCancel(ctx)
	defer enough()
	go func() { // nobody waits for leave on behalf of a process that has ended
		select {
		case <-t.gone:
			enough()
		case <-asking.Done():
		}
	}()
	defer t.asks.release()
	for {
		answer, err := t.receive(ctx)
		if err != nil && ctx.Err() != nil && !t.over() {
			return nil, t.cancel(ctx, m.ID)
		}
		if err != nil {
			return nil, err
		}
		if done, result, err := t.take(asking, m, answer, page); done || err != nil {
			return result, err
		}
	}
}

// take handles one message during a call.
func (t *talk) take(ctx context.Context, call, m wire.Message, page func(connector.Page) error) (done bool, result json.RawMessage, err error) {
	switch m.Type {
	case wire.Log, wire.Release, wire.Throttled:
		return false, nil, t.aside(ctx, m)
	}
	if m.ID != call.ID {
		return true, nil, t.broken("it sends %.32q for call %d while call %d is under way", string(m.Type), m.ID, call.ID)
	}
	switch m.Type {
	case wire.Result:
		return true, m.Result, nil
	case wire.Failed:
		return true, nil, t.failure(m)
	case wire.Take:
		return false, nil, t.grant(ctx, m)
	case wire.Page:
		switch {
		case page == nil:
			return true, nil, t.broken("it sends a page in answer to %s", call.Type)
		case m.Page == nil:
			return true, nil, t.broken("it sends a page without the page")
		}
		if err := page(m.Page.Page()); err != nil {
			return true, nil, t.refuse(call.ID, err)
		}
		return false, nil, t.send(ctx, wire.Message{Type: wire.Next, ID: call.ID})
	}
	return true, nil, t.broken("it sends %.32q, which has no place in the answer to %s", string(m.Type), call.Type)
}

// grant asks the budget while the call goes on.
func (t *talk) grant(ctx context.Context, m wire.Message) error {
	if err := t.asks.ask(ctx, m); err != nil {
		return t.broken("%v", err)
	}
	return nil
}

// aside handles what is no part of an answer.
func (t *talk) aside(ctx context.Context, m wire.Message) error {
	switch m.Type {
	case wire.Release:
		t.asks.done(m.Take)
	case wire.Throttled:
		t.asks.budget.Throttled(ctx, wire.Seconds(m.RetryAfterSeconds), wire.Uses(m.Uses)...)
	case wire.Log:
		return t.note(m)
	}
	return nil
}

// note logs what the program says.
func (t *talk) note(m wire.Message) error {
	if !t.log.note(m) {
		return t.broken("it floods the log: more than %d lines", floods*t.limits.LogLines)
	}
	return nil
}

// failure is the error that the program answered with.
func (t *talk) failure(m wire.Message) error {
	switch {
	case m.Error == nil:
		return t.broken("it answers with an error and does not say which")
	case !slices.Contains(connector.Categories(), m.Error.Category):
		return t.broken("it answers with an error of the category %.64q, which is not known", string(m.Error.Category))
	case m.Error.Message == "":
		return t.broken("it answers with an error without a message")
	}
	return m.Error.Error()
}

// refuse tells the program that its read ends, and returns the sink's error.
func (t *talk) refuse(id int64, err error) error {
	t.wind(id)
	return err
}

// cancel tells the program that its call ends because its context has.
func (t *talk) cancel(ctx context.Context, id int64) error {
	if errors.Is(context.Cause(ctx), errSlow) {
		return t.stopped(ctx)
	}
	t.wind(id)
	return ctx.Err()
}

// wind cancels a call and waits for its end; a program that does not come to it in
// time is ended.
func (t *talk) wind(id int64) {
	ctx, cancel := context.WithTimeout(context.Background(), t.limits.Stopping)
	defer cancel()
	if t.send(ctx, wire.Message{Type: wire.Cancel, ID: id}) != nil {
		return
	}
	for {
		m, err := t.receive(ctx)
		switch {
		case err != nil && !t.over():
			_ = t.fail(connector.Internal, fmt.Sprintf("it went on for more than %s after its call was cancelled", t.limits.Stopping))
			return
		case err != nil:
			return
		case m.Type == wire.Log, m.Type == wire.Release, m.Type == wire.Throttled:
			if t.aside(ctx, m) != nil {
				return
			}
		case m.ID == id && (m.Type == wire.Cancelled || m.Type == wire.Failed || m.Type == wire.Result):
			return
		}
	}
}

// proxyURL is where the program finds its way out; empty when there is none.
func (t *talk) proxyURL() string {
	if t.proxy == nil {
		return ""
	}
	return t.proxy.url
}
