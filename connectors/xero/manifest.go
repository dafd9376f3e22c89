package xero

import (
	"encoding/json"

	"github.com/gatehouse-project/gatehouse/connector"
)

// The streams' names.
const (
	streamOrganisations = "organisations"
	streamUsers         = "users"
)

// permSettings is the one scope of OAuth 2.0 that reading needs; "OAuth 2.0 scopes" of
// Xero's documentation.
const permSettings = "accounting.settings.read"

const byOrganisation = "Xero organisation"

func manifest() connector.Manifest {
	return connector.Manifest{
		IntegrationID: "xero", ConnectorID: "xero-discovery", Name: "Xero", ProviderSystem: "xero", ConnectorType: "discovery",
		Version: "0.1.0", ContractVersion: connector.ContractVersion, Status: connector.Beta,
		Configuration: json.RawMessage(configurationSchema), ConfigurationVersion: "1", Scope: json.RawMessage(scopeSchema),
		Hosts: []string{"api.xero.com", "identity.xero.com"},
		AuthTypes: []connector.AuthType{
			{ID: authRefresh, Name: "Consent to an app", Description: "Refresh token of somebody who consented; Xero replaces it at each use."},
			{ID: authCustom, Name: "Custom connection", Description: "Client id and secret of a custom connection, for one organisation."},
		},
		Renewal:    &connector.Renewal{Field: authRefresh},
		Operations: []string{"connection.test", "discovery.run"},
		Streams: []connector.Stream{
			{
				Name: streamOrganisations, Description: "The organisation, its ledger, and what this app may do there", PartitionedBy: byOrganisation,
				Entities:      []connector.EntityKind{connector.CloudAccountBoundary, connector.Resource, connector.Principal, connector.Account, connector.Entitlement},
				Relationships: []connector.RelationshipKind{connector.BoundaryContains, connector.PrincipalRepresentsAccount, connector.AccountAssignedEntitlement, connector.EntitlementGrantsResource},
				Permissions:   []connector.Permission{{Name: permSettings, Why: "reads the organisation"}},
			},
			{
				Name: streamUsers, Description: "Users of the organisation and their roles", PartitionedBy: byOrganisation, DependsOn: []string{streamOrganisations},
				Entities:      []connector.EntityKind{connector.Principal, connector.Account, connector.Entitlement},
				Relationships: []connector.RelationshipKind{connector.BoundaryContains, connector.PrincipalRepresentsAccount, connector.AccountAssignedEntitlement, connector.EntitlementGrantsResource},
				Permissions:   []connector.Permission{{Name: permSettings, Why: "reads users and their roles"}},
			},
		},
		LimitsBlindSpots: []string{
			"Of a user's role Xero tells the coarse one alone: payroll, reports, bank accounts, contacts and other single permissions are not shown, and a custom role is UNKNOWN.",
			"When users signed in last, whether they use a second factor, and invitations that wait are not shown.",
			"Practice staff (Xero HQ, Practice Manager) and roles in Payroll, Projects and Expenses are not among the users that the API lists; practices are left out.",
			"Other apps that are connected to the organisation cannot be listed; this one is shown with its scopes.",
			"Permissions on files and bank feeds are not shown.",
			"Users come in one answer for each organisation, of at most 64 MiB, since Xero has no pages of them.",
			"A demo company is reset by Xero from time to time and is marked as one.",
		},
		SupportsTest: true, ThrottleScopes: throttleScopes(),
	}
}

// The throttle scopes.
const (
	scopeMinute    = "minute"
	scopeDay       = "day"
	scopeAppMinute = "app_minute"
	scopeEndpoint  = "endpoint"
)

// throttleScopes stay below what Xero publishes ("API rate limits": 60 calls a minute,
// 5,000 a day and 5 at once for each organisation and app; 10,000 a minute for the
// app), since the organisation's other uses of the app call, too.
func throttleScopes() []connector.ThrottleScope {
	return []connector.ThrottleScope{
		{
			Name: scopeMinute, Description: "Calls about one organisation", Key: []string{"app", "tenant"},
			Limit: connector.ThrottleLimit{Calls: 40, PerSeconds: 60, Burst: 15, Concurrent: 4},
		},
		{
			Name: scopeDay, Description: "Calls about one organisation in a day", Key: []string{"app", "tenant"},
			Limit: connector.ThrottleLimit{Calls: 3000, PerSeconds: 86400, Burst: 1000},
		},
		{
			Name: scopeAppMinute, Description: "Calls of the app", Key: []string{"app"},
			Limit: connector.ThrottleLimit{Calls: 6000, PerSeconds: 60, Burst: 2000},
		},
		{
			Name: scopeEndpoint, Description: "Calls of a custom endpoint, whose limits are not Xero's", Key: []string{"endpoint", "app"},
			Limit: connector.ThrottleLimit{Calls: 2000, PerSeconds: 1, Burst: 2000},
		},
	}
}
