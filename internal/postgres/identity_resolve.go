package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/identity"
)

// resolution finds anew who is the same around what changed. What changed stands
// in temporary tables before it begins: identifiers that came or went, in
// identity_keys, and principals, in identity_nodes, each in round 0.
type resolution struct {
	tx        pgx.Tx
	workspace int64
	// at is the moment of the change, by the workspace's clock of identities.
	at time.Time
	// run or correction is what changes them; neither when a connection goes.
	run, correction *int64
	// live are the connections whose graph counts, trusted those whose unverified
	// identifiers are believed.
	live, trusted []int64
}

// createResolution makes the tables of a resolution. Its statements are planned each
// time, for the connections that they are about.
func createResolution(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, `
		set local plan_cache_mode = force_custom_plan;
		create temporary table identity_keys (
		  key_id bigint generated always as identity, type text collate "C" not null, value text collate "C" not null, round integer not null,
		  holders bigint, shared boolean, primary key (value, type)) on commit drop;
		create temporary table identity_nodes (principal_id uuid primary key, connection_id bigint not null, round integer not null) on commit drop`)
	if err != nil {
		return fmt.Errorf("prepare to find identities: %w", err)
	}
	return nil
}

// lockIdentities takes the workspace's identities in hand until the transaction
// ends, and returns the moment of its change, which is after all earlier ones.
// What others have changed is seen by the statements that follow.
func lockIdentities(ctx context.Context, tx pgx.Tx, workspace int64) (moment time.Time, err error) {
	err = tx.QueryRow(ctx, `
		insert into identity_clocks as c (workspace_id, changed_at) values ($1, clock_timestamp())
		on conflict (workspace_id) do update set changed_at = greatest(clock_timestamp(), c.changed_at + interval '1 microsecond')
		returning changed_at`, workspace).Scan(&moment)
	if err != nil {
		return moment, fmt.Errorf("take the identities in hand: %w", err)
	}
	return moment, nil
}

// bulk is from how many principals on reading whole tables beats looking each up.
const bulk = 20_000

// resolve does it. The caller has the workspace's identities in hand.
func (r *resolution) resolve(ctx context.Context) error {
	if err := r.loadConnections(ctx); err != nil {
		return err
	}
	if err := r.gather(ctx); err != nil {
		return err
	}
	nodes, err := r.readNodes(ctx)
	if err != nil {
		return err
	}
	parts := identity.NewPartition(len(nodes))
	if err := r.readSplits(ctx, parts); err != nil {
		return err
	}
	if err := r.readGroups(ctx, parts); err != nil {
		return err
	}
	return r.store(ctx, nodes, parts)
}

func (r *resolution) loadConnections(ctx context.Context) error {
	err := r.tx.QueryRow(ctx, `
		select coalesce(array_agg(c.connection_id), '{}'), coalesce(array_agg(c.connection_id) filter (where s.connection_id is not null), '{}')
		from connections c
		left join identity_sources s on s.workspace_id = c.workspace_id and s.connection_id = c.connection_id
		where c.workspace_id = $1 and c.deleted_at is null`, r.workspace).Scan(&r.live, &r.trusted)
	if err != nil {
		return fmt.Errorf("list connections: %w", err)
	}
	return nil
}

// joins is the condition on an identifier i that it may join; it takes the
// parameters $2 and $3, live and trusted.
const joins = `i.valid_to is null and i.connection_id = any ($2) and (i.standing = 'verified' or i.standing = 'unverified' and i.connection_id = any ($3))`

// gather widens what changed to all that it may have an influence on: everybody
// who shares an identifier, is joined or was joined, and so on. Those who are
// joined come at once, so that a long chain takes no more rounds than there are
// splits in it.
func (r *resolution) gather(ctx context.Context) error {
	for round := 0; ; round++ {
		_, err := r.tx.Exec(ctx, `
			insert into identity_keys (type, value, round)
			select distinct i.type, i.value, $4::integer
			from identity_nodes n
			join principal_identifiers i on i.principal_id = n.principal_id
			where n.round = $4 and i.workspace_id = $1 and `+joins+`
			on conflict do nothing`, r.workspace, r.live, r.trusted, round)
		if err != nil {
			return fmt.Errorf("gather identifiers: %w", err)
		}
		if err := r.countHolders(ctx, round); err != nil {
			return err
		}
		found, err := r.addNodes(ctx, round)
		if err != nil || found == 0 {
			return err
		}
	}
}

