package aws

import (
	"strings"

	"github.com/gatehouse-project/gatehouse/simulator/aws/estate"
)

func (s *Simulator) listManagedPoliciesInPermissionSet(c *call, in ssoInput, set int) (any, *apiError) {
	arns := s.Estate().Center.PermissionSets[set].AWSManaged
	p, failure := centerCut(c, in.pageInput, in.PermissionSetArn, len(arns))
	if failure != nil {
		return nil, failure
	}
	attached := []object{}
	for _, arn := range arns[p.from:p.to] {
		attached = append(attached, object{"Arn": arn, "Name": arn[strings.LastIndexByte(arn, '/')+1:]})
	}
	return p.paged(object{"AttachedManagedPolicies": attached}), nil
}

func (s *Simulator) listCustomerPoliciesInPermissionSet(c *call, in ssoInput, set int) (any, *apiError) {
	references := s.Estate().Center.PermissionSets[set].Customer
	p, failure := centerCut(c, in.pageInput, in.PermissionSetArn, len(references))
	if failure != nil {
		return nil, failure
	}
	answered := []object{}
	for _, reference := range references[p.from:p.to] {
		answered = append(answered, describeReference(reference))
	}
	return p.paged(object{"CustomerManagedPolicyReferences": answered}), nil
}

func describeReference(reference estate.CustomerReference) object {
	return object{"Name": reference.Name, "Path": reference.Path}
}

// getInlinePolicyForPermissionSet answers an empty text where there is no
// policy.
func (s *Simulator) getInlinePolicyForPermissionSet(_ *call, _ ssoInput, set int) (any, *apiError) {
	inline := s.Estate().Center.PermissionSets[set].Inline
	if inline == nil {
		return object{"InlinePolicy": ""}, nil
	}
	return object{"InlinePolicy": inline.JSON()}, nil
}

func (s *Simulator) getBoundaryForPermissionSet(_ *call, in ssoInput, at int) (any, *apiError) {
	set := s.Estate().Center.PermissionSets[at]
	switch {
	case set.BoundaryReference != nil:
		return object{"PermissionsBoundary": object{"CustomerManagedPolicyReference": describeReference(*set.BoundaryReference)}}, nil
	case set.BoundaryARN != "":
		return object{"PermissionsBoundary": object{"ManagedPolicyArn": set.BoundaryARN}}, nil
	default:
		return nil, centerNotFound("PermissionsBoundary is not attached to PermissionSet " + in.PermissionSetArn)
	}
}
