package estate

import (
	"fmt"
	"time"
)

// Application is an app registration of the tenant.
type Application struct {
	ID, AppID, Name string
	Created         time.Time
	Credentials     []Credential
	Owners          []Object
}

// Credential is a password or certificate of an application or service principal.
type Credential struct {
	KeyID, Name  string
	Certificate  bool
	Start, End   time.Time
	HintOfSecret string
}

// ServicePrincipal is an application's identity in the tenant, or a managed
// identity.
type ServicePrincipal struct {
	ID, AppID, Name string
	// Managed identities have no application.
	Managed bool
	// Microsoft's own applications are owned by another tenant.
	Microsoft   bool
	Roles       []AppRole
	Scopes      []AppRole
	Owners      []Object
	Credentials []Credential
}

// AppRole is a role or delegated scope that an application offers.
type AppRole struct {
	ID, Value, DisplayName string
}

// AppRoleAssignment gives somebody an application's role.
type AppRoleAssignment struct {
	ID        string
	Principal Object
	// Resource is the service principal whose role it is.
	Resource, RoleID string
}

// DelegatedGrant lets a client act for users.
type DelegatedGrant struct {
	ID, ClientID, ResourceID, Scope string
	// PrincipalID is the user who consented; empty when an administrator did for all.
	PrincipalID string
}

// DefaultRole is the id that stands for access without a role.
const DefaultRole = "00000000-0000-0000-0000-000000000000"

// MicrosoftGraphAppID is the same in every tenant.
const MicrosoftGraphAppID = "00000003-0000-0000-c000-000000000000"

// MicrosoftTenant owns Microsoft's applications.
const MicrosoftTenant = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"

func graphRoles() []AppRole {
	return []AppRole{
		{"df021288-bdef-4463-88db-98f22de89214", "User.Read.All", "Read all users' full profiles"},
		{"7ab1d382-f21e-4acd-a863-ba3e13f7da61", "Directory.Read.All", "Read directory data"},
		{"810c84a8-4a9e-49e6-bf7d-12d183f40d01", "Mail.Read", "Read mail in all mailboxes"},
		{"9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8", "RoleManagement.ReadWrite.Directory", "Read and write all directory RBAC settings"},
	}
}

func (e *Estate) makeApplications() {
	graph := ServicePrincipal{
		ID: e.draw.UUID("entra microsoft graph"), AppID: MicrosoftGraphAppID, Name: "Microsoft Graph", Microsoft: true, Roles: graphRoles(),
		Scopes: []AppRole{{"e1fe6dd8-ba31-4d61-89e7-88639da4683d", "User.Read", "Sign in and read user profile"}},
	}
	e.ServicePrincipals = append(e.ServicePrincipals, graph)
	e.ServicePrincipals = append(e.ServicePrincipals, ServicePrincipal{ID: e.Auditor.ObjectID, AppID: e.Auditor.ClientID, Name: "Access audit"})
	e.Applications = append(e.Applications, Application{
		ID: e.draw.UUID("entra auditor application"), AppID: e.Auditor.ClientID, Name: "Access audit", Created: ago(90),
		Credentials: []Credential{{KeyID: e.draw.UUID("entra auditor key"), Name: "audit", Start: ago(90), End: ago(-275), HintOfSecret: e.Auditor.Secret[:3]}},
	})
	for i := range max(6, e.Company.People()/20) {
		e.makeApplication(i, graph.ID)
	}
	for i := range max(2, e.Company.People()/50) {
		sp := ServicePrincipal{ID: e.draw.UUID("entra managed identity", i), AppID: e.draw.UUID("entra managed identity app", i), Name: fmt.Sprintf("mi-job-%d", i), Managed: true}
		e.ServicePrincipals = append(e.ServicePrincipals, sp)
		if i%3 == 0 {
			e.assign(Object{TypeServicePrincipal, sp.ID}, graph.ID, graph.Roles[i%len(graph.Roles)].ID)
		}
	}
	automation := &e.Groups[GroupAutomation]
	for i := range min(4, len(e.ServicePrincipals)-2) {
		automation.objects = append(automation.objects, Object{TypeServicePrincipal, e.ServicePrincipals[2+i].ID})
	}
	e.Groups[firstDepartmentGroup].Owners = []Object{{TypeServicePrincipal, e.ServicePrincipals[2].ID}}
}

func (e *Estate) makeApplication(i int, graph string) {
	app := Application{
		ID: e.draw.UUID("entra application", i), AppID: e.draw.UUID("entra app id", i), Name: fmt.Sprintf("%s app %d", e.Company.Name, i+1),
		Created: ago(e.draw.Between(10, 1500, "entra application created", i)),
	}
	for n := range e.draw.Between(0, 2, "entra app credentials", i) {
		c := Credential{
			KeyID: e.draw.UUID("entra app key", i, n), Name: fmt.Sprintf("key %d", n+1), Certificate: n == 1,
			Start: ago(400), End: ago(e.draw.Between(-300, 200, "entra app key end", i, n)), HintOfSecret: "x7Q",
		}
		app.Credentials = append(app.Credentials, c)
	}
	if i%2 == 0 {
		app.Owners = []Object{{TypeUser, e.UserID(e.someone("entra app owner", i))}}
	}
	sp := ServicePrincipal{ID: e.draw.UUID("entra service principal", i), AppID: app.AppID, Name: app.Name}
	if i%4 == 1 {
		sp.Owners = []Object{{TypeUser, e.UserID(e.someone("entra sp owner", i))}}
	}
	for n, value := range []string{"App.Use", "App.Administer"} {
		sp.Roles = append(sp.Roles, AppRole{ID: e.draw.UUID("entra app role", i, n), Value: value, DisplayName: value})
	}
	e.Applications = append(e.Applications, app)
	e.ServicePrincipals = append(e.ServicePrincipals, sp)
	e.assign(Object{TypeGroup, e.TeamGroup("entra app group", i).ID}, sp.ID, sp.Roles[0].ID)
	e.assign(Object{TypeUser, e.UserID(e.someone("entra app administrator", i))}, sp.ID, sp.Roles[1].ID)
	if i%3 == 0 {
		e.assign(Object{TypeUser, e.UserID(e.contractor())}, sp.ID, DefaultRole)
	}
	if i%5 == 0 {
		e.assign(Object{TypeServicePrincipal, sp.ID}, graph, graphRoles()[i/5%len(graphRoles())].ID)
	}
	grant := DelegatedGrant{ID: e.draw.Letters(27, "ABCDEFabcdef0123456789-_", "entra grant", i), ClientID: sp.ID, ResourceID: graph, Scope: "openid profile User.Read"}
	e.Grants = append(e.Grants, grant)
	if i%3 == 1 {
		grant.ID, grant.Scope, grant.PrincipalID = grant.ID+"u", " Mail.Read Files.ReadWrite.All", e.UserID(e.someone("entra consents", i))
		e.Grants = append(e.Grants, grant)
	}
}

func (e *Estate) assign(to Object, resource, role string) {
	n := len(e.AppRoles)
	e.AppRoles = append(e.AppRoles, AppRoleAssignment{
		ID: e.draw.Letters(43, "ABCDEFabcdef0123456789-_", "entra app role assignment", n), Principal: to, Resource: resource, RoleID: role,
	})
}
