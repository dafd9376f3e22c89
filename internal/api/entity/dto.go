package entity

import (
	"time"

	"github.com/danielgtaylor/huma/v2"

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

// RefTo is how answers name an entity.
func RefTo(e domain.Entity) Ref {
	return Ref{EntityID: e.ID.String(), Kind: string(e.Kind), Type: e.Type, Name: e.Name, ProviderID: e.ProviderID}
}

// FromDomain is how the API shows an entity.
func FromDomain(e domain.Entity) Entity {
	shown := Entity{
		EntityID: e.ID.String(), Kind: string(e.Kind), Type: e.Type, Name: e.Name, ProviderID: e.ProviderID,
		ConnectionID: e.Connection, IntegrationID: string(e.Integration), Identifiers: make([]Identifier, len(e.Identifiers)),
		Attributes: api.Object(e.Attributes), FirstSeenRunID: e.FirstRun, ValidFrom: e.ValidFrom.UTC(),
	}
	for i, n := range e.Identifiers {
		shown.Identifiers[i] = Identifier{Type: string(n.Type), Value: n.Value}
	}
	return shown
}

// PathID is an entity's id in a path. What is no such id names nothing, so it is
// read as the zero id, which no entity has.
type PathID struct {
	ID domain.EntityID

	text string
}

// UnmarshalText reads the public form.
func (p *PathID) UnmarshalText(text []byte) error {
	p.text = string(text)
	if found, err := domain.ParseEntityID(p.text); err == nil {
		p.ID = found
	}
	return nil
}

// Resolve notes what was asked for when it is no entity's id.
func (p *PathID) Resolve(ctx huma.Context, at *huma.PathBuffer) []error {
	if p.ID == (domain.EntityID{}) {
		api.NoteMisnamed(ctx.Context(), at.String(), p.text)
	}
	return nil
}

// Schema describes the parameter. The pattern is documentation only: huma would
// answer a mismatch with 422.
func (PathID) Schema(huma.Registry) *huma.Schema { return idSchema() }

// QueryID is an entity's id in a query. What is no such id is refused with 422.
type QueryID struct {
	ID domain.EntityID
}

// UnmarshalText reads the public form.
func (q *QueryID) UnmarshalText(text []byte) (err error) {
	q.ID, err = domain.ParseEntityID(string(text))
	return err
}

// Schema describes the parameter.
func (QueryID) Schema(huma.Registry) *huma.Schema { return idSchema() }

func idSchema() *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeString, Examples: []any{"ent_2b3a8f6f0c1d4e5f90a1b2c3d4e5f607"}, Extensions: map[string]any{"pattern": "^ent_[0-9a-f]{32}$"},
	}
}
