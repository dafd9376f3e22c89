package workspace

import (
	"context"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// Service is the use cases on workspaces and people.
type Service struct {
	Store Store
	// Provider is where people sign in. Nil where sign-in is not set up; then
	// there are API keys only.
	Provider IdentityProvider
	// Sessions says how long a sign-in holds.
	Sessions SessionLimits
}

// Current returns the caller's workspace.
func (s *Service) Current(ctx context.Context, c Caller) (Workspace, error) {
	if err := c.Require(ReadAdministration); err != nil {
		return Workspace{}, err
	}
	return s.Store.Get(ctx, c.Scope)
}

// Mine returns the workspaces that the caller is a member of, in order of id: a
// person's, or the one of an API key. It needs no capability.
func (s *Service) Mine(ctx context.Context, c Caller) ([]Membership, error) {
	if c.Person != 0 {
		return s.Store.Memberships(ctx, c.Scope.Tenant, c.Person)
	}
	w, err := s.Store.Get(ctx, c.Scope)
	if err != nil {
		return nil, err
	}
	return []Membership{{Workspace: w, Member: c.Member, Role: c.Role}}, nil
}

// Session returns the session that the caller came with; NotFound for an API key.
func (s *Service) Session(ctx context.Context, c Caller) (SessionInfo, error) {
	if c.Session == 0 {
		return SessionInfo{}, notASession()
	}
	return s.Store.Session(ctx, c.Session)
}

// SignOut ends the session that the caller came with, or, with everywhere, all
// of the person's.
func (s *Service) SignOut(ctx context.Context, c Caller, everywhere bool) error {
	if c.Session == 0 {
		return notASession()
	}
	return s.Store.EndSessions(ctx, c.Person, c.Session, everywhere, audit.Event{
		Actor: audit.Person(c.Person), Action: audit.SignedOut, Outcome: audit.Succeeded, TargetType: "person", TargetID: c.Person.String(),
		Payload: map[string]any{"everywhere": everywhere},
	})
}

func notASession() error {
	return fault.New(fault.NotFound, "these credentials are an API key and no session; end a key with gatehouse api-keys revoke")
}

// memberEvent is an event about a member, done by the caller.
func (c Caller) memberEvent(a audit.Action, m id.Member, payload map[string]any) audit.Event {
	e := audit.Event{Actor: c.Actor(), Action: a, Outcome: audit.Succeeded, TargetType: "member", Payload: payload}
	if m != 0 {
		e.TargetID = m.String()
	}
	return e
}
