package estate

import (
	"time"

	"github.com/gatehouse-project/gatehouse/simulator/enterprise"
)

// Group is a security or Microsoft 365 group.
type Group struct {
	ID, Name, Description string
	Created               time.Time
	Unified               bool
	RoleAssignable        bool
	// Hidden groups show their members to who may read hidden memberships.
	Hidden bool
	// Rule is the membership rule of a dynamic group.
	Rule   string
	Owners []Object

	people  []int32
	objects []Object
}

// Positions of the groups that stand for something.
const (
	GroupEveryone = iota
	GroupContractors
	GroupPlatform
	GroupPayroll
	GroupBreakGlass
	GroupAutomation
	firstDepartmentGroup
)

// Members is how many direct members a group has.
func (e *Estate) Members(g *Group) int { return len(g.people) + len(g.objects) }

// Member is the i-th direct member.
func (e *Estate) Member(g *Group, i int) Object {
	if i < len(g.people) {
		return Object{TypeUser, e.UserID(int(g.people[i]))}
	}
	return g.objects[i-len(g.people)]
}

func (e *Estate) makeGroups() {
	add := func(g Group) int {
		g.ID = e.draw.UUID("entra group", len(e.Groups))
		g.Created = ago(e.draw.Between(30, 3000, "entra group created", len(e.Groups)))
		e.Groups = append(e.Groups, g)
		return len(e.Groups) - 1
	}
	owner := func(person int) []Object { return []Object{{TypeUser, e.UserID(person)}} }
	departments := enterprise.Departments()
	platform := e.members[indexOf(departments, "Platform")]
	finance := e.members[indexOf(departments, "Finance")]

	add(Group{Name: "All employees", Description: "Everybody, by department"})
	add(Group{Name: "Contractors", people: e.outside, Owners: owner(0), Rule: `(user.employeeId -startsWith "C")`})
	add(Group{Name: "Cloud platform", RoleAssignable: true, people: platform[0], Owners: owner(0)})
	add(Group{Name: "Payroll readers", Hidden: true, people: withPerson(finance[0], e.contractor()), Owners: owner(e.someone("payroll owner"))})
	add(Group{Name: "Break glass", RoleAssignable: true, people: []int32{0}})
	add(Group{Name: "Automation", objects: []Object{{TypeDevice, e.draw.UUID("entra device", 0)}}})
	teams := firstDepartmentGroup + len(departments)
	for d, name := range departments {
		g := Group{Name: name, Unified: d%2 == 0, Description: "The department"}
		for t := range e.members[d] {
			g.objects = append(g.objects, Object{TypeGroup, e.draw.UUID("entra group", teams+t)})
		}
		teams += len(e.members[d])
		at := add(g)
		e.Groups[GroupEveryone].objects = append(e.Groups[GroupEveryone].objects, Object{TypeGroup, e.Groups[at].ID})
	}
	for d := range departments {
		for t, people := range e.members[d] {
			g := Group{Name: e.Company.TeamName(d, t), people: people}
			if len(people) > 0 {
				g.Owners = owner(int(people[0]))
			}
			add(g)
		}
	}
}

// TeamGroup is the group of a team that has members.
func (e *Estate) TeamGroup(kind string, keys ...int) *Group {
	first := firstDepartmentGroup + len(enterprise.Departments())
	return &e.Groups[first+e.draw.Intn(len(e.Groups)-first, kind, keys...)]
}

func indexOf(all []string, name string) int {
	for i, s := range all {
		if s == name {
			return i
		}
	}
	return 0
}

// withPerson adds a person who may be among them.
func withPerson(people []int32, person int) []int32 {
	all := append([]int32(nil), people...)
	for _, p := range all {
		if int(p) == person {
			return all
		}
	}
	return append(all, int32(person))
}
