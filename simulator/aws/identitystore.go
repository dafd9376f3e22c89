package aws

import (
	"strings"

	"github.com/gatehouse-project/gatehouse/simulator/aws/estate"
)

func (s *Simulator) identityStoreOperations() operations {
	return operations{
		"ListUsers":                     s.withStore(s.listDirectoryUsers),
		"ListGroups":                    s.withStore(s.listDirectoryGroups),
		"ListGroupMemberships":          s.withStore(s.listGroupMemberships),
		"ListGroupMembershipsForMember": s.withStore(s.listGroupMembershipsForMember),
		"DescribeUser":                  s.withStore(s.describeUser),
		"DescribeGroup":                 s.withStore(s.describeGroup),
	}
}

// storeInput holds the parameters of all operations of the identity store.
type storeInput struct {
	pageInput
	IdentityStoreID string `json:"IdentityStoreId"`
	UserID          string `json:"UserId"`
	GroupID         string `json:"GroupId"`
	MemberID        struct {
		UserID string `json:"UserId"`
	} `json:"MemberId"`
	Filters []struct{ AttributePath, AttributeValue string }
}

func (s *Simulator) withStore(next func(c *call, in storeInput) (any, *apiError)) operation {
	return func(c *call) (any, *apiError) {
		var in storeInput
		if failure := c.read(&in); failure != nil {
			return nil, failure
		}
		switch {
		case in.IdentityStoreID == "":
			return nil, invalidCenter("Value null at 'identityStoreId' failed to satisfy constraint: Member must not be null")
		case c.caller.account.Index != s.Estate().Organization.Management().Index:
			return nil, c.service.denied.with("User: " + c.caller.arn + " is not authorized to perform: " + actionOf(c) +
				" on resource: arn:aws:identitystore::" + s.Estate().Organization.Management().ID + ":identitystore/" + in.IdentityStoreID)
		case in.IdentityStoreID != s.Estate().Center.StoreID || !s.centerHere(c):
			return nil, centerNotFound("IDENTITY_STORE not found.")
		}
		return next(c, in)
	}
}

func (s *Simulator) storeARN(kind, id string) string {
	return "arn:aws:identitystore:::" + kind + "/" + id
}

func (s *Simulator) describeDirectoryUser(u estate.DirectoryUser) object {
	status := "ENABLED"
	if !u.Enabled {
		status = "DISABLED"
	}
	return object{
		"IdentityStoreId": s.Estate().Center.StoreID, "UserId": u.ID, "UserArn": s.storeARN("user", u.ID), "UserName": u.Person.Email,
		"DisplayName": u.Person.DisplayName(), "UserStatus": status, "UserType": string(u.Person.Employment), "Title": u.Person.Title,
		"Name":        object{"GivenName": u.Person.Given, "FamilyName": u.Person.Family, "Formatted": u.Person.DisplayName()},
		"Emails":      []object{{"Value": u.Person.Email, "Type": "work", "Primary": true}},
		"ExternalIds": []object{{"Issuer": "https://scim.aws.com/" + s.Estate().Center.StoreID, "Id": u.Person.EmployeeID}},
		"CreatedAt":   epoch(u.Created), "UpdatedAt": epoch(u.Created), "CreatedBy": "SCIM/" + s.Estate().Center.StoreID,
	}
}

func (s *Simulator) listDirectoryUsers(c *call, in storeInput) (any, *apiError) {
	center := s.Estate().Center
	if len(in.Filters) > 0 {
		return s.findDirectoryUser(in)
	}
	p, failure := centerCut(c, in.pageInput, "", center.UserCount())
	if failure != nil {
		return nil, failure
	}
	users := make([]object, 0, p.to-p.from)
	for position := p.from; position < p.to; position++ {
		users = append(users, s.describeDirectoryUser(center.User(position)))
	}
	return p.paged(object{"Users": users}), nil
}

func (in storeInput) filterKey() string {
	if len(in.Filters) == 0 {
		return ""
	}
	return in.Filters[0].AttributePath + "=" + in.Filters[0].AttributeValue
}

