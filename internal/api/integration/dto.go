package integration

import (
	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/api"
	domain "github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/licence"
)

// Integration is a catalog entry.
type Integration struct {
	IntegrationID        string     `json:"integration_id" example:"aws"`
	Name                 string     `json:"name" example:"Amazon Web Services"`
	ConnectorType        string     `json:"connector_type" example:"discovery"`
	ProviderSystem       string     `json:"provider_system" example:"aws"`
	ConnectorID          string     `json:"connector_id" example:"aws-discovery"`
	Version              string     `json:"version" example:"0.1.0"`
	RequiredPermissions  []string   `json:"required_permissions" nullable:"false"`
	EmitsEntities        []string   `json:"emits_entities" nullable:"false"`
	EmitsRelationships   []string   `json:"emits_relationships" nullable:"false"`
	LimitsBlindSpots     []string   `json:"limits_blind_spots" nullable:"false" doc:"What this connector cannot see."`
	SupportsTest         bool       `json:"supports_test"`
	Status               string     `json:"status"`
	DocsURL              string     `json:"docs_url"`
	ContractVersion      string     `json:"contract_version"`
	Configuration        api.Object `json:"configuration" doc:"JSON Schema of a connection's configuration; secret fields are writeOnly."`
	ConfigurationVersion string     `json:"configuration_version"`
	Scope                api.Object `json:"scope" doc:"JSON Schema of a connection's scope."`
	AuthTypes            []AuthType `json:"auth_types" nullable:"false"`
	Operations           []string   `json:"operations" nullable:"false"`
	Streams              []Stream   `json:"streams" nullable:"false"`
	ProvidedBy           string     `json:"provided_by" enum:"gatehouse,operator" doc:"Whose code it is: gatehouse for a connector that is built in, operator for a program that was registered by whoever runs this deployment."`
	Licensed             bool       `json:"licensed" doc:"The tenant's licence lets it be connected and started now."`
	LicenceReason        string     `json:"licence_reason" doc:"Why it is not licensed, and the way out; empty when it is."`
}

// AuthType is one way of proving who connects.
type AuthType struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
}

// Stream is one kind of thing the connector reads.
type Stream struct {
	Name          string       `json:"name"`
	Description   string       `json:"description"`
	Entities      []string     `json:"entities" nullable:"false"`
	Relationships []string     `json:"relationships" nullable:"false"`
	Permissions   []Permission `json:"permissions" nullable:"false"`
	DependsOn     []string     `json:"depends_on" nullable:"false"`
	Optional      bool         `json:"optional" doc:"A test succeeds although this cannot be read."`
	PartitionedBy string       `json:"partitioned_by"`
}

// Permission is a provider permission and why it is needed.
type Permission struct {
	Name string `json:"name"`
	Why  string `json:"why"`
}

func fromDomain(i *domain.Integration, standing licence.Standing) Integration {
	dto := Integration{
		IntegrationID: i.IntegrationID, Name: i.Name, ConnectorType: i.ConnectorType, ProviderSystem: i.ProviderSystem,
		ConnectorID: i.ConnectorID, Version: i.Version, RequiredPermissions: texts(i.RequiredPermissions()),
		EmitsEntities: texts(i.EmitsEntities()), EmitsRelationships: texts(i.EmitsRelationships()),
		LimitsBlindSpots: texts(i.LimitsBlindSpots), SupportsTest: i.SupportsTest, Status: string(i.Status), DocsURL: i.DocsURL,
		ContractVersion: i.ContractVersion, Configuration: api.Object(i.Configuration), ConfigurationVersion: i.ConfigurationVersion,
		Scope: api.Object(i.Scope), AuthTypes: []AuthType{}, Operations: texts(i.Operations), Streams: []Stream{},
	}
	dto.ProvidedBy = providedBy(i)
	dto.LicenceReason, dto.Licensed = standing.Allows(i.ID())
	for _, a := range i.AuthTypes {
		dto.AuthTypes = append(dto.AuthTypes, AuthType{ID: a.ID, Name: a.Name, Description: a.Description})
	}
	for _, s := range i.Streams {
		dto.Streams = append(dto.Streams, stream(s))
	}
	return dto
}

func providedBy(i *domain.Integration) string {
	if i.ByOperator {
		return "operator"
	}
	return "gatehouse"
}

func stream(s connector.Stream) Stream {
	dto := Stream{
		Name: s.Name, Description: s.Description, Entities: texts(s.Entities), Relationships: texts(s.Relationships),
		Permissions: []Permission{}, DependsOn: texts(s.DependsOn), Optional: s.Optional, PartitionedBy: s.PartitionedBy,
	}
	for _, p := range s.Permissions {
		dto.Permissions = append(dto.Permissions, Permission{Name: p.Name, Why: p.Why})
	}
	return dto
}

// texts is never nil, so that an empty list is shown as one.
func texts[T ~string](given []T) []string {
	list := make([]string, len(given))
	for i, t := range given {
		list[i] = string(t)
	}
	return list
}
