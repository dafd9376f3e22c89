package entity

import (
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/api"
	domain "github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// Entity is an entity as the API shows it.
type Entity struct {
	EntityID       string        `json:"entity_id" example:"ent_2b3a8f6f0c1d4e5f90a1b2c3d4e5f607"`
	Kind           string        `json:"kind" enum:"Principal,Account,Entitlement,Resource,CloudAccountBoundary"`
	Type           string        `json:"type" doc:"The provider's own term for it." example:"iam_user"`
	Name           string        `json:"name"`
	ProviderID     string        `json:"provider_id" doc:"The provider's immutable id."`
	ConnectionID   id.Connection `json:"connection_id" example:"conn_12"`
	IntegrationID  string        `json:"integration_id" example:"aws"`
	Identifiers    []Identifier  `json:"identifiers" nullable:"false" doc:"Names by which other systems may know the same principal."`
	Attributes     api.Object    `json:"attributes"`
	FirstSeenRunID id.Run        `json:"first_seen_run_id" doc:"The run that saw this version first." example:"run_123"`
	ValidFrom      time.Time     `json:"valid_from" doc:"When this version was published."`

	Identity api.Nullable[IdentityRef] `json:"identity" doc:"The person or workload that a principal is; null for other kinds."`
}

// Identifier is one name of a principal.
type Identifier struct {
	Type  string `json:"type" enum:"email,upn,employee_id,immutable_id"`
	Value string `json:"value"`
}

// Ref is an entity that an answer names.
type Ref struct {
	EntityID   string `json:"entity_id" example:"ent_2b3a8f6f0c1d4e5f90a1b2c3d4e5f607"`
	Kind       string `json:"kind" enum:"Principal,Account,Entitlement,Resource,CloudAccountBoundary"`
	Type       string `json:"type" example:"iam_user"`
	Name       string `json:"name"`
	ProviderID string `json:"provider_id"`
}

// IdentityRef is how an identity is named.
type IdentityRef struct {
	IdentityID     string `json:"identity_id" example:"identity_2b3a8f6f0c1d4e5f90a1b2c3d4e5f607"`
	Name           string `json:"name"`
	PrincipalCount int    `json:"principal_count" doc:"How many principals belong to it."`
}

// IdentityRefTo is how answers name an identity.
func IdentityRefTo(i domain.Identity) IdentityRef {
	return IdentityRef{IdentityID: i.ID.String(), Name: i.Name, PrincipalCount: i.Principals}
}

// PrincipalRef is a principal that an answer names, with whose it is.
type PrincipalRef struct {
	Ref
	ConnectionID id.Connection `json:"connection_id" example:"conn_12"`
	Identity     IdentityRef   `json:"identity" doc:"The person or workload that it is."`
}

// PrincipalRefTo is how answers name a principal.
func PrincipalRefTo(e domain.Entity, in domain.Described) PrincipalRef {
	return PrincipalRef{Ref: RefTo(e), ConnectionID: e.Connection, Identity: IdentityRefTo(in.Of(e))}
}

// RefTo is how answers name an entity.
func RefTo(e domain.Entity) Ref {
	return Ref{EntityID: e.ID.String(), Kind: string(e.Kind), Type: e.Type, Name: e.Name, ProviderID: e.ProviderID}
}

// FromDomain is how the API shows an entity.
func FromDomain(e domain.Entity, in domain.Described) Entity {
	shown := Entity{
		EntityID: e.ID.String(), Kind: string(e.Kind), Type: e.Type, Name: e.Name, ProviderID: e.ProviderID,
		ConnectionID: e.Connection, IntegrationID: string(e.Integration), Identifiers: make([]Identifier, len(e.Identifiers)),
		Attributes: api.Object(e.Attributes), FirstSeenRunID: e.FirstRun, ValidFrom: e.ValidFrom.UTC(),
	}
	for i, n := range e.Identifiers {
		shown.Identifiers[i] = Identifier{Type: string(n.Type), Value: n.Value}
	}
	if e.Kind == connector.Principal {
		whose := IdentityRefTo(in.Of(e))
		shown.Identity.Value = &whose
	}
	return shown
}
