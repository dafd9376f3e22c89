package postgres

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// Graph keeps the access graph: it stages what runs read and publishes it. It
// implements graph.IngestStore and graph.PublishStore.
type Graph struct {
	db   *DB
	runs *Runs
}

// NewGraph makes the store of a data plane's graph.
func NewGraph(db *DB, runs *Runs) *Graph { return &Graph{db: db, runs: runs} }

// Connection returns what a run that the fence's holder holds is about. It locks
// nothing and so writes nothing: Stage checks the fence again.
func (s *Graph) Connection(ctx context.Context, f run.Fence) (conn id.Connection, which integration.ID, err error) {
	err = s.db.InWorkspace(ctx, f.Workspace, func(tx pgx.Tx) error {
		row, err := dbsqlc.New(tx).FindFencedRun(ctx, dbsqlc.FindFencedRunParams{
			WorkspaceID: int64(f.Workspace), RunID: int64(f.Run), Epoch: f.Epoch,
			LeaseID: pgtype.UUID{Bytes: f.Lease, Valid: true}, TokenHash: f.TokenHash[:],
		})
		if errors.Is(err, pgx.ErrNoRows) {
			return notHeld(f)
		}
		conn, which = id.Connection(orZero(row.ConnectionID)), integration.ID(orZero(row.IntegrationID))
		return err
	})
	return conn, which, err
}

// maxKeptGaps is how many gaps of one batch are kept word for word.
const maxKeptGaps = 10

// Stage stores a batch: rows, cursor and counters commit together with the check
// that the sender holds the run. Nothing here outlives a crash of the server,
// the tables are unlogged, so the commit does not wait for the disk; only that
// of the first batch does, because the tables' existence has to outlive one.
func (s *Graph) Stage(ctx context.Context, f run.Fence, b graph.StagedBatch) error {
	err := s.runs.withHeld(ctx, f, func(tx pgx.Tx, row dbsqlc.Run) error {
		if row.CancelRequestedAt != nil {
			return fault.New(fault.Stale, "run %s has been cancelled", f.Run)
		}
		if b.Number > 0 {
			if _, err := tx.Exec(ctx, "set local synchronous_commit = off"); err != nil {
				return err
			}
		}
		q := dbsqlc.New(tx)
		again, err := s.expectBatch(ctx, tx, q, f, &b)
		if err != nil || again {
			return err
		}
		partition, err := s.runPartition(ctx, q, row, &b)
		if err != nil {
			return err
		}
		if err := copyStaged(ctx, tx, f.Run, partition, &b); err != nil {
			return err
		}
		if err := advancePartition(ctx, q, row, partition, &b); err != nil {
			return err
		}
		return q.AdvanceIngest(ctx, dbsqlc.AdvanceIngestParams{
			WorkspaceID: row.WorkspaceID, RunID: row.RunID, LastDigest: b.Digest[:],
			Entities: int64(len(b.Entities)), Relationships: int64(len(b.Relationships)),
		})
	})
	if refusesData(err) {
		return fault.Wrap(fault.Invalid, err, "contract violation: stream %s, batch %d holds a value that cannot be stored", b.Stream, b.Number)
	}
	return err
}

// expectBatch sees to it that batches are 0…n−1, once each. again means that
// this one is stored already.
func (s *Graph) expectBatch(ctx context.Context, tx pgx.Tx, q *dbsqlc.Queries, f run.Fence, b *graph.StagedBatch) (again bool, err error) {
	state, err := q.GetIngest(ctx, dbsqlc.GetIngestParams{WorkspaceID: int64(f.Workspace), RunID: int64(f.Run)})
	if errors.Is(err, pgx.ErrNoRows) {
		if b.Number != 0 {
			return false, startsOver(f.Run)
		}
		if _, err := q.BeginIngest(ctx, dbsqlc.BeginIngestParams{WorkspaceID: int64(f.Workspace), RunID: int64(f.Run)}); err != nil {
			return false, err
		}
		return false, createStaging(ctx, tx, f.Run)
	}
	if err != nil {
		return false, err
	}
	switch {
	case b.Number == state.NextBatch:
		return false, nil
	case b.Number == state.NextBatch-1 && bytes.Equal(state.LastDigest, b.Digest[:]):
		return true, nil
	case b.Number == state.NextBatch-1:
		return false, fault.New(fault.Conflict, "batch %d is stored already, with other content", b.Number)
	}
	return false, fault.New(fault.Conflict, "batch %d is out of order; the next one is %d", b.Number, state.NextBatch)
}

