package process

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/wire"
	"github.com/gatehouse-project/gatehouse/internal/sandbox"
)

// Limits are what a program may take, beside those of its sandbox.
type Limits struct {
	Sandbox sandbox.Limits
	// Silence is how long it may say nothing while a call is under way.
	Silence time.Duration
	// Stopping is how long it may go on once a call was cancelled.
	Stopping time.Duration
	// Starting is how long it may take to its hello and its manifest.
	Starting time.Duration
	// LogLines is how many lines of a session are logged, and StderrBytes how much of
	// its standard error. What comes after ten times as many lines is a flood.
	LogLines    int
	StderrBytes int
}

// DefaultLimits leave a provider time to answer.
func DefaultLimits() Limits {
	return Limits{
		Sandbox: sandbox.DefaultLimits(), Silence: 5 * time.Minute, Stopping: 2 * time.Second, Starting: 30 * time.Second,
		LogLines: 2000, StderrBytes: 64 << 10,
	}
}

// Program is a connector that is a program of its own. It does not change after it
// was made and holds nothing of any connection.
type Program struct {
	Command sandbox.Command
	// Described is what the program said of itself when it was registered. A program
	// that says something else is not used.
	Described connector.Manifest
	Limits    Limits
	// Isolated refuses to run the program where the system cannot keep it apart.
	Isolated bool
}

var _ connector.Connector = (*Program)(nil)

// Manifest returns what the program said of itself.
func (p *Program) Manifest() connector.Manifest { return p.Described }

// Open starts the program and hands it the settings.
func (p *Program) Open(ctx context.Context, settings connector.Settings) (connector.Session, error) {
	if settings.Logger == nil {
		settings.Logger = slog.New(slog.DiscardHandler)
	}
	if settings.Budget == nil {
		settings.Budget = connector.Unlimited{}
	}
	s := &session{program: p, settings: settings}
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// Describe starts a program to have it describe itself. Its manifest is as it says,
// and not looked at.
func Describe(ctx context.Context, p *Program, log *slog.Logger) (m connector.Manifest, i sandbox.Isolation, err error) {
	t, err := p.begin(ctx, connector.Settings{Logger: log, Budget: connector.Unlimited{}})
	if err != nil {
		return m, i, err
	}
	defer t.end()
	ctx, cancel := context.WithTimeoutCause(ctx, p.Limits.Starting, errSlow)
	defer cancel()
	m, err = t.describe(ctx)
	return m, t.child.Isolation, err
}

// errSlow is the cause of a context that ends because a start takes too long.
var errSlow = errors.New("it did not begin in time")

// describe asks for the manifest.
func (t *talk) describe(ctx context.Context) (m connector.Manifest, err error) {
	raw, err := t.call(ctx, wire.Message{Type: wire.Describe}, nil)
	if err == nil {
		err = decoded(raw, &m)
	}
	return m, err
}

// begin starts a process and exchanges hellos.
func (p *Program) begin(ctx context.Context, settings connector.Settings) (*talk, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	child, err := sandbox.Start(sandbox.Spec{Command: p.Command, Limits: p.Limits.Sandbox, Isolated: p.Isolated, Listen: settings.HTTPClient != nil})
	if err != nil {
		return nil, notStarted(err)
	}
	if !child.Isolation.Full() {
		settings.Logger.WarnContext(ctx, "the connector's program runs without isolation: its network is not restricted, and it sees other processes", slog.String("reason", child.Isolation.Reason))
	}
	t := newTalk(child, p.Limits, settings)
	ctx, cancel := context.WithTimeoutCause(ctx, p.Limits.Starting, errSlow)
	defer cancel()
	err = t.greet(ctx)
	if err != nil && ctx.Err() != nil {
		err = t.stopped(ctx)
	}
	if err != nil {
		t.end()
		return nil, err
	}
	return t, nil
}

// notStarted is the error of a program that could not be started.
func notStarted(err error) error {
	e := &connector.Error{Category: connector.Internal, Cause: err}
	var changed *sandbox.HashError
	switch {
	case errors.As(err, &changed):
		e.Message = changed.Error() + "; an operator has to look at it and register it again"
	case errors.Is(err, sandbox.ErrNotIsolated):
		e.Message = "the connector's program was not started, because " + err.Error() + "; an operator can let it run all the same"
	default:
		e.Message = fmt.Sprintf("the connector's program could not be started: %v", err)
	}
	return e
}
