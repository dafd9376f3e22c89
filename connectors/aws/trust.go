package aws

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
)

// readTrust emits who may assume the account's roles. It is a stream of its
// own because a trust policy names principals by ARN, of this and other
// accounts, whose ids are known only once their account has been read.
func (s *session) readTrust(ctx context.Context, account string, from records.Place, b *records.Writer) error {
	err := s.eachDetailPage(ctx, account, []types.EntityType{types.EntityTypeRole}, from.Marker, func(marker string, out *iam.GetAccountAuthorizationDetailsOutput) error {
		if err := b.At(records.Place{Step: stepRoles, Marker: marker}); err != nil {
			return err
		}
		for _, role := range out.RoleDetailList {
			if err := s.addTrust(ctx, b, account, role); err != nil {
				return err
			}
		}
		return nil
	})
	return gapOrFail(b, err)
}

func (s *session) addTrust(ctx context.Context, b *records.Writer, account string, role types.RoleDetail) error {
	d, err := parseDocument(aws.ToString(role.AssumeRolePolicyDocument))
	if err != nil {
		unreadable(b, account, "trust policy of role "+aws.ToString(role.RoleName), err)
		return nil
	}
	for _, st := range d.Statements {
		if !st.letsAssume() {
			continue
		}
		named := st.Principal
		if len(st.NotPrincipal) > 0 {
			named = principals{"AWS": {"*"}}
		}
		trusted, err := s.parties(ctx, named)
		if err != nil {
			return err
		}
		for _, p := range trusted {
			b.Relationship(connector.Relationship{
				Kind: connector.AccountAssumesAccount, From: addParty(b, p), To: accountRef(aws.ToString(role.RoleId)),
				Key: st.Key, Terms: st.terms(),
				Attributes: records.Attributes(map[string]any{"not_principals": exceptions(st.NotPrincipal)}, "not_principals"),
			})
			if p.outside == "" && p.account != "" && st.Effect == "Allow" {
				if err := s.addDelegated(ctx, b, role, st, p.account); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// letsAssume reports whether a trust statement speaks of taking the role, and
// not only of tagging sessions or naming their source.
func (s statement) letsAssume() bool {
	if len(s.NotAction) > 0 {
		return true
	}
	return slices.ContainsFunc(s.Action, func(a string) bool {
		a = strings.ToLower(a)
		return globMatch(a, "sts:assumerole") || globMatch(a, "sts:assumerolewithsaml") || globMatch(a, "sts:assumerolewithwebidentity")
	})
}

// addDelegated adds the users and roles of a trusted account whose own
// policies let them assume the role. The terms are the trust's; that both must
// hold shows in the policies named beside it.
func (s *session) addDelegated(ctx context.Context, b *records.Writer, role types.RoleDetail, st statement, account string) error {
	d, err := s.directory(ctx, account)
	if err != nil {
		return gapOrFail(b, err)
	}
	for _, a := range d.delegates.assumers(aws.ToString(role.Arn)) {
		if a.id == aws.ToString(role.RoleId) {
			continue // a role that may assume itself gains nothing
		}
		b.Relationship(connector.Relationship{
			Kind: connector.AccountAssumesAccount, From: accountRef(a.id), To: accountRef(aws.ToString(role.RoleId)),
			Key: st.Key + "@" + account, Terms: st.terms(),
			Attributes: records.Attributes(map[string]any{
				"trusted_account": account, "policies": a.allowedBy, "denied_conditionally_by": a.deniedBy, "policies_conditional": a.conditional,
			}, "denied_conditionally_by", "policies"),
		})
	}
	return nil
}