// runPartition finds or creates the partition a batch belongs to.
func (s *Graph) runPartition(ctx context.Context, q *dbsqlc.Queries, row dbsqlc.Run, b *graph.StagedBatch) (int64, error) {
	known, err := q.FindRunPartition(ctx, dbsqlc.FindRunPartitionParams{
		WorkspaceID: row.WorkspaceID, RunID: row.RunID, Stream: b.Stream, PartitionKey: b.Partition,
	})
	if err == nil {
		if known.Coverage != nil {
			return 0, fault.New(fault.Conflict, "partition %q of stream %s has already ended", b.Partition, b.Stream)
		}
		return known.PartitionID, nil
	}
	if !errors.Is(err, pgx.ErrNoRows) {
		return 0, err
	}
	conn := orZero(row.ConnectionID)
	partition, err := q.FindStreamPartition(ctx, dbsqlc.FindStreamPartitionParams{
		WorkspaceID: row.WorkspaceID, ConnectionID: conn, Stream: b.Stream, PartitionKey: b.Partition,
	})
	if errors.Is(err, pgx.ErrNoRows) {
		partition, err = q.InsertStreamPartition(ctx, dbsqlc.InsertStreamPartitionParams{
			WorkspaceID: row.WorkspaceID, ConnectionID: conn, Stream: b.Stream, PartitionKey: b.Partition,
		})
	}
	if err != nil {
		return 0, fmt.Errorf("find partition: %w", err)
	}
	return partition, q.InsertRunPartition(ctx, dbsqlc.InsertRunPartitionParams{
		WorkspaceID: row.WorkspaceID, RunID: row.RunID, PartitionID: partition, Stream: b.Stream, PartitionKey: b.Partition,
	})
}

// advancePartition stores the cursor and how the partition ended, if it did. A
// complete end is believed only if no gap was ever reported.
func advancePartition(ctx context.Context, q *dbsqlc.Queries, row dbsqlc.Run, partition int64, b *graph.StagedBatch) error {
	kept := make([]string, 0, len(b.Page.Gaps))
	why := b.Failure
	for i := range b.Page.Gaps {
		if i < maxKeptGaps {
			kept = append(kept, run.SafeMessage(&b.Page.Gaps[i]))
		}
		if why == nil {
			why = &b.Page.Gaps[i]
		}
	}
	gaps, err := json.Marshal(kept)
	if err != nil {
		return fmt.Errorf("encode gaps: %w", err)
	}
	p := dbsqlc.AdvanceRunPartitionParams{
		WorkspaceID: row.WorkspaceID, RunID: row.RunID, PartitionID: partition, NextCursor: string(b.Page.Next),
		Records: int64(len(b.Entities) + len(b.Relationships)), NewGaps: int64(len(b.Page.Gaps)), Gaps: gaps,
	}
	switch b.End {
	case "":
	case connector.Complete, connector.Partial, connector.Skipped:
		p.Coverage = orNull(string(b.End))
	default:
		return fault.New(fault.Invalid, "contract violation: stream %s ends in an unknown way", b.Stream)
	}
	if why != nil {
		p.Category, p.Message = orNull(string(why.Category)), orNull(run.SafeMessage(why))
	}
	return q.AdvanceRunPartition(ctx, p)
}

// refusesData reports whether the database could not take a value as such:
// class 22 of its codes, and class 54, a limit such as an index entry's size.
func refusesData(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (strings.HasPrefix(pg.Code, "22") || strings.HasPrefix(pg.Code, "54"))
}
