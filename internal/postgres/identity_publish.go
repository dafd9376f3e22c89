package postgres

import (
	"context"
	"fmt"
)

// mergeIdentities finds anew who is the same among the principals that the
// publication changed. It comes last: from here on, whoever else changes
// identities of the workspace waits for the commit.
func (p *publication) mergeIdentities(ctx context.Context, firstLoad bool) error {
	changed, err := p.changedPrincipals(ctx, firstLoad)
	if err != nil || changed == 0 {
		return err
	}
	touched, err := p.mergeIdentifiers(ctx)
	if err != nil {
		return err
	}
	affected, err := p.seedIdentities(ctx)
	if err != nil || touched+affected == 0 {
		return err
	}
	// Others wait for a publish as long as it may take.
	if _, err := p.tx.Exec(ctx, "set local lock_timeout = '30min'"); err != nil {
		return err
	}
	at, err := lockIdentities(ctx, p.tx, p.row.WorkspaceID)
	if err != nil {
		return err
	}
	r := &resolution{tx: p.tx, workspace: p.row.WorkspaceID, at: at, run: &p.row.RunID}
	return r.resolve(ctx)
}

// changedPrincipals lists the principals that the publication changed and that
// have to do with identities: those that have identifiers, or had, or that are
// or were joined. In a first load, that is those with identifiers.
func (p *publication) changedPrincipals(ctx context.Context, firstLoad bool) (int64, error) {
	from := `
		from entities_diff d
		where d.what in ('new', 'changed', 'gone') and (
		  exists (
		    select from entities e
		    where e.workspace_id = $1 and e.connection_id = $2 and e.entity_id = d.entity_id and e.valid_to is null
		      and e.kind = 'Principal' and e.identifiers is not null)
		  or exists (select from principal_identifiers i where i.workspace_id = $1 and i.principal_id = d.entity_id and i.valid_to is null)
		  or exists (select from identity_members m where m.workspace_id = $1 and m.principal_id = d.entity_id and m.valid_to is null)
		  or exists (select from identity_members m where m.workspace_id = $1 and m.identity_id = d.entity_id and m.valid_to is null)
		  or exists (select from identity_joins j where j.workspace_id = $1 and j.principal_id = d.entity_id))`
	if firstLoad {
		from = `
		from entities d
		where d.workspace_id = $1 and d.connection_id = $2 and d.valid_to is null and d.kind = 'Principal' and d.identifiers is not null`
	}
	tag, err := p.tx.Exec(ctx, "create temporary table identity_changed on commit drop as select d.entity_id as principal_id"+from, p.row.WorkspaceID, int64(p.conn))
	if err != nil {
		return 0, fmt.Errorf("list changed principals: %w", err)
	}
	if _, err := p.tx.Exec(ctx, "analyze identity_changed"); err != nil {
		return 0, fmt.Errorf("analyse changed principals: %w", err)
	}
	return tag.RowsAffected(), nil
}

// mergeIdentifiers brings what the changed principals are known by up to date,
// and lists the identifiers that came or went.
func (p *publication) mergeIdentifiers(ctx context.Context) (touched int64, err error) {
	_, err = p.tx.Exec(ctx, `
		create temporary table identity_wanted on commit drop as
		select distinct on (e.entity_id, i.type, i.key) e.entity_id as principal_id, i.type, i.key as value, i.standing
		from identity_changed c
		join entities e on e.entity_id = c.principal_id
		cross join lateral jsonb_to_recordset(e.identifiers) as i (type text, key text, standing text)
		where e.workspace_id = $1 and e.connection_id = $2 and e.valid_to is null and e.kind = 'Principal' and i.key is not null
		order by e.entity_id, i.type, i.key, i.standing <> 'verified', i.standing <> 'unverified'`, p.row.WorkspaceID, int64(p.conn))
	if err != nil {
		return 0, fmt.Errorf("read identifiers: %w", err)
	}
	_, err = p.tx.Exec(ctx, `
		analyze identity_wanted;
		create temporary table identity_touched (principal_id uuid not null, type text collate "C" not null, value text collate "C" not null) on commit drop`)
	if err != nil {
		return 0, fmt.Errorf("read identifiers: %w", err)
	}
	gone, err := p.tx.Exec(ctx, `
		with gone as (
		  update principal_identifiers i set valid_to = $3
		  from identity_changed c
		  where i.workspace_id = $1 and i.connection_id = $2 and i.principal_id = c.principal_id and i.valid_to is null and not exists (
		    select from identity_wanted w where w.principal_id = i.principal_id and w.type = i.type and w.value = i.value and w.standing = i.standing)
		  returning i.principal_id, i.type, i.value)
		insert into identity_touched select principal_id, type, value from gone`, p.row.WorkspaceID, int64(p.conn), p.at)
	if err != nil {
		return 0, fmt.Errorf("end identifiers: %w", err)
	}
	come, err := p.tx.Exec(ctx, `
		with come as (
		  insert into principal_identifiers (workspace_id, connection_id, principal_id, type, value, standing, first_run_id, valid_from)
		  select $1, $2, w.principal_id, w.type, w.value, w.standing, $4, $3
		  from identity_wanted w
		  where not exists (
		    select from principal_identifiers i
		    where i.workspace_id = $1 and i.principal_id = w.principal_id and i.type = w.type and i.value = w.value and i.valid_to is null)
		  returning principal_id, type, value)
		insert into identity_touched select principal_id, type, value from come`, p.row.WorkspaceID, int64(p.conn), p.at, p.row.RunID)
	if err != nil {
		return 0, fmt.Errorf("write identifiers: %w", err)
	}
	_, err = p.tx.Exec(ctx, "analyze identity_touched")
	return gone.RowsAffected() + come.RowsAffected(), err
}

// seedIdentities lists the changed principals whose place among the identities
// may have changed with them, whatever their identifiers: those that are joined,
// that somebody joined by hand, or whose number is the identity of others.
func (p *publication) seedIdentities(ctx context.Context) (int64, error) {
	if err := createResolution(ctx, p.tx); err != nil {
		return 0, err
	}
	_, err := p.tx.Exec(ctx, `
		insert into identity_keys (type, value, round) select distinct type, value, 0 from identity_touched`)
	if err != nil {
		return 0, fmt.Errorf("seed identities: %w", err)
	}
	tag, err := p.tx.Exec(ctx, `
		insert into identity_nodes (principal_id, connection_id, round)
		select c.principal_id, $2, 0
		from identity_changed c
		where exists (select from identity_members m where m.workspace_id = $1 and m.principal_id = c.principal_id and m.valid_to is null)
		  or exists (select from identity_members m where m.workspace_id = $1 and m.identity_id = c.principal_id and m.valid_to is null)
		  or exists (select from identity_joins j where j.workspace_id = $1 and j.principal_id = c.principal_id)`, p.row.WorkspaceID, int64(p.conn))
	if err != nil {
		return 0, fmt.Errorf("seed identities: %w", err)
	}
	return tag.RowsAffected(), nil
}
