package azure

import (
	"encoding/json"

	"github.com/gatehouse-project/gatehouse/connector"
)

// The streams' names.
const (
	streamTenant            = "tenant"
	streamUsers             = "users"
	streamGroups            = "groups"
	streamApplications      = "applications"
	streamServicePrincipals = "service_principals"
	streamUnits             = "administrative_units"
	streamDirectoryRoles    = "directory_roles"
	streamEligibleRoles     = "eligible_directory_roles"
	streamGrants            = "delegated_grants"
	streamScopes            = "azure_scopes"
	streamResourceGroups    = "azure_resource_groups"
	streamAzureRoles        = "azure_roles"
	streamEligibleAzure     = "eligible_azure_roles"
	streamDenies            = "azure_deny_assignments"
)

// The permissions: application permissions of Graph, and actions of Resource
// Manager.
const (
	permOrganization    = "Organization.Read.All"
	permUsers           = "User.Read.All"
	permSignIns         = "AuditLog.Read.All"
	permMembers         = "GroupMember.Read.All"
	permHidden          = "Member.Read.Hidden"
	permApplications    = "Application.Read.All"
	permDirectoryRoles  = "RoleManagement.Read.Directory"
	permUnits           = "AdministrativeUnit.Read.All"
	permGrants          = "DelegatedPermissionGrant.Read.All"
	permSubscriptions   = "Microsoft.Resources/subscriptions/read"
	permResourceGroups  = "Microsoft.Resources/subscriptions/resourceGroups/read"
	permManagement      = "Microsoft.Management/managementGroups/read"
	permDescendants     = "Microsoft.Management/managementGroups/descendants/read"
	permRoleAssignments = "Microsoft.Authorization/roleAssignments/read"
	permRoleDefinitions = "Microsoft.Authorization/roleDefinitions/read"
	permDenyAssignments = "Microsoft.Authorization/denyAssignments/read"
)

const (
	bySubscription = "Azure subscription"
	byScope        = "Azure management group or subscription"
)

