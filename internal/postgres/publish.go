package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// publishSettings are for one publish: it may take long, it joins large tables
// by hash, and a nested loop over them, which a planner without statistics may
// choose, would take a thousand times as long. It takes one processor and leaves
// the others to those who ask questions meanwhile. No plan of it is for the graphs of
// all connections, as one that is kept would be.
const publishSettings = `
	set local statement_timeout = '30min';
	set local work_mem = '256MB';
	set local maintenance_work_mem = '512MB';
	set local max_parallel_workers_per_gather = 0;
	set local max_parallel_maintenance_workers = 0;
	set local plan_cache_mode = force_custom_plan;
	set local enable_nestloop = off`

// publication is one publish at work.
type publication struct {
	tx     pgx.Tx
	q      *dbsqlc.Queries
	row    dbsqlc.Run
	run    id.Run
	conn   id.Connection
	at     time.Time
	counts map[string]int64
	// planComplete says that the partitions of the run are all there are in scope.
	planComplete bool
	// wholePlan says that this run, or one before it, planned all that is in scope,
	// and not only what its start had selected.
	wholePlan bool
	// complete lists the partitions that were read completely, and those that
	// went out of scope: neither show more than was staged.
	complete []int64
	// observed lists the partitions in scope that had been read completely before:
	// what is new in them was not there before.
	observed []int64
	// retired lists the partitions that went out of scope.
	retired []int64
	// whole says that no partition in scope is missing from complete.
	whole bool
	// notes are findings for the run's failure summary, beside its coverage.
	notes []string
}

// Publish merges a run that was read into the graph and completes it.
func (s *Graph) Publish(ctx context.Context, scope id.Scope, r id.Run) (published bool, err error) {
	err = s.db.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		q := dbsqlc.New(tx)
		row, mine, err := takePublishing(ctx, tx, scope.Workspace, r)
		if err != nil || !mine {
			return err
		}
		known, err := q.GetConnectionTarget(ctx, dbsqlc.GetConnectionTargetParams{WorkspaceID: row.WorkspaceID, ConnectionID: orZero(row.ConnectionID)})
		if err != nil {
			return fmt.Errorf("find the connection: %w", err)
		}
		if known.DeletedAt != nil {
			return s.runs.abandon(ctx, tx, row, run.Ending{
				Outcome: run.Failed, Reason: operation.ConnectionMissing, By: audit.System("publisher"),
				Failure: &run.Failure{Message: "the connection has been deleted; nothing of what was read was kept"},
			})
		}
		ingest, err := q.GetIngest(ctx, dbsqlc.GetIngestParams{WorkspaceID: row.WorkspaceID, RunID: row.RunID})
		if errors.Is(err, pgx.ErrNoRows) {
			// A crash emptied the staging tables: the run is read again.
			if err := q.ReadAgain(ctx, dbsqlc.ReadAgainParams{WorkspaceID: row.WorkspaceID, RunID: row.RunID}); err != nil {
				return err
			}
			return q.NotifyRuns(ctx, runReady)
		}
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, publishSettings); err != nil {
			return err
		}
		p := &publication{tx: tx, q: q, row: row, run: r, conn: id.Connection(orZero(row.ConnectionID)), counts: noChanges(), planComplete: ingest.PlanComplete}
		p.counts[graph.CountEntitiesRead] = ingest.StagedEntities
		p.counts[graph.CountRelationshipsRead] = ingest.StagedRelationships
		end, err := p.publish(ctx, ingest.NextBatch > 0)
		if err != nil {
			return err
		}
		// Locked only now: starts that join this run must not wait for the merge.
		row, err = q.LockRun(ctx, dbsqlc.LockRunParams{WorkspaceID: row.WorkspaceID, RunID: row.RunID})
		if err != nil {
			return err
		}
		published = true
		return s.runs.complete(ctx, tx, row, end)
	})
	return published && err == nil, err
}

// noChanges names what every publication counts, so that a first load, too,
// says that nothing was changed or closed.
func noChanges() map[string]int64 {
	return map[string]int64{
		graph.CountEntitiesNew: 0, graph.CountEntitiesChanged: 0, graph.CountEntitiesClosed: 0,
		graph.CountRelationshipsNew: 0, graph.CountRelationshipsChanged: 0, graph.CountRelationshipsClosed: 0,
	}
}

