package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

var _ connection.RenewalStore = (*Connections)(nil)

func renewedMeanwhile(c id.Connection) error {
	return fault.Wrap(fault.Conflict, connection.ErrRenewedMeanwhile, "the credential of %s was renewed at the same moment; try again", c)
}

// overtaken is the error of whoever has no leave to exchange any more.
func overtaken() error {
	return fault.New(fault.Stale, "another renewal has begun since, or the credential was entered anew")
}

// BeginRenewal gives leave to exchange a secret to one session at a time.
func (s *Connections) BeginRenewal(ctx context.Context, r connection.Renewal, allowed func(connection.Connection) error, e audit.Event) (g connection.RenewalGrant, err error) {
	w := r.Claim.Scope.Workspace
	err = s.db.InWorkspace(ctx, w, func(tx pgx.Tx) error {
		g = connection.RenewalGrant{}
		c, op, err := lockClaimed(ctx, tx, r.Claim)
		if err != nil {
			return err
		}
		q := dbsqlc.New(tx)
		lifecycle, err := q.LockForRenewal(ctx, dbsqlc.LockForRenewalParams{
			WorkspaceID: int64(w), ConnectionID: int64(c), RunID: int64(r.Claim.Run), Epoch: r.Claim.Epoch,
		})
		if errors.Is(err, pgx.ErrNoRows) {
			return fault.New(fault.Invalid, "the configuration of %s is not the one that this run was given; start the operation again", c)
		}
		if err != nil {
			return fmt.Errorf("lock a connection for renewal: %w", err)
		}
		now := connection.Connection{Lifecycle: connection.Lifecycle(lifecycle)}
		if _, usable := now.Ready(op); !usable {
			return unusable(ctx, q, w, c, op)
		}
		conn, err := getConnection(ctx, q, w, c)
		if err != nil {
			return err
		}
		if err := allowed(conn); err != nil {
			return err
		}
		put := dbsqlc.PutRenewalParams{
			WorkspaceID: int64(w), ConnectionID: int64(c), RenewalID: uuid.UUID(r.ID), RunID: int64(r.Claim.Run), Epoch: r.Claim.Epoch,
			TokenHash: r.Claim.TokenHash[:], LeaseFor: connection.RenewalLease,
		}
		last, err := q.GetRenewal(ctx, dbsqlc.GetRenewalParams{WorkspaceID: int64(w), ConnectionID: int64(c)})
		switch {
		case errors.Is(err, pgx.ErrNoRows):
		case err != nil:
			return fmt.Errorf("find the last renewal: %w", err)
		case last.Outcome == nil && last.RenewalID == put.RenewalID:
			// The same session asks again, because it saw no answer.
			put.UnsureSince = last.UnsureSince
		case last.Outcome == nil && last.LeaseLeft > 0:
			g.Wait = last.LeaseLeft
			return nil
		case last.Outcome == nil, *last.Outcome == string(connection.SecretUnsure), *last.Outcome == string(connection.SecretRefused):
			put.UnsureSince = last.UnsureSince
			if put.UnsureSince == nil && (last.Outcome == nil || *last.Outcome == string(connection.SecretUnsure)) {
				put.UnsureSince = &last.BegunAt
			}
		}
		sealed, err := getCredential(ctx, tx, w, c)
		if err != nil {
			return err
		}
		if sealed == nil {
			return fault.New(fault.Invalid, "%s has no stored credential; enter its secrets again", c)
		}
		if err := q.PutRenewal(ctx, put); err != nil {
			return fmt.Errorf("begin a renewal: %w", err)
		}
		g.Connection, g.Sealed = conn, sealed
		e.TargetID = c.String()
		if put.UnsureSince != nil {
			e.Payload["unsure_since"] = put.UnsureSince
		}
		return record(ctx, tx, conn.Scope, e)
	})
	if err != nil {
		return connection.RenewalGrant{}, err
	}
	return g, nil
}

// Renewing returns what the holder of a renewal is to replace.
func (s *Connections) Renewing(ctx context.Context, r connection.Renewal) (g connection.RenewalGrant, ended connection.RenewalOutcome, err error) {
	w := r.Claim.Scope.Workspace
	err = s.db.InWorkspace(ctx, w, func(tx pgx.Tx) error {
		c, outcome, err := findRenewal(ctx, tx, r)
		if err != nil {
			return err
		}
		ended = outcome
		if g.Connection, err = getConnection(ctx, dbsqlc.New(tx), w, c); err != nil {
			return err
		}
		g.Sealed, err = getCredential(ctx, tx, w, c)
		return err
	})
	return g, ended, err
}

