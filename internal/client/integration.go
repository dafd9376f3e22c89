package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
)

// Integration is a catalog entry.
type Integration struct {
	IntegrationID       string   `json:"integration_id"`
	Name                string   `json:"name"`
	ConnectorType       string   `json:"connector_type"`
	ProviderSystem      string   `json:"provider_system"`
	ConnectorID         string   `json:"connector_id"`
	Version             string   `json:"version"`
	Status              string   `json:"status"`
	RequiredPermissions []string `json:"required_permissions"`
	EmitsEntities       []string `json:"emits_entities"`
	EmitsRelationships  []string `json:"emits_relationships"`
	LimitsBlindSpots    []string `json:"limits_blind_spots"`
	SupportsTest        bool     `json:"supports_test"`
	// ProvidedBy is gatehouse or operator.
	ProvidedBy string `json:"provided_by"`
	// Licensed says that the tenant's licence allows it now, LicenceReason why not.
	Licensed      bool   `json:"licensed"`
	LicenceReason string `json:"licence_reason"`
	// Configuration and Scope are JSON Schemas; secret fields are writeOnly.
	Configuration json.RawMessage `json:"configuration"`
	Scope         json.RawMessage `json:"scope"`
}

// Integrations lists the catalog.
func (c *Client) Integrations(ctx context.Context, pages Pages) (List[Integration], error) {
	return list[Integration](ctx, c, "/v1/integrations", "integrations", nil, pages)
}

// Integration returns a catalog entry by its id.
func (c *Client) Integration(ctx context.Context, id string) (Answer[Integration], error) {
	return send[Integration](ctx, c, call{method: http.MethodGet, path: "/v1/integrations/" + url.PathEscape(id)})
}