// publish does the work between the checks and the run's completion.
func (p *publication) publish(ctx context.Context, staged bool) (run.Ending, error) {
	var err error
	p.at, err = p.q.NextPublicationTime(ctx, dbsqlc.NextPublicationTimeParams{WorkspaceID: p.row.WorkspaceID, ConnectionID: int64(p.conn)})
	if err != nil {
		return run.Ending{}, fmt.Errorf("publication time: %w", err)
	}
	end, err := p.observe(ctx)
	if err != nil {
		return run.Ending{}, err
	}
	if staged {
		if err := p.merge(ctx); err != nil {
			return run.Ending{}, err
		}
	}
	counts, err := json.Marshal(p.counts)
	if err != nil {
		return run.Ending{}, fmt.Errorf("encode counts: %w", err)
	}
	if p.wholePlan, err = p.plannedWhole(ctx); err != nil {
		return run.Ending{}, err
	}
	coverage, err := p.keepCoverage(ctx)
	if err != nil {
		return run.Ending{}, err
	}
	err = p.q.InsertPublication(ctx, dbsqlc.InsertPublicationParams{
		WorkspaceID: p.row.WorkspaceID, RunID: p.row.RunID, ConnectionID: int64(p.conn), PublishedAt: p.at, Counts: counts, Coverage: coverage,
		Retired: notNull(p.retired), WholePlan: p.wholePlan,
	})
	if err != nil {
		return run.Ending{}, fmt.Errorf("insert publication: %w", err)
	}
	end.Counts = p.counts
	p.addNotes(&end)
	return end, nil
}

// plannedWhole says whether this run, or one before it, planned all that is in
// scope.
func (p *publication) plannedWhole(ctx context.Context) (bool, error) {
	said, err := (&run.Run{ID: p.run, Input: p.row.Input}).Said()
	if err != nil || !said.Narrows() {
		return err == nil, err
	}
	before, err := p.q.PlannedWhole(ctx, dbsqlc.PlannedWholeParams{WorkspaceID: p.row.WorkspaceID, ConnectionID: int64(p.conn)})
	if err != nil {
		return false, fmt.Errorf("find what was planned before: %w", err)
	}
	return before, nil
}

// observe stores how completely each partition was read and says how the run
// ends.
func (p *publication) observe(ctx context.Context) (run.Ending, error) {
	rows, err := p.q.ListRunPartitions(ctx, dbsqlc.ListRunPartitionsParams{WorkspaceID: p.row.WorkspaceID, RunID: p.row.RunID})
	if err != nil {
		return run.Ending{}, err
	}
	p.observed, err = p.q.ListObservedPartitions(ctx, dbsqlc.ListObservedPartitionsParams{WorkspaceID: p.row.WorkspaceID, ConnectionID: int64(p.conn)})
	if err != nil {
		return run.Ending{}, fmt.Errorf("list the partitions that were observed: %w", err)
	}
	var first *dbsqlc.ListRunPartitionsRow
	var records int64
	for i := range rows {
		row := &rows[i]
		c := coverageOf(row)
		records += row.Records
		switch c {
		case connector.Complete:
			p.complete = append(p.complete, row.PartitionID)
			p.counts[graph.CountPartitionsComplete]++
		case connector.Partial:
			p.counts[graph.CountPartitionsPartial]++
		case connector.Skipped:
			p.counts[graph.CountPartitionsSkipped]++
		}
		if c != connector.Complete && first == nil {
			first = row
		}
		if err := p.storeCoverage(ctx, row, c); err != nil {
			return run.Ending{}, err
		}
	}
	read := len(p.complete)
	if err := p.delimit(ctx, read, len(rows) > 0); err != nil {
		return run.Ending{}, err
	}
	end := run.Ending{Outcome: run.Succeeded, By: audit.System("publisher")}
	if first != nil {
		end.Outcome, end.Reason = run.PartiallySucceeded, reasonOf(first)
		if read == 0 && records == 0 {
			end.Outcome = run.Failed
		}
	}
	return end, nil
}

// delimit finds out what the connection's partitions are: those that a complete
// plan did not name are retired. read is how many of them were read completely.
// A plan that named nothing is not believed, so that a connector at fault does
// not empty the graph.
func (p *publication) delimit(ctx context.Context, read int, planned bool) error {
	if p.planComplete && planned {
		retired, err := p.q.RetireStreamPartitions(ctx, dbsqlc.RetireStreamPartitionsParams{
			WorkspaceID: p.row.WorkspaceID, ConnectionID: int64(p.conn), RunID: p.row.RunID, At: &p.at,
		})
		if err != nil {
			return fmt.Errorf("retire partitions: %w", err)
		}
		p.complete, p.retired = append(p.complete, retired...), retired
		p.counts[graph.CountPartitionsRetired] = int64(len(retired))
	}
	known, err := p.q.CountStreamPartitions(ctx, dbsqlc.CountStreamPartitionsParams{WorkspaceID: p.row.WorkspaceID, ConnectionID: int64(p.conn)})
	if err != nil {
		return fmt.Errorf("count partitions: %w", err)
	}
	p.whole = int64(read) == known
	return nil
}

