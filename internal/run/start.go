package run

import (
	"fmt"

	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/operation"
)

// StartStatus is the gate's answer.
type StartStatus string

// The gate's answers.
const (
	Accepted     StartStatus = "accepted"
	Deduped      StartStatus = "deduped"
	ScopeBusy    StartStatus = "scope_busy"
	StartBlocked StartStatus = "blocked"
)

// StartResult is the gate's answer with everything a surface shows of it. HTML
// pages and every media type are derived from it.
type StartResult struct {
	Status     StartStatus
	Operation  operation.Type
	Verb       string
	Object     string
	Message    string
	Reason     operation.Code
	Short      string
	Connection *connection.Connection
	// Run is the new, the identical, the holding or the blocked run.
	Run       Run
	NextSteps []operation.NextStep
	Actions   []Action
}

// Action is a link that a surface offers beside the answer.
type Action struct {
	Label string
	Href  string
	Kind  string
}

func newStartResult(status StartStatus, op operation.Operation, conn *connection.Connection, r Run, why operation.Code) StartResult {
	s := StartResult{Status: status, Operation: op.Type, Verb: op.Verb, Reason: why, Connection: conn, Run: r}
	s.Object, s.NextSteps = op.Object, nil
	connID := ""
	if conn != nil {
		s.Object = fmt.Sprintf("%s of %s", op.Object, conn.Name)
		if op.Type == operation.ConnectionTest {
			s.Object = fmt.Sprintf("%s %s", op.Object, conn.Name)
		}
		connID = conn.ID.String()
	}
	what := fmt.Sprintf("%s %s", op.Verb, s.Object)
	switch status {
	case Accepted:
		s.Message = what + ": accepted, waiting for a worker."
	case Deduped:
		s.Message = fmt.Sprintf("%s: already %s as %s; nothing new was started.", what, r.Status, r.ID)
		s.Short = "Already under way"
		if r.Status == Running {
			s.Message += " Because it has begun, one more run will follow it."
		}
	case ScopeBusy:
		s.Short = "Something else is using the connection"
		s.Message = fmt.Sprintf("%s: %s (%s) has had the connection to itself since %s.", what, r.ID, r.Operation, r.CreatedAt.UTC().Format("2006-01-02 15:04:05 UTC"))
		if r.LeaseUntil != nil {
			s.Message += fmt.Sprintf(" Its lease ends %s unless it is extended.", r.LeaseUntil.UTC().Format("15:04:05 UTC"))
		}
		s.NextSteps = []operation.NextStep{{Label: "Wait for it to end", Href: runHref(r), ActionType: "wait"}}
	case StartBlocked:
		reason := operation.Explain(why)
		s.Short = reason.Short
		s.Message = fmt.Sprintf("%s: blocked. %s", what, reason.Explanation)
		s.NextSteps = operation.NextSteps(why, connID)
	}
	s.Actions = []Action{{Label: "View run", Href: runHref(r), Kind: "view_run"}}
	return s
}

func runHref(r Run) string { return "/v1/runs/" + r.ID.String() }
