package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/identity"
)

// joinedSQL names the identities of principals that are one with others.
const joinedSQL = `
		select m.principal_id, m.identity_id, o.principals, e.name
		from {members} m
		cross join lateral (
		  select count(*) as principals, (array_agg(o.principal_id order by o.principal_id))[1] as first, (array_agg(o.connection_id order by o.principal_id))[1] as first_connection
		  from {members} o
		  where o.workspace_id = $1 and o.identity_id = m.identity_id and o.connection_id = any ($2)
		) o
		left join {entities} e on e.workspace_id = $1 and e.connection_id = any ($2) and e.connection_id = o.first_connection and e.entity_id = o.first
		where m.workspace_id = $1 and m.principal_id = any ($3) and m.connection_id = any ($2)`

// Identities names the identities of principals that are one with others.
func (v *graphView) Identities(ctx context.Context, principals []graph.EntityID) (map[graph.EntityID]graph.Identity, error) {
	if len(principals) == 0 {
		return map[graph.EntityID]graph.Identity{}, nil
	}
	rows, err := v.ask(ctx, joinedSQL, v.workspace, v.connections, uuids(principals))
	return collectJoined(rows, err)
}

func collectJoined(rows pgx.Rows, err error) (map[graph.EntityID]graph.Identity, error) {
	if err != nil {
		return nil, fmt.Errorf("name identities: %w", err)
	}
	found := map[graph.EntityID]graph.Identity{}
	var principal, of [16]byte
	var i graph.Identity
	var name *string
	_, err = pgx.ForEachRow(rows, []any{&principal, &of, &i.Principals, &name}, func() error {
		i.ID, i.Name = of, orZero(name)
		found[principal] = i
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("name identities: %w", err)
	}
	return found, nil
}

// Identity reads who belongs to an identity, or to the one that it went into.
func (v *graphView) Identity(ctx context.Context, i graph.IdentityID) (graph.Identity, []graph.Entity, error) {
	of := &identityView{v}
	i, members, err := of.members(ctx, i, identity.MaxPrincipals+1)
	if err != nil {
		return graph.Identity{}, nil, err
	}
	found := graph.Identity{ID: i, Principals: len(members)}
	if len(members) > identity.MaxPrincipals {
		members = members[:identity.MaxPrincipals]
		if found.Principals, err = of.count(ctx, i); err != nil {
			return found, nil, err
		}
	}
	ids := make([]graph.EntityID, len(members))
	for n, m := range members {
		ids[n] = m.principal
	}
	named, err := of.whole(ctx, ids)
	if err != nil {
		return found, nil, err
	}
	principals := make([]graph.Entity, 0, len(ids))
	for _, p := range ids {
		if e, ok := named[p]; ok {
			principals = append(principals, e)
		}
	}
	if len(principals) > 0 {
		found.Name = principals[0].Name
	}
	return found, principals, nil
}

// Fellows finds the principals of a connection that are one with some of them.
func (v *graphView) Fellows(ctx context.Context, c id.Connection, principals []graph.EntityID, most int) ([]graph.Fellow, error) {
	rows, err := v.ask(ctx, `
		select distinct o.principal_id, o.identity_id
		from {members} m
		join {members} o on o.workspace_id = m.workspace_id and o.identity_id = m.identity_id
		where m.workspace_id = $1 and m.principal_id = any ($3) and o.connection_id = $2
		order by o.principal_id
		limit $4`, v.workspace, c, uuids(principals), most)
	if err != nil {
		return nil, fmt.Errorf("find who is one with whom: %w", err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (f graph.Fellow, err error) {
		return f, row.Scan((*[16]byte)(&f.Principal), (*[16]byte)(&f.Identity))
	})
	if err != nil {
		return nil, fmt.Errorf("find who is one with whom: %w", err)
	}
	return found, nil
}

// Describe names entities, sums up coverage and names identities in one exchange;
// gaps of coverage are another.
func (v *graphView) Describe(ctx context.Context, c id.Connection, ids, principals []graph.EntityID) (d graph.Description, err error) {
	var all pgx.Batch
	sql, args := v.versions(c, namedSQL, []any{v.workspace, c, uuids(ids)})
	all.Queue(sql, args...)
	sql, args = v.coverageQuery([]id.Connection{c})
	all.Queue(sql, args...)
	if len(principals) > 0 {
		sql, args = v.identityVersions(joinedSQL, []any{v.workspace, v.connections, uuids(principals)})
		all.Queue(sql, args...)
	}
	results := v.tx.SendBatch(ctx, &all)
	rows, err := results.Query()
	d.Entities, err = v.named(rows, err, len(ids))
	var coverage []graph.Coverage
	if err == nil {
		rows, err = results.Query()
		coverage, err = v.collectCoverages(rows, err, []id.Connection{c})
	}
	if err == nil && len(principals) > 0 {
		rows, err = results.Query()
		d.Identities, err = collectJoined(rows, err)
	}
	if err = errors.Join(err, results.Close()); err == nil {
		err = v.addGaps(ctx, coverage)
	}
	if err == nil {
		d.Coverage = coverage[0]
	}
	return d, err
}

// HistoryBegins is from when on history is kept, of an earlier moment.
func (v *graphView) HistoryBegins() *time.Time {
	if v.past == nil {
		return nil
	}
	return v.past.begins
}