// findRenewal returns the connection that r is about. Who asks is known by the token
// with which it began: the run may have been taken from it since, and what it was
// given by the provider is stored all the same.
func findRenewal(ctx context.Context, tx pgx.Tx, r connection.Renewal) (id.Connection, connection.RenewalOutcome, error) {
	found, err := dbsqlc.New(tx).FindRenewal(ctx, dbsqlc.FindRenewalParams{
		WorkspaceID: int64(r.Claim.Scope.Workspace), RenewalID: uuid.UUID(r.ID), RunID: int64(r.Claim.Run), Epoch: r.Claim.Epoch, TokenHash: r.Claim.TokenHash[:],
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, "", overtaken()
	}
	if err != nil {
		return 0, "", fmt.Errorf("find a renewal: %w", err)
	}
	return id.Connection(found.ConnectionID), connection.RenewalOutcome(orZero(found.Outcome)), nil
}

// StoreRenewed replaces a credential by what the provider gave for it.
func (s *Connections) StoreRenewed(ctx context.Context, r connection.Renewal, was connection.Connection, sealed connection.Sealed, e audit.Event) error {
	w := r.Claim.Scope.Workspace
	return s.db.InWorkspace(ctx, w, func(tx pgx.Tx) error {
		q := dbsqlc.New(tx)
		// Before anything of the renewal is looked at: whoever begins another, or edits,
		// locks the connection first, too.
		replaced, err := q.NoteCredentialVersion(ctx, dbsqlc.NoteCredentialVersionParams{
			WorkspaceID: int64(w), ConnectionID: int64(was.ID), CredentialVersion: sealed.Version, Was: was.CredentialVersion,
		})
		if err != nil {
			return fmt.Errorf("note the version of a credential: %w", err)
		}
		if replaced == 0 {
			return renewedMeanwhile(was.ID)
		}
		ended, err := q.EndRenewal(ctx, dbsqlc.EndRenewalParams{
			WorkspaceID: int64(w), ConnectionID: int64(was.ID), RenewalID: uuid.UUID(r.ID), Outcome: string(connection.SecretRenewed),
		})
		if err != nil {
			return fmt.Errorf("end a renewal: %w", err)
		}
		if ended == 0 {
			return overtaken()
		}
		if err := putCredential(ctx, tx, was, &sealed); err != nil {
			return err
		}
		e.TargetID = was.ID.String()
		return record(ctx, tx, was.Scope, e)
	})
}

// EndRenewal ends a renewal that gave no other secret.
func (s *Connections) EndRenewal(ctx context.Context, r connection.Renewal, o connection.RenewalOutcome, e audit.Event) error {
	w := r.Claim.Scope.Workspace
	return s.db.InWorkspace(ctx, w, func(tx pgx.Tx) error {
		c, before, err := findRenewal(ctx, tx, r)
		if err != nil {
			return err
		}
		if before == o {
			return nil // told again
		}
		q := dbsqlc.New(tx)
		locked, err := q.LockConnection(ctx, dbsqlc.LockConnectionParams{WorkspaceID: int64(w), ConnectionID: int64(c)})
		if err != nil {
			return fmt.Errorf("lock a connection: %w", err)
		}
		if locked == 0 {
			return overtaken()
		}
		last, err := q.GetRenewal(ctx, dbsqlc.GetRenewalParams{WorkspaceID: int64(w), ConnectionID: int64(c)})
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("find a renewal: %w", err)
		}
		ended, err := q.EndRenewal(ctx, dbsqlc.EndRenewalParams{WorkspaceID: int64(w), ConnectionID: int64(c), RenewalID: uuid.UUID(r.ID), Outcome: string(o)})
		if err != nil {
			return fmt.Errorf("end a renewal: %w", err)
		}
		if ended == 0 {
			return overtaken()
		}
		if o != connection.SecretRefused {
			return nil
		}
		return s.noteRefused(ctx, tx, w, c, last, e)
	})
}

// noteRefused has a connection wait for somebody to sign in at the provider again.
func (s *Connections) noteRefused(ctx context.Context, tx pgx.Tx, w id.Workspace, c id.Connection, last dbsqlc.GetRenewalRow, e audit.Event) error {
	q := dbsqlc.New(tx)
	message := "the provider does not take the stored sign-in any more; sign in there again and store what it gives"
	if last.UnsureSince != nil {
		message = fmt.Sprintf("the provider does not take the stored sign-in any more: a renewal that began at %s was never stored, so what the provider gave for it is lost; sign in there again and store what it gives",
			last.UnsureSince.UTC().Format("2006-01-02 15:04:05"))
		e.Payload["unsure_since"] = last.UnsureSince
	}
	err := q.NoteCredentialRefused(ctx, dbsqlc.NoteCredentialRefusedParams{WorkspaceID: int64(w), ConnectionID: int64(c), Message: run.Sanitise(message)})
	if err != nil {
		return fmt.Errorf("note a refused credential: %w", err)
	}
	conn, err := getConnection(ctx, q, w, c)
	if err != nil {
		return err
	}
	e.TargetID = c.String()
	return record(ctx, tx, conn.Scope, e)
}
