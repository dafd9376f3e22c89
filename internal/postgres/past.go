package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// Bounds of what is read of the past.
const (
	// pastEntities is how far each walk spreads.
	pastEntities = 10_000
	// pastPublications is how many of the latest publications are looked at.
	pastPublications = 5_000
)

// Past walks over edges of all times: from the resources to all entitlements that
// ever led to them, and on from the entities to those of them that they ever held.
func (v *graphView) Past(ctx context.Context, c id.Connection, from, resources []graph.EntityID) (past graph.Past, err error) {
	to, err := v.walkEver(ctx, c, resources, []graph.Hop{
		{Kind: connector.EntitlementGrantsResource, Side: graph.To},
		{From: 1, Kind: connector.EntitlementIncludesEntitlement, Side: graph.To, Spread: true, Most: pastEntities},
	})
	if err != nil {
		return past, err
	}
	links := map[graph.Link]bool{}
	entitlements := map[graph.EntityID]bool{}
	note := func(walked []graph.Walked) {
		for _, w := range walked {
			past.Truncated = past.Truncated || len(w.Edges) >= graph.MaxHopEdges
			for i := range w.Edges {
				e := &w.Edges[i]
				links[graph.Link{Kind: e.Kind, From: e.From, To: e.To}] = true
				if e.Kind != connector.AccountAssignedEntitlement {
					entitlements[e.From] = true
				}
			}
		}
	}
	note(to)
	leading := make([]graph.EntityID, 0, len(entitlements))
	for e := range entitlements {
		leading = append(leading, e)
	}
	past.Truncated = past.Truncated || len(leading) >= pastEntities
	for _, hops := range [][]graph.Hop{{
		{Kind: connector.AccountAssumesAccount, Side: graph.From, Spread: true, Most: pastEntities},
		{From: 1, Kind: connector.AccountAssignedEntitlement, Side: graph.From, Among: leading},
	}, {
		{Kind: connector.PrincipalRepresentsAccount, Side: graph.From},
		{From: 1, Kind: connector.AccountAssumesAccount, Side: graph.From, Spread: true, Most: pastEntities},
		{From: 2, Kind: connector.AccountAssignedEntitlement, Side: graph.From, Among: leading},
	}} {
		held, err := v.walkEver(ctx, c, from, hops)
		if err != nil {
			return past, err
		}
		note(held)
	}
	if err := v.addVersions(ctx, c, links, &past); err != nil {
		return past, err
	}
	return past, v.addSeen(ctx, c, &past)
}

// walkEver is Walk over all versions.
func (v *graphView) walkEver(ctx context.Context, c id.Connection, from []graph.EntityID, hops []graph.Hop) ([]graph.Walked, error) {
	sql, args := v.walkSQL(hops, []any{v.workspace, c, uuids(from)})
	rows, err := v.tx.Query(ctx, strings.ReplaceAll(sql, "{relationships}", everyVersion("relationships", relationshipVersions, v.partitions(c))), args...)
	return collectHops(rows, err, hops)
}

// addVersions reads every version of links.
func (v *graphView) addVersions(ctx context.Context, c id.Connection, links map[graph.Link]bool, past *graph.Past) error {
	kinds, from, to := make([]string, 0, len(links)), make([][16]byte, 0, len(links)), make([][16]byte, 0, len(links))
	for l := range links {
		kinds, from, to = append(kinds, kindCode(l.Kind)), append(from, l.From), append(to, l.To)
	}
	rows, err := v.tx.Query(ctx, `
		select e.*
		from unnest($3::text[], $4::uuid[], $5::uuid[]) as link (kind, from_id, to_id)
		cross join lateral (
		  select r.kind::text, `+edgeFields+`, r.valid_to, coalesce(r.observed_before, false)
		  from `+everyVersion("relationships", relationshipVersions, v.partitions(c))+` r
		  where r.workspace_id = $1 and r.connection_id = $2 and r.kind_code = link.kind::"char"
		    and r.from_id = link.from_id and r.to_id = link.to_id
		  offset 0) e`, v.workspace, c, kinds, from, to)
	if err != nil {
		return fmt.Errorf("read the past of edges: %w", err)
	}
	defer rows.Close()
	scan := edgeScan{}
	for rows.Next() {
		var e graph.EdgeVersion
		if err := scan.edge(rows, &e.Edge, []any{(*string)(&e.Kind)}, &e.Until, &e.Observed); err != nil {
			return err
		}
		past.Versions = append(past.Versions, e)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read the past of edges: %w", err)
	}
	return nil
}

// addSeen reads the connection's publications, and whether each left a part unread
// that one of the edges is of.
func (v *graphView) addSeen(ctx context.Context, c id.Connection, past *graph.Past) error {
	var parts []int64
	for i := range past.Versions {
		parts = append(parts, past.Versions[i].Partition)
	}
	slices.Sort(parts)
	var begins *time.Time
	err := v.tx.QueryRow(ctx, "select begins_at from graph_histories where workspace_id = $1", v.workspace).Scan(&begins)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("find where history begins: %w", err)
	}
	past.Begins = begins
	rows, err := v.tx.Query(ctx, `
		with parts as (
		  select stream, partition_key from stream_partitions where workspace_id = $1 and connection_id = $2 and partition_id = any ($3))
		select p.published_at, p.visible_at, p.run_id, p.retired, exists (
		  select from jsonb_array_elements(p.coverage->'gaps') g
		  join parts s on s.stream = g->>'stream' and s.partition_key = coalesce(g->>'partition', ''))
		from publications p
		where p.workspace_id = $1 and p.connection_id = $2
		order by p.visible_at desc
		limit $4`, v.workspace, c, slices.Compact(parts), pastPublications)
	if err != nil {
		return fmt.Errorf("read publications: %w", err)
	}
	past.Seen, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (s graph.Seen, err error) {
		return s, row.Scan(&s.Published, &s.Visible, &s.Run, &s.Retired, &s.Torn)
	})
	if err != nil {
		return fmt.Errorf("read publications: %w", err)
	}
	slices.Reverse(past.Seen)
	past.Truncated = past.Truncated || len(past.Seen) >= pastPublications
	return nil
}
