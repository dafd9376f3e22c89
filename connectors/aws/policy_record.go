package aws

import (
	"fmt"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
)

// inlineID names a policy that lives inside its owner.
func inlineID(owner, name string) string { return owner + "/inline/" + name }

// inAccountID names a thing that AWS has one of per account.
func inAccountID(arn, account string) string { return arn + "@" + account }

// patternID names what a statement writes as its resource. The same text in
// another account speaks of other things, hence the account.
func patternID(account, pattern string) string { return account + "/arn_pattern/" + pattern }

// addStatements adds a grant for every resource that a statement of the
// document names, as it is written.
func addStatements(b *records.Writer, account string, policy connector.Ref, d document) {
	for _, s := range d.Statements {
		named, fields := []string(s.Resource), map[string]any{}
		if len(s.NotResource) > 0 {
			named, fields["not_resources"] = []string{"*"}, []string(s.NotResource)
		}
		for _, pattern := range named {
			id := patternID(account, pattern)
			if len(id) > connector.MaxIDBytes {
				b.Gap(connector.Error{Category: connector.ContractViolation, Message: fmt.Sprintf("statement %s of policy %s names a resource longer than %d bytes", s.Key, records.Name(policy.ID), connector.MaxIDBytes), On: inAccount(account)})
				continue
			}
			b.Once(connector.Entity{Ref: resourceRef(id), Name: records.Name(pattern), Type: "arn_pattern"})
			b.Relationship(connector.Relationship{
				Kind: connector.EntitlementGrantsResource, From: policy, To: resourceRef(id),
				Key: s.Key, Terms: s.terms(), Attributes: records.Attributes(fields, "not_resources"),
			})
		}
	}
}

// unreadable records a policy whose text makes no sense; what it grants is
// then unknown.
func unreadable(b *records.Writer, account, what string, err error) {
	b.Gap(connector.Error{Category: connector.ProviderUnavailable, Message: what + ": " + err.Error(), On: inAccount(account), Cause: err})
}
