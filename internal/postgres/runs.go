package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// Enqueue puts a run into a queue of jobs, in the transaction that makes the job
// necessary.
type Enqueue func(ctx context.Context, tx pgx.Tx, r run.Ref) error

// Jobs is what is done about runs in the background.
type Jobs struct {
	// Publish merges what a run has read.
	Publish Enqueue
	// Ended tells whom it concerns that a run has ended. Every run is queued once,
	// however it ended, and with its end or not at all.
	Ended Enqueue
}

// Runs keeps runs: admissions, leases, endings. It implements run.Store,
// run.LeaseStore and run.SweepStore.
type Runs struct {
	db     *DB
	tenant id.Tenant
	// catalog says what the run needs that follows another.
	catalog *integration.Catalog
	jobs    Jobs
	ready   *bell
	// together has starts of many callers share transactions.
	together *admissions
}

// NewRuns makes the store of a data plane's runs. By the catalog it decides whether
// a run that was asked to follow another one may start.
func NewRuns(db *DB, tenant id.Tenant, catalog *integration.Catalog, jobs Jobs) *Runs {
	return &Runs{
		db: db, tenant: tenant, catalog: catalog, jobs: jobs, ready: &bell{db: db},
		together: &admissions{db: db, waiting: map[id.Workspace][]*asked{}},
	}
}

func (s *Runs) scope(w id.Workspace) id.Scope { return id.Scope{Tenant: s.tenant, Workspace: w} }

// Get returns a run of the workspace, or NotFound.
func (s *Runs) Get(ctx context.Context, scope id.Scope, r id.Run) (found run.Run, err error) {
	err = s.db.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		found, err = s.get(ctx, tx, scope.Workspace, r)
		return err
	})
	if fault.KindOf(err) == fault.NotFound {
		return run.Run{}, fault.New(fault.NotFound, "there is no run %s", r)
	}
	return found, err
}

func (s *Runs) get(ctx context.Context, tx pgx.Tx, w id.Workspace, r id.Run) (run.Run, error) {
	row, err := dbsqlc.New(tx).GetRun(ctx, dbsqlc.GetRunParams{WorkspaceID: int64(w), RunID: int64(r)})
	if err != nil {
		return run.Run{}, err
	}
	return runFromRow(s.tenant, row.Run, row.ConnectionName)
}

// List returns the newest runs first.
func (s *Runs) List(ctx context.Context, scope id.Scope, f run.Filter) (runs []run.Run, err error) {
	err = s.db.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		rows, err := dbsqlc.New(tx).ListRuns(ctx, dbsqlc.ListRunsParams{
			WorkspaceID: int64(scope.Workspace), ConnectionID: int64(f.Connection), OperationType: string(f.Operation),
			Status: string(f.Status), Outcome: string(f.Outcome), Before: int64(f.Before), Most: int32(f.Limit),
		})
		if err != nil {
			return err
		}
		for _, row := range rows {
			r, err := runFromRow(s.tenant, row.Run, row.ConnectionName)
			if err != nil {
				return err
			}
			runs = append(runs, r)
		}
		return nil
	})
	return runs, err
}

// Coverage returns how completely each partition of a run was read.
func (s *Runs) Coverage(ctx context.Context, scope id.Scope, r id.Run) (coverage []run.CoverageRow, err error) {
	err = s.db.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		if _, err := s.get(ctx, tx, scope.Workspace, r); err != nil {
			return fmt.Errorf("run %s: %w", r, err)
		}
		rows, err := dbsqlc.New(tx).ListCoverage(ctx, dbsqlc.ListCoverageParams{WorkspaceID: int64(scope.Workspace), RunID: int64(r)})
		if err != nil {
			return err
		}
		for _, row := range rows {
			coverage = append(coverage, run.CoverageRow{
				Stream: row.Stream, Partition: row.PartitionKey, Coverage: connector.Coverage(row.Coverage),
				Reason: operation.Code(orZero(row.ReasonCode)), Message: orZero(row.Message), Records: row.Records,
			})
		}
		return nil
	})
	return coverage, err
}
