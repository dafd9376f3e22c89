package operation

import (
	"strings"

	"github.com/gatehouse-project/gatehouse/connector"
)

// Code is one of the family of reasons.
type Code string

// The reasons. What each says and what to do about it is in one table, [reasons].
const (
	ConnectionMissing      Code = "connection_missing"
	ConnectionDisabled     Code = "connection_disabled"
	ConnectionDuplicate    Code = "connection_duplicate"
	ConsentRequired        Code = "consent_required"
	CredentialMissing      Code = "credential_missing"
	CredentialInvalid      Code = "credential_invalid"
	CredentialExpired      Code = "credential_expired"
	ConfigurationChanged   Code = "configuration_changed"
	TargetMismatch         Code = "target_mismatch"
	TargetUnknown          Code = "target_unknown"
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
	// Href is where to do it in the API; empty when it is done elsewhere.
	Href string
	// ActionType groups steps for surfaces.
	ActionType ActionType
}

// ActionType is what kind of thing a next step is.
type ActionType string

// The kinds of next steps.
const (
	ActCreateConnection ActionType = "create_connection"
	ActEditConnection   ActionType = "edit_connection"
	ActEnableConnection ActionType = "enable_connection"
	ActStart            ActionType = "start_operation"
	ActCancel           ActionType = "cancel_run"
	ActView             ActionType = "view_run"
	ActWait             ActionType = "wait"
	ActSeeLicence       ActionType = "see_licence"
	ActSeeIntegration   ActionType = "see_integration"
	// ActAdminister is for a tenant administrator, ActProvider is done at the
	// provider.
	ActAdminister ActionType = "administration"
	ActProvider   ActionType = "provider"
)

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
	// steps have connectionPlace in a link that is a connection's.
	steps []NextStep
}

// connectionPlace stands in a link for the connection that a reason is about. A
// step that needs one is left out when there is none.
const connectionPlace = "{connection}"

// Codes lists the family in the order of its table.
func Codes() []Code {
	var codes []Code
	for _, r := range reasons() {
		codes = append(codes, r.Code)
	}
	return codes
}

// Explain returns the short reason and explanation of a code. An unknown code
// is explained as internal.
func Explain(c Code) Reason {
	table := reasons()
	for _, r := range table {
		if r.Code == c {
			return r
		}
	}
	unknown := table[len(table)-1]
	unknown.Code = c
	return unknown
}

// NextSteps returns what to do about a code for a connection, which is shown as
// its public id and may be empty. It is the same for every surface and whoever
// started the run.
func NextSteps(c Code, connection string) []NextStep {
	var steps []NextStep
	for _, s := range Explain(c).steps {
		if connection == "" && strings.Contains(s.Href, connectionPlace+"/") {
			s.Href = ""
		}
		s.Href = strings.TrimSuffix(strings.ReplaceAll(s.Href, connectionPlace, connection), "/")
		steps = append(steps, s)
	}
	return steps
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
