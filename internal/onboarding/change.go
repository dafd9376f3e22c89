package onboarding

import (
	"fmt"
	"slices"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/run"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// The methods here are the rules of a session. Each is called on a session whose
// row is locked, and returns the events that are stored together with it.

// take notes that somebody took a step.
func (s *Session) take(step Step, by id.Member) {
	s.Version++
	s.Taken[step] = Taken{By: by}
}

func (s *Session) event(actor audit.Actor, action audit.Action, payload map[string]any) audit.Event {
	if payload == nil {
		payload = map[string]any{}
	}
	payload["integration_id"] = string(s.Integration)
	if s.Connection != 0 {
		payload["connection_id"] = s.Connection.String()
	}
	return audit.Event{
		Actor: actor, Action: action, Outcome: audit.Succeeded, TargetType: "onboarding", TargetID: s.ID.String(), Payload: payload,
	}
}

// refuse says why the session does not do that now.
func (s *Session) refuse(what string) error {
	why := map[Status]string{
		Open:          "waits for its next step; see next_steps",
		Bootstrapping: "is starting its operations; wait for them, or abandon it",
		Stopped:       "has stopped; resume it, or abandon it",
		Completed:     "is completed; start another one",
		Abandoned:     "was abandoned; start another one",
	}[s.Status]
	return fault.New(fault.Conflict, "%s cannot %s: it %s", s.ID, what, why)
}

// Pick chooses the session's connection. Another one than before has to be
// verified anew, and begins a bootstrap that has stopped from its beginning.
func (s *Session) Pick(c workspace.Caller, conn connection.Connection) ([]audit.Event, error) {
	if s.Status != Open && s.Status != Stopped {
		return nil, s.refuse("take a connection")
	}
	if conn.Integration != s.Integration {
		return nil, fault.InvalidField("connection_id", "is a connection to %s; this session is about %s", conn.Integration, s.Integration)
	}
	if s.Connection == conn.ID {
		return nil, nil
	}
	s.Connection, s.ConnectionName = conn.ID, conn.Name
	s.Verification, s.Operations, s.Status, s.Reason = nil, nil, Open, ""
	delete(s.Taken, VerifyStep)
	delete(s.Taken, BootstrapStep)
	s.take(ConnectionStep, c.Member)
	return []audit.Event{s.event(c.Actor(), audit.OnboardingConnectionPicked, nil)}, nil
}

// MayVerify returns nil when the connection can be verified now.
func (s *Session) MayVerify() error {
	switch {
	case s.Status != Open && s.Status != Stopped:
		return s.refuse("be verified")
	case s.Connection == 0:
		return fault.New(fault.Conflict, "%s has no connection yet; pick one with PUT /v1/onboarding/%s/connection", s.ID, s.ID)
	}
	return nil
}

// NoteVerification takes a test of the connection that the gate has decided on.
func (s *Session) NoteVerification(on id.Connection, r id.Run, by id.Member, actor audit.Actor) ([]audit.Event, error) {
	if s.MayVerify() != nil || s.Connection != on {
		return nil, run.ErrNotNext
	}
	s.Verification = &Verification{Run: r}
	s.take(VerifyStep, by)
	return []audit.Event{s.event(actor, audit.OnboardingVerificationStarted, map[string]any{"run_id": r.String()})}, nil
}

// mustBeVerified returns nil when the connection, as it is now, passed its test.
func (s *Session) mustBeVerified() error {
	way := fmt.Sprintf("POST /v1/onboarding/%s/operations/%s/start", s.ID, operation.ConnectionTest)
	switch s.verified() {
	case StepPending:
		return fault.New(fault.Conflict, "connection %s is not verified; verify it with %s", s.Connection, way)
	case StepRunning:
		return fault.New(fault.Conflict, "the verification of connection %s is under way as %s; wait for it to end", s.Connection, s.Verification.Run)
	case StepFailed:
		return fault.New(fault.Conflict, "the last verification of connection %s failed (%s); see next_steps, then verify it again with %s", s.Connection, s.Verification.Reason, way)
	case StepOutdated:
		return fault.New(fault.Conflict, "the configuration of connection %s was changed after it was verified; verify it again with %s", s.Connection, way)
	}
	return nil
}

// Begin chooses the operations and has them started.
func (s *Session) Begin(c workspace.Caller, operations []operation.Type, surface string) ([]audit.Event, error) {
	if s.Status != Open {
		return nil, s.refuse("start operations")
	}
	if s.Connection == 0 {
		return nil, s.MayVerify()
	}
	if err := s.mustBeVerified(); err != nil {
		return nil, err
	}
	s.Operations = nil
	for i, t := range operations {
		s.Operations = append(s.Operations, Operation{Position: i + 1, Type: t, State: Pending})
	}
	s.Surface, s.Status = surface, Bootstrapping
	s.take(BootstrapStep, c.Member)
	return []audit.Event{s.event(c.Actor(), audit.OnboardingBootstrapStarted, map[string]any{"operations": operations})}, nil
}

// Resume has a stopped session go on with the operation that did not succeed.
func (s *Session) Resume(c workspace.Caller) ([]audit.Event, error) {
	if s.Status != Stopped {
		return nil, s.refuse("be resumed")
	}
	if err := s.mustBeVerified(); err != nil {
		return nil, err
	}
	from := s.at()
	s.Operations[from] = Operation{Position: s.Operations[from].Position, Type: s.Operations[from].Type, State: Pending}
	s.Status, s.Reason = Bootstrapping, ""
	s.take(BootstrapStep, c.Member)
	return []audit.Event{s.event(c.Actor(), audit.OnboardingResumed, map[string]any{"operation_type": string(s.Operations[from].Type)})}, nil
}

// Abandon ends a session for good. Runs that it has started go on.
func (s *Session) Abandon(by audit.Actor) ([]audit.Event, error) {
	if s.Status == Completed || s.Status == Abandoned {
		return nil, s.refuse("be abandoned")
	}
	s.Status = Abandoned
	s.Version++
	return []audit.Event{s.event(by, audit.OnboardingAbandoned, nil)}, nil
}

// succeeded reports whether the next operation may follow one that ended so. What
// was read in part was published and its gaps are shown, so it keeps nothing else
// from starting.
func succeeded(o run.Outcome) bool { return o == run.Succeeded || o == run.PartiallySucceeded }

// at is the index of the first operation that has not succeeded; the number of
// operations when all have.
func (s *Session) at() int {
	i := slices.IndexFunc(s.Operations, func(o Operation) bool { return o.State != Ended || !succeeded(o.Outcome) })
	if i < 0 {
		return len(s.Operations)
	}
	return i
}
