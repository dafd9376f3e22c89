package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/identity"
)

// GetIdentity reads an identity and why it is one.
func (s *Identities) GetIdentity(ctx context.Context, w id.Workspace, i graph.IdentityID, asOf graph.Moment) (identity.Detail, error) {
	var found identity.Detail
	err := s.view(ctx, w, asOf, func(v *identityView) (err error) {
		found, err = v.show(ctx, i)
		return err
	})
	return found, err
}

func (v *identityView) show(ctx context.Context, i graph.IdentityID) (identity.Detail, error) {
	i, members, err := v.members(ctx, i, identity.MaxPrincipals+1)
	if err != nil {
		return identity.Detail{}, err
	}
	d := identity.Detail{Identity: graph.Identity{ID: i, Principals: len(members)}, AsOf: v.moment}
	if len(members) > identity.MaxPrincipals {
		d.MorePrincipals = true
		members = members[:identity.MaxPrincipals]
		if d.Identity.Principals, err = v.count(ctx, i); err != nil {
			return d, err
		}
	}
	if err := v.describe(ctx, &d, members); err != nil {
		return d, err
	}
	d.Name = d.Principals[0].Name
	for _, explain := range []func(context.Context, *identity.Detail) error{v.addKnown, v.addJoins, v.addAccounts, v.addCandidates} {
		if err := explain(ctx, &d); err != nil {
			return d, err
		}
	}
	return d, nil
}

// identityMember is a principal of an identity.
type identityMember struct {
	principal graph.EntityID
	// since is nil for one that is by itself.
	since *identity.Membership
}

// members returns the principals of an identity in order of id, at most so many,
// and under which number it goes now.
func (v *identityView) members(ctx context.Context, i graph.IdentityID, most int) (graph.IdentityID, []identityMember, error) {
	members, err := v.membersOf(ctx, i, most)
	if err != nil || len(members) > 0 {
		return i, members, err
	}
	heir, err := v.heir(ctx, i)
	if err != nil {
		return i, nil, err
	}
	if members, err = v.membersOf(ctx, heir, most); err != nil || len(members) > 0 {
		return heir, members, err
	}
	return heir, []identityMember{{principal: graph.EntityID(heir)}}, nil
}

// heir returns the identity of whoever bears the number, or else the one that all
// who had it belong to now.
func (v *identityView) heir(ctx context.Context, i graph.IdentityID) (graph.IdentityID, error) {
	const heirs = `
		select distinct coalesce(m.identity_id, p.principal_id)
		from %s
		join {entities} e on e.entity_id = p.principal_id
		left join {members} m on m.workspace_id = $1 and m.principal_id = p.principal_id
		where e.workspace_id = $1 and e.connection_id = any ($2) and e.kind = 'Principal'
		limit 2`
	for _, from := range []string{
		"(select $3::uuid as principal_id) p",
		"(select distinct h.principal_id from identity_members h where h.workspace_id = $1 and h.identity_id = $3) p",
	} {
		rows, err := v.ask(ctx, fmt.Sprintf(heirs, from), v.workspace, v.connections, [16]byte(i))
		if err != nil {
			return i, fmt.Errorf("find the identity: %w", err)
		}
		found, err := pgx.CollectRows(rows, pgx.RowTo[[16]byte])
		switch {
		case err != nil:
			return i, fmt.Errorf("find the identity: %w", err)
		case len(found) == 1:
			return found[0], nil
		case len(found) > 1:
			return i, fault.New(fault.NotFound, "the identity %s has come apart; its history names those that its principals belong to now", i)
		}
	}
	return i, fault.New(fault.NotFound, "there is no identity %s", i)
}

// identityOf returns the identity that a principal belongs to.
func (v *identityView) identityOf(ctx context.Context, p graph.EntityID) (graph.IdentityID, error) {
	i := p.OwnIdentity()
	err := v.tx.QueryRow(ctx, "select identity_id from identity_members where workspace_id = $1 and principal_id = $2 and valid_to is null",
		v.workspace, [16]byte(p)).Scan((*[16]byte)(&i))
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return i, fmt.Errorf("find the principal's identity: %w", err)
	}
	return i, nil
}

