package operation

import (
	"fmt"

	"github.com/gatehouse-project/gatehouse/connector"
)

// Code is one of the family of reasons.
type Code string

// The reasons.
const (
	ConnectionMissing      Code = "connection_missing"
	ConnectionDisabled     Code = "connection_disabled"
	ConnectionDuplicate    Code = "connection_duplicate"
	ConsentRequired        Code = "consent_required"
	CredentialMissing      Code = "credential_missing"
	CredentialInvalid      Code = "credential_invalid"
	CredentialExpired      Code = "credential_expired"
	TargetMismatch         Code = "target_mismatch"
	IntegrationNotLicensed Code = "integration_not_licensed"
	OperationNotSupported  Code = "operation_not_supported"
	WorkspaceArchived      Code = "workspace_archived"
	ScopeInvalid           Code = "scope_invalid"
	PermissionDenied       Code = "permission_denied"
	Throttled              Code = "throttled"
	ProviderUnavailable    Code = "provider_unavailable"
	NetworkUnreachable     Code = "network_unreachable"
	ContractViolation      Code = "contract_violation"
	DeadlineExceeded       Code = "deadline_exceeded"
	WorkerLost             Code = "worker_lost"
	Cancelled              Code = "cancelled"
	Internal               Code = "internal"
)

// NextStep is something a person can do about a reason.
type NextStep struct {
	Label       string
	Description string
	// Href is where to do it in the API or console; empty when it is done elsewhere.
	Href string
	// ActionType groups steps for surfaces: "edit_connection", "start_operation", "see_licence", "wait", "provider".
	ActionType string
}

// Instruction says the step in one line. It has no colon, which would make it
// look to a sanitiser like a secret and its name.
func (s NextStep) Instruction() string {
	if s.Description == "" {
		return s.Label
	}
	return s.Label + ". " + s.Description
}

// Reason explains a code.
type Reason struct {
	Code        Code
	Short       string
	Explanation string
}

// Explain returns the short reason and explanation of a code. An unknown code
// is explained as internal.
func Explain(c Code) Reason {
	short, long := texts(c)
	return Reason{Code: c, Short: short, Explanation: long}
}

func texts(c Code) (short, long string) {
	switch c {
	case ConnectionMissing:
		return "No connection", "The operation needs a connection, and none was named or is the default for this target."
	case WorkspaceArchived:
		return "Workspace archived", "The workspace can only be read, so nothing starts in it."
	case ConnectionDisabled:
		return "Connection disabled", "The connection is switched off, so nothing may use it."
	case ConnectionDuplicate:
		return "Connected already", "Another connection of the workspace acts as the same identity in the same organisation, so everything would be there twice."
	case ConsentRequired:
		return "Consent required", "The provider's administrator has not yet agreed to what this operation needs."
	case CredentialMissing:
		return "No credentials", "The connection has no stored credentials."
	case CredentialInvalid:
		return "Credentials rejected", "The provider does not accept the credentials of this connection."
	case CredentialExpired:
		return "Credentials expired", "The credentials of this connection were valid once and have run out."
	case TargetMismatch:
		return "Wrong organisation", "The credentials reach another organisation than the one this connection is for."
	case IntegrationNotLicensed:
		return "Not licensed", "The licence of this tenant does not include the integration, or has ended."
	case OperationNotSupported:
		return "Not supported", "The integration of this connection does not offer the operation."
	case ScopeInvalid:
		return "Scope not usable", "The scope of the connection names something that the provider does not have or will not show."
	case PermissionDenied:
		return "Permission denied", "The provider refused something the operation needs to read."
	case Throttled:
		return "Throttled", "The provider asked to slow down, and went on doing so after every wait."
	case ProviderUnavailable:
		return "Provider unavailable", "The provider answered with errors of its own."
	case NetworkUnreachable:
		return "Not reachable", "No connection to the provider could be made."
	case ContractViolation:
		return "Connector fault", "The connector returned something its contract forbids; the affected stream was left as it was."
	case DeadlineExceeded:
		return "Took too long", "The run did not end within its time limit."
	case WorkerLost:
		return "Worker lost", "Every worker that took the run stopped responding."
	case Cancelled:
		return "Cancelled", "Someone asked for the run to be stopped."
	}
	return "Internal error", "Something went wrong inside Gatehouse; the service's log has the details."
}

