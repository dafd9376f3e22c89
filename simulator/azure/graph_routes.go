package azure

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/gatehouse-project/gatehouse/simulator/azure/estate"
)

// directoryReadAll is accepted wherever a narrower permission to read is.
const directoryReadAll = "Directory.Read.All"

// route finds the list that a path names, for a caller who may or may not read it.
func (g *graphCaller) route(path string, q url.Values) (*list, *failure) {
	parts := strings.Split(strings.TrimSuffix(path, "/"), "/")
	g.operation = path
	switch {
	case path == "organization":
		return g.organization(), nil
	case path == "users":
		return g.users(q)
	case path == "groups":
		return g.groups(), nil
	case path == "applications":
		return g.applications(), nil
	case path == "servicePrincipals":
		return g.servicePrincipals(q.Get("$filter"))
	case path == "oauth2PermissionGrants":
		return g.grants(), nil
	case path == "directory/administrativeUnits":
		return g.units(), nil
	case strings.HasPrefix(path, "roleManagement/directory/"):
		return g.roles(strings.TrimPrefix(path, "roleManagement/directory/"))
	case len(parts) == 3 && parts[0] == "groups":
		return g.ofGroup(parts[1], parts[2])
	case len(parts) == 3 && parts[0] == "applications" && parts[2] == "owners":
		if app, ok := g.s.apps[parts[1]]; ok {
			return g.objects("applications/owners", app.Owners, "Application.Read.All"), nil
		}
		return nil, notFound(parts[1])
	case len(parts) == 3 && parts[0] == "servicePrincipals":
		return g.ofServicePrincipal(parts[1], parts[2])
	case len(parts) == 4 && parts[0] == "directory" && parts[1] == "administrativeUnits" && parts[3] == "members":
		return g.ofUnit(parts[2])
	}
	return nil, badRequest("Resource not found for the segment '%s'.", parts[0])
}

func notFound(id string) *failure {
	return &failure{status: http.StatusNotFound, code: "Request_ResourceNotFound", text: "Resource '" + id + "' does not exist or one of its queried reference-property objects are not present."}
}

func (g *graphCaller) organization() *list {
	e := g.s.estate
	return &list{
		operation: "organization", permissions: []string{"Organization.Read.All", directoryReadAll}, count: 1, cost: 1, unpaged: true,
		at: func(int) object {
			return object{
				"id": e.TenantID, "displayName": e.Company.Name, "tenantType": "AAD",
				"verifiedDomains": []object{{"name": e.Company.Domain, "isDefault": true, "isInitial": false}, {"name": e.Company.Slug + ".onmicrosoft.example", "isDefault": false, "isInitial": true}},
			}
		},
	}
}

// users are listed with few properties unless others are selected; sign-in
// activity needs a permission of its own.
func (g *graphCaller) users(q url.Values) (*list, *failure) {
	if slices.Contains(strings.Split(q.Get("$select"), ","), "signInActivity") {
		switch {
		case g.s.options.Unlicensed:
			return nil, &failure{status: http.StatusForbidden, code: "Authentication_RequestFromNonPremiumTenantOrB2CTenant", text: "Neither tenant is B2C or tenant doesn't have premium license"}
		case !g.may("AuditLog.Read.All"):
			return nil, &failure{status: http.StatusForbidden, code: "Authentication_MSGraphPermissionMissing", text: "The principal does not have required Microsoft Graph permission(s): AuditLog.Read.All to call this API."}
		}
	}
	return &list{
		operation: "users", permissions: []string{"User.Read.All", directoryReadAll}, count: g.s.estate.Company.People(), cost: 2,
		defaults: []string{"businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone", "officeLocation", "preferredLanguage", "surname", "userPrincipalName"},
		at:       func(i int) object { return userObject(g.s.estate.User(i)) },
	}, nil
}

