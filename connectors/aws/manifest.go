package aws

import (
	"encoding/json"

	"github.com/gatehouse-project/gatehouse/connector"
)

// The streams' names.
const (
	streamOrganization   = "organization"
	streamControls       = "control_policies"
	streamIdentityCenter = "identity_center"
	streamIAM            = "iam"
	streamS3             = "s3"
	streamLambda         = "lambda"
	streamTrust          = "trust"
	streamGrants         = "grants"
	streamPermissionSets = "permission_sets"
)

// The provider permissions the connector asks for.
const (
	permAssumeRole          = "sts:AssumeRole"
	permDescribeOrg         = "organizations:DescribeOrganization"
	permListRoots           = "organizations:ListRoots"
	permListOUs             = "organizations:ListOrganizationalUnitsForParent"
	permListAccounts        = "organizations:ListAccounts"
	permListAccountsFor     = "organizations:ListAccountsForParent"
	permListPolicies        = "organizations:ListPolicies"
	permDescribePolicy      = "organizations:DescribePolicy"
	permListTargets         = "organizations:ListTargetsForPolicy"
	permGAAD                = "iam:GetAccountAuthorizationDetails"
	permGenerateReport      = "iam:GenerateCredentialReport"
	permGetReport           = "iam:GetCredentialReport"
	permListBuckets         = "s3:ListAllMyBuckets"
	permGetBucketPolicy     = "s3:GetBucketPolicy"
	permListFunctions       = "lambda:ListFunctions"
	permGetFunctionPolicy   = "lambda:GetPolicy"
	permListInstances       = "sso:ListInstances"
	permDescribeSet         = "sso:DescribePermissionSet"
	permListProvisionedSets = "sso:ListPermissionSetsProvisionedToAccount"
	permListAssignments     = "sso:ListAccountAssignments"
	permListUsers           = "identitystore:ListUsers"
	permListGroups          = "identitystore:ListGroups"
	permListMemberships     = "identitystore:ListGroupMemberships"
)

const byAccount = "AWS account"

