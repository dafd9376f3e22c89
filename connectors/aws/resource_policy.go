package aws

import (
	"context"
	"fmt"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
)

// policyConcurrency is how many resources' policies are asked for at a time.
// S3 and Lambda have no bulk operation for them.
const policyConcurrency = 8

// resourcePolicy is a policy that hangs on a resource and names its principals.
type resourcePolicy struct {
	// resource is the ARN of the resource, name what a person calls it.
	resource, name string
	// kind is the type of the entitlement made for each statement.
	kind string
}

// addResourcePolicy adds an entitlement for each statement, held by whom the
// statement names. One entitlement for the whole policy would give each of its
// principals what it gives to any.
func (s *session) addResourcePolicy(ctx context.Context, b *records.Writer, account string, p resourcePolicy, text string) error {
	d, err := parseDocument(text)
	if err != nil {
		unreadable(b, account, "policy of "+p.resource, err)
		return nil
	}
	for _, st := range d.Statements {
		ref := entitlementRef(p.resource + "/policy/" + st.Key)
		terms := st.terms()
		b.Entity(connector.Entity{
			Ref: ref, Name: records.Name(fmt.Sprintf("policy of %s, statement %s", p.name, st.Key)), Type: p.kind,
			Attributes: records.Attributes(map[string]any{"account": account, "sid": st.Sid}),
		})
		b.Relationship(connector.Relationship{
			Kind: connector.EntitlementGrantsResource, From: ref, To: resourceRef(p.resource), Key: st.Key, Terms: terms,
			Attributes: records.Attributes(map[string]any{
				"resources": []string(st.Resource), "not_resources": []string(st.NotResource),
			}, "resources", "not_resources"),
		})
		named, except := st.Principal, st.NotPrincipal
		if len(except) > 0 {
			named = principals{"AWS": {"*"}}
		}
		holders, err := s.parties(ctx, named)
		if err != nil {
			return err
		}
		for _, holder := range holders {
			b.Relationship(connector.Relationship{
				Kind: connector.AccountAssignedEntitlement, From: addParty(b, holder), To: ref, Key: st.Key,
				Terms:      &connector.Terms{Effect: terms.Effect, Conditions: terms.Conditions},
				Attributes: records.Attributes(map[string]any{"not_principals": exceptions(except)}, "not_principals"),
			})
		}
	}
	return nil
}

func exceptions(p principals) any {
	if len(p) == 0 {
		return nil
	}
	return p
}
