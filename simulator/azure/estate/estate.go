package estate

import (
	"fmt"
	"time"

	"github.com/gatehouse-project/gatehouse/simulator/enterprise"
	"github.com/gatehouse-project/gatehouse/simulator/enterprise/chance"
)

// Options say which estate to make.
type Options struct {
	People int   // 2 to enterprise.MaxPeople
	Seed   int64 // any number
}

// Estate is a tenant with its subscriptions. It is immutable and safe for
// concurrent use.
type Estate struct {
	Company *enterprise.Company
	// TenantID is the directory's id, and the name of its root management group.
	TenantID string
	Auditor  Auditor

	Groups            []Group
	Applications      []Application
	ServicePrincipals []ServicePrincipal
	AppRoles          []AppRoleAssignment
	Grants            []DelegatedGrant
	Roles             []DirectoryRole
	RoleAssignments   []DirectoryAssignment
	EligibleRoles     []DirectoryAssignment
	Units             []AdministrativeUnit

	ManagementGroups []ManagementGroup
	Subscriptions    []Subscription
	AzureRoles       []AzureRole
	Assignments      []AzureAssignment
	Eligible         []AzureAssignment
	Denies           []DenyAssignment

	draw chance.Source
	// members are people by department and team.
	members [][][]int32
	outside []int32
}

// Auditor is the application that is meant for reading the estate.
type Auditor struct {
	ClientID, Secret, ObjectID string
}

// New makes an estate.
func New(options Options) (*Estate, error) {
	company, err := enterprise.New(options.People, options.Seed)
	if err != nil {
		return nil, fmt.Errorf("make the people of the tenant: %w", err)
	}
	e := &Estate{Company: company, draw: company.Draw()}
	e.TenantID = e.draw.UUID("entra tenant")
	e.Auditor = Auditor{
		ClientID: e.draw.UUID("entra auditor client"), ObjectID: e.draw.UUID("entra auditor object"),
		Secret: e.draw.Letters(40, chance.LowerAlphanumeric, "entra auditor secret"),
	}
	e.placePeople()
	e.makeGroups()
	e.makeApplications()
	e.makeDirectoryRoles()
	e.makeUnits()
	e.makeCloud()
	e.makeAssignments()
	return e, nil
}

// placePeople notes who is in which team, and who comes from outside.
func (e *Estate) placePeople() {
	e.members = make([][][]int32, len(enterprise.Departments()))
	for d := range e.members {
		e.members[d] = make([][]int32, e.Company.Teams(d))
	}
	for i := range e.Company.People() {
		d := e.Company.Department(i)
		t := e.draw.Intn(len(e.members[d]), "team", i)
		e.members[d][t] = append(e.members[d][t], int32(i))
		if e.Company.Employment(i) == enterprise.Contractor {
			e.outside = append(e.outside, int32(i))
		}
	}
}

// contractor is the index of the person whose access is sure to be interesting.
func (e *Estate) contractor() int { return e.Company.People() - 1 }

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

// ObjectType is what a directory object is.
type ObjectType string

// The types of directory objects.
const (
	TypeUser             ObjectType = "user"
	TypeGroup            ObjectType = "group"
	TypeServicePrincipal ObjectType = "servicePrincipal"
	TypeDevice           ObjectType = "device"
)

// Object names a directory object.
type Object struct {
	Type ObjectType
	ID   string
}