func (p *publication) storeCoverage(ctx context.Context, row *dbsqlc.ListRunPartitionsRow, c connector.Coverage) error {
	var reason, message *string
	if c != connector.Complete {
		reason, message = orNull(string(reasonOf(row))), row.Message
	}
	err := p.q.InsertCoverage(ctx, dbsqlc.InsertCoverageParams{
		WorkspaceID: p.row.WorkspaceID, RunID: p.row.RunID, Stream: row.Stream, PartitionKey: row.PartitionKey,
		Coverage: string(c), ReasonCode: reason, Message: message, Gaps: row.Gaps, Records: row.Records,
	})
	if err != nil {
		return fmt.Errorf("store coverage: %w", err)
	}
	err = p.q.ObserveStreamPartition(ctx, dbsqlc.ObserveStreamPartitionParams{
		WorkspaceID: p.row.WorkspaceID, PartitionID: row.PartitionID, Coverage: orNull(string(c)), ReasonCode: reason, Message: message,
		Records: row.Records, RunID: &p.row.RunID, At: &p.at,
	})
	if err != nil {
		return fmt.Errorf("store coverage: %w", err)
	}
	return nil
}

// coverageOf is what may be believed of a partition: one that did not say how it
// ended, or that reported a gap, was not read completely.
func coverageOf(row *dbsqlc.ListRunPartitionsRow) connector.Coverage {
	c := connector.Coverage(orZero(row.Coverage))
	if c == "" || c == connector.Complete && row.GapCount > 0 {
		return connector.Partial
	}
	return c
}

func reasonOf(row *dbsqlc.ListRunPartitionsRow) operation.Code {
	return operation.FromConnector(connector.Category(orZero(row.Category)))
}

// addNotes turns findings into the run's failure summary.
func (p *publication) addNotes(end *run.Ending) {
	incomplete := p.counts[graph.CountPartitionsPartial] + p.counts[graph.CountPartitionsSkipped]
	if len(p.notes) == 0 && incomplete == 0 {
		return
	}
	end.Failure = &run.Failure{Message: "some records were left out", Details: p.notes}
	if incomplete > 0 {
		end.Failure.Message = fmt.Sprintf("%d of %d parts not read completely; what was known of them stays as it was",
			incomplete, incomplete+p.counts[graph.CountPartitionsComplete])
	}
	if len(p.notes) > run.MaxFailureDetails {
		rest := len(p.notes) - run.MaxFailureDetails + 1
		end.Failure.Details = slices.Concat(p.notes[:run.MaxFailureDetails-1], []string{fmt.Sprintf("… and %d more", rest)})
	}
}

// takePublishing takes a run that waits to be published in hand, until the
// transaction ends. mine is false when it does not wait or when someone else is
// publishing on its connection. Whoever publishes or ends such a run has to take
// it first; the row itself stays free for starts that join the run.
func takePublishing(ctx context.Context, tx pgx.Tx, w id.Workspace, r id.Run) (row dbsqlc.Run, mine bool, err error) {
	q := dbsqlc.New(tx)
	conn, err := q.FindPublishable(ctx, dbsqlc.FindPublishableParams{WorkspaceID: int64(w), RunID: int64(r)})
	if errors.Is(err, pgx.ErrNoRows) {
		return row, false, nil
	}
	if err != nil {
		return row, false, err
	}
	if mine, err = lockPublisher(ctx, tx, conn); err != nil || !mine {
		return row, false, err
	}
	// It may have been published before the lock was free.
	found, err := q.GetRun(ctx, dbsqlc.GetRunParams{WorkspaceID: int64(w), RunID: int64(r)})
	if err != nil {
		return row, false, err
	}
	row = found.Run
	return row, row.Status != dbsqlc.RunStatusCompleted && row.Phase == dbsqlc.RunPhasePublishing, nil
}

// lockPublisher makes this transaction the only publisher of a connection.
func lockPublisher(ctx context.Context, tx pgx.Tx, conn *int64) (free bool, err error) {
	err = tx.QueryRow(ctx, "select pg_try_advisory_xact_lock(hashtextextended('gatehouse publish', $1))", orZero(conn)).Scan(&free)
	if err != nil {
		return false, fmt.Errorf("lock publisher: %w", err)
	}
	return free, nil
}

// AbandonPublishing fails a run that is waiting to be published.
func (s *Graph) AbandonPublishing(ctx context.Context, scope id.Scope, r id.Run, end run.Ending) error {
	return s.db.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		row, mine, err := takePublishing(ctx, tx, scope.Workspace, r)
		if err != nil || !mine {
			return err
		}
		return s.runs.abandon(ctx, tx, row, end)
	})
}

// abandon ends a run that the caller has taken in hand to publish.
func (s *Runs) abandon(ctx context.Context, tx pgx.Tx, taken dbsqlc.Run, end run.Ending) error {
	row, err := dbsqlc.New(tx).LockRun(ctx, dbsqlc.LockRunParams{WorkspaceID: taken.WorkspaceID, RunID: taken.RunID})
	if err != nil {
		return err
	}
	return s.complete(ctx, tx, row, end)
}
