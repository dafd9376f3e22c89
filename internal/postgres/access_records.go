package postgres

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// Relationships reads the edges at one end of an entity with the provider's
// names for both. The lateral "offset 0" looks the ends up one by one.
func (v *graphView) Relationships(ctx context.Context, c id.Connection, kind connector.RelationshipKind, side graph.Side, at graph.EntityID, most int) ([]connector.Relationship, error) {
	near, far := ends(side)
	rows, err := v.query(ctx, c, `
		select e.key, e.effect, e.terms, e.attributes, f.kind, f.provider_id, t.kind, t.provider_id
		from (
		  select r.from_id, r.to_id, r.key, r.effect::text as effect, r.terms, r.attributes, r.`+far+` as far, r.relationship_id
		  from {relationships} r
		  where r.workspace_id = $1 and r.connection_id = $2 and r.kind_code = $3::text::"char" and r.`+near+` = $4
		  order by far, relationship_id
		  limit $5
		) e
		cross join lateral (
		  select n.kind::text as kind, n.provider_id
		  from {entities} n
		  where n.workspace_id = $1 and n.connection_id = $2 and n.entity_id = e.from_id
		  offset 0
		) f
		cross join lateral (
		  select n.kind::text as kind, n.provider_id
		  from {entities} n
		  where n.workspace_id = $1 and n.connection_id = $2 and n.entity_id = e.to_id
		  offset 0
		) t
		order by e.far, e.relationship_id`, v.workspace, c, kindCode(kind), [16]byte(at), most)
	if err != nil {
		return nil, fmt.Errorf("read relationships: %w", err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (connector.Relationship, error) {
		r := connector.Relationship{Kind: kind}
		var effect string
		var terms []byte
		err := row.Scan(&r.Key, &effect, &terms, (*[]byte)(&r.Attributes), (*string)(&r.From.Kind), &r.From.ID, (*string)(&r.To.Kind), &r.To.ID)
		if err != nil || terms == nil {
			return r, err
		}
		r.Terms = &connector.Terms{}
		if err := json.Unmarshal(terms, r.Terms); err != nil {
			return r, fmt.Errorf("decode terms: %w", err)
		}
		r.Terms.Effect = connector.Effect(effect)
		return r, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read relationships: %w", err)
	}
	return found, nil
}
