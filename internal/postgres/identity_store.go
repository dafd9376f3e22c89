package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/identity"
)

// resolvedNode is a principal on its way to its identity.
type resolvedNode struct {
	identity.Node
	connection int64
	// written says that its identity stands in a row.
	written bool
}

// readNodes numbers the principals that were gathered and still exist.
func (r *resolution) readNodes(ctx context.Context) ([]resolvedNode, error) {
	_, err := r.tx.Exec(ctx, `
		analyze identity_nodes;
		create temporary table identity_numbers (principal_id uuid primary key, connection_id bigint not null, n integer not null) on commit drop`)
	if err != nil {
		return nil, fmt.Errorf("number principals: %w", err)
	}
	// Sorting by number keeps the reading below in the same order.
	_, err = r.tx.Exec(ctx, `
		insert into identity_numbers
		select n.principal_id, n.connection_id, row_number() over (order by n.principal_id) - 1
		from identity_nodes n
		where n.connection_id = any ($2) and exists (
		  select from entities e
		  where e.workspace_id = $1 and e.connection_id = any ($2) and e.connection_id = n.connection_id and e.entity_id = n.principal_id and e.valid_to is null)`, r.workspace, r.live)
	if err != nil {
		return nil, fmt.Errorf("number principals: %w", err)
	}
	rows, err := r.tx.Query(ctx, `
		select n.principal_id, n.connection_id,
		  coalesce(m.identity_id, case when not exists (
		    select from identity_members o where o.workspace_id = $1 and o.identity_id = n.principal_id and o.valid_to is null) then n.principal_id
		  else '00000000-0000-0000-0000-000000000000' end), m.identity_id is not null
		from identity_numbers n
		left join identity_members m on m.workspace_id = $1 and m.principal_id = n.principal_id and m.valid_to is null
		order by n.n`, r.workspace)
	if err != nil {
		return nil, fmt.Errorf("read principals: %w", err)
	}
	nodes, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (n resolvedNode, err error) {
		return n, row.Scan((*[16]byte)(&n.Principal), &n.connection, (*[16]byte)(&n.Was), &n.written)
	})
	if err != nil {
		return nil, fmt.Errorf("read principals: %w", err)
	}
	return nodes, nil
}

func (r *resolution) readSplits(ctx context.Context, parts *identity.Partition) error {
	rows, err := r.tx.Query(ctx, `
		select a.n, b.n
		from identity_numbers a
		join identity_splits s on s.one_id = a.principal_id
		join identity_numbers b on b.principal_id = s.other_id
		where s.workspace_id = $1 and s.valid_to is null
		order by a.n, b.n`, r.workspace)
	if err != nil {
		return fmt.Errorf("read splits: %w", err)
	}
	var a, b int32
	_, err = pgx.ForEachRow(rows, []any{&a, &b}, func() error {
		parts.Split(a, b)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read splits: %w", err)
	}
	return nil
}

// readGroups reads who is the same by one correction or identifier: what people
// decided before what was read, and what changes least before what changes most.
func (r *resolution) readGroups(ctx context.Context, parts *identity.Partition) error {
	for _, groups := range []struct {
		sql  string
		args []any
	}{
		{`
		select j.correction_id, n.n
		from identity_joins j
		join identity_numbers n on n.principal_id = j.principal_id
		where j.workspace_id = $1
		order by j.correction_id, n.n`, []any{r.workspace}},
		{`
		select k.key_id, n.n
		from identity_keys k
		join principal_identifiers i on i.type = k.type and i.value = k.value
		join identity_numbers n on n.principal_id = i.principal_id
		where i.workspace_id = $1 and ` + joins + ` and k.holders > 1 and not k.shared
		order by case k.type when 'immutable_id' then 1 when 'employee_id' then 2 when 'upn' then 3 else 4 end, k.type, k.value, n.n`, []any{r.workspace, r.live, r.trusted}},
	} {
		rows, err := r.tx.Query(ctx, groups.sql, groups.args...)
		if err != nil {
			return fmt.Errorf("read who is the same: %w", err)
		}
		var group []int32
		var of, by int64
		var n int32
		_, err = pgx.ForEachRow(rows, []any{&by, &n}, func() error {
			if by != of {
				parts.Same(group)
				group, of = group[:0], by
			}
			group = append(group, n)
			return nil
		})
		if err != nil {
			return fmt.Errorf("read who is the same: %w", err)
		}
		parts.Same(group)
	}
	return nil
}

// store writes versions for those whose identity changed. A principal by itself
// with the identity of its own number needs no row.
func (r *resolution) store(ctx context.Context, nodes []resolvedNode, parts *identity.Partition) error {
	plain := make([]identity.Node, len(nodes))
	for i, n := range nodes {
		plain[i] = n.Node
	}
	now, err := identity.Assign(plain, parts)
	if err != nil {
		return err
	}
	sizes := map[graph.IdentityID]int{}
	for _, i := range now {
		sizes[i]++
	}
	var changes [][]any
	for i, n := range nodes {
		writes := sizes[now[i]] > 1 || now[i] != n.Principal.OwnIdentity()
		switch {
		case writes && (!n.written || n.Was != now[i]):
			changes = append(changes, []any{[16]byte(n.Principal), n.connection, [16]byte(now[i])})
		case !writes && n.written:
			changes = append(changes, []any{[16]byte(n.Principal), n.connection, nil})
		}
	}
	if _, err := r.tx.Exec(ctx, `
		create temporary table identity_now (principal_id uuid not null, connection_id bigint not null, identity_id uuid) on commit drop`); err != nil {
		return fmt.Errorf("write identities: %w", err)
	}
	if _, err := r.tx.CopyFrom(ctx, pgx.Identifier{"identity_now"}, []string{"principal_id", "connection_id", "identity_id"}, pgx.CopyFromRows(changes)); err != nil {
		return fmt.Errorf("write identities: %w", err)
	}
	return r.apply(ctx)
}

// apply ends the versions of those that changed or are gone, and begins others.
func (r *resolution) apply(ctx context.Context) error {
	if _, err := r.tx.Exec(ctx, "analyze identity_now, identity_numbers"); err != nil {
		return fmt.Errorf("analyse identities: %w", err)
	}
	_, err := r.tx.Exec(ctx, `
		update identity_members m set valid_to = $2, ended_run_id = $3, ended_correction_id = $4
		from (
		  select principal_id from identity_now
		  union
		  select n.principal_id from identity_nodes n where not exists (select from identity_numbers l where l.principal_id = n.principal_id)) x
		where m.workspace_id = $1 and m.principal_id = x.principal_id and m.valid_to is null`, r.workspace, r.at, r.run, r.correction)
	if err != nil {
		return fmt.Errorf("end identities: %w", err)
	}
	_, err = r.tx.Exec(ctx, `
		insert into identity_members (workspace_id, identity_id, principal_id, connection_id, run_id, correction_id, valid_from)
		select $1, identity_id, principal_id, connection_id, $3, $4, $2 from identity_now where identity_id is not null`,
		r.workspace, r.at, r.run, r.correction)
	if err != nil {
		return fmt.Errorf("write identities: %w", err)
	}
	return nil
}
