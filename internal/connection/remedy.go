package connection

import (
	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
)

// Remedies returns what to do about a test that ended for a reason of the
// platform's own, without a finding of the connector: one for each next step.
func Remedies(why operation.Code, c id.Connection) []connector.Remediation {
	reason := operation.Explain(why)
	var list []connector.Remediation
	for _, step := range operation.NextSteps(why, c.String()) {
		list = append(list, connector.Remediation{Category: remedyCategory(why), Message: reason.Explanation, Action: step.Instruction()})
	}
	if len(list) == 0 {
		list = append(list, connector.Remediation{Category: remedyCategory(why), Message: reason.Explanation, Action: "Test the connection again"})
	}
	return list
}

func remedyCategory(why operation.Code) connector.RemediationCategory {
	switch why {
	case operation.CredentialMissing, operation.CredentialInvalid, operation.CredentialExpired, operation.TargetMismatch, operation.ConnectionDuplicate:
		return connector.RemedyCredentials
	case operation.ConsentRequired, operation.PermissionDenied:
		return connector.RemedyPermissions
	case operation.ScopeInvalid:
		return connector.RemedyScope
	case operation.NetworkUnreachable:
		return connector.RemedyNetwork
	case operation.Throttled, operation.ProviderUnavailable, operation.ContractViolation:
		return connector.RemedyProvider
	}
	return connector.RemedyConfiguration
}
