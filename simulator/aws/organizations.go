package aws

import (
	"slices"
	"time"

	"github.com/gatehouse-project/gatehouse/simulator/aws/estate"
)

// object is the content of an answer in JSON.
type object = map[string]any

func (s *Simulator) organizationsOperations() operations {
	// Only the management account sees the organisation; others may describe
	// it, as the API reference allows.
	managed := func(next operation) operation {
		return func(c *call) (any, *apiError) {
			if c.caller.account.Index != s.Estate().Organization.Management().Index {
				return nil, c.service.denied.with("You don't have permissions to access this resource.")
			}
			return next(c)
		}
	}
	return operations{
		"DescribeOrganization":             s.describeOrganization,
		"ListRoots":                        managed(s.listRoots),
		"ListOrganizationalUnitsForParent": managed(s.listUnits),
		"ListAccounts":                     managed(s.listAccounts),
		"ListAccountsForParent":            managed(s.listAccountsForParent),
		"ListParents":                      managed(s.listParents),
		"ListPolicies":                     managed(s.listControlPolicies),
		"DescribePolicy":                   managed(s.describeControlPolicy),
		"ListTargetsForPolicy":             managed(s.listTargetsForPolicy),
		"ListPoliciesForTarget":            managed(s.listPoliciesForTarget),
	}
}

// organizationsPage is the most that an answer carries, and the default.
const organizationsPage = 20

func invalidInput(message string) *apiError {
	return &apiError{"InvalidInputException", 400, "You specified an invalid value. " + message}
}

// organizationsCut cuts a list. Organizations may answer an empty page that
// has a next one. Here the units below a root always begin with one, and so
// does one in three of the other lists that take more than a page.
func (s *Simulator) organizationsCut(c *call, in pageInput, list string, length int) (page, *apiError) {
	size := organizationsPage
	if in.MaxResults != nil {
		if *in.MaxResults < 1 || *in.MaxResults > organizationsPage {
			return page{}, invalidInput("MaxResults is 1 to 20.")
		}
		size = *in.MaxResults
	}
	list = c.operation + "/" + list
	offset, afterEmpty, err := readToken(list, in.NextToken)
	if err != nil {
		return page{}, invalidInput(err.Error())
	}
	empty := length > size && s.Estate().Company.Draw().Percent(33, "empty page/"+list, offset) ||
		c.operation == "ListOrganizationalUnitsForParent" && list == c.operation+"/"+s.Estate().Organization.RootID
	if empty && !afterEmpty && offset == 0 {
		return page{next: pageToken(list, 0, true)}, nil
	}
	p := page{from: min(offset, length), to: min(offset+size, length)}
	if p.to < length {
		p.next = pageToken(list, p.to, false)
	}
	return p, nil
}

// pageInput is what the paged JSON operations have in common.
type pageInput struct {
	MaxResults *int
	NextToken  string
}

// paged adds the token of the next page to an answer.
func (p page) paged(body object) object {
	if p.next != "" {
		body["NextToken"] = p.next
	}
	return body
}

// epoch writes a time as the JSON protocols do.
func epoch(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func (s *Simulator) describeOrganization(*call) (any, *apiError) {
	o := s.Estate().Organization
	master := o.Management()
	return object{"Organization": object{
		"Id": o.ID, "Arn": o.ARN(), "FeatureSet": "ALL", "MasterAccountArn": o.AccountARN(master),
		"MasterAccountId": master.ID, "MasterAccountEmail": master.Email, "AvailablePolicyTypes": policyTypes(),
	}}, nil
}

func policyTypes() []object {
	return []object{{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}}
}

func (s *Simulator) listRoots(c *call) (any, *apiError) {
	var in pageInput
	if failure := c.read(&in); failure != nil {
		return nil, failure
	}
	p, failure := s.organizationsCut(c, in, "", 1)
	if failure != nil {
		return nil, failure
	}
	o := s.Estate().Organization
	roots := []object{{"Id": o.RootID, "Arn": o.RootARN(), "Name": "Root", "PolicyTypes": policyTypes()}}
	return p.paged(object{"Roots": roots[p.from:p.to]}), nil
}

type parentInput struct {
	pageInput
	ParentID string `json:"ParentId"`
}

func (s *Simulator) knownParent(id string) *apiError {
	o := s.Estate().Organization
	if id == o.RootID || slices.ContainsFunc(o.Units, func(u estate.Unit) bool { return u.ID == id }) {
		return nil
	}
	return &apiError{"ParentNotFoundException", 400, "You specified parent that doesn't exist."}
}

func (s *Simulator) listUnits(c *call) (any, *apiError) {
	var in parentInput
	if failure := c.read(&in); failure != nil {
		return nil, failure
	}
	if failure := s.knownParent(in.ParentID); failure != nil {
		return nil, failure
	}
	o := s.Estate().Organization
	units := []object{}
	for _, unit := range o.Units {
		if unit.Parent == in.ParentID {
			units = append(units, object{"Id": unit.ID, "Arn": o.UnitARN(unit), "Name": unit.Name})
		}
	}
	p, failure := s.organizationsCut(c, in.pageInput, in.ParentID, len(units))
	if failure != nil {
		return nil, failure
	}
	return p.paged(object{"OrganizationalUnits": units[p.from:p.to]}), nil
}

func (s *Simulator) describeAccount(a estate.Account) object {
	status, method := "ACTIVE", "CREATED"
	if a.Suspended {
		status = "SUSPENDED"
	}
	if a.Invited {
		method = "INVITED"
	}
	return object{
		"Id": a.ID, "Arn": s.Estate().Organization.AccountARN(a), "Name": a.Name, "Email": a.Email,
		"Status": status, "State": status, "JoinedMethod": method, "JoinedTimestamp": epoch(a.Joined),
	}
}

func (s *Simulator) listAccounts(c *call) (any, *apiError) {
	var in pageInput
	if failure := c.read(&in); failure != nil {
		return nil, failure
	}
	return s.accountsPage(c, in, "", s.Estate().Organization.Accounts)
}

func (s *Simulator) listAccountsForParent(c *call) (any, *apiError) {
	var in parentInput
	if failure := c.read(&in); failure != nil {
		return nil, failure
	}
	if failure := s.knownParent(in.ParentID); failure != nil {
		return nil, failure
	}
	var accounts []estate.Account
	for _, account := range s.Estate().Organization.Accounts {
		if account.Parent == in.ParentID {
			accounts = append(accounts, account)
		}
	}
	return s.accountsPage(c, in.pageInput, in.ParentID, accounts)
}

func (s *Simulator) accountsPage(c *call, in pageInput, list string, accounts []estate.Account) (any, *apiError) {
	p, failure := s.organizationsCut(c, in, list, len(accounts))
	if failure != nil {
		return nil, failure
	}
	described := []object{}
	for _, account := range accounts[p.from:p.to] {
		described = append(described, s.describeAccount(account))
	}
	return p.paged(object{"Accounts": described}), nil
}

func (s *Simulator) listParents(c *call) (any, *apiError) {
	var in struct {
		pageInput
		ChildID string `json:"ChildId"`
	}
	if failure := c.read(&in); failure != nil {
		return nil, failure
	}
	o := s.Estate().Organization
	parent, ok := o.Parent(in.ChildID)
	if !ok {
		return nil, &apiError{"ChildNotFoundException", 400, "You specified a child that doesn't exist."}
	}
	kind := "ORGANIZATIONAL_UNIT"
	if parent == o.RootID {
		kind = "ROOT"
	}
	return object{"Parents": []object{{"Id": parent, "Type": kind}}}, nil
}
