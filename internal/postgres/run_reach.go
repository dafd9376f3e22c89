package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// Reach notes what the holder of a run reaches, or ends the run.
func (s *Runs) Reach(ctx context.Context, f run.Fence, r run.Reached) (ok bool, err error) {
	err = s.withHeld(ctx, f, func(tx pgx.Tx, row dbsqlc.Run) error {
		former, err := replaced(ctx, tx, row)
		if err != nil {
			return err
		}
		target, wrong, err := s.noteReached(ctx, tx, row, r, !former)
		if err != nil {
			return err
		}
		by := audit.Worker(orZero(row.Worker))
		switch {
		case wrong != nil:
			return s.complete(ctx, tx, row, wrongEnding(wrong, by))
		case former && target == nil:
			// Whether this is the organisation that the connection is meant for,
			// only its present configuration can say.
			return s.complete(ctx, tx, row, replacedEnding(by))
		}
		ok = true
		err = dbsqlc.New(tx).NoteRunReached(ctx, dbsqlc.NoteRunReachedParams{WorkspaceID: row.WorkspaceID, RunID: row.RunID, TargetID: target})
		if err != nil {
			return fmt.Errorf("note what a run reaches: %w", err)
		}
		return nil
	})
	return ok, err
}

// wrongReach is why credentials are not those of a connection.
type wrongReach struct {
	reason  operation.Code
	message string
}

func wrongEnding(w *wrongReach, by audit.Actor) run.Ending {
	return run.Ending{Outcome: run.Failed, Reason: w.reason, Failure: &run.Failure{Message: w.message}, By: by}
}

// replacedEnding is how a run ends that can do nothing with the configuration it
// was given, because another has taken its place.
func replacedEnding(by audit.Actor) run.Ending {
	return run.Ending{
		Outcome: run.Cancelled, Reason: operation.ConfigurationChanged, By: by,
		Failure: &run.Failure{Message: "the connection's configuration was changed during the run; start another, which uses the new one"},
	}
}

// noteTries bounds how often it is tried again because another connection was
// noted at the same moment.
const noteTries = 3

// replaced says that the configuration which the holder of a run was given is not
// the connection's any more. It locks the connection.
func replaced(ctx context.Context, tx pgx.Tx, row dbsqlc.Run) (bool, error) {
	was, err := dbsqlc.New(tx).LockConfiguration(ctx, dbsqlc.LockConfigurationParams{
		WorkspaceID: row.WorkspaceID, ConnectionID: orZero(row.ConnectionID), RunID: row.RunID, Epoch: row.Epoch,
	})
	if err != nil {
		return false, fmt.Errorf("compare a run's configuration with its connection's: %w", err)
	}
	return was, nil
}

// noteReached compares what was reached with what the run's connection is for.
// With keep, and if nothing is wrong, it becomes what the connection is for; the
// first to reach a target becomes its default. It returns the connection's
// target, nil if it has none or has been deleted. The connection is locked, by
// [replaced].
func (s *Runs) noteReached(ctx context.Context, tx pgx.Tx, row dbsqlc.Run, r run.Reached, keep bool) (target *int64, wrong *wrongReach, err error) {
	q := dbsqlc.New(tx)
	conn := orZero(row.ConnectionID)
	known, err := q.GetConnectionTarget(ctx, dbsqlc.GetConnectionTargetParams{WorkspaceID: row.WorkspaceID, ConnectionID: conn})
	if err != nil {
		return nil, nil, fmt.Errorf("find the connection's target: %w", err)
	}
	if known.DeletedAt != nil {
		return nil, nil, nil
	}
	if known.TargetID != nil && known.ProviderTargetID != r.Target.ID {
		message := run.Sanitise(fmt.Sprintf("the credentials reach %s; the connection is for %s", r.Target.ID, known.ProviderTargetID))
		return known.TargetID, &wrongReach{operation.TargetMismatch, message}, nil
	}
	if !keep {
		return known.TargetID, nil, nil
	}
	name := r.Target.Name
	if name == "" {
		name = r.Target.ID
	}
	found, err := q.UpsertTarget(ctx, dbsqlc.UpsertTargetParams{
		WorkspaceID: row.WorkspaceID, ProviderSystem: known.ProviderSystem, ProviderTargetID: r.Target.ID, TargetType: r.Target.Type, Name: name,
	})
	if err != nil {
		return nil, nil, fmt.Errorf("store target: %w", err)
	}
	note := dbsqlc.NoteReachedParams{
		WorkspaceID: row.WorkspaceID, ConnectionID: conn, TargetID: &found, ActsAs: orNull(r.ActsAs), MayBeDefault: true,
	}
	for range noteTries {
		wrong, err := actingAlready(ctx, q, note, known.IntegrationID)
		if wrong != nil || err != nil {
			return &found, wrong, err
		}
		// Another connection may be noted at the same moment; the unique indexes
		// decide, in a transaction inside this one.
		err = pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error { return dbsqlc.New(tx).NoteReached(ctx, note) })
		switch {
		case err == nil:
			return &found, nil, nil
		case violates(err, "connections_one_default"):
			note.MayBeDefault = false
		case !violates(err, "connections_acts_as_unique"):
			return nil, nil, fmt.Errorf("note what the connection reaches: %w", err)
		}
	}
	return nil, nil, errors.New("what the connection reaches could not be noted")
}

// actingAlready names the other connection that acts as the same identity.
func actingAlready(ctx context.Context, q *dbsqlc.Queries, note dbsqlc.NoteReachedParams, which string) (*wrongReach, error) {
	if note.ActsAs == nil {
		return nil, nil
	}
	other, err := q.FindActingAs(ctx, dbsqlc.FindActingAsParams{
		WorkspaceID: note.WorkspaceID, ConnectionID: note.ConnectionID, TargetID: note.TargetID, IntegrationID: which, ActsAs: note.ActsAs,
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for the same identity: %w", err)
	}
	message := run.Sanitise(fmt.Sprintf("%s (%s) acts as the same identity in the same organisation", id.Connection(other.ConnectionID), other.Name))
	return &wrongReach{operation.ConnectionDuplicate, message}, nil
}
