package onboarding

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/idempotency"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/run"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// The surfaces that runs of a session name when the caller names none.
const (
	VerifySurface    = "onboarding.verify"
	BootstrapSurface = "onboarding.bootstrap"
)

// Service is what members do with sessions.
type Service struct {
	Store       Store
	Connections connection.Reader
	Catalog     *integration.Catalog
	Keeper      *Keeper
}

// Outcome is the answer to the start of a bootstrap.
type Outcome struct {
	Session Session
	// Start is the gate's answer to the first operation; nil when somebody else,
	// who advances the session too, was faster.
	Start *run.StartResult
	// Replayed says that an earlier request, the same as this one, was answered so.
	Replayed bool
}

// Start begins a session. With once, the same request may be sent again: again says
// that it was, and that nothing more was begun.
func (s *Service) Start(ctx context.Context, c workspace.Caller, i integration.ID, once *idempotency.Request) (begun Session, again bool, err error) {
	if err := c.Require(workspace.StartOperations); err != nil {
		return Session{}, false, err
	}
	return s.once(ctx, c, once, func() (Session, error) {
		if _, err := s.Catalog.Get(i); err != nil {
			return Session{}, fault.InvalidField("integration_id", "is not in the catalog; see GET /v1/integrations")
		}
		started := Session{Scope: c.Scope, Integration: i, Status: Open, Version: 1}
		return s.Store.Create(ctx, started, c.Member, once, started.event(c.Actor(), audit.OnboardingStarted, nil))
	})
}

// once does something unless the same request was answered before; then it returns
// the session that it was answered with, as it is now.
func (s *Service) once(ctx context.Context, c workspace.Caller, once *idempotency.Request, do func() (Session, error)) (answer Session, again bool, err error) {
	if once == nil {
		answer, err = do()
		return answer, false, err
	}
	// Looked for again when it is stored. What was answered is not asked again: the
	// session has gone on since.
	if answer, again, err = s.Store.Answered(ctx, c.Scope, *once); again || err != nil {
		return answer, again, err
	}
	if answer, err = do(); errors.Is(err, run.ErrAnswered) {
		return s.Store.Answered(ctx, c.Scope, *once)
	}
	return answer, false, err
}

// Get returns a session, or NotFound.
func (s *Service) Get(ctx context.Context, c workspace.Caller, o id.Onboarding) (Session, error) {
	if err := c.Require(workspace.ReadWorkspace); err != nil {
		return Session{}, err
	}
	return s.Store.Get(ctx, c.Scope, o)
}

// List returns the newest sessions first.
func (s *Service) List(ctx context.Context, c workspace.Caller, f Filter) ([]Session, error) {
	if err := c.Require(workspace.ReadWorkspace); err != nil {
		return nil, err
	}
	return s.Store.List(ctx, c.Scope, f)
}

// Pick chooses the session's connection.
func (s *Service) Pick(ctx context.Context, c workspace.Caller, o id.Onboarding, conn id.Connection, ifVersion *int64) (Session, error) {
	if err := c.Require(workspace.StartOperations); err != nil {
		return Session{}, err
	}
	found, err := s.Connections.Get(ctx, c.Scope, conn)
	if fault.KindOf(err) == fault.NotFound {
		// Which of the two is missing is told by the session first.
		if _, missing := s.Store.Get(ctx, c.Scope, o); missing != nil {
			return Session{}, missing
		}
		return Session{}, fault.InvalidField("connection_id", "names no connection of this workspace; see GET /v1/connections")
	}
	if err != nil {
		return Session{}, err
	}
	return s.Store.Change(ctx, Ref{c.Scope, o}, Terms{IfVersion: ifVersion}, func(s *Session) ([]audit.Event, error) { return s.Pick(c, found) })
}

// VerifyRequest asks for the verification of a session's connection.
type VerifyRequest struct {
	// Operation is connection.test; there is no other.
	Operation operation.Type
	// Step and Connection are what the caller takes for granted; empty for nothing.
	Step       Step
	Connection id.Connection
	// Once is set when the caller may send the same request again.
	Once *idempotency.Request
}

