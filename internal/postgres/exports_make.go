package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/klauspost/compress/zstd"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/export"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
)

// Begin begins an attempt and throws away what others wrote.
func (s *Exports) Begin(ctx context.Context, ref export.Ref) (x export.Export, ok bool, err error) {
	err = s.db.InWorkspace(ctx, ref.Scope.Workspace, func(tx pgx.Tx) error {
		q := dbsqlc.New(tx)
		n, err := q.BeginExport(ctx, dbsqlc.BeginExportParams{WorkspaceID: int64(ref.Scope.Workspace), ExportID: int64(ref.Export), Stale: export.Stale})
		if err != nil {
			return fmt.Errorf("begin %s: %w", ref.Export, err)
		}
		if n == 0 {
			return nil
		}
		if err := clearFile(ctx, q, ref); err != nil {
			return err
		}
		ok = true
		x, err = getExport(ctx, q, ref.Scope, ref.Export)
		return err
	})
	return x, ok, err
}

// Append stores the next chunk.
func (s *Exports) Append(ctx context.Context, ref export.Ref, attempt int, c export.Chunk) error {
	packed := s.files.pack(c.Bytes)
	return s.db.InWorkspace(ctx, ref.Scope.Workspace, func(tx pgx.Tx) error {
		q := dbsqlc.New(tx)
		n, err := q.ExportWritten(ctx, dbsqlc.ExportWrittenParams{
			WorkspaceID: int64(ref.Scope.Workspace), ExportID: int64(ref.Export), Attempt: int32(attempt), Rows: c.Rows, Bytes: c.Size,
		})
		if err := mine(n, err); err != nil {
			return err
		}
		err = q.InsertExportChunk(ctx, dbsqlc.InsertExportChunkParams{
			WorkspaceID: int64(ref.Scope.Workspace), ExportID: int64(ref.Export), Number: c.Number, Bytes: packed,
		})
		if err != nil {
			return fmt.Errorf("write chunk %d of %s: %w", c.Number, ref.Export, err)
		}
		return nil
	})
}

// Alive says that the attempt goes on.
func (s *Exports) Alive(ctx context.Context, ref export.Ref, attempt int) error {
	return s.db.InWorkspace(ctx, ref.Scope.Workspace, func(tx pgx.Tx) error {
		return mine(dbsqlc.New(tx).ExportAlive(ctx, dbsqlc.ExportAliveParams{
			WorkspaceID: int64(ref.Scope.Workspace), ExportID: int64(ref.Export), Attempt: int32(attempt),
		}))
	})
}

// Complete makes the file one that can be downloaded.
func (s *Exports) Complete(ctx context.Context, ref export.Ref, attempt int, r export.Result, e audit.Event) error {
	return s.db.InWorkspace(ctx, ref.Scope.Workspace, func(tx pgx.Tx) error {
		err := mine(dbsqlc.New(tx).CompleteExport(ctx, dbsqlc.CompleteExportParams{
			WorkspaceID: int64(ref.Scope.Workspace), ExportID: int64(ref.Export), Attempt: int32(attempt),
			Rows: r.Rows, Bytes: r.Bytes, Sha256: r.SHA256[:], Manifest: string(r.Manifest), ExpiresAt: &r.Expires,
		}))
		if err != nil {
			return err
		}
		return record(ctx, tx, ref.Scope, e)
	})
}

// Fail ends an export without a file.
func (s *Exports) Fail(ctx context.Context, ref export.Ref, attempt int, message string, expires time.Time, e audit.Event) error {
	return s.db.InWorkspace(ctx, ref.Scope.Workspace, func(tx pgx.Tx) error {
		q := dbsqlc.New(tx)
		err := mine(q.FailExport(ctx, dbsqlc.FailExportParams{
			WorkspaceID: int64(ref.Scope.Workspace), ExportID: int64(ref.Export), Attempt: int32(attempt), Failure: message, ExpiresAt: &expires,
		}))
		if err != nil {
			return err
		}
		if err := clearFile(ctx, q, ref); err != nil {
			return err
		}
		return record(ctx, tx, ref.Scope, e)
	})
}

func mine(changed int64, err error) error {
	if err == nil && changed == 0 {
		return export.ErrNotMine
	}
	return err
}

// Overdue asks the two functions that look across workspaces.
func (s *Exports) Overdue(ctx context.Context, most int) (abandoned map[export.Ref]int, expired []export.Ref, err error) {
	abandoned = map[export.Ref]int{}
	ref := func(w, x int64) export.Ref {
		return export.Ref{Scope: id.Scope{Tenant: s.tenant, Workspace: id.Workspace(w)}, Export: id.Export(x)}
	}
	rows, err := plain{s.db}.Query(ctx, "select workspace_id, export_id, attempt from exports_abandoned($1, $2)", export.Stale, most)
	if err == nil {
		var w, x int64
		var attempt int
		_, err = pgx.ForEachRow(rows, []any{&w, &x, &attempt}, func() error {
			abandoned[ref(w, x)] = attempt
			return nil
		})
	}
	if err != nil {
		return nil, nil, translate(fmt.Errorf("find exports that nobody is at: %w", err))
	}
	rows, err = plain{s.db}.Query(ctx, "select workspace_id, export_id from exports_expired($1)", most)
	if err == nil {
		var w, x int64
		_, err = pgx.ForEachRow(rows, []any{&w, &x}, func() error {
			expired = append(expired, ref(w, x))
			return nil
		})
	}
	if err != nil {
		return nil, nil, translate(fmt.Errorf("find exports that were kept long enough: %w", err))
	}
	return abandoned, expired, nil
}

// fileCodec compresses chunks, each by itself, so that a file can be read from any
// place.
type fileCodec struct {
	writer *zstd.Encoder
	reader *zstd.Decoder
}

func newFileCodec() (fileCodec, error) {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(export.ChunkSize))
	if err != nil {
		return fileCodec{}, fmt.Errorf("make a compressor: %w", err)
	}
	r, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(2*export.ChunkSize), zstd.WithDecoderConcurrency(0))
	if err != nil {
		return fileCodec{}, fmt.Errorf("make a decompressor: %w", err)
	}
	return fileCodec{w, r}, nil
}

func (c fileCodec) pack(chunk []byte) []byte { return c.writer.EncodeAll(chunk, nil) }

func (c fileCodec) unpack(stored []byte) ([]byte, error) {
	chunk, err := c.reader.DecodeAll(stored, make([]byte, 0, export.ChunkSize))
	if err != nil {
		return nil, fmt.Errorf("decompress a chunk: %w", err)
	}
	return chunk, nil
}
