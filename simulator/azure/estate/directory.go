package estate

import (
	"time"

	"github.com/gatehouse-project/gatehouse/simulator/enterprise"
)

// DirectoryRole is a role of the directory.
type DirectoryRole struct {
	ID, Name string
	BuiltIn  bool
	Actions  []string
	// SelfActions apply to objects that one owns.
	SelfActions []string
}

// DirectoryAssignment gives a role at a scope: "/", an administrative unit's path or
// "/" and an application's object id.
type DirectoryAssignment struct {
	ID, RoleID, Scope string
	Principal         Object
	// End is nil for an assignment without one.
	End *time.Time
}

// AdministrativeUnit is a part of the directory that is administered by itself.
type AdministrativeUnit struct {
	ID, Name string
	people   []int32
	groups   []Object
}

// UnitMembers is how many members a unit has.
func (e *Estate) UnitMembers(u *AdministrativeUnit) int { return len(u.people) + len(u.groups) }

// UnitMember is the i-th member.
func (e *Estate) UnitMember(u *AdministrativeUnit, i int) Object {
	if i < len(u.people) {
		return Object{TypeUser, e.UserID(int(u.people[i]))}
	}
	return u.groups[i-len(u.people)]
}

// Ids of built-in directory roles; Microsoft Entra built-in roles.
const (
	roleGlobalAdministrator      = "62e90394-69f5-4237-9190-012177145e10"
	roleUserAdministrator        = "fe930be7-5e62-47db-91af-98c3a49a38b1"
	roleApplicationAdministrator = "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"
	roleGlobalReader             = "f2ef992c-3afb-46b9-b7cf-a126ee74c451"
	roleHelpdesk                 = "729827e3-9c14-49f7-bb1b-9608f156bbb8"
	roleDirectoryReaders         = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b"
)

func (e *Estate) makeDirectoryRoles() {
	custom := e.draw.UUID("entra custom role")
	e.Roles = []DirectoryRole{
		{ID: roleGlobalAdministrator, Name: "Global Administrator", BuiltIn: true, Actions: []string{"microsoft.directory/users/allProperties/allTasks", "microsoft.directory/groups/allProperties/allTasks", "microsoft.directory/applications/allProperties/allTasks"}},
		{ID: roleUserAdministrator, Name: "User Administrator", BuiltIn: true, Actions: []string{"microsoft.directory/users/create", "microsoft.directory/users/password/update", "microsoft.directory/groups/members/update"}},
		{ID: roleApplicationAdministrator, Name: "Application Administrator", BuiltIn: true, Actions: []string{"microsoft.directory/applications/credentials/update", "microsoft.directory/servicePrincipals/credentials/update"}},
		{ID: roleGlobalReader, Name: "Global Reader", BuiltIn: true, Actions: []string{"microsoft.directory/users/standard/read", "microsoft.directory/groups/standard/read"}},
		{ID: roleHelpdesk, Name: "Helpdesk Administrator", BuiltIn: true, Actions: []string{"microsoft.directory/users/password/update", "microsoft.directory/users/invalidateAllRefreshTokens"}},
		{ID: roleDirectoryReaders, Name: "Directory Readers", BuiltIn: true, Actions: []string{"microsoft.directory/users/standard/read"}},
		{ID: custom, Name: "Application secrets", Actions: []string{"microsoft.directory/applications/credentials/update"}, SelfActions: []string{"microsoft.directory/applications/delete"}},
	}
	user := func(person int) Object { return Object{TypeUser, e.UserID(person)} }
	e.directoryRole(&e.RoleAssignments, roleGlobalAdministrator, "/", Object{TypeGroup, e.Groups[GroupBreakGlass].ID}, nil)
	e.directoryRole(&e.RoleAssignments, roleApplicationAdministrator, "/", Object{TypeGroup, e.Groups[GroupPlatform].ID}, nil)
	e.directoryRole(&e.RoleAssignments, roleDirectoryReaders, "/", Object{TypeServicePrincipal, e.ServicePrincipals[2].ID}, nil)
	e.directoryRole(&e.RoleAssignments, custom, "/"+e.Applications[1].ID, user(e.contractor()), nil)
	for i := range min(6, e.Company.People()/10) {
		e.directoryRole(&e.RoleAssignments, roleGlobalReader, "/", user(e.someone("entra reader", i)), nil)
	}
	soon := enterprise.AsOf().AddDate(0, 3, 0)
	e.directoryRole(&e.EligibleRoles, roleGlobalAdministrator, "/", user(e.someone("entra eligible", 0)), &soon)
	e.directoryRole(&e.EligibleRoles, roleUserAdministrator, "/", Object{TypeGroup, e.Groups[GroupPlatform].ID}, nil)
}

// directoryRole adds an assignment, unless it is there: an assignment of a role at a
// scope is one.
func (e *Estate) directoryRole(to *[]DirectoryAssignment, role, scope string, who Object, end *time.Time) {
	for _, a := range *to {
		if a.RoleID == role && a.Scope == scope && a.Principal == who {
			return
		}
	}
	kind := "entra role assignment"
	if to == &e.EligibleRoles {
		kind = "entra role eligibility"
	}
	*to = append(*to, DirectoryAssignment{ID: e.draw.UUID(kind, len(*to)), RoleID: role, Scope: scope, Principal: who, End: end})
}

func (e *Estate) makeUnits() {
	departments := enterprise.Departments()
	for n, name := range []string{"Support", "Sales"} {
		u := AdministrativeUnit{ID: e.draw.UUID("entra unit", n), Name: name + " desk"}
		for _, team := range e.members[indexOf(departments, name)] {
			u.people = append(u.people, team...)
		}
		u.groups = []Object{{TypeGroup, e.Groups[firstDepartmentGroup+indexOf(departments, name)].ID}}
		e.Units = append(e.Units, u)
		e.directoryRole(&e.RoleAssignments, roleHelpdesk, "/administrativeUnits/"+u.ID, Object{TypeUser, e.UserID(e.someone("entra desk", n))}, nil)
	}
}
