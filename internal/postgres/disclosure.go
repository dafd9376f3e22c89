package postgres

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
)

// Disclose notes that a configuration goes to the holder of a run, and returns
// what to open. The note and the audit event are committed before it returns.
func (s *Connections) Disclose(ctx context.Context, claim connection.Claim, e audit.Event) (conn connection.Connection, sealed *connection.Sealed, err error) {
	w := claim.Scope.Workspace
	err = s.db.InWorkspace(ctx, w, func(tx pgx.Tx) error {
		c, err := lockClaimed(ctx, tx, claim)
		if err != nil {
			return err
		}
		q := dbsqlc.New(tx)
		// Locks the connection, so that both halves are of one version.
		used, err := q.NoteConnectionUse(ctx, dbsqlc.NoteConnectionUseParams{WorkspaceID: int64(w), ConnectionID: int64(c)})
		if err != nil {
			return fmt.Errorf("note the use of a connection: %w", err)
		}
		if used == 0 {
			return fault.New(fault.NotFound, "connection %s has been deleted", c)
		}
		err = q.InsertDisclosure(ctx, dbsqlc.InsertDisclosureParams{
			WorkspaceID: int64(w), RunID: int64(claim.Run), Epoch: claim.Epoch, ConnectionID: int64(c),
		})
		if violates(err, "credential_disclosures_pkey") {
			return fault.Wrap(fault.Conflict, err, "the configuration has been handed out for this lease already")
		}
		if err != nil {
			return fmt.Errorf("note a disclosure: %w", err)
		}
		if conn, err = getConnection(ctx, tx, w, c); err != nil {
			return err
		}
		if sealed, err = getCredential(ctx, tx, w, c); err != nil {
			return err
		}
		e.TargetID = c.String()
		// The tenant is the row's; a claim need not know it.
		return record(ctx, tx, conn.Scope, e)
	})
	if err != nil {
		return connection.Connection{}, nil, err
	}
	return conn, sealed, nil
}

// lockClaimed returns the connection of a run that the claim holds now. The run
// stays as it is until the transaction ends.
func lockClaimed(ctx context.Context, tx pgx.Tx, claim connection.Claim) (id.Connection, error) {
	stale := fault.New(fault.Stale, "the run is not held with this token any more")
	run, err := dbsqlc.New(tx).LockRunForDisclosure(ctx, dbsqlc.LockRunForDisclosureParams{
		WorkspaceID: int64(claim.Scope.Workspace), RunID: int64(claim.Run),
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, stale
	}
	if err != nil {
		return 0, fmt.Errorf("lock a run: %w", err)
	}
	if subtle.ConstantTimeCompare(run.TokenHash, claim.TokenHash[:]) != 1 || run.Epoch != claim.Epoch || !run.Held || run.ConnectionID == nil {
		return 0, stale
	}
	return id.Connection(*run.ConnectionID), nil
}
