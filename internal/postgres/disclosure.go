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
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
)

// Disclose notes that a configuration goes to the holder of a run, and returns
// what to open. The note and the audit event are committed before it returns.
func (s *Connections) Disclose(ctx context.Context, claim connection.Claim, e audit.Event) (conn connection.Connection, sealed *connection.Sealed, err error) {
	w := claim.Scope.Workspace
	err = s.db.InWorkspace(ctx, w, func(tx pgx.Tx) error {
		c, op, err := lockClaimed(ctx, tx, claim)
		if err != nil {
			return err
		}
		q := dbsqlc.New(tx)
		// Locks the connection, so that both halves are of one version.
		used, err := q.NoteConnectionUse(ctx, dbsqlc.NoteConnectionUseParams{
			WorkspaceID: int64(w), ConnectionID: int64(c), IsTest: op == operation.ConnectionTest,
		})
		if err != nil {
			return fmt.Errorf("note the use of a connection: %w", err)
		}
		if used == 0 {
			return unusable(ctx, q, w, c, op)
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
		if conn, err = getConnection(ctx, q, w, c); err != nil {
			return err
		}
		if sealed, err = getCredential(ctx, tx, w, c); err != nil {
			return err
		}
		e.TargetID = c.String()
		if len(conn.ConfigRefs) > 0 {
			// They are resolved once this is committed, like the secrets opened.
			e.Payload["references"] = conn.ConfigRefs
		}
		// The tenant is the row's; a claim need not know it.
		return record(ctx, tx, conn.Scope, e)
	})
	if err != nil {
		return connection.Connection{}, nil, err
	}
	return conn, sealed, nil
}

// lockClaimed returns the connection and the operation of a run that the claim holds now. The run
// stays as it is until the transaction ends.
func lockClaimed(ctx context.Context, tx pgx.Tx, claim connection.Claim) (id.Connection, operation.Type, error) {
	stale := fault.New(fault.Stale, "the run is not held with this token any more")
	run, err := dbsqlc.New(tx).LockRunForDisclosure(ctx, dbsqlc.LockRunForDisclosureParams{
		WorkspaceID: int64(claim.Scope.Workspace), RunID: int64(claim.Run),
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, "", stale
	}
	if err != nil {
		return 0, "", fmt.Errorf("lock a run: %w", err)
	}
	if subtle.ConstantTimeCompare(run.TokenHash, claim.TokenHash[:]) != 1 || run.Epoch != claim.Epoch || !run.Held || run.ConnectionID == nil {
		return 0, "", stale
	}
	return id.Connection(*run.ConnectionID), operation.Type(run.OperationType), nil
}

// unusable says why a connection's configuration is not handed out any more. The
// error is none that a worker would repeat the call for, or leave the run for.
func unusable(ctx context.Context, q *dbsqlc.Queries, w id.Workspace, c id.Connection, op operation.Type) error {
	conn, err := getConnection(ctx, q, w, c)
	if fault.KindOf(err) == fault.NotFound {
		return fault.New(fault.NotFound, "connection %s has been deleted", c)
	}
	if err != nil {
		return err
	}
	why, _ := conn.Ready(op)
	return fault.New(fault.Invalid, "connection %s may not be used: %s", c, operation.Explain(why).Short)
}
