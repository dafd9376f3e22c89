package onboarding

import (
	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// keeper is who acts when nobody does.
func keeper() audit.Actor { return audit.System("onboarding") }

// Settle takes in what the operation under way has come to: the session is
// completed after the last one, and stops after one that did not succeed.
func (s *Session) Settle() []audit.Event {
	if s.Status != Bootstrapping {
		return nil
	}
	i := s.at()
	if i == len(s.Operations) {
		return nil
	}
	o := &s.Operations[i]
	if o.State != Started || o.Now.Status != run.Completed {
		return nil
	}
	return s.endOperation(o, o.Now.Outcome, o.Now.Reason)
}

// endOperation ends an operation, and with it the session if it was the last one
// or did not succeed.
func (s *Session) endOperation(o *Operation, outcome run.Outcome, why operation.Code) []audit.Event {
	o.State, o.Outcome, o.Reason, o.WaitsFor = Ended, outcome, why, 0
	s.Version++
	switch {
	case !succeeded(outcome):
		s.Status, s.Reason = Stopped, why
		stopped := s.event(keeper(), audit.OnboardingStopped, map[string]any{
			"operation_type": string(o.Type), "run_outcome": string(outcome), "reason_code": string(why),
		})
		stopped.Outcome = audit.Failed
		return []audit.Event{stopped}
	case s.at() == len(s.Operations):
		s.Status = Completed
		return []audit.Event{s.event(keeper(), audit.OnboardingCompleted, nil)}
	}
	return nil
}

// Next is the operation to start now; ok is false when there is none, or it waits
// for a run that has not ended.
func (s *Session) Next() (next Operation, ok bool) {
	i := s.at()
	if s.Status != Bootstrapping || i == len(s.Operations) {
		return Operation{}, false
	}
	next = s.Operations[i]
	switch next.State {
	case Pending:
		return next, true
	case Waiting:
		return next, next.Now.Status == run.Completed || next.Now.Status == ""
	}
	return Operation{}, false
}

// NoteStart takes the gate's answer to the start of an operation on a connection.
// [run.ErrNotNext] means that the session does not start it now: the start is
// somebody else's, or the session has ended.
//
// An identical run that has not begun yet does what this one would have, so it
// counts as the operation's own. For one that has begun, and for whatever else
// holds the scope, the operation waits.
func (s *Session) NoteStart(position int, on id.Connection, status run.StartStatus, r id.Run, now run.Status) error {
	next, ok := s.Next()
	if !ok || next.Position != position || s.Connection != on {
		return run.ErrNotNext
	}
	o := &s.Operations[position-1]
	o.Run, o.WaitsFor, o.State = r, 0, Started
	if status == run.ScopeBusy || status == run.Deduped && now != run.Queued {
		o.Run, o.WaitsFor, o.State = 0, r, Waiting
	}
	s.Version++
	return nil
}

// NoteRefused takes that an operation cannot start at all.
func (s *Session) NoteRefused(position int, why operation.Code) []audit.Event {
	next, ok := s.Next()
	if !ok || next.Position != position {
		return nil
	}
	return s.endOperation(&s.Operations[position-1], run.Blocked, why)
}
