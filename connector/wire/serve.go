package wire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"

	"github.com/gatehouse-project/gatehouse/connector"
)

// Serve lets a host use a connector over two streams, usually standard input and
// output, until the input ends. It returns nil then, and an error when the host does
// not keep to the protocol or cannot be written to. What the connector logs goes to
// the host.
func Serve(ctx context.Context, k connector.Connector, in io.Reader, out io.Writer) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	s := &server{connector: k, out: NewWriter(out), calls: make(chan Message), ends: stop, takes: map[int64]chan Message{}}
	read := make(chan error, 1)
	go func() { read <- s.listen(ctx, NewReader(in)) }()
	defer s.close()
	for {
		select {
		case m := <-s.calls:
			if err := s.answer(ctx, m); err != nil {
				return err
			}
		case err := <-read:
			return err
		}
	}
}

// server is the connector's side of one conversation.
type server struct {
	connector connector.Connector
	out       *Writer
	// calls are the host's calls, one at a time.
	calls chan Message
	// ends ends everything, at the end of the input.
	ends context.CancelFunc
	// session is that of open; for the goroutine of Serve.
	session connector.Session

	mu sync.Mutex
	// call is the one under way, cancel ends it, and next takes the host's word
	// that a page was taken.
	call   int64
	cancel context.CancelFunc
	next   chan struct{}
	// takes are what was asked of the budget and not answered yet, by number.
	takes map[int64]chan Message
	taken int64
}

// listen takes the host's messages until they end.
func (s *server) listen(ctx context.Context, from *Reader) error {
	defer s.ends()
	for greeted := false; ; {
		m, err := from.Read()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read from the host: %w", err)
		case m.Type == Hello:
			if m.Protocol != Protocol || m.Contract != connector.ContractVersion {
				return fmt.Errorf("the host speaks protocol %d for contract %q, this connector %d for %q", m.Protocol, m.Contract, Protocol, connector.ContractVersion)
			}
			greeted = true
			hello := Message{Type: Hello, Protocol: Protocol, Contract: connector.ContractVersion, Capabilities: []string{IdentifyCapability}}
			if err := s.out.Write(hello); err != nil {
				return err
			}
		case !greeted:
			return errors.New("the host does not begin with hello")
		case !s.handled(m):
			select {
			case s.calls <- m:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

// handled takes what is no call.
func (s *server) handled(m Message) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch m.Type {
	case Cancel:
		if m.ID == s.call && s.cancel != nil {
			s.cancel()
		}
	case Next:
		if m.ID == s.call && s.next != nil {
			select {
			case s.next <- struct{}{}:
			default: // the page was given up meanwhile
			}
		}
	case Granted, Refused:
		if asked, ok := s.takes[m.Take]; ok {
			delete(s.takes, m.Take)
			asked <- m
		}
	default:
		return false
	}
	return true
}

// answer carries out a call and answers it. Its error is that of the writer.
func (s *server) answer(ctx context.Context, m Message) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.mu.Lock()
	s.call, s.cancel, s.next = m.ID, cancel, make(chan struct{}, 1)
	s.mu.Unlock()
	result, err := s.carry(ctx, m)
	s.mu.Lock()
	s.cancel = nil
	s.mu.Unlock()
	if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return s.out.Write(Message{Type: Cancelled, ID: m.ID})
	}
	if err != nil {
		if e := connector.AsError(err); e.Category == connector.Internal && e.Cause != nil {
			s.log(slog.LevelError, "the call failed", map[string]any{"call": m.Type, "error": e.Cause.Error()})
		}
		return s.out.Write(Message{Type: Failed, ID: m.ID, Error: NewError(connector.AsError(err))})
	}
	answer := Message{Type: Result, ID: m.ID}
	if result != nil {
		if answer.Result, err = json.Marshal(result); err != nil {
			return fmt.Errorf("encode the result of %s: %w", m.Type, err)
		}
	}
	return s.out.Write(answer)
}

// carry carries out a call.
func (s *server) carry(ctx context.Context, m Message) (any, error) {
	if s.session == nil && m.Type != Describe && m.Type != Open {
		return nil, violation("the host calls %.32q before open", string(m.Type))
	}
	switch m.Type {
	case Describe:
		return s.connector.Manifest(), nil
	case Open:
		return nil, s.open(ctx, m)
	case Check:
		return s.session.Check(ctx)
	case Identify:
		return s.identify(ctx)
	case Plan:
		p, err := s.session.Plan(ctx)
		return NewPlan(p), err
	case Read:
		return nil, s.read(ctx, m)
	}
	return nil, violation("the host calls %.32q, which is not known", string(m.Type))
}

func (s *server) open(ctx context.Context, m Message) error {
	if s.session != nil {
		return violation("the host opens a second session")
	}
	client, err := proxied(m.Proxy)
	if err != nil {
		return err
	}
	session, err := s.connector.Open(ctx, connector.Settings{
		Configuration: m.Configuration, Scope: m.Scope, HTTPClient: client, Budget: (*budget)(s), Logger: slog.New(&logHandler{server: s}),
	})
	if err == nil {
		s.session = session
	}
	return err
}

func (s *server) identify(ctx context.Context) (any, error) {
	if short, ok := s.session.(connector.IdentifyingSession); ok {
		found, err := short.Identify(ctx)
		return IdentityBody{Target: found.Target, ActsAs: found.ActsAs}, err
	}
	found, err := s.session.Check(ctx)
	return IdentityBody{Target: found.Target, ActsAs: found.ActsAs}, err
}

func (s *server) read(ctx context.Context, m Message) error {
	if m.Partition == nil {
		return violation("the host reads no partition")
	}
	p := m.Partition.Partition()
	stream, ok := s.connector.Manifest().Stream(p.Stream)
	if !ok {
		return violation("the host reads the stream %.64q, which is not declared", p.Stream)
	}
	return s.session.Read(ctx, p, m.Cursor, &sink{server: s, call: m.ID, stream: stream})
}

func (s *server) close() {
	if s.session != nil {
		_ = s.session.Close() // the process ends, and nobody is left to be told
	}
}

func violation(format string, args ...any) *connector.Error {
	return &connector.Error{Category: connector.ContractViolation, Message: fmt.Sprintf(format, args...)}
}