// countHolders finds out how many hold the identifiers of a round, and so which
// are shared.
func (r *resolution) countHolders(ctx context.Context, round int) error {
	if _, err := r.tx.Exec(ctx, "analyze identity_keys, identity_nodes"); err != nil {
		return fmt.Errorf("analyse identifiers: %w", err)
	}
	var large bool
	if err := r.tx.QueryRow(ctx, "select count(*) > $2 from identity_keys where round = $1", round, bulk).Scan(&large); err != nil {
		return fmt.Errorf("count identifiers: %w", err)
	}
	if _, err := r.tx.Exec(ctx, "select set_config('enable_nestloop', $1, true)", offIf(large)); err != nil {
		return err
	}
	_, err := r.tx.Exec(ctx, `
		update identity_keys k set holders = c.holders, shared = c.shared
		from (
		  select key_id, sum(n)::bigint as holders, max(n) > $5 or sum(n) > $6 as shared
		  from (
		    select k.key_id, i.connection_id, count(*) as n
		    from identity_keys k
		    join principal_identifiers i on i.type = k.type and i.value = k.value
		    where k.round = $4 and i.workspace_id = $1 and `+joins+`
		    group by k.key_id, i.connection_id) each_connection
		  group by key_id) c
		where c.key_id = k.key_id`, r.workspace, r.live, r.trusted, round, identity.MaxSharedInConnection, identity.MaxShared)
	if err != nil {
		return fmt.Errorf("count who shares identifiers: %w", err)
	}
	return nil
}

func offIf(large bool) string {
	if large {
		return "off"
	}
	return "on"
}

// addNodes adds the next round of principals. Of an identifier that too many
// share, only those who are joined come: it may have joined them before.
func (r *resolution) addNodes(ctx context.Context, round int) (found int64, err error) {
	for _, source := range []struct {
		sql  string
		args []any
	}{
		{`
		select distinct i.principal_id, i.connection_id
		from identity_keys k
		join principal_identifiers i on i.type = k.type and i.value = k.value
		where k.round = $4 and k.holders > 1 and i.workspace_id = $1 and ` + joins + ` and (not k.shared or exists (
		  select from identity_members m where m.workspace_id = $1 and m.principal_id = i.principal_id and m.valid_to is null))`, []any{r.workspace, r.live, r.trusted, round}},
		{`
		select distinct o.principal_id, o.connection_id
		from identity_nodes n
		join identity_members m on m.principal_id = n.principal_id
		join identity_members o on o.identity_id = m.identity_id
		where n.round = $2 and m.workspace_id = $1 and m.valid_to is null and o.workspace_id = $1 and o.valid_to is null`, []any{r.workspace, round}},
		{`
		select distinct o.principal_id, o.connection_id
		from identity_nodes n
		join identity_members o on o.identity_id = n.principal_id
		where n.round = $2 and o.workspace_id = $1 and o.valid_to is null`, []any{r.workspace, round}},
		{`
		select distinct o.principal_id, o.connection_id
		from identity_nodes n
		join identity_joins j on j.principal_id = n.principal_id
		join identity_joins o on o.correction_id = j.correction_id
		where n.round = $2 and j.workspace_id = $1 and o.workspace_id = $1`, []any{r.workspace, round}},
	} {
		tag, err := r.tx.Exec(ctx, fmt.Sprintf("insert into identity_nodes (principal_id, connection_id, round) select s.*, %d from (%s) s on conflict do nothing", round+1, source.sql),
			source.args...)
		if err != nil {
			return 0, fmt.Errorf("gather principals: %w", err)
		}
		found += tag.RowsAffected()
	}
	return found, nil
}
