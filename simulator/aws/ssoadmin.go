package aws

import (
	"fmt"
	"slices"

	"github.com/gatehouse-project/gatehouse/simulator/aws/estate"
)

func (s *Simulator) ssoOperations() operations {
	return operations{
		"ListInstances":                                      s.listInstances,
		"ListPermissionSets":                                 s.withInstance(s.listPermissionSets),
		"DescribePermissionSet":                              s.withSet(s.describePermissionSet),
		"ListPermissionSetsProvisionedToAccount":             s.withInstance(s.listPermissionSetsProvisionedToAccount),
		"ListAccountsForProvisionedPermissionSet":            s.withSet(s.listAccountsForProvisionedPermissionSet),
		"ListAccountAssignments":                             s.withSet(s.listAccountAssignments),
		"ListManagedPoliciesInPermissionSet":                 s.withSet(s.listManagedPoliciesInPermissionSet),
		"ListCustomerManagedPolicyReferencesInPermissionSet": s.withSet(s.listCustomerPoliciesInPermissionSet),
		"GetInlinePolicyForPermissionSet":                    s.withSet(s.getInlinePolicyForPermissionSet),
		"GetPermissionsBoundaryForPermissionSet":             s.withSet(s.getBoundaryForPermissionSet),
	}
}

// ssoInput holds the parameters of all operations of Identity Center.
type ssoInput struct {
	pageInput
	InstanceArn        string
	PermissionSetArn   string
	AccountID          string `json:"AccountId"`
	ProvisioningStatus string
}

// centerPage is the most that an answer of Identity Center or the identity
// store carries, and the default.
const centerPage = 100

func centerCut(c *call, in pageInput, list string, length int) (page, *apiError) {
	size := centerPage
	if in.MaxResults != nil {
		if *in.MaxResults < 1 || *in.MaxResults > centerPage {
			return page{}, invalidCenter(fmt.Sprintf("Value '%d' at 'maxResults' failed to satisfy constraint: Member must be between 1 and 100", *in.MaxResults))
		}
		size = *in.MaxResults
	}
	p, err := cut(c.operation+"/"+list, in.NextToken, length, size)
	if err != nil {
		return page{}, invalidCenter("Invalid NextToken: " + err.Error())
	}
	return p, nil
}

func invalidCenter(message string) *apiError { return &apiError{"ValidationException", 400, message} }

func centerNotFound(message string) *apiError {
	return &apiError{"ResourceNotFoundException", 400, message}
}

// centerHere says whether the caller's account and region have the instance.
func (s *Simulator) centerHere(c *call) bool {
	return c.caller.account.Index == s.Estate().Organization.Management().Index && c.region == s.Estate().Center.Region
}

func (s *Simulator) listInstances(c *call) (any, *apiError) {
	var in pageInput
	if failure := c.read(&in); failure != nil {
		return nil, failure
	}
	center := s.Estate().Center
	instances := []object{}
	if s.centerHere(c) {
		instances = append(instances, object{
			"InstanceArn": center.InstanceARN(), "IdentityStoreId": center.StoreID, "OwnerAccountId": c.caller.account.ID,
			"Name": s.Estate().Company.Name, "Status": "ACTIVE", "CreatedDate": epoch(center.Created),
		})
	}
	p, failure := centerCut(c, in, "", len(instances))
	if failure != nil {
		return nil, failure
	}
	return p.paged(object{"Instances": instances[p.from:p.to]}), nil
}

// withInstance checks what all operations on an instance need.
func (s *Simulator) withInstance(next func(c *call, in ssoInput) (any, *apiError)) operation {
	return func(c *call) (any, *apiError) {
		var in ssoInput
		if failure := c.read(&in); failure != nil {
			return nil, failure
		}
		switch {
		case in.InstanceArn == "":
			return nil, invalidCenter("Value null at 'instanceArn' failed to satisfy constraint: Member must not be null")
		case c.caller.account.Index != s.Estate().Organization.Management().Index:
			return nil, c.service.denied.with("User: " + c.caller.arn + " is not authorized to perform: " + actionOf(c) + " on resource: " + in.InstanceArn)
		case in.InstanceArn != s.Estate().Center.InstanceARN() || !s.centerHere(c):
			return nil, centerNotFound("Instance with ARN " + in.InstanceArn + " was not found.")
		}
		return next(c, in)
	}
}