// membersOf returns those that have the identity by a row.
func (v *identityView) membersOf(ctx context.Context, i graph.IdentityID, most int) ([]identityMember, error) {
	rows, err := v.ask(ctx, `
		select principal_id, valid_from, coalesce(run_id, 0), coalesce(correction_id, 0)
		from {members} m
		where workspace_id = $1 and connection_id = any ($2) and identity_id = $3
		order by principal_id
		limit $4`, v.workspace, v.connections, [16]byte(i), most)
	if err != nil {
		return nil, fmt.Errorf("read the identity: %w", err)
	}
	members, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (m identityMember, err error) {
		m.since = &identity.Membership{}
		return m, row.Scan((*[16]byte)(&m.principal), &m.since.Since, &m.since.Cause.Run, &m.since.Cause.Correction)
	})
	if err != nil {
		return nil, fmt.Errorf("read the identity: %w", err)
	}
	return members, nil
}

func (v *identityView) count(ctx context.Context, i graph.IdentityID) (n int, err error) {
	sql, args := v.identityVersions(`
		select count(*) from {members} m where workspace_id = $1 and connection_id = any ($2) and identity_id = $3`,
		[]any{v.workspace, v.connections, [16]byte(i)})
	err = v.tx.QueryRow(ctx, sql, args...).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count the principals of an identity: %w", err)
	}
	return n, nil
}

// describe reads the principals themselves.
func (v *identityView) describe(ctx context.Context, d *identity.Detail, members []identityMember) error {
	ids := make([]graph.EntityID, len(members))
	for i, m := range members {
		ids[i] = m.principal
	}
	named, err := v.whole(ctx, ids)
	if err != nil {
		return err
	}
	for _, m := range members {
		e, ok := named[m.principal]
		if !ok {
			return errors.New("a principal of the identity is not in the graph")
		}
		d.Principals = append(d.Principals, identity.Principal{Entity: e, Member: m.since})
	}
	return nil
}