// Verify has the session's connection tested. When a connection is named, it has
// to be the session's.
func (s *Service) Verify(ctx context.Context, c workspace.Caller, o id.Onboarding, r VerifyRequest) (run.StartResult, error) {
	if err := c.Require(workspace.ManageConnections); err != nil {
		return run.StartResult{}, err
	}
	session, err := s.Store.Get(ctx, c.Scope, o)
	if err != nil {
		return run.StartResult{}, err
	}
	if r.Operation != operation.ConnectionTest {
		return run.StartResult{}, fault.New(fault.NotFound,
			"the verification of an onboarding is %s; other operations are started by POST /v1/onboarding/%s/bootstrap", operation.ConnectionTest, o)
	}
	if r.Step != "" && r.Step != VerifyStep {
		return run.StartResult{}, fault.InvalidField("step", "must be %s", VerifyStep)
	}
	op, err := operation.Get(r.Operation)
	if err != nil {
		return run.StartResult{}, err
	}
	if r.Once != nil {
		if result, ok, err := s.Keeper.Gate.AnsweredStart(ctx, c.Scope, op, *r.Once); ok || err != nil {
			return result, err
		}
	}
	if err := session.MayVerify(); err != nil {
		return run.StartResult{}, err
	}
	if err := session.mustBe(r.Connection); err != nil {
		return run.StartResult{}, err
	}
	result, err := s.Keeper.Gate.StartOnboarding(ctx, run.OnboardingStart{
		Scope: c.Scope, Operation: op.Type, Connection: session.Connection, Member: c.Member, Actor: c.Actor(), Surface: VerifySurface,
		Entry: run.OnboardingEntry{Session: o}, Once: r.Once,
	})
	return result, explain(err)
}

// mustBe returns nil when the named connection, if any, is the session's.
func (s *Session) mustBe(named id.Connection) error {
	if named == 0 || named == s.Connection {
		return nil
	}
	if s.Connection == 0 {
		return fault.InvalidField("connection_id", "is not the session's connection; pick it first with PUT /v1/onboarding/%s/connection", s.ID)
	}
	return fault.InvalidField("connection_id", "is not the session's connection, which is %s; pick another with PUT /v1/onboarding/%s/connection", s.Connection, s.ID)
}

// explain gives what can go wrong between looking and starting its public form.
func explain(err error) error {
	switch {
	case fault.KindOf(err) == fault.NotFound:
		return fault.Wrap(fault.Conflict, err, "the session's connection was deleted; pick another one")
	case errors.Is(err, run.ErrNotNext):
		return fault.Wrap(fault.Conflict, err, "the session was changed at the same moment; look at it again")
	}
	return err
}

// BootstrapRequest chooses the operations that start one after the other.
type BootstrapRequest struct {
	// Connection has to be the session's.
	Connection id.Connection
	Operations []operation.Type
	// Surface says where the request came from; [BootstrapSurface] when empty.
	Surface string
	Terms
}

// Bootstrap starts operations one after the other. The answer is about the first.
func (s *Service) Bootstrap(ctx context.Context, c workspace.Caller, o id.Onboarding, r BootstrapRequest) (Outcome, error) {
	if err := c.Require(workspace.StartOperations); err != nil {
		return Outcome{}, err
	}
	if r.Surface == "" {
		r.Surface = BootstrapSurface
	}
	return s.goOn(ctx, c, o, r.Terms, func() error {
		session, err := s.Store.Get(ctx, c.Scope, o)
		if err != nil {
			return err
		}
		if err := s.mayBootstrap(c, session, r.Operations); err != nil {
			return err
		}
		if r.Connection == 0 {
			return fault.InvalidField("connection_id", "is missing; name the session's connection")
		}
		return session.mustBe(r.Connection)
	}, func(s *Session) ([]audit.Event, error) { return s.Begin(c, r.Operations, r.Surface) })
}

// Resume has a stopped session go on with the operation that did not succeed. The
// caller, for whom the runs are, has to have what each of the operations needs.
func (s *Service) Resume(ctx context.Context, c workspace.Caller, o id.Onboarding, on Terms) (Outcome, error) {
	if err := c.Require(workspace.StartOperations); err != nil {
		return Outcome{}, err
	}
	return s.goOn(ctx, c, o, on, func() error {
		session, err := s.Store.Get(ctx, c.Scope, o)
		if err != nil {
			return err
		}
		for _, chosen := range session.Operations {
			op, err := operation.Get(chosen.Type)
			if err != nil {
				return err
			}
			if err := c.Require(op.Capability); err != nil {
				return err
			}
		}
		return nil
	}, func(s *Session) ([]audit.Event, error) { return s.Resume(c) })
}

