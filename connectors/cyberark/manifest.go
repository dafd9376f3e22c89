package cyberark

import (
	"encoding/json"

	"github.com/gatehouse-project/gatehouse/connector"
)

// The streams' names.
const (
	streamTenant       = "tenant"
	streamUsers        = "users"
	streamGroups       = "groups"
	streamRoles        = "roles"
	streamEverybody    = "everybody"
	streamRights       = "administrative_rights"
	streamApplications = "applications"
)

// The paths that are called, and the patterns by which an app's scope covers them.
const (
	pathWhoAmI         = "Security/whoami"
	pathQuery          = "Redrock/query"
	pathOwnRights      = "UserMgmt/GetUsersRolesAndAdministrativeRights"
	pathDirectoryQuery = "UserMgmt/DirectoryServiceQuery"
	pathLockedOut      = "UserMgmt/IsUserLockedOutByPolicy"
	pathRoleMembers    = "Roles/GetRoleMembers"
	pathRowAces        = "Acl/GetRowAces"
	pathDirectories    = "Core/GetDirectoryServices"

	patternWhoAmI         = pathWhoAmI + ".*"
	patternQuery          = pathQuery + ".*"
	patternOwnRights      = pathOwnRights + ".*"
	patternDirectoryQuery = pathDirectoryQuery + ".*"
	patternLockedOut      = pathLockedOut + ".*"
	patternRoleMembers    = pathRoleMembers + ".*"
	patternRowAces        = pathRowAces + ".*"
	patternDirectories    = pathDirectories + ".*"
)

func manifest() connector.Manifest {
	return connector.Manifest{
		IntegrationID:        "cyberark_identity",
		ConnectorID:          "cyberark-identity-discovery",
		Name:                 "CyberArk Identity",
		ProviderSystem:       "cyberark_identity",
		ConnectorType:        "discovery",
		Version:              "0.1.0",
		ContractVersion:      connector.ContractVersion,
		Status:               connector.Beta,
		Configuration:        json.RawMessage(configurationSchema),
		ConfigurationVersion: "1",
		Scope:                json.RawMessage(scopeSchema),
		Hosts:                hosts(),
		AuthTypes: []connector.AuthType{
			{ID: flowApp, Name: "OAuth2 client app", Description: "Login and password of a service user, by an OAuth2 client app of the tenant with a scope of its own."},
			{ID: flowPlatform, Name: "Platform token", Description: "Login and password of a service user, by the platform's token endpoint; not every tenant takes such tokens for this API."},
		},
		Operations: []string{"connection.test", "discovery.run"},
		Streams:    streams(),
		LimitsBlindSpots: []string{
			"Members of groups of Active Directory, LDAP and partners stay with their directory and are not read: whoever has a role or an application by such a group alone is not found.",
			"Who is in a role whose members a script finds is not read.",
			"CyberArk does not list the members of the role Everybody. Every user of every directory is taken to be in it, also those who were excepted and service users.",
			"Service users are not told from people.",
			"Which MFA factors somebody has registered, and which policy asks for which, is not read; with include_mfa only whether a user can answer what its policy asks for.",
			"Users whom a directory does not show to CyberArk until they sign in are not known before they do.",
			"Permissions on roles, sets, devices and secrets are not read, nor what organisations delegate to their administrators.",
			"Safes of Privilege Cloud and access of the other services of the platform are not read; the roles that they are given to are.",
			"What an application gives inside the provider that it signs in to is not known here.",
		},
		SupportsTest:   true,
		ThrottleScopes: throttleScopes(),
	}
}

func streams() []connector.Stream {
	const (
		principal   = connector.Principal
		account     = connector.Account
		entitlement = connector.Entitlement
		resource    = connector.Resource
		boundary    = connector.CloudAccountBoundary
		represents  = connector.PrincipalRepresentsAccount
		assigned    = connector.AccountAssignedEntitlement
		grants      = connector.EntitlementGrantsResource
		includes    = connector.EntitlementIncludesEntitlement
		contains    = connector.BoundaryContains
		whyOwn      = "tells what CyberArk leaves out for want of a right"
	)
	kinds := func(k ...connector.EntityKind) []connector.EntityKind { return k }
	edges := func(k ...connector.RelationshipKind) []connector.RelationshipKind { return k }
	needs := func(nameWhy ...string) (ps []connector.Permission) {
		for i := 0; i+1 < len(nameWhy); i += 2 {
			ps = append(ps, connector.Permission{Name: nameWhy[i], Why: nameWhy[i+1]})
		}
		return ps
	}
	return []connector.Stream{
		{
			Name: streamTenant, Description: "The tenant and the directories that its users come from",
			Entities: kinds(boundary, resource), Relationships: edges(contains),
			Permissions: needs(patternDirectories, "reads the directories"),
		},
		{
			Name: streamUsers, Description: "Users of all directories; when they signed in last",
			Entities: kinds(principal, account), Relationships: edges(represents, contains),
			Permissions: needs(
				rightReadUsers, "shows users", patternQuery, "reads users", patternOwnRights, whyOwn,
				rightUsers, "tells of others whether they can answer MFA challenges, if asked for", patternLockedOut, "asks whether users can answer MFA challenges, if asked for",
			),
		},
		{
			Name: streamGroups, Description: "Groups of all directories, without their members",
			Entities:    kinds(entitlement),
			Permissions: needs(rightReadUsers, "shows groups", patternQuery, "reads groups", patternOwnRights, whyOwn),
		},
		{
			Name: streamRoles, Description: "Roles and their members: users, groups and other roles",
			Entities: kinds(entitlement), Relationships: edges(assigned, includes),
			Permissions: needs(rightReadRoles, "shows roles and their members", patternQuery, "reads roles", patternRoleMembers, "reads members of roles", patternOwnRights, whyOwn),
		},
		{
			Name: streamEverybody, Description: "That all users are in the role Everybody",
			Relationships: edges(assigned),
			Permissions:   needs(rightReadUsers, "shows users", rightReadRoles, "shows the role", patternQuery, "reads the ids of users", patternOwnRights, whyOwn),
		},
		{
			Name: streamRights, Description: "Administrative rights over the tenant, and which roles have them",
			Entities: kinds(entitlement), Relationships: edges(includes, grants),
			Permissions: needs(
				rightReadRoles, "shows roles and their rights", patternDirectoryQuery, "reads roles with their rights",
				patternDirectories, "names the directory that roles are in", patternOwnRights, whyOwn,
			),
		},
		{
			Name: streamApplications, Description: "Web applications, and who may launch or manage them",
			Entities: kinds(entitlement, resource), Relationships: edges(assigned, grants, contains),
			Permissions: needs(rightReadSystem, "shows applications and their permissions", patternQuery, "reads applications", patternRowAces, "reads permissions on applications", patternOwnRights, whyOwn),
		},
	}
}