// withSet checks what all operations on a permission set need.
func (s *Simulator) withSet(next func(c *call, in ssoInput, set int) (any, *apiError)) operation {
	return s.withInstance(func(c *call, in ssoInput) (any, *apiError) {
		set, ok := s.Estate().Center.SetByARN(in.PermissionSetArn)
		if !ok {
			return nil, centerNotFound("Could not find PermissionSet with id " + in.PermissionSetArn)
		}
		return next(c, in, set)
	})
}

// stringsPage answers a page of plain strings.
func stringsPage(c *call, in ssoInput, list, name string, all []string) (any, *apiError) {
	p, failure := centerCut(c, in.pageInput, list, len(all))
	if failure != nil {
		return nil, failure
	}
	return p.paged(object{name: append([]string{}, all[p.from:p.to]...)}), nil
}

func (s *Simulator) listPermissionSets(c *call, in ssoInput) (any, *apiError) {
	arns := make([]string, len(s.Estate().Center.PermissionSets))
	for i := range arns {
		arns[i] = s.Estate().Center.SetARN(i)
	}
	return stringsPage(c, in, "", "PermissionSets", arns)
}

func (s *Simulator) describePermissionSet(_ *call, _ ssoInput, at int) (any, *apiError) {
	set := s.Estate().Center.PermissionSets[at]
	return object{"PermissionSet": object{
		"Name": set.Name, "PermissionSetArn": s.Estate().Center.SetARN(at), "Description": set.Description,
		"CreatedDate": epoch(set.Created), "SessionDuration": fmt.Sprintf("PT%dH", int(set.Session.Hours())),
	}}, nil
}

// notProvisioned is the filter for permission sets whose newest form has not
// reached an account; here all have.
const notProvisioned = "LATEST_PERMISSION_SET_NOT_PROVISIONED"

func (s *Simulator) listPermissionSetsProvisionedToAccount(c *call, in ssoInput) (any, *apiError) {
	account, ok := s.Estate().AccountByID(in.AccountID)
	if !ok {
		return nil, centerNotFound("Account " + in.AccountID + " was not found.")
	}
	var arns []string
	for _, set := range s.Estate().Center.Provisioned(account.Index) {
		if in.ProvisioningStatus != notProvisioned {
			arns = append(arns, s.Estate().Center.SetARN(set))
		}
	}
	return stringsPage(c, in, in.AccountID+in.ProvisioningStatus, "PermissionSets", arns)
}

func (s *Simulator) listAccountsForProvisionedPermissionSet(c *call, in ssoInput, set int) (any, *apiError) {
	var ids []string
	for _, account := range s.Estate().Organization.Accounts {
		if in.ProvisioningStatus != notProvisioned && slices.Contains(s.Estate().Center.Provisioned(account.Index), set) {
			ids = append(ids, account.ID)
		}
	}
	return stringsPage(c, in, in.PermissionSetArn+in.ProvisioningStatus, "AccountIds", ids)
}

func (s *Simulator) listAccountAssignments(c *call, in ssoInput, set int) (any, *apiError) {
	account, ok := s.Estate().AccountByID(in.AccountID)
	if !ok {
		return nil, centerNotFound("Account " + in.AccountID + " was not found.")
	}
	var assigned []estate.Assignment
	for _, assignment := range s.Estate().Center.Assignments[account.Index] {
		if assignment.PermissionSet == set {
			assigned = append(assigned, assignment)
		}
	}
	p, failure := centerCut(c, in.pageInput, in.AccountID+in.PermissionSetArn, len(assigned))
	if failure != nil {
		return nil, failure
	}
	answered := []object{}
	for _, assignment := range assigned[p.from:p.to] {
		kind, id := "USER", ""
		if assignment.Group >= 0 {
			kind, id = "GROUP", s.Estate().Center.Groups[assignment.Group].ID
		} else {
			id = s.Estate().Center.UserID(assignment.Person)
		}
		answered = append(answered, object{"AccountId": in.AccountID, "PermissionSetArn": in.PermissionSetArn, "PrincipalType": kind, "PrincipalId": id})
	}
	return p.paged(object{"AccountAssignments": answered}), nil
}
