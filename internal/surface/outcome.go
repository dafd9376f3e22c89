package surface

import (
	"fmt"

	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// The media types of the contract.
const (
	StartOutcomeType     = "application/vnd.tenantpilot.provider-start-outcome+json"
	BootstrapOutcomeType = "application/vnd.tenantpilot.onboarding-bootstrap-start-outcome+json"
	RunDetailType        = "application/vnd.tenantpilot.provider-backed-run-detail+json"
)

// ProviderStartOutcome is the answer to a start.
type ProviderStartOutcome struct {
	// Status is accepted, deduped, scope_busy or blocked.
	Status             string                     `json:"status"`
	OperationType      string                     `json:"operationType"`
	OperatorVerb       string                     `json:"operatorVerb"`
	OperatorTarget     string                     `json:"operatorTarget"`
	OperatorMessage    string                     `json:"operatorMessage"`
	ShortReason        *string                    `json:"shortReason"`
	ProviderConnection *ProviderConnectionContext `json:"providerConnection,omitempty"`
	Run                *RunReference              `json:"run,omitempty"`
	NextSteps          []NextStep                 `json:"nextSteps"`
	Actions            []ActionLink               `json:"actions"`
}

// OnboardingBootstrapStartOutcome is the answer to a start of several operations,
// which are admitted one after the other.
type OnboardingBootstrapStartOutcome struct {
	ProviderStartOutcome
	// AcceptedOperation is null when the first was not accepted.
	AcceptedOperation *string `json:"acceptedOperation"`
	// PendingOperations start as each of their predecessors ends.
	PendingOperations []string `json:"pendingOperations"`
}

// ProviderConnectionContext names the connection that is used.
type ProviderConnectionContext struct {
	ID       int64  `json:"id"`
	Provider string `json:"provider"`
	Label    string `json:"label"`
}

// RunReference names a run.
type RunReference struct {
	ID     int64  `json:"id"`
	URL    string `json:"url"`
	Status string `json:"status"`
}

// NextStep is something that a person can do.
type NextStep struct {
	Label       string  `json:"label"`
	Description *string `json:"description"`
	Href        *string `json:"href"`
	ActionType  *string `json:"actionType"`
}

// ActionLink is a link beside the answer.
type ActionLink struct {
	Label string  `json:"label"`
	Href  string  `json:"href"`
	Kind  *string `json:"kind"`
}

// Started shows the gate's answer.
func Started(r run.StartResult) ProviderStartOutcome {
	shown := ProviderStartOutcome{
		Status: string(r.Status), OperationType: string(r.Operation), OperatorVerb: r.Verb, OperatorTarget: r.Object, OperatorMessage: r.Message,
		ShortReason: orNull(r.Short), NextSteps: nextSteps(r.NextSteps), Actions: make([]ActionLink, len(r.Actions)),
	}
	if r.Connection != nil {
		shown.ProviderConnection = usedConnection(r.Connection)
	}
	if r.Run.ID != 0 {
		shown.Run = &RunReference{ID: int64(r.Run.ID), URL: runURL(r.Run.ID), Status: string(r.Run.Status)}
	}
	for i, a := range r.Actions {
		shown.Actions[i] = ActionLink{Label: a.Label, Href: link(a.Href), Kind: orNull(a.Kind)}
	}
	return shown
}

// Bootstrapped shows the gate's answer to the first of several operations, and
// those that wait for it.
func Bootstrapped(first run.StartResult, pending []operation.Type) OnboardingBootstrapStartOutcome {
	shown := OnboardingBootstrapStartOutcome{ProviderStartOutcome: Started(first), PendingOperations: make([]string, len(pending))}
	if first.Status == run.Accepted {
		shown.AcceptedOperation = orNull(string(first.Operation))
	}
	for i, o := range pending {
		shown.PendingOperations[i] = string(o)
	}
	return shown
}

func usedConnection(c *connection.Connection) *ProviderConnectionContext {
	return contextOf(c.ID, c.Integration, c.Name)
}

func contextOf(c id.Connection, provider integration.ID, label string) *ProviderConnectionContext {
	return &ProviderConnectionContext{ID: int64(c), Provider: string(provider), Label: label}
}

func nextSteps(steps []operation.NextStep) []NextStep {
	shown := make([]NextStep, len(steps))
	for i, s := range steps {
		shown[i] = NextStep{Label: s.Label, Description: orNull(s.Description), Href: orNull(link(s.Href)), ActionType: orNull(string(s.ActionType))}
	}
	return shown
}

func runURL(r id.Run) string { return fmt.Sprintf("/admin/operations/%d", int64(r)) }

// orNull is nil for the empty text, which the contract writes as null.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
