package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// Staging tables belong to one run each. They are unlogged and without indexes,
// their maker's own, and row-level security does not apply to them (binary COPY
// refuses it); the run's fence is what guards them. Their JSON is text: what has
// not changed, which is most of a re-run, is never parsed. That it can be stored
// is a rule of the contract, which every batch is checked against.

func stagedEntities(r id.Run) pgx.Identifier {
	return pgx.Identifier{"staging", fmt.Sprintf("entities_%d", int64(r))}
}

func stagedRelationships(r id.Run) pgx.Identifier {
	return pgx.Identifier{"staging", fmt.Sprintf("relationships_%d", int64(r))}
}

// createStaging makes a run's staging tables, empty.
func createStaging(ctx context.Context, tx pgx.Tx, r id.Run) error {
	if err := dropStaging(ctx, tx, r); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, fmt.Sprintf(`
		create unlogged table %s (
			partition_id bigint not null, entity_id uuid not null, kind entity_kind not null, provider_id text not null,
			name text not null, type text not null, identifiers text, attributes text, content_hash uuid not null,
			shared boolean not null default false);
		create unlogged table %s (
			partition_id bigint not null, relationship_id uuid not null, from_id uuid not null, to_id uuid not null,
			kind relationship_kind not null, key text not null, effect grant_effect not null, terms text, attributes text, content_hash uuid not null,
			shared boolean not null default false)`,
		stagedEntities(r).Sanitize(), stagedRelationships(r).Sanitize()))
	if err != nil {
		return fmt.Errorf("create staging tables: %w", err)
	}
	return nil
}

func dropStaging(ctx context.Context, tx pgx.Tx, r id.Run) error {
	_, err := tx.Exec(ctx, fmt.Sprintf("drop table if exists %s, %s", stagedEntities(r).Sanitize(), stagedRelationships(r).Sanitize()))
	if err != nil {
		return fmt.Errorf("drop staging tables: %w", err)
	}
	return nil
}

// stagingExists reports whether a run has staging tables. They are in the
// catalogue, which survives a crash of the server, unlike what is in them.
func stagingExists(ctx context.Context, tx pgx.Tx, r id.Run) (exists bool, err error) {
	err = tx.QueryRow(ctx, "select to_regclass($1) is not null", stagedEntities(r).Sanitize()).Scan(&exists)
	if err != nil {
		return false, fmt.Errorf("look for staging tables: %w", err)
	}
	return exists, nil
}

// errStagingGone is behind the refusal of whatever continues what is gone.
var errStagingGone = errors.New("a crash of the server has emptied the staging tables")

// startsOver tells a worker that a crash took what it had sent.
func startsOver(r id.Run) error {
	return fault.Wrap(fault.Stale, errStagingGone, "run %s starts over: what it had staged is gone", r)
}
