package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/identity"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// trustSettings are for a connection of any size, whose principals are all looked
// at. A request waits for it, so that it may not take as long as a publish.
const trustSettings = `
	set local statement_timeout = '2min';
	set local work_mem = '64MB'`

// Trust begins or ends to believe a connection's unverified identifiers, and
// finds anew who is the same among those who have some.
func (s *Identities) Trust(ctx context.Context, c workspace.Caller, of id.Connection, trusted bool, reason string, e audit.Event) error {
	return s.correct(ctx, c, e, func(k *correction) (bool, error) {
		if !slices.Contains(k.connections, int64(of)) {
			return false, fault.New(fault.NotFound, "there is no connection %s", of)
		}
		is, err := k.q.IsIdentitySource(ctx, dbsqlc.IsIdentitySourceParams{WorkspaceID: int64(k.workspace), ConnectionID: int64(of)})
		if err != nil {
			return false, fmt.Errorf("look for trust: %w", err)
		}
		if is == trusted {
			return false, nil
		}
		kind := identity.Trust
		if !trusted {
			kind = identity.Distrust
		}
		if err := k.begin(ctx, kind, reason); err != nil {
			return false, err
		}
		if trusted {
			err = k.q.InsertIdentitySource(ctx, dbsqlc.InsertIdentitySourceParams{WorkspaceID: int64(k.workspace), ConnectionID: int64(of), CorrectionID: k.id})
		} else {
			err = k.q.DeleteIdentitySource(ctx, dbsqlc.DeleteIdentitySourceParams{WorkspaceID: int64(k.workspace), ConnectionID: int64(of)})
		}
		if err != nil {
			return false, fmt.Errorf("change trust: %w", err)
		}
		if _, err := k.tx.Exec(ctx, trustSettings); err != nil {
			return false, err
		}
		_, err = k.tx.Exec(ctx, `
			insert into identity_keys (type, value, round)
			select distinct type, value, 0 from principal_identifiers
			where workspace_id = $1 and connection_id = $2 and valid_to is null and standing = 'unverified'`, k.workspace, of)
		if err != nil {
			return false, fmt.Errorf("seed identities: %w", err)
		}
		_, err = k.tx.Exec(ctx, `
			insert into identity_nodes (principal_id, connection_id, round)
			select principal_id, connection_id, 0 from identity_members where workspace_id = $1 and connection_id = $2 and valid_to is null`, k.workspace, of)
		if err != nil {
			return false, fmt.Errorf("seed identities: %w", err)
		}
		return true, k.resolution().resolve(ctx)
	})
}

// forgetIdentities takes the principals of a deleted connection out of the
// identities of others, with everything that was known of them.
func forgetIdentities(ctx context.Context, tx pgx.Tx, w id.Workspace, of int64) error {
	if _, err := tx.Exec(ctx, "set local statement_timeout = '30min'"); err != nil {
		return err
	}
	if err := createResolution(ctx, tx); err != nil {
		return err
	}
	at, err := lockIdentities(ctx, tx, int64(w))
	if err != nil {
		return err
	}
	r := &resolution{tx: tx, workspace: int64(w), at: at}
	for _, seed := range []string{`
		insert into identity_keys (type, value, round)
		select distinct type, value, 0 from principal_identifiers where workspace_id = $1 and connection_id = $2 and valid_to is null`, `
		insert into identity_nodes (principal_id, connection_id, round)
		select distinct o.principal_id, o.connection_id, 0
		from identity_members m
		join identity_members o on o.workspace_id = m.workspace_id and o.identity_id = m.identity_id
		where m.workspace_id = $1 and m.connection_id = $2 and m.valid_to is null and o.valid_to is null`} {
		if _, err := tx.Exec(ctx, seed, r.workspace, of); err != nil {
			return fmt.Errorf("seed identities: %w", err)
		}
	}
	for _, table := range []string{"principal_identifiers", "identity_members", "identity_joins", "identity_sources"} {
		if _, err := tx.Exec(ctx, "delete from "+table+" where workspace_id = $1 and connection_id = $2", r.workspace, of); err != nil {
			return fmt.Errorf("forget %s: %w", table, err)
		}
	}
	return r.resolve(ctx)
}
