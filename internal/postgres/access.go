package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// ends returns the columns of the side asked from and of the other.
func ends(side graph.Side) (at, far string) {
	if side == graph.To {
		return "to_id", "from_id"
	}
	return "from_id", "to_id"
}

// kindCode is the letter by which the indexes know a kind; see the migration of
// the graph.
func kindCode(k connector.RelationshipKind) string {
	switch k {
	case connector.PrincipalRepresentsAccount:
		return "p"
	case connector.AccountAssignedEntitlement:
		return "a"
	case connector.EntitlementGrantsResource:
		return "g"
	case connector.EntitlementIncludesEntitlement:
		return "i"
	case connector.BoundaryContains:
		return "b"
	case connector.AccountAssumesAccount:
		return "s"
	}
	return ""
}

const edgeFields = `relationship_id, from_id, to_id, key, effect::text, terms, partition_id, first_run_id, valid_from`

// Between reads edges by both ends. The lateral "offset 0" makes it one look-up
// in the index for each pair, whatever the statistics are.
func (v *graphView) Between(ctx context.Context, c id.Connection, kind connector.RelationshipKind, pairs []graph.Pair) ([]graph.Edge, error) {
	if len(pairs) == 0 {
		return nil, nil
	}
	from, to := make([][16]byte, len(pairs)), make([][16]byte, len(pairs))
	for i, p := range pairs {
		from[i], to[i] = p.From, p.To
	}
	rows, err := v.query(ctx, c, `
		select e.*
		from unnest($4::uuid[], $5::uuid[]) as pair (from_id, to_id)
		cross join lateral (
		  select `+edgeFields+`
		  from {relationships} r
		  where r.workspace_id = $1 and r.connection_id = $2 and r.kind_code = $3::text::"char"
		    and r.from_id = pair.from_id and r.to_id = pair.to_id
		  offset 0
		) e`, v.workspace, c, kindCode(kind), from, to)
	return collectEdges(rows, err, kind)
}

func collectEdges(rows pgx.Rows, err error, kind connector.RelationshipKind) ([]graph.Edge, error) {
	if err != nil {
		return nil, fmt.Errorf("read edges: %w", err)
	}
	defer rows.Close()
	var edges []graph.Edge
	scan := edgeScan{}
	for rows.Next() {
		e := graph.Edge{Kind: kind}
		if err := scan.edge(rows, &e, nil); err != nil {
			return nil, err
		}
		edges = append(edges, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read edges: %w", err)
	}
	return edges, nil
}

// Links reads which entities are joined, from the index alone.
func (v *graphView) Links(ctx context.Context, c id.Connection, kinds []connector.RelationshipKind, side graph.Side, at []graph.EntityID, most int) ([]graph.Link, error) {
	near, _ := ends(side)
	codes := make([]string, len(kinds))
	for i, k := range kinds {
		codes[i] = kindCode(k)
	}
	rows, err := v.query(ctx, c, `
		select kind::text, from_id, to_id
		from {relationships} r
		where workspace_id = $1 and connection_id = $2 and kind_code = any ($3::text[]::"char"[]) and `+near+` = any ($4)
		limit $5`, v.workspace, c, codes, uuids(at), most)
	if err != nil {
		return nil, fmt.Errorf("read links: %w", err)
	}
	links, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (l graph.Link, err error) {
		return l, row.Scan((*string)(&l.Kind), (*[16]byte)(&l.From), (*[16]byte)(&l.To))
	})
	if err != nil {
		return nil, fmt.Errorf("read links: %w", err)
	}
	return links, nil
}

// Neighbours reads the beginnings of sorted lists, each from its place in the
// index.
func (v *graphView) Neighbours(ctx context.Context, c id.Connection, kind connector.RelationshipKind, side graph.Side, starts []graph.Start, most int) ([]graph.Neighbour, error) {
	at, far := ends(side)
	from, after := make([][16]byte, len(starts)), make([][16]byte, len(starts))
	for i, s := range starts {
		from[i], after[i] = s.At, s.After
	}
	rows, err := v.query(ctx, c, `
		select list.at, n.far
		from unnest($4::uuid[], $5::uuid[]) as list (at, after)
		cross join lateral (`+v.sortedList(far, `r.workspace_id = $1 and r.connection_id = $2 and r.kind_code = $3::text::"char"
		    and r.`+at+` = list.at and r.`+far+` > list.after`, "$6")+`) n
		order by list.at, n.far`, v.workspace, c, kindCode(kind), from, after, most)
	if err != nil {
		return nil, fmt.Errorf("read neighbours: %w", err)
	}
	neighbours, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (n graph.Neighbour, err error) {
		return n, row.Scan((*[16]byte)(&n.At), (*[16]byte)(&n.Far))
	})
	if err != nil {
		return nil, fmt.Errorf("read neighbours: %w", err)
	}
	return neighbours, nil
}

// Assumable finds those at the near end of edges that others may assume. The
// lateral look-ups keep it from reading all edges of assumption.
func (v *graphView) Assumable(ctx context.Context, c id.Connection, kind connector.RelationshipKind, to []graph.EntityID, most int) ([]graph.EntityID, error) {
	rows, err := v.query(ctx, c, `
		select near.from_id
		from (
		  select distinct r.from_id
		  from {relationships} r
		  where r.workspace_id = $1 and r.connection_id = $2 and r.kind_code = $3::text::"char" and r.to_id = any ($4)
		  offset 0
		) near
		cross join lateral (
		  select
		  from {relationships} a
		  where a.workspace_id = $1 and a.connection_id = $2 and a.kind_code = 's' and a.to_id = near.from_id
		  limit 1
		) assumed
		order by near.from_id
		limit $5`, v.workspace, c, kindCode(kind), uuids(to), most)
	if err != nil {
		return nil, fmt.Errorf("find assumable accounts: %w", err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (e graph.EntityID, err error) {
		return e, row.Scan((*[16]byte)(&e))
	})
	if err != nil {
		return nil, fmt.Errorf("find assumable accounts: %w", err)
	}
	return found, nil
}
