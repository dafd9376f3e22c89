package onboarding

import (
	"fmt"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// What next steps of a session do, beside what others do.
const (
	ActPickConnection  operation.ActionType = "pick_connection"
	ActVerify          operation.ActionType = "verify"
	ActStartBootstrap  operation.ActionType = "start_bootstrap"
	ActResume          operation.ActionType = "resume"
	ActStartOnboarding operation.ActionType = "start_onboarding"
	ActAsk             operation.ActionType = "ask"
)

// Remediation is what to do about a verification that failed.
func (s *Session) Remediation() []connector.Remediation {
	v := s.Verification
	switch {
	case v == nil:
		return nil
	case len(v.Remediation) > 0, s.verified() != StepFailed:
		return v.Remediation
	}
	// Blocked, cancelled or lost before the connector could say anything.
	why := v.Reason
	if why == "" {
		why = operation.Internal
	}
	return connection.Remedies(why, s.Connection)
}

// NextSteps says what can be done now, the most useful first.
func (s *Session) NextSteps() []operation.NextStep {
	at := "/v1/onboarding/" + s.ID.String()
	switch s.Status {
	case Bootstrapping:
		return s.waiting(at)
	case Stopped:
		return append(operation.NextSteps(s.Reason, s.Connection.String()), s.resuming(at)...)
	case Completed:
		steps := []operation.NextStep{
			{Label: "Ask who can reach what", Description: "What was found is in the access graph.", Href: "/v1/entities", ActionType: ActAsk},
		}
		if !s.Scheduled {
			steps = append(steps, operation.NextStep{
				Label: "Give the connection a schedule", Description: "Without one, what was found stays as it is until somebody starts discovery.",
				Href: s.connectionHref(), ActionType: operation.ActEditConnection,
			})
		}
		return steps
	case Abandoned:
		return []operation.NextStep{{Label: "Start another session", Description: "The connection, if one was made, is still there.", Href: "/v1/onboarding", ActionType: ActStartOnboarding}}
	}
	if s.Connection == 0 {
		return []operation.NextStep{
			{Label: "Create a connection", Description: "Grant the permissions at the provider first; the session's permission packs have them.", Href: "/v1/connections", ActionType: operation.ActCreateConnection},
			{Label: "Pick the connection", Description: "The one that was made, or another to the same integration.", Href: at + "/connection", ActionType: ActPickConnection},
		}
	}
	return s.verifying(at, operation.NextStep{
		Label: "Start the operations", Description: "They start one after the other.", Href: at + "/bootstrap", ActionType: ActStartBootstrap,
	})
}

func (s *Session) connectionHref() string { return "/v1/connections/" + s.Connection.String() }

func runHref(r id.Run) string { return "/v1/runs/" + r.String() }

// waiting is for sessions that go on by themselves.
func (s *Session) waiting(at string) []operation.NextStep {
	step := operation.NextStep{Label: "Wait for the operations to end", Href: at, ActionType: operation.ActWait}
	if i := s.at(); i < len(s.Operations) {
		switch o := s.Operations[i]; o.State {
		case Started:
			step.Description, step.Href = fmt.Sprintf("%s is under way as %s.", o.Type, o.Run), runHref(o.Run)
		case Waiting:
			step.Description = fmt.Sprintf("%s starts when whatever holds the connection has ended.", o.Type)
			if o.WaitsFor != 0 {
				step.Description, step.Href = fmt.Sprintf("%s starts when %s has ended.", o.Type, o.WaitsFor), runHref(o.WaitsFor)
			}
		}
	}
	return []operation.NextStep{step}
}

// resuming is what leads a stopped session on.
func (s *Session) resuming(at string) []operation.NextStep {
	resume := operation.NextStep{Label: "Resume", Href: at + "/resume", ActionType: ActResume}
	if i := s.at(); i < len(s.Operations) {
		resume.Description = fmt.Sprintf("Goes on with %s; what succeeded is not done again.", s.Operations[i].Type)
	}
	return s.verifying(at, resume)
}

// verifying is what leads to a verified connection, and then on.
func (s *Session) verifying(at string, then operation.NextStep) []operation.NextStep {
	verify := operation.NextStep{
		Label: "Verify the connection", Description: "A worker tries the credentials and each permission, and changes nothing.",
		Href: at + "/operations/" + string(operation.ConnectionTest) + "/start", ActionType: ActVerify,
	}
	switch s.verified() {
	case StepPending:
		return []operation.NextStep{verify}
	case StepRunning:
		return []operation.NextStep{{Label: "Wait for the verification to end", Href: runHref(s.Verification.Run), ActionType: operation.ActWait}}
	case StepOutdated:
		verify.Description = "The configuration was changed after the last verification."
		return []operation.NextStep{verify}
	case StepFailed:
		verify.Label = "Verify the connection again"
		var steps []operation.NextStep
		for _, step := range operation.NextSteps(s.Verification.Reason, s.Connection.String()) {
			// The session's own verification stands for a test.
			if step.ActionType != operation.ActStart {
				steps = append(steps, step)
			}
		}
		return append(steps, verify)
	}
	return []operation.NextStep{then}
}

// Standing is the gate's answer as the session has it: what became of the
// operation that somebody else started, or of the one that ended last.
func (s *Session) Standing() run.StartResult {
	i := min(s.at(), len(s.Operations)-1)
	if i < 0 {
		return run.StartResult{}
	}
	o := s.Operations[i]
	r := run.StartResult{
		Status: run.Accepted, Operation: o.Type, Message: fmt.Sprintf("%s is under way in %s.", o.Type, s.ID), NextSteps: s.NextSteps(),
		Connection: &connection.Connection{ID: s.Connection, Integration: s.Integration, Name: s.ConnectionName},
		Run:        run.Run{ID: o.Run, Status: o.Now.Status},
		Actions:    []run.Action{{Label: "View the session", Href: "/v1/onboarding/" + s.ID.String(), Kind: "view_onboarding"}},
	}
	if op, err := operation.Get(o.Type); err == nil {
		r.Verb, r.Object = op.Verb, op.Describe(s.ConnectionName, "")
	}
	switch {
	case o.State == Waiting:
		r.Status, r.Run.ID = run.ScopeBusy, o.WaitsFor
		r.Message = fmt.Sprintf("%s starts by itself when %s has ended.", o.Type, o.WaitsFor)
	case o.Outcome == run.Blocked:
		r.Status, r.Reason, r.Short = run.StartBlocked, o.Reason, operation.Explain(o.Reason).Short
		r.Message = fmt.Sprintf("%s is blocked. %s", o.Type, operation.Explain(o.Reason).Explanation)
	case o.State == Ended:
		r.Message = fmt.Sprintf("%s was accepted before as %s, which has ended since: %s.", o.Type, o.Run, o.Outcome)
	}
	return r
}
