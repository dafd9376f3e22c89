package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/export"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/idempotency"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
)

// Exports keeps exports and their files. It implements export.Store.
type Exports struct {
	db     *DB
	tenant id.Tenant
	// queue has an export made, in the transaction that stores it.
	queue func(ctx context.Context, tx pgx.Tx, ref export.Ref) error
	files fileCodec
}

var _ export.Store = (*Exports)(nil)

// NewExports makes the store of a data plane's exports.
func NewExports(db *DB, tenant id.Tenant, queue func(ctx context.Context, tx pgx.Tx, ref export.Ref) error) (*Exports, error) {
	files, err := newFileCodec()
	if err != nil {
		return nil, err
	}
	return &Exports{db: db, tenant: tenant, queue: queue, files: files}, nil
}

// Create stores an export and queues its making.
func (s *Exports) Create(ctx context.Context, d export.Draft, maxKept int64, e audit.Event) (x export.Export, replayed bool, err error) {
	query, err := json.Marshal(d.Query)
	if err != nil {
		return x, false, fmt.Errorf("encode the export's query: %w", err)
	}
	err = s.db.InWorkspace(ctx, d.Scope.Workspace, func(tx pgx.Tx) error {
		q := dbsqlc.New(tx)
		// Behind the lock, an equal request at the same moment finds the first one's.
		if err := q.LockExportsOfWorkspace(ctx, int64(d.Scope.Workspace)); err != nil {
			return fmt.Errorf("wait for other requests of exports: %w", err)
		}
		made, found, err := s.madeBefore(ctx, q, d)
		if err != nil {
			return err
		}
		if found {
			replayed = true
			x, err = getExport(ctx, q, d.Scope, made)
			if fault.KindOf(err) == fault.NotFound {
				return fault.New(fault.Conflict, "the same request made %s before, which has been deleted since; send a new %s to create another", made, idempotency.Header)
			}
			return err
		}
		if err := checkRoom(ctx, q, d.Scope, maxKept); err != nil {
			return err
		}
		inserted, err := q.InsertExport(ctx, dbsqlc.InsertExportParams{WorkspaceID: int64(d.Scope.Workspace), RequestedBy: int64(d.RequestedBy), Query: query})
		if err != nil {
			return fmt.Errorf("insert export: %w", err)
		}
		ref := export.Ref{Scope: d.Scope, Export: id.Export(inserted)}
		if d.Once != nil {
			if _, _, err := claimRequest(ctx, tx, d.Scope.Workspace, *d.Once, ref.Export.String()); err != nil {
				return err
			}
		}
		if err := s.queue(ctx, tx, ref); err != nil {
			return fmt.Errorf("queue %s: %w", ref.Export, err)
		}
		e.TargetID = ref.Export.String()
		if err := record(ctx, tx, d.Scope, e); err != nil {
			return err
		}
		x, err = getExport(ctx, q, d.Scope, ref.Export)
		return err
	})
	return x, replayed, err
}

func (s *Exports) madeBefore(ctx context.Context, q *dbsqlc.Queries, d export.Draft) (made id.Export, found bool, err error) {
	if d.Once == nil {
		return 0, false, nil
	}
	text, found, err := findRequest(ctx, q, d.Scope.Workspace, *d.Once)
	if err != nil || !found {
		return 0, false, err
	}
	return made, true, made.UnmarshalText([]byte(text))
}

func checkRoom(ctx context.Context, q *dbsqlc.Queries, scope id.Scope, maxKept int64) error {
	room, err := q.CountExports(ctx, int64(scope.Workspace))
	switch {
	case err != nil:
		return fmt.Errorf("count exports: %w", err)
	case room.Unfinished >= export.MaxUnfinished:
		return fault.New(fault.Conflict, "%d exports of this workspace are waiting or running, which is the most at a time; wait for one, or cancel one", room.Unfinished)
	case room.Kept >= maxKept:
		return fault.New(fault.Conflict, "the exports of this workspace have %d MiB, which is the most that is kept; delete those that are not needed", room.Kept>>20)
	}
	return nil
}

// Get returns an export, or NotFound.
func (s *Exports) Get(ctx context.Context, scope id.Scope, x id.Export) (export.Export, error) {
	return getExport(ctx, s.db.read(scope.Workspace), scope, x)
}

// List returns the newest exports first.
func (s *Exports) List(ctx context.Context, scope id.Scope, f export.Filter) ([]export.Export, error) {
	return findExports(ctx, s.db.read(scope.Workspace), scope, dbsqlc.FindExportsParams{
		WorkspaceID: int64(scope.Workspace), Status: string(f.Status), RequestedBy: int64(f.RequestedBy), Before: int64(f.Before), Most: int32(f.Limit),
	})
}

