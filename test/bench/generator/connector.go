package generator

import (
	"context"
	"fmt"

	"github.com/gatehouse-project/gatehouse/connector"
)

// IntegrationID names the connector in a catalog.
const IntegrationID = "generator"

// The streams.
const (
	streamIdentities   = "identities"
	streamEntitlements = "entitlements"
	streamResources    = "resources"
)

// Connector makes sessions. It has no state.
type Connector struct{}

var _ connector.Connector = Connector{}

// Manifest describes the connector.
func (Connector) Manifest() connector.Manifest {
	return connector.Manifest{
		IntegrationID: IntegrationID, ConnectorID: "bench-generator", Name: "Generated estate", ProviderSystem: "generator",
		ConnectorType: "benchmark", Version: "1.0.0", ContractVersion: connector.ContractVersion, Status: connector.Beta,
		Configuration: []byte(configurationSchema), ConfigurationVersion: "1",
		Scope:      []byte(`{"type": "object", "additionalProperties": false}`),
		AuthTypes:  []connector.AuthType{{ID: "none", Name: "None"}},
		Operations: []string{"connection.test", "discovery.run"}, SupportsTest: true,
		LimitsBlindSpots: []string{"Nothing it shows exists."},
		Streams: []connector.Stream{
			{
				Name: streamIdentities, Description: "Boundaries and accounts, and what accounts are assigned.", PartitionedBy: "part",
				Entities:      []connector.EntityKind{connector.CloudAccountBoundary, connector.Account},
				Relationships: []connector.RelationshipKind{connector.BoundaryContains, connector.AccountAssignedEntitlement},
			},
			{
				Name: streamEntitlements, Description: "Groups and policies, and what they include.", PartitionedBy: "part",
				Entities:      []connector.EntityKind{connector.Entitlement},
				Relationships: []connector.RelationshipKind{connector.EntitlementIncludesEntitlement},
			},
			{
				Name: streamResources, Description: "Resources, and what is granted on them.", PartitionedBy: "part",
				Entities:      []connector.EntityKind{connector.Resource},
				Relationships: []connector.RelationshipKind{connector.BoundaryContains, connector.EntitlementGrantsResource},
			},
		},
	}
}

// Open prepares a session.
func (Connector) Open(_ context.Context, settings connector.Settings) (connector.Session, error) {
	c, err := parse(settings.Configuration)
	if err != nil {
		return nil, err
	}
	return &session{estate: newEstate(c)}, nil
}

// session makes one estate.
type session struct{ *estate }

// Check finds everything in order.
func (s *session) Check(context.Context) (connector.CheckResult, error) {
	r := connector.CheckResult{Target: connector.Target{ID: "generated", Name: "Generated estate", Type: "estate"}, Sufficient: true}
	for _, name := range []string{streamIdentities, streamEntitlements, streamResources} {
		r.Streams = append(r.Streams, connector.StreamOutlook{Stream: name, Coverage: connector.Complete})
	}
	return r, nil
}

// Plan divides each stream into the configured number of partitions.
func (s *session) Plan(context.Context) (connector.Plan, error) {
	plan := connector.Plan{Complete: true}
	for _, name := range []string{streamIdentities, streamEntitlements, streamResources} {
		for i := range s.Partitions {
			plan.Partitions = append(plan.Partitions, connector.Partition{Stream: name, Key: fmt.Sprintf("part-%04d", i)})
		}
	}
	return plan, nil
}

// Close has nothing to release.
func (s *session) Close() error { return nil }