// findDirectoryUser looks for a user name, which is unique, so that there is
// never a second page.
func (s *Simulator) findDirectoryUser(in storeInput) (any, *apiError) {
	if len(in.Filters) > 1 || in.Filters[0].AttributePath != "UserName" {
		return nil, invalidCenter("The only supported filter is UserName.")
	}
	users := []object{}
	for position := range s.Estate().Center.UserCount() {
		if user := s.Estate().Center.User(position); strings.EqualFold(user.Person.Email, in.Filters[0].AttributeValue) {
			users = append(users, s.describeDirectoryUser(user))
		}
	}
	return object{"Users": users}, nil
}

func (s *Simulator) describeDirectoryGroup(g estate.DirectoryGroup) object {
	return object{
		"IdentityStoreId": s.Estate().Center.StoreID, "GroupId": g.ID, "GroupArn": s.storeARN("group", g.ID), "DisplayName": g.Name,
		"Description": g.Description, "CreatedAt": epoch(g.Created), "UpdatedAt": epoch(g.Created),
	}
}

func (s *Simulator) listDirectoryGroups(c *call, in storeInput) (any, *apiError) {
	groups := s.Estate().Center.Groups
	if len(in.Filters) > 0 {
		if len(in.Filters) > 1 || in.Filters[0].AttributePath != "DisplayName" {
			return nil, invalidCenter("The only supported filter is DisplayName.")
		}
		all := groups
		groups = nil
		for _, group := range all {
			if group.Name == in.Filters[0].AttributeValue {
				groups = append(groups, group)
			}
		}
	}
	p, failure := centerCut(c, in.pageInput, in.filterKey(), len(groups))
	if failure != nil {
		return nil, failure
	}
	answered := []object{}
	for _, group := range groups[p.from:p.to] {
		answered = append(answered, s.describeDirectoryGroup(group))
	}
	return p.paged(object{"Groups": answered}), nil
}

func (s *Simulator) describeMembership(group, person int) object {
	center := s.Estate().Center
	return object{
		"IdentityStoreId": center.StoreID, "MembershipId": center.MembershipID(group, person), "GroupId": center.Groups[group].ID,
		"MemberId": object{"UserId": center.UserID(person)},
	}
}

func (s *Simulator) listGroupMemberships(c *call, in storeInput) (any, *apiError) {
	group, ok := s.Estate().Center.GroupByID(in.GroupID)
	if !ok {
		return nil, centerNotFound("GROUP not found.")
	}
	all := s.Estate().Center.Groups[group].Members
	p, failure := centerCut(c, in.pageInput, in.GroupID, len(all))
	if failure != nil {
		return nil, failure
	}
	memberships := make([]object, 0, p.to-p.from)
	for _, person := range all[p.from:p.to] {
		memberships = append(memberships, s.describeMembership(group, int(person)))
	}
	return p.paged(object{"GroupMemberships": memberships}), nil
}

func (s *Simulator) listGroupMembershipsForMember(c *call, in storeInput) (any, *apiError) {
	user, ok := s.Estate().Center.UserByID(in.MemberID.UserID)
	if !ok {
		return nil, centerNotFound("USER not found.")
	}
	groups := s.Estate().Center.GroupsOf(user.Person.Index)
	p, failure := centerCut(c, in.pageInput, user.ID, len(groups))
	if failure != nil {
		return nil, failure
	}
	memberships := []object{}
	for _, group := range groups[p.from:p.to] {
		memberships = append(memberships, s.describeMembership(group, user.Person.Index))
	}
	return p.paged(object{"GroupMemberships": memberships}), nil
}

func (s *Simulator) describeUser(_ *call, in storeInput) (any, *apiError) {
	user, ok := s.Estate().Center.UserByID(in.UserID)
	if !ok {
		return nil, centerNotFound("USER not found.")
	}
	return s.describeDirectoryUser(user), nil
}

func (s *Simulator) describeGroup(_ *call, in storeInput) (any, *apiError) {
	group, ok := s.Estate().Center.GroupByID(in.GroupID)
	if !ok {
		return nil, centerNotFound("GROUP not found.")
	}
	return s.describeDirectoryGroup(s.Estate().Center.Groups[group]), nil
}