func userObject(u estate.User) object {
	o := object{
		"id": u.ID, "userPrincipalName": u.UPN, "mail": u.Mail, "displayName": u.DisplayName, "givenName": u.Given, "surname": u.Family,
		"accountEnabled": u.Enabled, "userType": "Member", "department": u.Department, "jobTitle": u.Title, "createdDateTime": u.Created.Format("2006-01-02T15:04:05Z"),
		"onPremisesImmutableId": nil, "onPremisesSyncEnabled": nil, "employeeId": nil, "externalUserState": nil, "signInActivity": nil,
		"businessPhones": []string{}, "mobilePhone": nil, "officeLocation": nil, "preferredLanguage": nil,
	}
	if u.Guest {
		o["userType"], o["externalUserState"] = "Guest", "Accepted"
	}
	if u.EmployeeID != "" {
		o["employeeId"] = u.EmployeeID
	}
	if u.ImmutableID != "" {
		o["onPremisesImmutableId"], o["onPremisesSyncEnabled"] = u.ImmutableID, true
	}
	if u.LastSignIn != nil {
		o["signInActivity"] = object{"lastSignInDateTime": u.LastSignIn.Format("2006-01-02T15:04:05Z"), "lastSignInRequestId": "0"}
	}
	return o
}

func groupPermissions() []string {
	return []string{"GroupMember.Read.All", "Group.Read.All", directoryReadAll}
}

func (g *graphCaller) groups() *list {
	e := g.s.estate
	return &list{
		operation: "groups", permissions: groupPermissions(), count: len(e.Groups), cost: 2,
		at: func(i int) object {
			v := &e.Groups[i]
			o := object{
				"id": v.ID, "displayName": v.Name, "description": nil, "createdDateTime": v.Created.Format("2006-01-02T15:04:05Z"), "groupTypes": []string{},
				"securityEnabled": !v.Unified, "mailEnabled": v.Unified, "isAssignableToRole": nil, "visibility": nil, "membershipRule": nil, "onPremisesSyncEnabled": nil,
			}
			types := []string{}
			if v.Unified {
				types, o["visibility"] = append(types, "Unified"), "Public"
			}
			if v.Rule != "" {
				types, o["membershipRule"] = append(types, "DynamicMembership"), v.Rule
			}
			o["groupTypes"] = types
			if v.Description != "" {
				o["description"] = v.Description
			}
			if v.RoleAssignable {
				o["isAssignableToRole"] = true
			}
			if v.Hidden {
				o["visibility"] = "HiddenMembership"
			}
			return o
		},
	}
}

func (g *graphCaller) ofGroup(id, what string) (*list, *failure) {
	group, ok := g.s.groups[id]
	switch {
	case !ok:
		return nil, notFound(id)
	case what == "owners":
		return g.objects("groups/owners", group.Owners, groupPermissions()...), nil
	case what != "members":
		return nil, badRequest("Resource not found for the segment '%s'.", what)
	}
	g.operation = "groups/members"
	if group.Hidden && !g.may("Member.Read.Hidden") {
		return nil, &failure{status: http.StatusForbidden, code: "Authorization_RequestDenied", text: "Insufficient privileges to complete the operation."}
	}
	e := g.s.estate
	if g.version == "beta" {
		return g.references("groups/members", e.Members(group), func(i int) estate.Object { return e.Member(group, i) }, groupPermissions()...), nil
	}
	all := make([]estate.Object, 0, e.Members(group))
	for i := range e.Members(group) {
		all = append(all, e.Member(group, i))
	}
	return g.objects("groups/members", all, groupPermissions()...), nil
}

// objects lists directory objects by reference. v1.0 leaves service principals out
// of members and owners of groups.
func (g *graphCaller) objects(operation string, all []estate.Object, permissions ...string) *list {
	if g.version != "beta" && strings.HasPrefix(operation, "groups/") {
		all = slices.DeleteFunc(slices.Clone(all), func(o estate.Object) bool { return o.Type == estate.TypeServicePrincipal })
	}
	return g.references(operation, len(all), func(i int) estate.Object { return all[i] }, permissions...)
}

func (g *graphCaller) references(operation string, n int, at func(int) estate.Object, permissions ...string) *list {
	if len(permissions) == 1 {
		permissions = append(permissions, directoryReadAll)
	}
	return &list{operation: operation, permissions: permissions, count: n, cost: 3, at: func(i int) object { return g.reference(at(i)) }}
}