func getExport(ctx context.Context, q *dbsqlc.Queries, scope id.Scope, x id.Export) (export.Export, error) {
	var found []export.Export
	if x != 0 {
		var err error
		found, err = findExports(ctx, q, scope, dbsqlc.FindExportsParams{WorkspaceID: int64(scope.Workspace), ExportID: int64(x), Most: 1})
		if err != nil {
			return export.Export{}, err
		}
	}
	if len(found) == 0 {
		return export.Export{}, noExport(x)
	}
	return found[0], nil
}

func noExport(x id.Export) error { return fault.New(fault.NotFound, "there is no export %s", x) }

func findExports(ctx context.Context, q *dbsqlc.Queries, scope id.Scope, p dbsqlc.FindExportsParams) ([]export.Export, error) {
	rows, err := q.FindExports(ctx, p)
	if err != nil {
		return nil, translate(fmt.Errorf("find exports: %w", err))
	}
	found := make([]export.Export, len(rows))
	for i, r := range rows {
		found[i] = export.Export{
			ID: id.Export(r.ExportID), Scope: scope, RequestedBy: id.Member(r.RequestedBy), Status: export.Status(r.Status), Attempt: int(r.Attempt),
			Rows: r.Rows, Bytes: r.Bytes, SHA256: r.Sha256, Failure: r.Failure,
			CreatedAt: r.CreatedAt, StartedAt: r.StartedAt, EndedAt: r.EndedAt, ExpiresAt: r.ExpiresAt,
		}
		if r.Manifest != "" {
			found[i].Manifest = json.RawMessage(r.Manifest)
		}
		if err := json.Unmarshal(r.Query, &found[i].Query); err != nil {
			return nil, fmt.Errorf("decode the query of %s: %w", found[i].ID, err)
		}
	}
	return found, nil
}

// Cancel ends an export that has not ended.
func (s *Exports) Cancel(ctx context.Context, ref export.Ref, expires time.Time, e audit.Event) (x export.Export, err error) {
	err = s.db.InWorkspace(ctx, ref.Scope.Workspace, func(tx pgx.Tx) error {
		q := dbsqlc.New(tx)
		n, err := q.CancelExport(ctx, dbsqlc.CancelExportParams{WorkspaceID: int64(ref.Scope.Workspace), ExportID: int64(ref.Export), ExpiresAt: &expires})
		if err != nil {
			return fmt.Errorf("cancel %s: %w", ref.Export, err)
		}
		if x, err = getExport(ctx, q, ref.Scope, ref.Export); err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.Conflict, "%s has ended already: it is %s", ref.Export, x.Status)
		}
		if err := clearFile(ctx, q, ref); err != nil {
			return err
		}
		return record(ctx, tx, ref.Scope, e)
	})
	return x, err
}

// Delete removes an export and its file.
func (s *Exports) Delete(ctx context.Context, ref export.Ref, e audit.Event) error {
	return s.db.InWorkspace(ctx, ref.Scope.Workspace, func(tx pgx.Tx) error {
		n, err := dbsqlc.New(tx).DeleteExport(ctx, dbsqlc.DeleteExportParams{WorkspaceID: int64(ref.Scope.Workspace), ExportID: int64(ref.Export)})
		if err != nil {
			return fmt.Errorf("delete %s: %w", ref.Export, err)
		}
		if n == 0 {
			return noExport(ref.Export)
		}
		return record(ctx, tx, ref.Scope, e)
	})
}

func clearFile(ctx context.Context, q *dbsqlc.Queries, ref export.Ref) error {
	err := q.DeleteExportChunks(ctx, dbsqlc.DeleteExportChunksParams{WorkspaceID: int64(ref.Scope.Workspace), ExportID: int64(ref.Export)})
	if err != nil {
		return fmt.Errorf("throw away what was written of %s: %w", ref.Export, err)
	}
	return nil
}

// Chunk returns a chunk of a completed export's file.
func (s *Exports) Chunk(ctx context.Context, ref export.Ref, number int64) ([]byte, error) {
	stored, err := s.db.read(ref.Scope.Workspace).GetExportChunk(ctx, dbsqlc.GetExportChunkParams{
		WorkspaceID: int64(ref.Scope.Workspace), ExportID: int64(ref.Export), Number: number,
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, noExport(ref.Export)
	}
	if err != nil {
		return nil, translate(fmt.Errorf("read the file of %s: %w", ref.Export, err))
	}
	return s.files.unpack(stored)
}
