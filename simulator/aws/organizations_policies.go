package aws

import (
	"encoding/json"
	"slices"

	"github.com/gatehouse-project/gatehouse/simulator/aws/estate"
)

// read decodes what a JSON call was given.
func (c *call) read(into any) *apiError {
	if len(c.body) == 0 {
		return nil
	}
	if err := json.Unmarshal(c.body, into); err != nil {
		return &apiError{"SerializationException", 400, "The request does not fit the operation: " + err.Error()}
	}
	return nil
}

const controlPolicyType = "SERVICE_CONTROL_POLICY"

// knownPolicyType says whether a filter names a type of policy at all; only
// service control policies are enabled here.
func knownPolicyType(filter string) *apiError {
	known := []string{
		controlPolicyType, "RESOURCE_CONTROL_POLICY", "TAG_POLICY", "BACKUP_POLICY", "AISERVICES_OPT_OUT_POLICY", "CHATBOT_POLICY",
		"DECLARATIVE_POLICY_EC2", "SECURITYHUB_POLICY",
	}
	if !slices.Contains(known, filter) {
		return invalidInput("Filter is not a policy type.")
	}
	return nil
}

func (s *Simulator) describePolicySummary(p estate.ServiceControlPolicy) object {
	return object{
		"Id": p.ID, "Arn": s.Estate().Organization.PolicyARN(p), "Name": p.Name, "Description": p.Description,
		"Type": controlPolicyType, "AwsManaged": p.AWSManaged,
	}
}

func (s *Simulator) policiesPage(c *call, in pageInput, list string, policies []estate.ServiceControlPolicy) (any, *apiError) {
	p, failure := s.organizationsCut(c, in, list, len(policies))
	if failure != nil {
		return nil, failure
	}
	described := []object{}
	for _, found := range policies[p.from:p.to] {
		described = append(described, s.describePolicySummary(found))
	}
	return p.paged(object{"Policies": described}), nil
}

func (s *Simulator) listControlPolicies(c *call) (any, *apiError) {
	var in struct {
		pageInput
		Filter string
	}
	if failure := c.read(&in); failure != nil {
		return nil, failure
	}
	if failure := knownPolicyType(in.Filter); failure != nil {
		return nil, failure
	}
	var policies []estate.ServiceControlPolicy
	if in.Filter == controlPolicyType {
		policies = s.Estate().Organization.Policies
	}
	return s.policiesPage(c, in.pageInput, in.Filter, policies)
}

func (s *Simulator) controlPolicy(id string) (estate.ServiceControlPolicy, *apiError) {
	for _, p := range s.Estate().Organization.Policies {
		if p.ID == id {
			return p, nil
		}
	}
	return estate.ServiceControlPolicy{}, &apiError{"PolicyNotFoundException", 400, "You specified a policy that doesn't exist."}
}

type policyInput struct {
	pageInput
	PolicyID string `json:"PolicyId"`
}

func (s *Simulator) describeControlPolicy(c *call) (any, *apiError) {
	var in policyInput
	if failure := c.read(&in); failure != nil {
		return nil, failure
	}
	p, failure := s.controlPolicy(in.PolicyID)
	if failure != nil {
		return nil, failure
	}
	return object{"Policy": object{"PolicySummary": s.describePolicySummary(p), "Content": p.Document.JSON()}}, nil
}

func (s *Simulator) listTargetsForPolicy(c *call) (any, *apiError) {
	var in policyInput
	if failure := c.read(&in); failure != nil {
		return nil, failure
	}
	found, failure := s.controlPolicy(in.PolicyID)
	if failure != nil {
		return nil, failure
	}
	p, failure := s.organizationsCut(c, in.pageInput, in.PolicyID, len(found.Targets))
	if failure != nil {
		return nil, failure
	}
	targets := []object{}
	for _, id := range found.Targets[p.from:p.to] {
		targets = append(targets, s.describeTarget(id))
	}
	return p.paged(object{"Targets": targets}), nil
}

func (s *Simulator) describeTarget(id string) object {
	o := s.Estate().Organization
	if account, ok := s.Estate().AccountByID(id); ok {
		return object{"TargetId": id, "Arn": o.AccountARN(account), "Name": account.Name, "Type": "ACCOUNT"}
	}
	for _, unit := range o.Units {
		if unit.ID == id {
			return object{"TargetId": id, "Arn": o.UnitARN(unit), "Name": unit.Name, "Type": "ORGANIZATIONAL_UNIT"}
		}
	}
	return object{"TargetId": id, "Arn": o.RootARN(), "Name": "Root", "Type": "ROOT"}
}

func (s *Simulator) listPoliciesForTarget(c *call) (any, *apiError) {
	var in struct {
		pageInput
		TargetID string `json:"TargetId"`
		Filter   string
	}
	if failure := c.read(&in); failure != nil {
		return nil, failure
	}
	if failure := knownPolicyType(in.Filter); failure != nil {
		return nil, failure
	}
	o := s.Estate().Organization
	if _, ok := o.Parent(in.TargetID); !ok && in.TargetID != o.RootID {
		return nil, &apiError{"TargetNotFoundException", 400, "You specified a target that doesn't exist."}
	}
	var policies []estate.ServiceControlPolicy
	for _, p := range o.Policies {
		if in.Filter == controlPolicyType && slices.Contains(p.Targets, in.TargetID) {
			policies = append(policies, p)
		}
	}
	return s.policiesPage(c, in.pageInput, in.Filter+in.TargetID, policies)
}
