package connector

import (
	"encoding/json"
	"slices"
)

// Status is how far a connector version may be relied on.
type Status string

// The statuses of a connector version.
const (
	Available  Status = "available"
	Beta       Status = "beta"
	Deprecated Status = "deprecated"
)

// Manifest is the immutable description of one connector version. The catalog
// shows it; the platform derives validation, prompts and required permissions
// from it.
type Manifest struct {
	// IntegrationID names the catalog entry, a lower-case word such as "aws".
	IntegrationID string `json:"integration_id"`
	// ConnectorID names the code behind the entry, such as "aws-discovery".
	ConnectorID     string `json:"connector_id"`
	Name            string `json:"name"`
	ProviderSystem  string `json:"provider_system"`
	ConnectorType   string `json:"connector_type"`
	Version         string `json:"version"`
	ContractVersion string `json:"contract_version"`
	Status          Status `json:"status"`
	DocsURL         string `json:"docs_url,omitempty"`

	// Configuration is a JSON Schema (2020-12) of type object. Secret fields are
	// marked "writeOnly": true. additionalProperties must be false.
	Configuration json.RawMessage `json:"configuration"`
	// ConfigurationVersion changes when stored configurations need migrating.
	ConfigurationVersion string `json:"configuration_version"`
	// Scope is a JSON Schema of type object for what part of the target is read.
	Scope json.RawMessage `json:"scope"`

	// Hosts are the provider's host names that sessions call: names, or "*." and a
	// domain for every name below it, in lower case, without port. A session's
	// HTTP client reaches these, and those that the operator allows for custom
	// endpoints, alone. Empty: every public host.
	Hosts []string `json:"hosts,omitempty"`

	AuthTypes []AuthType `json:"auth_types"`
	// Renewal is set when the provider may replace a secret each time it is used.
	Renewal *Renewal `json:"renewal,omitempty"`
	// Operations this connector supports, by the platform's names for them.
	Operations       []string        `json:"operations"`
	Streams          []Stream        `json:"streams"`
	LimitsBlindSpots []string        `json:"limits_blind_spots"`
	SupportsTest     bool            `json:"supports_test"`
	ThrottleScopes   []ThrottleScope `json:"throttle_scopes,omitempty"`
}

// AuthType is one way of proving who connects.
type AuthType struct {
	// ID is stored as the credential's type, such as "access_key".
	ID          string `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
}

// Stream is one kind of thing a connector reads, from one family of provider
// calls, with one set of permissions.
type Stream struct {
	Name          string             `json:"name"`
	Description   string             `json:"description"`
	Entities      []EntityKind       `json:"entities,omitempty"`
	Relationships []RelationshipKind `json:"relationships,omitempty"`
	Permissions   []Permission       `json:"permissions,omitempty"`
	// DependsOn names streams that must have been read before this one starts.
	DependsOn []string `json:"depends_on,omitempty"`
	// Optional streams do not fail a test when they cannot be read.
	Optional bool `json:"optional,omitempty"`
	// PartitionedBy says what one partition is, such as "AWS account". Empty for
	// a stream with one partition.
	PartitionedBy string `json:"partitioned_by,omitempty"`
}

// Permission is a provider permission and why the stream needs it.
type Permission struct {
	Name string `json:"name"`
	Why  string `json:"why"`
}

// RequiredPermissions returns the permission names of all streams, sorted, each
// once.
func (m Manifest) RequiredPermissions() []string {
	var names []string
	for _, s := range m.Streams {
		for _, p := range s.Permissions {
			names = append(names, p.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// EmitsEntities returns the entity kinds of all streams in canonical order.
func (m Manifest) EmitsEntities() []EntityKind {
	return slices.DeleteFunc(EntityKinds(), func(k EntityKind) bool {
		return !slices.ContainsFunc(m.Streams, func(s Stream) bool { return slices.Contains(s.Entities, k) })
	})
}

// EmitsRelationships returns the relationship kinds of all streams in canonical order.
func (m Manifest) EmitsRelationships() []RelationshipKind {
	return slices.DeleteFunc(RelationshipKinds(), func(k RelationshipKind) bool {
		return !slices.ContainsFunc(m.Streams, func(s Stream) bool { return slices.Contains(s.Relationships, k) })
	})
}

// Stream returns the stream with that name; ok is false when there is none.
func (m Manifest) Stream(name string) (s Stream, ok bool) {
	for _, s := range m.Streams {
		if s.Name == name {
			return s, true
		}
	}
	return Stream{}, false
}
