package entity

import (
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gatehouse-project/gatehouse/internal/api"
	domain "github.com/gatehouse-project/gatehouse/internal/graph"
)

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

// QueryWho is the id of an entity or of an identity in a query. What is neither is
// refused with 422.
type QueryWho struct {
	ID       domain.EntityID
	Identity domain.IdentityID
}

// UnmarshalText reads the public form of either.
func (q *QueryWho) UnmarshalText(text []byte) (err error) {
	if strings.HasPrefix(string(text), "identity_") {
		return q.Identity.UnmarshalText(text)
	}
	q.ID, err = domain.ParseEntityID(string(text))
	return err
}

// Schema describes the parameter.
func (QueryWho) Schema(huma.Registry) *huma.Schema {
	s := idSchema()
	s.Extensions = map[string]any{"pattern": "^(ent|identity)_[0-9a-f]{32}$"}
	return s
}

// PathIdentity is an identity's id in a path. What is no such id names nothing, so it is
// read as the zero id, which no identity has.
type PathIdentity struct {
	ID domain.IdentityID

	text string
}

// UnmarshalText reads the public form.
func (p *PathIdentity) UnmarshalText(text []byte) error {
	p.text = string(text)
	var found domain.IdentityID
	if found.UnmarshalText(text) == nil {
		p.ID = found
	}
	return nil
}

// Resolve notes what was asked for when it is no identity's id.
func (p *PathIdentity) Resolve(ctx huma.Context, at *huma.PathBuffer) []error {
	if p.ID == (domain.IdentityID{}) {
		api.NoteMisnamed(ctx.Context(), at.String(), p.text)
	}
	return nil
}

// Schema describes the parameter. The pattern is documentation only: huma would
// answer a mismatch with 422.
func (PathIdentity) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeString, Examples: []any{"identity_2b3a8f6f0c1d4e5f90a1b2c3d4e5f607"}, Extensions: map[string]any{"pattern": "^identity_[0-9a-f]{32}$"},
	}
}