// reference is a member; one of a type that the caller may not read has nothing
// but type and id.
func (g *graphCaller) reference(of estate.Object) object {
	o := object{"@odata.type": "#microsoft.graph." + string(of.Type), "id": of.ID, "displayName": nil}
	switch {
	case of.Type == estate.TypeGroup && g.may(groupPermissions()...):
		if group, ok := g.s.groups[of.ID]; ok {
			o["displayName"] = group.Name
		}
	case of.Type == estate.TypeServicePrincipal && g.may("Application.Read.All", directoryReadAll):
		if sp, ok := g.s.sps[of.ID]; ok {
			o["displayName"] = sp.Name
		}
	}
	return o
}

func (g *graphCaller) units() *list {
	e := g.s.estate
	return &list{
		operation: "directory/administrativeUnits", permissions: []string{"AdministrativeUnit.Read.All", directoryReadAll}, count: len(e.Units), cost: 2,
		at: func(i int) object {
			return object{"id": e.Units[i].ID, "displayName": e.Units[i].Name, "description": nil, "visibility": nil, "isMemberManagementRestricted": false}
		},
	}
}

func (g *graphCaller) ofUnit(id string) (*list, *failure) {
	u, ok := g.s.units[id]
	if !ok {
		return nil, notFound(id)
	}
	e := g.s.estate
	return g.references("directory/administrativeUnits/members", e.UnitMembers(u), func(i int) estate.Object { return e.UnitMember(u, i) }, "AdministrativeUnit.Read.All"), nil
}

func (g *graphCaller) roles(what string) (*list, *failure) {
	e := g.s.estate
	l := &list{operation: "roleManagement/directory/" + what, permissions: []string{"RoleManagement.Read.Directory", directoryReadAll}, cost: 2}
	assignments := func(all []estate.DirectoryAssignment, eligible bool) {
		l.count, l.expands = len(all), "principal"
		l.at = func(i int) object {
			a := all[i]
			o := object{"id": a.ID, "principalId": a.Principal.ID, "roleDefinitionId": a.RoleID, "directoryScopeId": a.Scope, "appScopeId": nil, "principal": g.reference(a.Principal)}
			if eligible {
				o["memberType"], o["startDateTime"], o["endDateTime"], o["roleEligibilityScheduleId"] = "Direct", "2026-01-01T00:00:00Z", nil, a.ID
				if a.End != nil {
					o["endDateTime"] = a.End.Format("2006-01-02T15:04:05Z")
				}
			}
			return o
		}
	}
	switch what {
	case "roleDefinitions":
		l.count = len(e.Roles)
		l.at = func(i int) object {
			r := e.Roles[i]
			permissions := []object{{"allowedResourceActions": r.Actions, "condition": nil}}
			if len(r.SelfActions) > 0 {
				permissions = append(permissions, object{"allowedResourceActions": r.SelfActions, "condition": "$ResourceIsSelf"})
			}
			return object{"id": r.ID, "templateId": r.ID, "displayName": r.Name, "description": nil, "isBuiltIn": r.BuiltIn, "isEnabled": true, "rolePermissions": permissions, "resourceScopes": []string{"/"}}
		}
	case "roleAssignments":
		assignments(e.RoleAssignments, false)
	case "roleEligibilityScheduleInstances":
		if g.s.options.Unlicensed {
			g.operation = l.operation
			return nil, &failure{status: http.StatusBadRequest, code: "AadPremiumLicenseRequired", text: "The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license."}
		}
		l.permissions = []string{"RoleEligibilitySchedule.Read.Directory", "RoleManagement.Read.Directory"}
		assignments(e.EligibleRoles, true)
	default:
		return nil, badRequest("Resource not found for the segment '%s'.", what)
	}
	return l, nil
}

func (g *graphCaller) grants() *list {
	e := g.s.estate
	return &list{
		operation: "oauth2PermissionGrants", permissions: []string{"DelegatedPermissionGrant.Read.All", directoryReadAll}, count: len(e.Grants), cost: 2,
		at: func(i int) object {
			v := e.Grants[i]
			o := object{"id": v.ID, "clientId": v.ClientID, "consentType": "AllPrincipals", "principalId": nil, "resourceId": v.ResourceID, "scope": v.Scope}
			if v.PrincipalID != "" {
				o["consentType"], o["principalId"] = "Principal", v.PrincipalID
			}
			return o
		},
	}
}

var appIDFilter = regexp.MustCompile(`^appId eq '([0-9a-f-]{36})'$`)

