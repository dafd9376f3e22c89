package estate

import "slices"

// Launchers are the people who may launch an application by a role, by a role within
// it, by the role of everybody, or by themselves, in order. Who may by a group of
// Active Directory is not told: the tenant does not know the group's members.
func (e *Estate) Launchers(a *Application) (people []int) {
	may := map[int]bool{}
	for _, g := range a.Grants {
		if g.Bits&GrantRun != 0 {
			e.hold(g.Who, may, map[string]bool{})
		}
	}
	for person := range may {
		people = append(people, person)
	}
	slices.Sort(people)
	return people
}

// hold adds the people whom a user or role stands for.
func (e *Estate) hold(who Member, may map[int]bool, seen map[string]bool) {
	switch who.Kind {
	case MemberUser:
		if person, ok := e.Person(who.ID); ok {
			may[person] = true
		}
	case MemberRole:
		r := e.Role(who.ID)
		if r == nil || seen[who.ID] {
			return
		}
		seen[who.ID] = true
		if r.Kind == RoleEverybody {
			for person := range e.Company.People() {
				may[person] = true
			}
		}
		for i := range e.Members(r) {
			e.hold(e.Member(r, i), may, seen)
		}
	}
}

// Person is whose user has an id.
func (e *Estate) Person(userID string) (person int, ok bool) {
	at, found := slices.BinarySearchFunc(e.order, userID, func(person int32, id string) int {
		switch own := e.UserID(int(person)); {
		case own < id:
			return -1
		case own > id:
			return 1
		}
		return 0
	})
	if !found {
		return 0, false
	}
	return int(e.order[at]), true
}

// Role is the role of an id, nil when there is none.
func (e *Estate) Role(id string) *Role {
	i := slices.IndexFunc(e.Roles, func(r Role) bool { return r.ID == id })
	if i < 0 {
		return nil
	}
	return &e.Roles[i]
}
