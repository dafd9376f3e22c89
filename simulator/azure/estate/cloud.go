package estate

import (
	"fmt"
	"time"

	"github.com/gatehouse-project/gatehouse/simulator/enterprise"
)

// ManagementGroup is a container of subscriptions.
type ManagementGroup struct {
	Name, DisplayName string
	Parent            int // position, -1 for the root
}

// Path is the group's ARM id.
func (m ManagementGroup) Path() string {
	return "/providers/Microsoft.Management/managementGroups/" + m.Name
}

// Subscription is a container of resources.
type Subscription struct {
	ID, Name       string
	Group          int // position of its management group
	Disabled       bool
	ResourceGroups []string
	Location       string
}

// Path is the subscription's ARM id.
func (s Subscription) Path() string { return "/subscriptions/" + s.ID }

// AzureRole is a role definition.
type AzureRole struct {
	ID, Name, Description                            string
	BuiltIn                                          bool
	Actions, NotActions, DataActions, NotDataActions []string
	// AssignableTo are the scopes of a custom role.
	AssignableTo []string
}

// AzureAssignment gives a role at a scope, to be had or to be activated.
type AzureAssignment struct {
	Name, Scope, RoleID, Condition string
	Principal                      Object
	Created                        time.Time
	End                            *time.Time
}

// DenyAssignment takes actions away at a scope.
type DenyAssignment struct {
	Name, DisplayName, Scope string
	Actions, NotActions      []string
	// Excepted are not denied; everybody else is.
	Excepted     []Object
	NotBelow     bool
	SystemDefine bool
}

// Ids of built-in roles; Azure built-in roles.
const (
	azureOwner       = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
	azureContributor = "b24988ac-6180-42a0-ab88-20f7382dd24c"
	azureReader      = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
	azureAccess      = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"
	azureBlobReader  = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
)

func (e *Estate) makeCloud() {
	e.ManagementGroups = []ManagementGroup{
		{e.TenantID, "Tenant Root Group", -1},
		{"mg-platform", "Platform", 0},
		{"mg-workloads", "Workloads", 0},
		{"mg-production", "Production", 2},
		{"mg-sandbox", "Sandbox", 0},
	}
	for i := range max(4, e.Company.People()/100) {
		s := Subscription{ID: e.draw.UUID("azure subscription", i), Name: fmt.Sprintf("sub-%s-%d", e.Company.Slug, i+1), Group: 1 + i%4, Location: "westeurope", Disabled: i > 0 && i%17 == 0}
		for n := range e.draw.Between(2, 5, "azure resource groups", i) {
			s.ResourceGroups = append(s.ResourceGroups, fmt.Sprintf("RG-App-%d", n+1))
		}
		e.Subscriptions = append(e.Subscriptions, s)
	}
	e.AzureRoles = []AzureRole{
		{ID: azureOwner, Name: "Owner", BuiltIn: true, Actions: []string{"*"}},
		{ID: azureContributor, Name: "Contributor", BuiltIn: true, Actions: []string{"*"}, NotActions: []string{"Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write", "Microsoft.Authorization/elevateAccess/Action"}},
		{ID: azureReader, Name: "Reader", BuiltIn: true, Actions: []string{"*/read"}},
		{ID: azureAccess, Name: "User Access Administrator", BuiltIn: true, Actions: []string{"*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"}},
		{ID: azureBlobReader, Name: "Storage Blob Data Reader", BuiltIn: true, Actions: []string{"Microsoft.Storage/storageAccounts/blobServices/containers/read"}, DataActions: []string{"Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"}},
		{ID: e.draw.UUID("azure custom role"), Name: "Deploy without deleting", Description: "The pipelines' role", Actions: []string{"Microsoft.Resources/deployments/*"}, NotActions: []string{"Microsoft.Resources/deployments/delete"}, AssignableTo: []string{e.Subscriptions[0].Path(), e.Subscriptions[1].Path()}},
	}
}

func (e *Estate) makeAssignments() {
	add := func(scope, role string, who Object, condition string) {
		n := len(e.Assignments)
		for _, a := range e.Assignments {
			if a.Scope == scope && a.RoleID == role && a.Principal == who {
				return
			}
		}
		e.Assignments = append(e.Assignments, AzureAssignment{
			Name: e.draw.UUID("azure assignment", n), Scope: scope, RoleID: role, Principal: who, Condition: condition,
			Created: ago(e.draw.Between(1, 900, "azure assignment created", n)),
		})
	}
	user := func(person int) Object { return Object{TypeUser, e.UserID(person)} }
	custom := e.AzureRoles[len(e.AzureRoles)-1].ID
	add("/", azureAccess, user(e.someone("azure elevated")), "")
	add(e.ManagementGroups[0].Path(), azureReader, Object{TypeServicePrincipal, e.Auditor.ObjectID}, "")
	add(e.ManagementGroups[1].Path(), azureOwner, Object{TypeGroup, e.Groups[GroupPlatform].ID}, "")
	add(e.ManagementGroups[2].Path(), azureReader, Object{TypeGroup, e.Groups[GroupEveryone].ID}, "")
	for i, s := range e.Subscriptions {
		add(s.Path(), azureContributor, Object{TypeGroup, e.TeamGroup("azure team", i).ID}, "")
		add(s.Path(), azureAccess, user(e.someone("azure delegate", i)), `@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {`+azureReader+`}`)
		for n, rg := range s.ResourceGroups {
			scope := s.Path() + "/resourceGroups/" + rg
			add(scope, azureReader, user(e.someone("azure resource group", i, n)), "")
			if n == 0 {
				add(scope+"/providers/Microsoft.Storage/storageAccounts/data"+fmt.Sprint(i), azureBlobReader, Object{TypeServicePrincipal, e.ServicePrincipals[len(e.ServicePrincipals)-1-i%2].ID}, "")
			}
		}
		if i < 2 {
			add(s.Path(), custom, Object{TypeServicePrincipal, e.ServicePrincipals[3+i].ID}, "")
		}
	}
	payroll := e.PayrollGroup()
	add(payroll, azureReader, user(e.contractor()), "")
	add(payroll, azureBlobReader, Object{TypeGroup, e.Groups[GroupPayroll].ID}, "")
	end := enterprise.AsOf().AddDate(0, 1, 0)
	e.Eligible = []AzureAssignment{
		{Name: e.draw.UUID("azure eligible", 0), Scope: e.Subscriptions[0].Path(), RoleID: azureOwner, Principal: user(e.contractor()), End: &end, Created: ago(20)},
	}
	e.Denies = []DenyAssignment{{
		Name: e.draw.UUID("azure deny", 0), DisplayName: "Managed application", Scope: payroll, SystemDefine: true,
		Actions: []string{"*/delete", "*/write"}, NotActions: []string{"Microsoft.Resources/tags/write"},
		Excepted: []Object{{TypeServicePrincipal, e.ServicePrincipals[2].ID}},
	}}
}

// PayrollGroup is the ARM id of a resource group that is plainly sensitive.
func (e *Estate) PayrollGroup() string {
	s := e.Subscriptions[min(2, len(e.Subscriptions)-1)]
	return s.Path() + "/resourceGroups/" + s.ResourceGroups[len(s.ResourceGroups)-1]
}

// Ancestors are the paths of the management groups above a subscription, the
// nearest first, and of the tenant.
func (e *Estate) Ancestors(s Subscription) []string {
	var all []string
	for g := s.Group; g >= 0; g = e.ManagementGroups[g].Parent {
		all = append(all, e.ManagementGroups[g].Path())
	}
	return append(all, "/")
}
