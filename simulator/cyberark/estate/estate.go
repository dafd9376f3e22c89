package estate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/simulator/enterprise"
	"github.com/gatehouse-project/gatehouse/simulator/enterprise/chance"
)

// Options say which estate to make.
type Options struct {
	People int   // 2 to enterprise.MaxPeople
	Seed   int64 // any number
}

// Estate is a tenant. It is immutable and safe for concurrent use.
type Estate struct {
	Company *enterprise.Company
	// TenantID is what CyberArk calls the tenant, and the first part of its host.
	TenantID string
	Auditor  Auditor

	Directories  []Directory
	Groups       []Group
	Roles        []Role
	Applications []Application

	draw chance.Source
	// order are the people by the ids of their users.
	order []int32
	// members are people by department and team.
	members [][][]int32
	outside []int32
}

// Auditor is the service user that is meant for reading the estate, and the OAuth2
// client app that it signs in by.
type Auditor struct {
	UserID, Login, Password string
	ApplicationID, Scope    string
}

// Directory is a source of users.
type Directory struct {
	ID, Name string
	// Service is CyberArk's word for its kind: CDS, AdProxy or FDS.
	Service string
	// Forest is that of an Active Directory.
	Forest string
}

// Positions of the directories.
const (
	DirectoryCloud = iota
	DirectoryActive
	DirectoryFederated
)

// New makes an estate.
func New(options Options) (*Estate, error) {
	company, err := enterprise.New(options.People, options.Seed)
	if err != nil {
		return nil, fmt.Errorf("make the people of the tenant: %w", err)
	}
	e := &Estate{Company: company, draw: company.Draw()}
	e.TenantID = e.draw.Letters(3, "abcdefghijklmnopqrstuvwxyz", "cyberark tenant") + e.draw.Letters(4, "0123456789", "cyberark tenant number")
	e.Auditor = Auditor{
		UserID: e.draw.UUID("cyberark auditor"), Login: "gatehouse@" + company.Domain,
		Password:      e.draw.Letters(32, chance.LowerAlphanumeric, "cyberark auditor password"),
		ApplicationID: "gatehouse", Scope: "discovery",
	}
	e.Directories = []Directory{
		{ID: strings.ToUpper(e.draw.UUID("cyberark directory", 0)), Name: "CyberArk Cloud Directory", Service: "CDS"},
		{ID: strings.ToUpper(e.draw.UUID("cyberark directory", 1)), Name: "corp." + company.Domain, Service: "AdProxy", Forest: "corp." + company.Domain},
		{ID: strings.ToUpper(e.draw.UUID("cyberark directory", 2)), Name: "Federated users", Service: "FDS"},
	}
	e.placePeople()
	e.makeGroups()
	e.makeRoles()
	e.makeApplications()
	return e, nil
}

// placePeople notes who is in which team and who comes from outside, and orders them
// by the ids of their users.
func (e *Estate) placePeople() {
	e.members = make([][][]int32, len(enterprise.Departments()))
	for d := range e.members {
		e.members[d] = make([][]int32, e.Company.Teams(d))
	}
	type keyed struct {
		id     string
		person int32
	}
	all := make([]keyed, e.Company.People())
	for i := range all {
		d := e.Company.Department(i)
		t := e.draw.Intn(len(e.members[d]), "team", i)
		e.members[d][t] = append(e.members[d][t], int32(i))
		if e.Company.Employment(i) == enterprise.Contractor {
			e.outside = append(e.outside, int32(i))
		}
		all[i] = keyed{e.UserID(i), int32(i)}
	}
	slices.SortFunc(all, func(a, b keyed) int { return cmp.Compare(a.id, b.id) })
	e.order = make([]int32, len(all))
	for i, k := range all {
		e.order[i] = k.person
	}
}

// Contractor is the index of the person whose access is sure to be interesting.
func (e *Estate) Contractor() int { return e.Company.People() - 1 }

// Users is how many people have a user, and UserAt whose is the i-th by id.
func (e *Estate) Users() int { return len(e.order) }

// UserAt is the person whose user is the i-th by id.
func (e *Estate) UserAt(i int) int { return int(e.order[i]) }

// someone draws a person who still works here.
func (e *Estate) someone(kind string, keys ...int) int {
	i := e.draw.Intn(e.Company.People(), kind, keys...)
	if e.Company.Left(i) {
		return 0
	}
	return i
}

// ago is a moment some days before the estate's own.
func ago(days int) time.Time { return enterprise.AsOf().AddDate(0, 0, -days) }

// underscored is the form in which CyberArk writes the ids of roles.
func underscored(id string) string { return strings.ReplaceAll(id, "-", "_") }
