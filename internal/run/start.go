package run

import (
	"fmt"
	"time"

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
	Status    StartStatus
	Operation operation.Type
	// Verb and Object say what was asked: "Sync" and "groups of Contoso".
	Verb    string
	Object  string
	Message string
	// Reason is why the start was blocked; empty otherwise.
	Reason operation.Code
	// Short is why there is no new run; empty when there is.
	Short      string
	Connection *connection.Connection
	// Run is the new, the identical, the holding or the blocked run.
	Run       Run
	NextSteps []operation.NextStep
	Actions   []Action
	// Replayed says that an earlier request, the same as this one, was answered so.
	Replayed bool
}

// Action is a link that a surface offers beside the answer.
type Action struct {
	Label string
	Href  string
	Kind  string
}

func newStartResult(status StartStatus, op operation.Operation, conn *connection.Connection, r Run, b blocker) StartResult {
	s := StartResult{Status: status, Operation: op.Type, Verb: op.Verb, Object: op.Object, Reason: b.why, Connection: conn, Run: r}
	if conn != nil {
		target := ""
		if conn.Target != nil {
			target = conn.Target.Name
		}
		s.Object = op.Describe(conn.Name, target)
	}
	what := fmt.Sprintf("%s %s", op.Verb, s.Object)
	switch status {
	case Accepted:
		s.Message = what + ": accepted, waiting for a worker."
		s.NextSteps = []operation.NextStep{{Label: "Follow the run", Href: runHref(r), ActionType: operation.ActView}}
	case Deduped:
		s.Short = "Already under way"
		s.Message = fmt.Sprintf("%s: already %s as %s; nothing new was started.", what, r.Status, r.ID)
		s.NextSteps = []operation.NextStep{{Label: "Follow the run that is under way", Href: runHref(r), ActionType: operation.ActView}}
	case ScopeBusy:
		s.Short = "Something else is using " + op.Protects.Names()
		s.Message = fmt.Sprintf("%s: %s", what, heldBy(r))
		s.NextSteps = []operation.NextStep{
			{Label: "Wait for it to end", Description: "Then start the operation again.", Href: runHref(r), ActionType: operation.ActWait},
			{Label: "Or cancel it", Description: "If this start cannot wait for it.", Href: runHref(r) + "/cancel", ActionType: operation.ActCancel},
		}
	case StartBlocked:
		reason := operation.Explain(b.why)
		s.Short = reason.Short
		s.Message = fmt.Sprintf("%s: blocked. %s", what, reason.Explanation)
		if b.detail != "" {
			s.Message += " In short: " + b.detail + "."
		}
		connID := ""
		if conn != nil {
			connID = conn.ID.String()
		}
		s.NextSteps = operation.NextSteps(b.why, connID)
	}
	s.Actions = []Action{{Label: "View run", Href: runHref(r), Kind: "view_run"}}
	if conn != nil {
		s.Actions = append(s.Actions, Action{Label: "View connection", Href: "/v1/connections/" + conn.ID.String(), Kind: "view_connection"})
	}
	return s
}

// heldBy says what holds the scope, since when, and for how long at the least.
func heldBy(r Run) string {
	shown := func(t time.Time, layout string) string { return t.UTC().Format(layout) }
	how := "has had %s to itself"
	var protects operation.Protection
	if op, err := operation.Get(r.Operation); err == nil {
		protects = op.Protects
	}
	if protects.Shared() {
		how = "has been using %s"
	}
	text := fmt.Sprintf("%s (%s) "+how+" since %s.", r.ID, r.Operation, protects.Names(), shown(r.CreatedAt, "2006-01-02 15:04:05 UTC"))
	switch {
	case r.LeaseUntil != nil:
		text += fmt.Sprintf(" Its lease ends %s unless it is extended.", shown(*r.LeaseUntil, "15:04:05 UTC"))
	case r.Status == Queued:
		text += " It waits for a worker."
	}
	return text
}

func runHref(r Run) string { return "/v1/runs/" + r.ID.String() }
