package estate

import "strconv"

// Bits of a grant on an application.
const (
	GrantOwner     int64 = 1
	GrantRead      int64 = 4
	GrantWrite     int64 = 8
	GrantList      int64 = 16
	GrantDelete    int64 = 64
	GrantRun       int64 = 128
	GrantAutomatic int64 = 1 << 31
)

// Application is a web application of the portal.
type Application struct {
	ID, Name, Description string
	// WebType is how people are signed in, such as "SAML" or "OAuth".
	WebType string
	State   string
	Grants  []Grant
}

// Grant says who may do what with an application.
type Grant struct {
	Who  Member
	Bits int64
	// Inherited grants come from an administrative right or from the tenant, and not
	// from the application.
	Inherited bool
}

// Positions of the applications that stand for something.
const (
	AppGatehouse = iota
	AppPayroll
	AppBenefits
	AppVault
	firstTeamApp
)

func (e *Estate) makeApplications() {
	role := func(n int) Member { return Member{MemberRole, e.Roles[n].ID, e.Roles[n].Name} }
	user := func(person int) Member { return Member{MemberUser, e.UserID(person), e.Company.Person(person).Email} }
	const use = GrantRead | GrantRun
	e.Applications = []Application{
		{ID: e.Auditor.ApplicationID, Name: "Gatehouse", WebType: "OAuth", Grants: []Grant{{Who: role(RoleAuditors), Bits: GrantRun}}},
		{Name: "Payroll portal", WebType: "SAML", Description: "Pays salaries", Grants: []Grant{
			{Who: role(RolePayroll), Bits: use | GrantAutomatic}, {Who: user(e.someone("cyberark payroll owner")), Bits: GrantOwner | use | GrantWrite},
		}},
		{Name: "Benefits", WebType: "SAML", Grants: []Grant{{Who: role(RoleOfEverybody), Bits: use | GrantAutomatic}}},
		{Name: "Password vault", WebType: "UsernamePassword", Grants: []Grant{
			{Who: user(e.Contractor()), Bits: use},
			{Who: Member{MemberGroup, e.group("Security").ID, e.group("Security").Name}, Bits: use},
			{Who: role(RoleContractors), Bits: GrantRead | GrantList},
		}},
	}
	for i := range max(4, min(400, e.Company.People()/15)) {
		n := firstDepartmentRole + e.draw.Intn(len(e.Roles)-firstDepartmentRole, "cyberark app role", i)
		e.Applications = append(e.Applications, Application{
			Name: e.Roles[n].Name + " board " + strconv.Itoa(i+1), WebType: []string{"SAML", "OpenIDConnect", "Bookmark"}[i%3],
			Grants: []Grant{{Who: role(n), Bits: use}, {Who: user(e.someone("cyberark app user", i)), Bits: use}},
		})
	}
	for i := range e.Applications {
		a := &e.Applications[i]
		if a.ID == "" {
			a.ID = e.draw.UUID("cyberark application", i)
		}
		a.State = "Active"
		a.Grants = append(a.Grants,
			Grant{Who: role(RoleSystemAdministrator), Bits: GrantOwner | GrantRead | GrantWrite | GrantList | GrantDelete, Inherited: true},
			Grant{Who: role(RoleApplicationOwners), Bits: GrantOwner | GrantRead | GrantWrite | GrantList | GrantDelete, Inherited: true})
	}
}