// whole reads entities of any connection.
func (v *identityView) whole(ctx context.Context, ids []graph.EntityID) (map[graph.EntityID]graph.Entity, error) {
	rows, err := v.ask(ctx, `
		select `+entityFields+`, identifiers, attributes
		from {entities} e
		where workspace_id = $1 and connection_id = any ($2) and entity_id = any ($3)`, v.workspace, v.connections, uuids(ids))
	if err != nil {
		return nil, fmt.Errorf("read principals: %w", err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (graph.Entity, error) { return v.scanEntity(row, true) })
	if err != nil {
		return nil, fmt.Errorf("read principals: %w", err)
	}
	named := make(map[graph.EntityID]graph.Entity, len(found))
	for _, e := range found {
		named[e.ID] = e
	}
	return named, nil
}

func principalsOf(d *identity.Detail) (ids [][16]byte, at map[graph.EntityID]*identity.Principal) {
	at = make(map[graph.EntityID]*identity.Principal, len(d.Principals))
	for i := range d.Principals {
		p := &d.Principals[i]
		ids = append(ids, p.ID)
		at[p.ID] = p
	}
	return ids, at
}

// addKnown reads what the principals are known by and who else of them is.
func (v *identityView) addKnown(ctx context.Context, d *identity.Detail) error {
	ids, at := principalsOf(d)
	rows, err := v.ask(ctx, `
		select i.principal_id, i.type, i.value, i.standing, s.connection_id is not null, i.first_run_id, i.valid_from, c.shared,
		  coalesce((
		    select array_agg(o.principal_id order by o.principal_id)
		    from (
		      select o.principal_id from {identifiers} o
		      where o.workspace_id = $1 and o.type = i.type and o.value = i.value and o.principal_id = any ($3) and o.principal_id <> i.principal_id
		      order by o.principal_id
		      limit $4) o), '{}')
		from {identifiers} i
		left join identity_sources s on s.workspace_id = i.workspace_id and s.connection_id = i.connection_id
		cross join lateral (`+sharing+`) c
		where i.workspace_id = $1 and i.principal_id = any ($3)
		order by i.principal_id, i.type, i.value`, v.workspace, v.connections, ids, identity.MaxReasons, identity.MaxSharedInConnection, identity.MaxShared)
	if err != nil {
		return fmt.Errorf("read identifiers: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var of graph.EntityID
		var k identity.Known
		var with [][16]byte
		err := rows.Scan((*[16]byte)(&of), (*string)(&k.Type), &k.Value, (*string)(&k.Standing), &k.Trusted, &k.Run, &k.Since, &k.Shared, &with)
		if err != nil {
			return fmt.Errorf("read identifiers: %w", err)
		}
		for _, w := range with {
			k.With = append(k.With, w)
		}
		at[of].Known = append(at[of].Known, k)
	}
	return rows.Err()
}

// sharing says of an identifier i whether too many hold it, as [resolution] does.
// It takes the parameters $1 workspace, $2 connections, $5 and $6 limits.
const sharing = `
		  select coalesce(max(n) > $5::bigint or sum(n) > $6::bigint, false) as shared
		  from (
		    select count(*) as n
		    from (
		      select o.connection_id
		      from {identifiers} o
		      left join identity_sources t on t.workspace_id = o.workspace_id and t.connection_id = o.connection_id
		      where o.workspace_id = $1 and o.type = i.type and o.value = i.value and o.connection_id = any ($2)
		        and (o.standing = 'verified' or o.standing = 'unverified' and t.connection_id is not null)
		      limit $5::bigint * $6::bigint) o
		    group by connection_id) n`

// addJoins reads the corrections that join principals.
func (v *identityView) addJoins(ctx context.Context, d *identity.Detail) error {
	ids, at := principalsOf(d)
	rows, err := v.tx.Query(ctx, `
		select j.principal_id, c.correction_id, c.kind, c.reason, c.made_by, c.made_at
		from identity_joins j
		join identity_corrections c on c.workspace_id = j.workspace_id and c.correction_id = j.correction_id
		where j.workspace_id = $1 and j.principal_id = any ($2)
		order by j.principal_id, c.correction_id`, v.workspace, ids)
	if err != nil {
		return fmt.Errorf("read joins: %w", err)
	}
	var of graph.EntityID
	var c identity.Correction
	_, err = pgx.ForEachRow(rows, []any{(*[16]byte)(&of), &c.ID, (*string)(&c.Kind), &c.Reason, &c.By, &c.At}, func() error {
		at[of].Joins = append(at[of].Joins, c)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read joins: %w", err)
	}
	return nil
}

// addAccounts reads the accounts that the principals act through.
func (v *identityView) addAccounts(ctx context.Context, d *identity.Detail) error {
	ids, at := principalsOf(d)
	var connections []int64
	for i := range d.Principals {
		connections = append(connections, int64(d.Principals[i].Connection))
	}
	rows, err := v.ask(ctx, `
		select p.principal_id, e.entity_id, e.type, e.name, e.provider_id, e.connection_id, e.first_run_id, e.valid_from
		from unnest($3::uuid[], $4::bigint[]) as p (principal_id, connection_id)
		cross join lateral (
		  select distinct r.to_id
		  from {relationships} r
		  where r.workspace_id = $1 and r.connection_id = any ($2) and r.connection_id = p.connection_id and r.kind_code = 'p' and r.from_id = p.principal_id
		  order by r.to_id
		  limit $5) r
		join {entities} e on e.workspace_id = $1 and e.connection_id = p.connection_id and e.entity_id = r.to_id and e.connection_id = any ($2)
		order by p.principal_id, e.entity_id`, v.workspace, v.connections, ids, connections, identity.MaxAccounts+1)
	if err != nil {
		return fmt.Errorf("read accounts: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var of graph.EntityID
		e := graph.Entity{Kind: "Account"}
		var from time.Time
		if err := rows.Scan((*[16]byte)(&of), (*[16]byte)(&e.ID), &e.Type, &e.Name, &e.ProviderID, &e.Connection, &e.FirstRun, &from); err != nil {
			return fmt.Errorf("read accounts: %w", err)
		}
		e.ValidFrom, e.Integration = from, v.integrations[e.Connection]
		p := at[of]
		if len(p.Accounts) == identity.MaxAccounts {
			p.MoreAccounts = true
			continue
		}
		p.Accounts = append(p.Accounts, e)
	}
	return rows.Err()
}
