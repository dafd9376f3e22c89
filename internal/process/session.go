package process

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/wire"
)

// session is a program at work for one run. A process that broke off is replaced at
// the next call.
type session struct {
	program  *Program
	settings connector.Settings

	mu     sync.Mutex
	talk   *talk
	closed bool
	// restarts counts processes that were replaced.
	restarts int
}

var (
	_ connector.Session            = (*session)(nil)
	_ connector.IdentifyingSession = (*session)(nil)
)

// start begins a process and opens its session.
func (s *session) start(ctx context.Context) error {
	t, err := s.program.begin(ctx, s.settings)
	if err != nil {
		return err
	}
	if err := s.open(ctx, t); err != nil {
		t.end()
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		t.end()
		return errClosed()
	}
	s.talk = t
	return nil
}

func errClosed() error {
	return &connector.Error{Category: connector.Internal, Message: "the session is closed"}
}

// open checks that the program is still what it was, and hands over the settings.
func (s *session) open(ctx context.Context, t *talk) error {
	starting, cancel := context.WithTimeoutCause(ctx, s.program.Limits.Starting, errSlow)
	defer cancel()
	said, err := t.describe(starting)
	if err != nil {
		return err
	}
	if same, err := sameManifest(said, s.program.Described); err != nil || !same {
		return t.broken("it describes itself differently than when it was registered; an operator has to register it again")
	}
	_, err = t.call(ctx, wire.Message{Type: wire.Open, Configuration: s.settings.Configuration, Scope: s.settings.Scope, Proxy: t.proxyURL()}, nil)
	return err
}

// sameManifest compares what manifests say, whatever the order or spacing of JSON
// inside them.
func sameManifest(a, b connector.Manifest) (bool, error) {
	x, err := canonical(a)
	if err != nil {
		return false, err
	}
	y, err := canonical(b)
	return err == nil && bytes.Equal(x, y), err
}

func canonical(m connector.Manifest) ([]byte, error) {
	raw, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	var all any
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, err
	}
	return json.Marshal(all)
}

// ask makes a call, with a new process where there is none.
func (s *session) ask(ctx context.Context, m wire.Message, page func(connector.Page) error) (json.RawMessage, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	t, closed := s.talk, s.closed
	s.mu.Unlock()
	if closed {
		return nil, errClosed()
	}
	if t == nil || t.over() {
		if t != nil {
			t.end()
		}
		if err := s.start(ctx); err != nil {
			return nil, err
		}
		s.mu.Lock()
		s.restarts++
		t = s.talk
		s.mu.Unlock()
	}
	return t.call(ctx, m, page)
}

// Check asks the program to check.
func (s *session) Check(ctx context.Context) (found connector.CheckResult, err error) {
	raw, err := s.ask(ctx, wire.Message{Type: wire.Check}, nil)
	if err == nil {
		err = decoded(raw, &found)
	}
	return found, err
}

// Identify asks the program to identify its target; one that cannot do so by itself is
// asked to check.
func (s *session) Identify(ctx context.Context) (connector.Identity, error) {
	s.mu.Lock()
	able := s.talk != nil && s.talk.identifies
	s.mu.Unlock()
	if !able {
		found, err := s.Check(ctx)
		return connector.Identity{Target: found.Target, ActsAs: found.ActsAs}, err
	}
	var found wire.IdentityBody
	raw, err := s.ask(ctx, wire.Message{Type: wire.Identify}, nil)
	if err == nil {
		err = decoded(raw, &found)
	}
	return connector.Identity{Target: found.Target, ActsAs: found.ActsAs}, err
}

// Plan asks the program for its plan.
func (s *session) Plan(ctx context.Context) (connector.Plan, error) {
	var found wire.PlanBody
	raw, err := s.ask(ctx, wire.Message{Type: wire.Plan}, nil)
	if err == nil {
		err = decoded(raw, &found)
	}
	if err != nil {
		return connector.Plan{}, err
	}
	return found.Plan(), nil
}

// Read has the program read a partition.
func (s *session) Read(ctx context.Context, p connector.Partition, from connector.Cursor, to connector.Sink) error {
	_, err := s.ask(ctx, wire.Message{Type: wire.Read, Partition: &wire.PartitionBody{Stream: p.Stream, Key: p.Key}, Cursor: from},
		func(page connector.Page) error { return to.Write(ctx, page) })
	return err
}

// Close ends the process and everything that it has started.
func (s *session) Close() error {
	s.mu.Lock()
	t := s.talk
	s.talk, s.closed = nil, true
	s.mu.Unlock()
	if t != nil && !t.over() {
		return t.leave()
	}
	if t != nil {
		t.end()
	}
	return nil
}

// Restarts returns how many processes of the session broke off and were replaced.
func (s *session) Restarts() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.restarts
}

func decoded(raw json.RawMessage, into any) error {
	if err := wire.DecodeResult(raw, into); err != nil {
		return &connector.Error{Category: connector.ContractViolation, Message: "the connector's program: " + err.Error()}
	}
	return nil
}
