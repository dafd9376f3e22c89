package estate

import (
	"slices"

	"github.com/gatehouse-project/gatehouse/simulator/enterprise"
)

// Paths of administrative rights.
const (
	RightUsers           = "/lib/rights/dsman.json"
	RightReadUsers       = "/lib/rights/rouserman.json"
	RightRoles           = "/lib/rights/roleman.json"
	RightReadRoles       = "/lib/rights/roroleman.json"
	RightApplications    = "/lib/rights/appman.json"
	RightReadSystem      = "/lib/rights/monitor.json"
	RightReports         = "/lib/rights/reportman.json"
	RightUnlockMFA       = "/lib/rights/mfaunlock.json"
	RightAdminPortal     = "/lib/rights/adminportallogin.json"
	rightShowSecureInfra = "ServiceRight/dpaShowTile"
)

// The kinds of roles.
const (
	RoleList      = "PrincipalList"
	RoleEverybody = "Everybody"
	RoleScript    = "Script"
)

// The kinds of members.
const (
	MemberUser  = "User"
	MemberGroup = "Group"
	MemberRole  = "Role"
)

// Group is a group of Active Directory, whose members the tenant does not tell.
type Group struct {
	ID, Name string
}

// Role is a role of the tenant.
type Role struct {
	ID, Name, Description string
	Kind                  string
	ReadOnly              bool
	Rights                []string

	people  []int32
	members []Member
}

// Member is one of a role.
type Member struct {
	Kind, ID, Name string
}

// Positions of the roles that stand for something.
const (
	RoleSystemAdministrator = iota
	RoleOfEverybody
	RoleAuditors
	RoleHelpdesk
	RoleApplicationOwners
	RolePayroll
	RoleContractors
	RoleDynamic
	firstDepartmentRole
)

// Members is how many direct members a role has.
func (e *Estate) Members(r *Role) int { return len(r.people) + len(r.members) }

// Member is the i-th direct member.
func (e *Estate) Member(r *Role, i int) Member {
	if i < len(r.people) {
		person := int(r.people[i])
		return Member{MemberUser, e.UserID(person), e.Company.Person(person).Email}
	}
	return r.members[i-len(r.people)]
}

func (e *Estate) makeGroups() {
	for d, name := range enterprise.Departments() {
		e.Groups = append(e.Groups, Group{ID: e.draw.UUID("cyberark group", d), Name: name + "@corp." + e.Company.Domain})
	}
	slices.SortFunc(e.Groups, func(a, b Group) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
}

// group is the group of a department.
func (e *Estate) group(department string) Group {
	for _, g := range e.Groups {
		if g.Name == department+"@corp."+e.Company.Domain {
			return g
		}
	}
	return Group{}
}

func (e *Estate) makeRoles() {
	departments := enterprise.Departments()
	id := func(n int) string { return underscored(e.draw.UUID("cyberark role", n)) }
	user := func(person int) []int32 { return []int32{int32(person)} }
	auditor := Member{MemberUser, e.Auditor.UserID, e.Auditor.Login}
	e.Roles = []Role{
		{ID: "sysadmin", Name: "System Administrator", Kind: RoleList, ReadOnly: true, Description: "The primary administrative role", people: user(0)},
		{ID: id(1), Name: "Everybody", Kind: RoleEverybody, ReadOnly: true, Description: "Everybody in the tenant"},
		{ID: id(2), Name: "Gatehouse auditors", Kind: RoleList, Rights: []string{RightReadUsers, RightReadRoles, RightReadSystem, RightUsers}, members: []Member{auditor}},
		{ID: id(3), Name: "Helpdesk", Kind: RoleList, Rights: []string{RightReadUsers, RightUnlockMFA, RightAdminPortal}, people: e.first("Support", 3)},
		{ID: id(4), Name: "Application owners", Kind: RoleList, Rights: []string{RightApplications, RightAdminPortal}, people: e.first("Platform", 2)},
		{ID: id(5), Name: "Payroll", Kind: RoleList, people: user(e.Contractor())},
		{ID: id(6), Name: "Contractors", Kind: RoleList, Rights: []string{rightShowSecureInfra}, people: e.outside},
		{ID: id(7), Name: "Recently joined", Kind: RoleScript, Description: "By a script"},
	}
	next := firstDepartmentRole
	for d, name := range departments {
		department := Role{ID: id(next), Name: name, Kind: RoleList, members: []Member{{MemberGroup, e.group(name).ID, e.group(name).Name}}}
		next++
		var teams []Role
		for t, people := range e.members[d] {
			team := Role{ID: id(next), Name: e.Company.TeamName(d, t), Kind: RoleList, people: people}
			next++
			department.members = append(department.members, Member{MemberRole, team.ID, team.Name})
			teams = append(teams, team)
		}
		switch name {
		case "Finance":
			e.Roles[RolePayroll].members = append(e.Roles[RolePayroll].members, Member{MemberRole, department.ID, department.Name})
		case "Security":
			department.Rights = []string{RightReadSystem, RightReports}
		}
		e.Roles = append(append(e.Roles, department), teams...)
	}
}

// first are the first people of a department.
func (e *Estate) first(department string, most int) (people []int32) {
	for _, team := range e.members[slices.Index(enterprise.Departments(), department)] {
		people = append(people, team...)
	}
	return people[:min(most, len(people))]
}