// NextSteps returns what to do about a code for a connection, which is shown as
// its public id and may be empty.
func NextSteps(c Code, connection string) []NextStep {
	var steps []NextStep
	edit := func(label, description string) {
		steps = append(steps, NextStep{Label: label, Description: description, Href: connectionHref(connection), ActionType: "edit_connection"})
	}
	elsewhere := func(label, description string) {
		steps = append(steps, NextStep{Label: label, Description: description, ActionType: "provider"})
	}
	retest := func() {
		steps = append(steps, NextStep{Label: "Test the connection", Description: "A test shows what works and what is missing.", Href: testHref(connection), ActionType: "start_operation"})
	}
	switch c {
	case ConnectionMissing:
		steps = append(steps, NextStep{Label: "Create a connection", Description: "Connect the provider, then start the operation again.", Href: "/v1/connections", ActionType: "create_connection"})
	case WorkspaceArchived:
		steps = append(steps, NextStep{Label: "Have the workspace unarchived", Description: "A tenant administrator can do it.", ActionType: "administration"})
	case ConnectionDisabled:
		edit("Enable the connection", "Set its lifecycle to active.")
	case ConnectionDuplicate:
		edit("Use the other connection", "Give it the wider scope and delete this one, or store credentials of another identity here.")
	case CredentialMissing, CredentialInvalid:
		edit("Enter new credentials", "Store credentials that the provider accepts.")
		retest()
	case CredentialExpired:
		edit("Renew the credentials", "Store fresh credentials; session tokens end by themselves.")
		retest()
	case ConsentRequired:
		elsewhere("Ask the provider's administrator for consent", "The required permissions are listed with the integration.")
		retest()
	case TargetMismatch:
		edit("Check which organisation the credentials belong to", "Use credentials of the intended organisation, or make another connection.")
	case IntegrationNotLicensed:
		steps = append(steps, NextStep{Label: "See what the licence allows", Description: "A tenant admin installs another with gatehouse licence install.", Href: "/v1/licence", ActionType: "see_licence"})
		elsewhere("Ask for a licence that includes the integration", "What was read before stays, and can be asked and exported.")
	case OperationNotSupported:
		steps = append(steps, NextStep{Label: "See what the integration offers", Href: "/v1/integrations", ActionType: "see_integration"})
	case ScopeInvalid:
		edit("Correct the scope", "Name only what the credentials can reach, or leave the scope empty.")
	case PermissionDenied:
		elsewhere("Grant the missing permission at the provider", "The remediation of a test names each permission and what it is for.")
		retest()
	case Throttled, ProviderUnavailable:
		steps = append(steps, NextStep{Label: "Wait and start again", Description: "What was read so far is kept as it was.", ActionType: "wait"})
	case NetworkUnreachable:
		edit("Check region and endpoint", "The worker must be able to reach the provider's address by HTTPS.")
		retest()
	case DeadlineExceeded, WorkerLost, Internal, ContractViolation:
		steps = append(steps, NextStep{Label: "Start again", Description: "If it happens again, the service's log names the cause.", ActionType: "wait"})
	}
	return steps
}

func connectionHref(connection string) string {
	if connection == "" {
		return "/v1/connections"
	}
	return "/v1/connections/" + connection
}

func testHref(connection string) string {
	if connection == "" {
		return ""
	}
	return fmt.Sprintf("/v1/connections/%s/test", connection)
}

// FromConnector maps a connector's error category to its one reason.
func FromConnector(c connector.Category) Code {
	switch c {
	case connector.CredentialInvalid:
		return CredentialInvalid
	case connector.CredentialExpired:
		return CredentialExpired
	case connector.ConsentRequired:
		return ConsentRequired
	case connector.PermissionDenied:
		return PermissionDenied
	case connector.TargetMismatch:
		return TargetMismatch
	case connector.Throttled:
		return Throttled
	case connector.NetworkUnreachable:
		return NetworkUnreachable
	case connector.ProviderUnavailable:
		return ProviderUnavailable
	case connector.ScopeInvalid:
		return ScopeInvalid
	case connector.ContractViolation:
		return ContractViolation
	}
	return Internal
}