func manifest() connector.Manifest {
	return connector.Manifest{
		IntegrationID:        "aws",
		ConnectorID:          "aws-discovery",
		Name:                 "Amazon Web Services",
		ProviderSystem:       "aws",
		ConnectorType:        "discovery",
		Version:              "0.1.0",
		ContractVersion:      connector.ContractVersion,
		Status:               connector.Available,
		Configuration:        json.RawMessage(configurationSchema),
		ConfigurationVersion: "1",
		Scope:                json.RawMessage(scopeSchema),
		// All partitions; https://docs.aws.amazon.com/general/latest/gr/rande.html.
		Hosts: []string{"*.amazonaws.com", "*.amazonaws.com.cn", "*.amazonaws.eu", "*.api.aws", "*.api.amazonwebservices.com.cn"},
		AuthTypes: []connector.AuthType{
			{ID: authAccessKey, Name: "Access key", Description: "Access key of an IAM user, or a temporary key with its session token."},
			{ID: authAssumeRole, Name: "Assumed role", Description: "Role taken with the access key, or with what the worker's environment provides."},
			{ID: authAmbient, Name: "Worker's environment", Description: "What the AWS SDK finds in the worker's environment."},
		},
		Operations: []string{"connection.test", "discovery.run"},
		Streams:    streams(),
		LimitsBlindSpots: []string{
			"Control policies, permissions boundaries and conditions do not take away from the grants that are shown; decisions about a request weigh them.",
			"Session policies are not visible: a decision about a role is about a session without one.",
			"A trust in a whole account is shown for those of its users and roles whose policies let them assume the role; conditions of both sides are shown.",
			"Roles that somebody could assume from a permission set are not followed in lists of who can reach what; decisions about a request follow them.",
			"Grants are expanded to the buckets and functions of the policy's own account; access from elsewhere is shown where a resource policy names it.",
			"Resource policies are read for S3 buckets and Lambda functions only; bucket ACLs, access points, Block Public Access and the policies of VPC endpoints are not read, and decisions do not weigh them.",
			"Lambda functions are read in the connection's region only.",
			"Last use comes from the credential report, which AWS renews at most every four hours.",
			"Suspended accounts are shown in the organisation but their contents cannot be read.",
			"A user or role of an account that could not be entered appears by its ARN, as an outside party, where a policy names it; once the account is read it is one with the user or role again.",
			"A resource policy that denies everyone (*) is shown for everyone and not subtracted from the access of named users and roles.",
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
			Name:        streamOrganization,
			Description: "The organisation, its units and accounts",
			Entities:    kinds(boundary), Relationships: edges(contains),
			Permissions: needs(
				permDescribeOrg, "names the organisation",
				permListRoots, "finds the top of the organisation",
				permListOUs, "finds organisational units",
				permListAccounts, "finds the accounts to read",
				permListAccountsFor, "finds which unit an account is in",
			),
			Optional: true,
		},
		{
			Name:        streamControls,
			Description: "Service and resource control policies of the organisation, and what they are attached to",
			Entities:    kinds(entitlement),
			Permissions: needs(
				permListPolicies, "finds the organisation's policies",
				permDescribePolicy, "reads what a policy says",
				permListTargets, "finds what a policy is attached to",
			),
			Optional: true,
		},
		{
			Name:        streamIdentityCenter,
			Description: "IAM Identity Center users, groups and memberships",
			Entities:    kinds(principal, account, entitlement), Relationships: edges(represents, assigned),
			Permissions: needs(
				permListInstances, "finds the Identity Center instance",
				permListUsers, "reads users",
				permListGroups, "reads groups",
				permListMemberships, "reads who is in a group",
			),
			Optional: true,
		},
		{
			Name:        streamIAM,
			Description: "IAM users, groups, roles, policies and what they grant; last use of keys and console",
			Entities:    kinds(principal, account, entitlement, resource), Relationships: edges(represents, assigned, grants, includes, contains),
			Permissions: needs(
				permAssumeRole, "enters the other accounts",
				permGAAD, "reads users, groups, roles and policies in bulk",
				permGenerateReport, "asks for the credential report",
				permGetReport, "reads last use of keys and console, and MFA",
			),
			PartitionedBy: byAccount,
		},
		{
			Name:        streamS3,
			Description: "S3 buckets and whom their policies name",
			Entities:    kinds(principal, account, entitlement, resource), Relationships: edges(represents, assigned, grants, contains),
			Permissions: needs(
				permAssumeRole, "enters the other accounts",
				permListBuckets, "reads buckets",
				permGetBucketPolicy, "reads bucket policies",
			),
			PartitionedBy: byAccount,
		},
		{
			Name:        streamLambda,
			Description: "Lambda functions and whom their policies name",
			Entities:    kinds(principal, account, entitlement, resource), Relationships: edges(represents, assigned, grants, contains),
			Permissions: needs(
				permAssumeRole, "enters the other accounts",
				permListFunctions, "reads functions",
				permGetFunctionPolicy, "reads function policies",
			),
			PartitionedBy: byAccount,
		},
		{
			Name:        streamTrust,
			Description: "Who may assume which role, across accounts and from outside AWS",
			Entities:    kinds(principal, account), Relationships: edges(represents, assumes),
			Permissions: needs(
				permAssumeRole, "enters the other accounts",
				permGAAD, "reads trust policies",
			),
			PartitionedBy: byAccount,
		},
		{
			Name:          streamGrants,
			Description:   "Which known buckets and functions the policies' patterns cover",
			Relationships: edges(grants),
			Permissions: needs(
				permAssumeRole, "enters the other accounts",
				permGAAD, "reads policies",
				permListBuckets, "knows which buckets a pattern covers",
				permListFunctions, "knows which functions a pattern covers",
			),
			PartitionedBy: byAccount,
		},
		{
			Name:        streamPermissionSets,
			Description: "IAM Identity Center permission sets and their assignments, per account",
			Entities:    kinds(entitlement), Relationships: edges(assigned, includes),
			Permissions: needs(
				permAssumeRole, "enters the other accounts",
				permListInstances, "finds the Identity Center instance",
				permListProvisionedSets, "finds the permission sets in use in an account",
				permDescribeSet, "names a permission set",
				permListAssignments, "reads who is assigned",
				permGAAD, "finds the role behind a permission set",
			),
			DependsOn:     []string{streamIdentityCenter},
			Optional:      true,
			PartitionedBy: byAccount,
		},
	}
}