func manifest() connector.Manifest {
	return connector.Manifest{
		IntegrationID:        "azure",
		ConnectorID:          "azure-discovery",
		Name:                 "Microsoft Entra ID and Azure",
		ProviderSystem:       "azure",
		ConnectorType:        "discovery",
		Version:              "0.1.0",
		ContractVersion:      connector.ContractVersion,
		Status:               connector.Beta,
		Configuration:        json.RawMessage(configurationSchema),
		ConfigurationVersion: "1",
		Scope:                json.RawMessage(scopeSchema),
		Hosts:                hosts(),
		AuthTypes: []connector.AuthType{
			{ID: authSecret, Name: "Client secret", Description: "Secret of an app registration."},
			{ID: authCertificate, Name: "Certificate", Description: "Certificate of an app registration, with its private key."},
			{ID: authWorkload, Name: "Workload identity", Description: "Federated token that the worker's environment provides, such as of a Kubernetes service account."},
			{ID: authManagedIdentity, Name: "Managed identity", Description: "Identity of the Azure machine that the worker runs on."},
		},
		Operations: []string{"connection.test", "discovery.run"},
		Streams:    streams(),
		LimitsBlindSpots: []string{
			"Conditional Access, authentication methods, and access packages of entitlement management are not read; they can take away or give what a grant shows.",
			"Rules of dynamic groups are shown, not evaluated; the members are those that Entra has.",
			"Eligible membership of groups (PIM for groups) is not read, nor the end of an active role assignment that has one.",
			"Devices, contacts and on-premises groups that Entra does not hold are left out of memberships.",
			"Nothing inside a resource is read: storage keys and shared access signatures, Key Vault access policies, database users, Kubernetes roles.",
			"Resources are known where an assignment names them; their subscriptions and resource groups are always known.",
			"An assignment above is shown for each subscription, resource group and named resource beneath it; deny assignments are shown and not subtracted from them.",
			"Conditions of role assignments are shown, not evaluated.",
			"Assignments to deleted principals, and to people of other tenants whom this directory does not hold, are left out.",
			"Delegations to service providers (Azure Lighthouse, GDAP) are not visible to the customer's tenant and not read.",
			"Federated credentials of applications are not read; their secrets and certificates are shown with the day on which they end.",
			"Assignments at the root of the tenant are seen where Resource Manager shows them to the identity.",
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
		assumes     = connector.AccountAssumesAccount
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
			Name: streamTenant, Description: "The tenant",
			Entities: kinds(boundary, resource), Relationships: edges(contains),
			Permissions: needs(permOrganization, "names the tenant"),
		},
		{
			Name: streamUsers, Description: "Users and guests; when they signed in last",
			Entities: kinds(principal, account), Relationships: edges(represents, contains),
			Permissions: needs(permUsers, "reads users", permSignIns, "reads when users signed in last, if asked for"),
		},
		{
			Name: streamGroups, Description: "Groups with their members, nested groups and owners",
			Entities: kinds(entitlement, resource), Relationships: edges(assigned, includes, grants, contains),
			Permissions: needs(permMembers, "reads groups, their members and owners", permHidden, "reads the members of groups that hide them"),
		},
		{
			Name: streamApplications, Description: "App registrations, their owners, and when their secrets and certificates end",
			Entities: kinds(entitlement, resource), Relationships: edges(assigned, grants, assumes, contains),
			Permissions: needs(permApplications, "reads app registrations and their owners"),
		},
		{
			Name: streamServicePrincipals, Description: "Enterprise applications and managed identities, their owners and roles, and who has those",
			Entities: kinds(principal, account, entitlement, resource), Relationships: edges(represents, contains, assigned, includes, grants),
			Permissions: needs(permApplications, "reads service principals, their owners and app role assignments"),
		},
		{
			Name: streamUnits, Description: "Administrative units and what they contain",
			Entities: kinds(boundary, resource), Relationships: edges(contains),
			Permissions: needs(permUnits, "reads administrative units and their members"),
		},
		{
			Name: streamDirectoryRoles, Description: "Directory roles and who has them, in the whole directory or a part",
			Entities: kinds(entitlement), Relationships: edges(assigned, includes, grants),
			Permissions: needs(permDirectoryRoles, "reads directory roles and their assignments"),
		},
		{
			Name: streamEligibleRoles, Description: "Who may activate which directory role",
			Entities: kinds(entitlement), Relationships: edges(assigned, includes, grants),
			Permissions: needs(permDirectoryRoles, "reads eligible directory roles"),
			Optional:    true,
		},
		{
			Name: streamGrants, Description: "What applications may do in the name of users",
			Entities: kinds(entitlement), Relationships: edges(assigned, grants),
			Permissions: needs(permGrants, "reads delegated permission grants"),
		},
		{
			Name: streamScopes, Description: "Management groups and subscriptions",
			Entities: kinds(boundary, resource), Relationships: edges(contains),
			Permissions: needs(
				permSubscriptions, "finds the subscriptions to read",
				permManagement, "finds management groups",
				permDescendants, "finds what is in which management group",
			),
			Optional: true,
		},
		{
			Name: streamResourceGroups, Description: "Resource groups",
			Entities: kinds(boundary, resource), Relationships: edges(contains),
			Permissions:   needs(permResourceGroups, "reads resource groups"),
			PartitionedBy: bySubscription, Optional: true,
		},
		{
			Name: streamAzureRoles, Description: "Who has which Azure role where, and what it allows",
			Entities: kinds(entitlement, resource), Relationships: edges(assigned, includes, grants, contains),
			Permissions: needs(
				permRoleAssignments, "reads role assignments",
				permRoleDefinitions, "reads what roles allow",
				permResourceGroups, "knows which resource groups inherit a role",
			),
			PartitionedBy: byScope, Optional: true,
		},
		{
			Name: streamEligibleAzure, Description: "Who may activate which Azure role where",
			Entities: kinds(entitlement, resource), Relationships: edges(assigned, includes, grants, contains),
			Permissions: needs(
				permRoleAssignments, "reads eligible role assignments",
				permRoleDefinitions, "reads what roles allow",
				permResourceGroups, "knows which resource groups inherit a role",
			),
			PartitionedBy: byScope, Optional: true,
		},
		{
			Name: streamDenies, Description: "What deny assignments take away, and from whom",
			Entities: kinds(principal, account, entitlement, resource), Relationships: edges(represents, assigned, includes, grants, contains),
			Permissions: needs(
				permDenyAssignments, "reads deny assignments",
				permResourceGroups, "knows which resource groups a denial reaches",
			),
			PartitionedBy: byScope, Optional: true,
		},
	}
}