func (g *graphCaller) servicePrincipals(filter string) (*list, *failure) {
	e := g.s.estate
	all := e.ServicePrincipals
	if filter != "" {
		match := appIDFilter.FindStringSubmatch(filter)
		if match == nil {
			return nil, badRequest("Unsupported filter clause.")
		}
		all = slices.DeleteFunc(slices.Clone(all), func(sp estate.ServicePrincipal) bool { return sp.AppID != match[1] })
	}
	return &list{
		operation: "servicePrincipals", permissions: []string{"Application.Read.All", directoryReadAll}, count: len(all), cost: 2,
		at: func(i int) object { return servicePrincipalObject(&all[i], e.TenantID) },
	}, nil
}

func servicePrincipalObject(sp *estate.ServicePrincipal, tenant string) object {
	o := object{
		"id": sp.ID, "appId": sp.AppID, "displayName": sp.Name, "servicePrincipalType": "Application", "accountEnabled": true, "appOwnerOrganizationId": tenant,
		"appRoleAssignmentRequired": false, "alternativeNames": []string{}, "tags": []string{},
	}
	if sp.Managed {
		o["servicePrincipalType"], o["appOwnerOrganizationId"] = "ManagedIdentity", nil
	}
	if sp.Microsoft {
		o["appOwnerOrganizationId"] = estate.MicrosoftTenant
	}
	roles := []object{}
	for _, r := range sp.Roles {
		roles = append(roles, object{"id": r.ID, "value": r.Value, "displayName": r.DisplayName, "description": r.DisplayName, "isEnabled": true, "allowedMemberTypes": []string{"User", "Application"}, "origin": "Application"})
	}
	o["appRoles"] = roles
	addCredentials(o, sp.Credentials)
	return o
}

func addCredentials(o object, all []estate.Credential) {
	passwords, keys := []object{}, []object{}
	for _, c := range all {
		one := object{"keyId": c.KeyID, "displayName": c.Name, "startDateTime": c.Start.Format("2006-01-02T15:04:05Z"), "endDateTime": c.End.Format("2006-01-02T15:04:05Z"), "customKeyIdentifier": nil}
		if c.Certificate {
			one["type"], one["usage"], one["key"] = "AsymmetricX509Cert", "Verify", nil
			keys = append(keys, one)
			continue
		}
		one["hint"], one["secretText"] = c.HintOfSecret, nil
		passwords = append(passwords, one)
	}
	o["passwordCredentials"], o["keyCredentials"] = passwords, keys
}

func (g *graphCaller) applications() *list {
	e := g.s.estate
	return &list{
		operation: "applications", permissions: []string{"Application.Read.All", directoryReadAll}, count: len(e.Applications), cost: 2,
		at: func(i int) object {
			a := &e.Applications[i]
			o := object{"id": a.ID, "appId": a.AppID, "displayName": a.Name, "createdDateTime": a.Created.Format("2006-01-02T15:04:05Z"), "signInAudience": "AzureADMyOrg", "publisherDomain": e.Company.Domain}
			addCredentials(o, a.Credentials)
			return o
		},
	}
}

func (g *graphCaller) ofServicePrincipal(id, what string) (*list, *failure) {
	sp, ok := g.s.sps[id]
	switch {
	case !ok:
		return nil, notFound(id)
	case what == "owners":
		return g.objects("servicePrincipals/owners", sp.Owners, "Application.Read.All"), nil
	case what != "appRoleAssignedTo":
		return nil, badRequest("Resource not found for the segment '%s'.", what)
	}
	all := g.s.roles[id]
	return &list{
		operation: "servicePrincipals/appRoleAssignedTo", permissions: []string{"Application.Read.All", directoryReadAll}, count: len(all), cost: 2,
		at: func(i int) object {
			a := all[i]
			return object{
				"id": a.ID, "appRoleId": a.RoleID, "principalId": a.Principal.ID, "principalType": principalType(a.Principal.Type), "principalDisplayName": nil,
				"resourceId": a.Resource, "resourceDisplayName": sp.Name, "createdDateTime": "2025-06-01T00:00:00Z", "deletedDateTime": nil,
			}
		},
	}, nil
}

// principalType is how assignments call the types of objects.
func principalType(t estate.ObjectType) string {
	switch t {
	case estate.TypeGroup:
		return "Group"
	case estate.TypeServicePrincipal:
		return "ServicePrincipal"
	}
	return "User"
}