// goOn changes a session, if it may be, and starts what is to be started then. A
// request that was answered before changes nothing; should the process have died
// before it started anything, that is made up for.
func (s *Service) goOn(ctx context.Context, c workspace.Caller, o id.Onboarding, on Terms, may func() error, change func(*Session) ([]audit.Event, error)) (Outcome, error) {
	ref := Ref{c.Scope, o}
	_, again, err := s.once(ctx, c, on.Once, func() (Session, error) {
		if err := may(); err != nil {
			return Session{}, err
		}
		return s.Store.Change(ctx, ref, on, change)
	})
	if err != nil {
		return Outcome{}, err
	}
	answer, err := s.Keeper.Advance(ctx, ref, c.Actor())
	if err != nil {
		return Outcome{}, err
	}
	session, err := s.Store.Get(ctx, c.Scope, o)
	return Outcome{Session: session, Start: answer, Replayed: again}, err
}

// Abandon ends a session for good. Runs that it has started go on.
func (s *Service) Abandon(ctx context.Context, c workspace.Caller, o id.Onboarding, ifVersion *int64) (Session, error) {
	if err := c.Require(workspace.StartOperations); err != nil {
		return Session{}, err
	}
	return s.Store.Change(ctx, Ref{c.Scope, o}, Terms{IfVersion: ifVersion}, func(s *Session) ([]audit.Event, error) { return s.Abandon(c.Actor()) })
}

// mayBootstrap returns nil when the caller may start these operations on the
// session's integration.
func (s *Service) mayBootstrap(c workspace.Caller, session Session, ops []operation.Type) error {
	if len(ops) == 0 || len(ops) > MaxOperations {
		return fault.InvalidField("selected_operations", "must name 1 to %d operations", MaxOperations)
	}
	offered := s.Offered(session.Integration)
	for i, t := range ops {
		field := fmt.Sprintf("selected_operations[%d]", i)
		if slices.Index(ops, t) != i {
			return fault.InvalidField(field, "is named twice; name each operation once")
		}
		if !slices.ContainsFunc(offered, func(o operation.Operation) bool { return o.Type == t }) {
			return fault.InvalidField(field, "is not offered by %s; it offers %s", session.Integration, list(offered))
		}
		op, err := operation.Get(t)
		if err != nil {
			return err
		}
		if err := c.Require(op.Capability); err != nil {
			return err
		}
	}
	return nil
}

func list(offered []operation.Operation) string {
	names := make([]string, len(offered))
	for i, o := range offered {
		names[i] = string(o.Type)
	}
	return strings.Join(names, ", ")
}

// Offered lists the operations that a bootstrap of the integration can start, in
// the registry's order: those that need nothing beside the connection. It is none
// of an integration that is not in the catalog any more.
func (s *Service) Offered(i integration.ID) []operation.Operation {
	entry, err := s.Catalog.Get(i)
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(operation.All(), func(o operation.Operation) bool {
		return !slices.Contains(entry.Operations, string(o.Type)) || slices.ContainsFunc(o.Inputs, func(f operation.Field) bool { return f.Required })
	})
}

// PermissionPacks returns what to grant at the provider, for the session's
// connection if it has one; nothing for an integration that is not in the catalog
// any more.
func (s *Service) PermissionPacks(ctx context.Context, session Session) ([]connector.PermissionPack, error) {
	entry, err := s.Catalog.Get(session.Integration)
	if fault.KindOf(err) == fault.NotFound {
		return []connector.PermissionPack{}, nil
	}
	if session.Connection == 0 {
		return entry.PermissionPacks(nil, nil)
	}
	conn, err := s.Connections.Get(ctx, session.Scope, session.Connection)
	if fault.KindOf(err) == fault.NotFound {
		return entry.PermissionPacks(nil, nil)
	}
	if err != nil {
		return nil, err
	}
	return entry.PermissionPacks(conn.Config, conn.ReadScope)
}
