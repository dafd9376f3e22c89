package aws

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
)

// readGrants emits, for each statement whose resource patterns cover a known
// bucket or function of the account, the grant of that very resource. It is a
// stream of its own so that a missing permission to list buckets leaves the
// policies themselves complete.
func (s *session) readGrants(ctx context.Context, account string, from records.Place, b *records.Writer) error {
	var have inventory
	var err error
	if have.buckets, err = s.bucketARNs(ctx, account); err != nil {
		if err := gapOrFail(b, err); err != nil {
			return err
		}
	}
	if have.functions, err = s.functionARNs(ctx, account); err != nil {
		if err := gapOrFail(b, err); err != nil {
			return err
		}
	}
	if len(have.buckets) == 0 && len(have.functions) == 0 {
		return nil
	}
	filter := []types.EntityType{types.EntityTypeLocalManagedPolicy, types.EntityTypeGroup, types.EntityTypeUser, types.EntityTypeRole}
	seen := map[string]bool{} // AWS's own policies, which may be attached on many pages
	err = s.eachPolicyPage(ctx, account, filter, from.Marker, func(marker string, out *iam.GetAccountAuthorizationDetailsOutput) error {
		if err := b.At(records.Place{Step: stepPolicies, Marker: marker}); err != nil {
			return err
		}
		out.Policies = slices.DeleteFunc(out.Policies, func(p types.ManagedPolicyDetail) bool {
			arn := aws.ToString(p.Arn)
			repeated := seen[arn]
			seen[arn] = isAWSManaged(arn)
			return repeated
		})
		eachPolicy(account, out, func(policy connector.Ref, text string) {
			// A text that cannot be read is already a gap of the iam stream,
			// but without one here its old grants would be taken to be gone.
			d, err := parseDocument(text)
			if err != nil {
				unreadable(b, account, "policy "+policy.ID, err)
				return
			}
			addExpanded(b, policy, d, have)
		})
		return nil
	})
	return gapOrFail(b, err)
}

// eachPolicy hands over all policies in force on a page, inline ones too.
func eachPolicy(account string, out *iam.GetAccountAuthorizationDetailsOutput, visit func(policy connector.Ref, text string)) {
	for _, p := range out.Policies {
		visit(entitlementRef(managedPolicyID(p, account)), defaultDocument(p))
	}
	inline := func(owner *string, policies []types.PolicyDetail) {
		for _, p := range policies {
			visit(entitlementRef(inlineID(aws.ToString(owner), aws.ToString(p.PolicyName))), aws.ToString(p.PolicyDocument))
		}
	}
	for _, g := range out.GroupDetailList {
		inline(g.GroupId, g.GroupPolicyList)
	}
	for _, u := range out.UserDetailList {
		inline(u.UserId, u.UserPolicyList)
	}
	for _, r := range out.RoleDetailList {
		inline(r.RoleId, r.RolePolicyList)
	}
}

// addExpanded adds the grants of a policy to the account's resources.
func addExpanded(b *records.Writer, policy connector.Ref, d document, have inventory) {
	for _, s := range d.Statements {
		for _, group := range []struct {
			kind      resourceKind
			arns      []string
			separator string
		}{
			{bucketKind(), have.buckets, "/"},
			{functionKind(), have.functions, ":"},
		} {
			if len(group.arns) == 0 || !s.speaksOf(group.kind) {
				continue
			}
			terms := s.terms()
			terms.Actions = group.kind.actionsOn(terms.Actions)
			for _, arn := range group.arns {
				if fields := s.reaches(arn, group.separator); fields != nil {
					b.Relationship(connector.Relationship{
						Kind: connector.EntitlementGrantsResource, From: policy, To: resourceRef(arn),
						Key: s.Key, Terms: terms, Attributes: records.Attributes(fields, "matched_patterns"),
					})
				}
			}
		}
	}
}

// reaches says by which patterns, and how far, the statement covers a resource;
// nil when it does not.
func (s statement) reaches(arn, separator string) map[string]any {
	if len(s.NotResource) > 0 {
		if excludes(s.NotResource, arn, separator) {
			return nil
		}
		return map[string]any{"not_resources": []string(s.NotResource)}
	}
	var all covered
	var matched []string
	for _, pattern := range s.Resource {
		c := coverage(pattern, arn, separator)
		if c.itself || c.contents {
			matched = append(matched, pattern)
			all.itself, all.contents = all.itself || c.itself, all.contents || c.contents
		}
	}
	if matched == nil {
		return nil
	}
	return map[string]any{"matched_patterns": matched, "covers_resource": all.itself, "covers_contents": all.contents}
}
