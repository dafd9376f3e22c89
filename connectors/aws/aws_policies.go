package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// awsPolicies are AWS's own managed policies, which are the same in every
// account of a partition: the session reads them once, in two pages, where
// GetPolicy and GetPolicyVersion would take two calls for each attached one.
// AWS has about 1,400, a few MB of text in force, however large the estate.
type awsPolicies struct {
	byARN map[string]types.ManagedPolicyDetail
	// asked are the accounts they were read from. Another is asked only when
	// it has something attached that was not in the list before.
	asked map[string]bool
}

// add keeps the policies with the text in force, and of their other versions
// the ids only.
func (a *awsPolicies) add(policies []types.ManagedPolicyDetail) {
	for _, p := range policies {
		if !isAWSManaged(aws.ToString(p.Arn)) {
			continue
		}
		for i := range p.PolicyVersionList {
			if v := &p.PolicyVersionList[i]; !v.IsDefaultVersion {
				v.Document = nil
			}
		}
		a.byARN[aws.ToString(p.Arn)] = p
	}
}

// unknown reports whether one of the policies has not been read.
func (a *awsPolicies) unknown(arns []string) bool {
	for _, arn := range arns {
		if _, ok := a.byARN[arn]; !ok {
			return true
		}
	}
	return false
}

// awsPoliciesOn returns AWS's own policies that are attached to something on a
// page, each once. One that AWS does not list is left out.
func (s *session) awsPoliciesOn(ctx context.Context, account string, out *iam.GetAccountAuthorizationDetailsOutput) ([]types.ManagedPolicyDetail, error) {
	arns := attachedAWSPolicies(out)
	if s.awsPolicies.byARN == nil {
		s.awsPolicies = awsPolicies{byARN: map[string]types.ManagedPolicyDetail{}, asked: map[string]bool{}}
	}
	if s.awsPolicies.unknown(arns) && !s.awsPolicies.asked[account] {
		filter := []types.EntityType{types.EntityTypeAWSManagedPolicy}
		err := s.requestDetails(ctx, account, filter, "", func(_ string, out *iam.GetAccountAuthorizationDetailsOutput) error {
			s.awsPolicies.add(out.Policies)
			return nil
		})
		if err != nil {
			return nil, err
		}
		s.awsPolicies.asked[account] = true
	}
	var found []types.ManagedPolicyDetail
	for _, arn := range arns {
		if p, ok := s.awsPolicies.byARN[arn]; ok {
			found = append(found, p)
		}
	}
	return found, nil
}

// attachedAWSPolicies returns the ARNs of AWS's own policies that the page's
// groups, users and roles have attached, or as their boundary, each once.
func attachedAWSPolicies(out *iam.GetAccountAuthorizationDetailsOutput) (arns []string) {
	seen := map[string]bool{}
	gather := func(attached []types.AttachedPolicy) {
		for _, p := range attached {
			if arn := aws.ToString(p.PolicyArn); isAWSManaged(arn) && !seen[arn] {
				seen[arn] = true
				arns = append(arns, arn)
			}
		}
	}
	for _, g := range out.GroupDetailList {
		gather(g.AttachedManagedPolicies)
	}
	boundary := func(b *types.AttachedPermissionsBoundary) {
		if b != nil {
			gather([]types.AttachedPolicy{{PolicyArn: b.PermissionsBoundaryArn}})
		}
	}
	for _, u := range out.UserDetailList {
		gather(u.AttachedManagedPolicies)
		boundary(u.PermissionsBoundary)
	}
	for _, r := range out.RoleDetailList {
		gather(r.AttachedManagedPolicies)
		boundary(r.PermissionsBoundary)
	}
	return arns
}
