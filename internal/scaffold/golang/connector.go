package main

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/gatehouse-project/gatehouse/connector"
)

// The permissions that the token needs.
const (
	readDoors  = "doors:read"
	readBadges = "badges:read"
)

// doors is the connector. It holds nothing: what belongs to a connection is in its
// session.
type doors struct{}

var _ connector.Connector = doors{}

// Manifest says what the connector is. The catalog, prompts, validation and required
// permissions are made from it.
func (doors) Manifest() connector.Manifest {
	return connector.Manifest{
		IntegrationID: "doors", ConnectorID: "doors-discovery", Name: "Door controller",
		ProviderSystem: "doors", ConnectorType: "discovery", Version: "0.1.0",
		ContractVersion: connector.ContractVersion, Status: connector.Beta,
		Configuration: json.RawMessage(`{
			"type": "object", "additionalProperties": false, "required": ["url", "token"],
			"properties": {
				"url": {"type": "string", "title": "Address", "description": "Where the controller answers, such as https://doors.example.com."},
				"token": {"type": "string", "title": "Token", "description": "API token of the controller.", "writeOnly": true}
			}}`),
		ConfigurationVersion: "1",
		Scope:                json.RawMessage(`{"type": "object", "additionalProperties": false}`),
		AuthTypes:            []connector.AuthType{{ID: "token", Name: "API token"}},
		Operations:           []string{"connection.test", "discovery.run"},
		Streams: []connector.Stream{
			{
				Name: "doors", Description: "Doors", Entities: []connector.EntityKind{connector.Resource},
				Permissions: []connector.Permission{{Name: readDoors, Why: "lists the doors"}},
			},
			{
				Name: "badges", Description: "People, their badges, and the doors that these open", DependsOn: []string{"doors"},
				Entities: []connector.EntityKind{connector.Principal, connector.Account, connector.Entitlement},
				Relationships: []connector.RelationshipKind{
					connector.PrincipalRepresentsAccount, connector.AccountAssignedEntitlement, connector.EntitlementGrantsResource,
				},
				Permissions: []connector.Permission{{Name: readBadges, Why: "lists the badges and the doors of each"}},
			},
		},
		LimitsBlindSpots: []string{"Mechanical keys are not seen.", "Doors that an alarm opens are not seen."},
		SupportsTest:     true,
		// The controller allows 10 calls a second for each site.
		ThrottleScopes: []connector.ThrottleScope{{
			Name: "calls", Description: "All calls", Key: []string{"site"},
			Limit: connector.ThrottleLimit{Calls: 8, PerSeconds: 1, Burst: 2},
		}},
	}
}

// Open prepares a session; it calls nobody.
func (doors) Open(_ context.Context, settings connector.Settings) (connector.Session, error) {
	var c struct {
		URL   string `json:"url"`
		Token string `json:"token"`
	}
	if err := json.Unmarshal(settings.Configuration, &c); err != nil {
		return nil, &connector.Error{Category: connector.ScopeInvalid, Message: "the configuration cannot be read", Cause: err}
	}
	return &session{controller: newController(c.URL, c.Token, settings)}, nil
}

// session is one run's conversation with one controller.
type session struct{ controller *controller }

// Check names the site that the token reaches and tries each permission.
func (s *session) Check(ctx context.Context) (connector.CheckResult, error) {
	site, err := s.controller.whereAmI(ctx)
	if err != nil {
		return connector.CheckResult{}, err
	}
	result := connector.CheckResult{Target: connector.Target{ID: site.ID, Name: site.Name, Type: "site"}, ActsAs: site.Client, Sufficient: true}
	for _, probe := range []struct{ stream, permission, path string }{
		{"doors", readDoors, "/doors?limit=1"},
		{"badges", readBadges, "/badges?limit=1"},
	} {
		outlook := connector.StreamOutlook{Stream: probe.stream, Coverage: connector.Complete}
		err := s.controller.get(ctx, probe.path, probe.permission, &struct{}{})
		var failure *connector.Error
		switch {
		case errors.As(err, &failure) && failure.Category == connector.PermissionDenied:
			outlook.Coverage, outlook.Missing = connector.Partial, []string{probe.permission}
			result.Sufficient = false
			result.Remediation = append(result.Remediation, connector.Remediation{
				Category: connector.RemedyPermissions, Message: "The token lacks " + probe.permission, Action: "Give the token the permission at the controller.",
			})
		case err != nil:
			return connector.CheckResult{}, err
		}
		result.Streams = append(result.Streams, outlook)
	}
	return result, nil
}

// Plan lists what is read. It is complete: nothing had to be listed to know it.
func (*session) Plan(context.Context) (connector.Plan, error) {
	return connector.Plan{Partitions: []connector.Partition{{Stream: "doors"}, {Stream: "badges"}}, Complete: true}, nil
}

// Close has nothing to release.
func (*session) Close() error { return nil }
