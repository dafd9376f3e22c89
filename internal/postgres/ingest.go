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
// that the sender holds the run.
func (s *Graph) Stage(ctx context.Context, f run.Fence, b graph.StagedBatch) error {
	err := s.runs.withHeld(ctx, f, func(tx pgx.Tx, row dbsqlc.Run) error {
		if row.CancelRequestedAt != nil {
			return fault.New(fault.Stale, "run %s has been cancelled", f.Run)
		}
		q := dbsqlc.New(tx)
		partition, again, err := s.expectBatch(ctx, tx, q, row, &b)
		if err != nil || again {
			return err
		}
		if err := copyStaged(ctx, tx, f.Run, partition, &b); err != nil {
			return err
		}
		return advanceIngest(ctx, q, row, partition, &b)
	})
	if refusesData(err) {
		return fault.Wrap(fault.Invalid, err, "contract violation: stream %s, batch %d holds a value that cannot be stored", b.Stream, b.Number)
	}
	return err
}

// expectBatch sees to it that batches are 0…n−1, once each, and returns the
// partition of this one. again means that it is stored already.
func (s *Graph) expectBatch(ctx context.Context, tx pgx.Tx, q *dbsqlc.Queries, row dbsqlc.Run, b *graph.StagedBatch) (partition int64, again bool, err error) {
	state, err := q.ExpectBatch(ctx, dbsqlc.ExpectBatchParams{
		WorkspaceID: row.WorkspaceID, RunID: row.RunID, Stream: b.Stream, PartitionKey: b.Partition,
	})
	switch r := id.Run(row.RunID); {
	case errors.Is(err, pgx.ErrNoRows):
		if b.Number != 0 {
			return 0, false, missingBefore(ctx, tx, r, b.Number)
		}
		if _, err := q.BeginIngest(ctx, dbsqlc.BeginIngestParams{WorkspaceID: row.WorkspaceID, RunID: row.RunID}); err != nil {
			return 0, false, err
		}
		if err := createStaging(ctx, tx, r); err != nil {
			return 0, false, err
		}
	case err != nil:
		return 0, false, err
	case b.Number == state.NextBatch-1 && bytes.Equal(state.LastDigest, b.Digest[:]):
		return 0, true, nil
	case b.Number == state.NextBatch-1:
		return 0, false, fault.New(fault.Conflict, "batch %d is stored already, with other content", b.Number)
	case b.Number != state.NextBatch:
		return 0, false, fault.New(fault.Conflict, "batch %d is out of order; the next one is %d", b.Number, state.NextBatch)
	case state.Coverage != nil:
		return 0, false, fault.New(fault.Conflict, "partition %q of stream %s has already ended", b.Partition, b.Stream)
	case state.PartitionID != nil:
		return *state.PartitionID, false, nil
	}
	partition, err = beginPartition(ctx, q, row, b)
	return partition, false, err
}

// missingBefore refuses a batch of a run that has none: a crash took those before
// it, or it overtook the first one, which another process has in hand.
func missingBefore(ctx context.Context, tx pgx.Tx, r id.Run, number int64) error {
	emptied, err := stagingExists(ctx, tx, r)
	switch {
	case err != nil:
		return err
	case emptied:
		return startsOver(r)
	}
	return fault.New(fault.Conflict, "batch %d is out of order; the next one is 0", number)
}

// beginPartition makes a partition known to the run, and to its connection if
// this is the first run that reads it.
func beginPartition(ctx context.Context, q *dbsqlc.Queries, row dbsqlc.Run, b *graph.StagedBatch) (int64, error) {
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

// advanceIngest counts a batch, stores the cursor after it, and how the
// partition ended, if it did. A complete end is believed only if no gap was ever
// reported.
func advanceIngest(ctx context.Context, q *dbsqlc.Queries, row dbsqlc.Run, partition int64, b *graph.StagedBatch) error {
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
	p := dbsqlc.AdvanceIngestParams{
		WorkspaceID: row.WorkspaceID, RunID: row.RunID, PartitionID: partition, LastDigest: b.Digest[:], NextCursor: string(b.Page.Next),
		Entities: int64(len(b.Entities)), Relationships: int64(len(b.Relationships)), Records: int64(len(b.Entities) + len(b.Relationships)),
		NewGaps: int64(len(b.Page.Gaps)), Gaps: gaps,
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
	return q.AdvanceIngest(ctx, p)
}

// refusesData reports whether the database could not take a value as such:
// class 22 of its codes, and class 54, a limit such as an index entry's size.
func refusesData(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (strings.HasPrefix(pg.Code, "22") || strings.HasPrefix(pg.Code, "54"))
}
