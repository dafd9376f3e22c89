package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/auditlog"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
)

// AuditLogs keeps the sealed logs, as the role of the workspaces service.
type AuditLogs struct {
	*DB
}

var _ auditlog.Store = (*AuditLogs)(nil)

// NewAuditLogs returns the store on a pool.
func NewAuditLogs(db *DB) *AuditLogs { return &AuditLogs{DB: db} }

// SealableWorkspaces asks the one function that looks across workspaces for it.
func (l *AuditLogs) SealableWorkspaces(ctx context.Context, most int) ([]id.Workspace, error) {
	rows, err := l.plain().SealableWorkspaces(ctx, int32(most))
	if err != nil {
		return nil, translate(fmt.Errorf("look for audit events to seal: %w", err))
	}
	found := make([]id.Workspace, len(rows))
	for i, w := range rows {
		found[i] = id.Workspace(w)
	}
	return found, nil
}

// UnsealedFor asks the database's clock, by which events were recorded.
func (l *AuditLogs) UnsealedFor(ctx context.Context) (time.Duration, error) {
	waiting, err := l.plain().UnsealedFor(ctx)
	if err != nil {
		return 0, translate(fmt.Errorf("look for the oldest audit event that is not sealed: %w", err))
	}
	return max(waiting, 0), nil
}

// ContinueLog holds an advisory lock of the workspace's log until it commits.
func (l *AuditLogs) ContinueLog(ctx context.Context, scope id.Scope, fn func(auditlog.Head, auditlog.Unsealed) (*auditlog.Batch, error)) error {
	return l.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		q := dbsqlc.New(tx)
		if mine, err := q.TryLockAuditLog(ctx, int64(scope.Workspace)); err != nil || !mine {
			return err
		}
		head, err := auditLogHead(ctx, q, scope.Workspace)
		if err != nil {
			return err
		}
		unsealed, err := unsealedEvents(ctx, q, scope.Workspace)
		if err != nil {
			return err
		}
		batch, err := fn(head, unsealed)
		if err != nil || batch == nil {
			return err
		}
		if len(batch.Entries) > 0 {
			if err := appendBatch(ctx, q, scope.Workspace, batch); err != nil {
				return err
			}
		}
		return noteArrival(ctx, q, scope.Workspace, batch.Arrival)
	})
}

func auditLogHead(ctx context.Context, q *dbsqlc.Queries, w id.Workspace) (head auditlog.Head, err error) {
	latest, err := q.LatestAuditCheckpoint(ctx, int64(w))
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return head, fmt.Errorf("read the last checkpoint: %w", err)
	}
	head.Note = latest.Note
	if head.Entries, err = q.CountAuditLog(ctx, int64(w)); err != nil {
		return head, fmt.Errorf("find the end of the log: %w", err)
	}
	if head.Arrival, err = auditLogArrival(ctx, q, w); err != nil {
		return head, err
	}
	head.Hashes = func(entries []int64) (map[int64][]tlog.Hash, error) {
		rows, err := q.AuditLogHashes(ctx, dbsqlc.AuditLogHashesParams{WorkspaceID: int64(w), Entries: entries})
		if err != nil {
			return nil, fmt.Errorf("read the log's hashes: %w", err)
		}
		stored := make(map[int64][]tlog.Hash, len(rows))
		for _, r := range rows {
			stored[r.Entry] = splitHashes(r.Hashes)
		}
		return stored, nil
	}
	return head, nil
}

// auditLogArrival returns nil for a log that was not known to be whole on this
// server.
func auditLogArrival(ctx context.Context, q *dbsqlc.Queries, w id.Workspace) (*auditlog.Arrival, error) {
	row, err := q.AuditLogArrival(ctx, int64(w))
	if errors.Is(err, pgx.ErrNoRows) || err == nil && !row.Here {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find on which server the log was continued: %w", err)
	}
	horizon, err := strconv.ParseUint(row.Horizon, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("find on which server the log was continued: %w", err)
	}
	return &auditlog.Arrival{Checkpoint: row.Checkpoint, Horizon: horizon}, nil
}

func noteArrival(ctx context.Context, q *dbsqlc.Queries, w id.Workspace, a *auditlog.Arrival) error {
	if a == nil {
		return nil
	}
	err := q.NoteAuditLogArrival(ctx, dbsqlc.NoteAuditLogArrivalParams{
		WorkspaceID: int64(w), Checkpoint: a.Checkpoint, Horizon: strconv.FormatUint(a.Horizon, 10),
	})
	if err != nil {
		return fmt.Errorf("note on which server the log is continued: %w", err)
	}
	return nil
}

// unsealedEvents takes the snapshot in a statement of its own: what a later
// statement sees then includes every transaction that had ended by it.
func unsealedEvents(ctx context.Context, q *dbsqlc.Queries, w id.Workspace) (u auditlog.Unsealed, err error) {
	s, err := q.CurrentSnapshot(ctx)
	if err != nil {
		return u, fmt.Errorf("ask which transactions have ended: %w", err)
	}
	if u.Snapshot.Min, err = strconv.ParseUint(s.Xmin, 10, 64); err == nil {
		u.Snapshot.Max, err = strconv.ParseUint(s.Xmax, 10, 64)
	}
	if err != nil {
		return u, fmt.Errorf("ask which transactions have ended: %w", err)
	}
	u.Read = func(from uint64, foreign bool, most int) ([]audit.Record, error) {
		rows, err := q.UnsealedAuditEvents(ctx, dbsqlc.UnsealedAuditEventsParams{
			WorkspaceID: int64(w), FromTransaction: strconv.FormatUint(from, 10), Xmin: s.Xmin, Xmax: s.Xmax, ForeignNumbers: foreign, Most: int32(most),
		})
		if err != nil {
			return nil, fmt.Errorf("read events to seal: %w", err)
		}
		records := make([]audit.Record, len(rows))
		for i, r := range rows {
			if records[i], err = auditRecord(w, auditRow(r)); err != nil {
				return nil, err
			}
		}
		return records, nil
	}
	return u, nil
}

func appendBatch(ctx context.Context, q *dbsqlc.Queries, w id.Workspace, b *auditlog.Batch) error {
	rows := dbsqlc.InsertAuditLogEntriesParams{WorkspaceID: int64(w)}
	for _, e := range b.Entries {
		rows.Entries, rows.EventIds, rows.Hashes = append(rows.Entries, e.Number), append(rows.EventIds, int64(e.Event)), append(rows.Hashes, joinHashes(e.Hashes))
	}
	if err := q.InsertAuditLogEntries(ctx, rows); err != nil {
		return fmt.Errorf("append to the log: %w", err)
	}
	err := q.InsertAuditCheckpoint(ctx, dbsqlc.InsertAuditCheckpointParams{
		WorkspaceID: int64(w), Number: b.Checkpoint.Number, Size: b.Checkpoint.Size,
		Horizon: strconv.FormatUint(b.Checkpoint.Horizon, 10), Note: b.Note,
	})
	if err != nil {
		return fmt.Errorf("write checkpoint %d: %w", b.Checkpoint.Number, err)
	}
	return nil
}

// SignerKey returns the public key that checkpoints are signed with, empty when
// there is none yet.
func (l *AuditLogs) SignerKey(ctx context.Context) (string, error) {
	key, err := l.plain().GetAuditSigner(ctx)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	return key, translate(err)
}

// SetSignerKey notes the public key unless there is one, and returns the one
// that is noted now.
func (l *AuditLogs) SetSignerKey(ctx context.Context, key string) (string, error) {
	if err := l.plain().InsertAuditSigner(ctx, key); err != nil {
		return "", translate(fmt.Errorf("note the signing key: %w", err))
	}
	return l.SignerKey(ctx)
}

// LatestCheckpoint returns a workspace's last checkpoint. The error is NotFound
// as long as nothing was sealed.
func (l *AuditLogs) LatestCheckpoint(ctx context.Context, scope id.Scope) (c auditlog.StoredCheckpoint, err error) {
	err = l.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		row, err := dbsqlc.New(tx).LatestAuditCheckpoint(ctx, int64(scope.Workspace))
		if err != nil {
			return notFound(err, "nothing has been sealed yet in this workspace; events are sealed within seconds")
		}
		c = auditlog.StoredCheckpoint(row)
		return nil
	})
	return c, err
}

// CheckpointsAfter returns checkpoints in order of their numbers.
func (l *AuditLogs) CheckpointsAfter(ctx context.Context, scope id.Scope, after int64, limit int) (found []auditlog.StoredCheckpoint, err error) {
	err = l.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		rows, err := dbsqlc.New(tx).AuditCheckpointsAfter(ctx, dbsqlc.AuditCheckpointsAfterParams{
			WorkspaceID: int64(scope.Workspace), After: after, Most: int32(limit),
		})
		if err != nil {
			return fmt.Errorf("list checkpoints: %w", err)
		}
		for _, r := range rows {
			found = append(found, auditlog.StoredCheckpoint(r))
		}
		return nil
	})
	return found, err
}

// EntriesFrom returns entries in order, from the given one on, with the events
// that they are about. An entry whose event is gone has none.
func (l *AuditLogs) EntriesFrom(ctx context.Context, scope id.Scope, from int64, limit int) (found []auditlog.StoredEntry, err error) {
	err = l.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		q := dbsqlc.New(tx)
		rows, err := q.AuditLogEntriesFrom(ctx, dbsqlc.AuditLogEntriesFromParams{WorkspaceID: int64(scope.Workspace), FirstEntry: from, Most: int32(limit)})
		if err != nil {
			return fmt.Errorf("list the log's entries: %w", err)
		}
		ids := make([]int64, len(rows))
		for i, r := range rows {
			ids[i] = r.EventID
		}
		events, err := q.AuditEventsByID(ctx, dbsqlc.AuditEventsByIDParams{WorkspaceID: int64(scope.Workspace), EventIds: ids})
		if err != nil {
			return fmt.Errorf("list the log's events: %w", err)
		}
		byID := make(map[int64]*audit.Record, len(events))
		for _, e := range events {
			r, err := auditRecord(scope.Workspace, e)
			if err != nil {
				return err
			}
			byID[e.EventID] = &r
		}
		for _, r := range rows {
			found = append(found, auditlog.StoredEntry{
				Entry: auditlog.Entry{Number: r.Entry, Event: id.AuditEvent(r.EventID), Hashes: splitHashes(r.Hashes)}, Record: byID[r.EventID],
			})
		}
		return nil
	})
	return found, err
}

func splitHashes(stored []byte) []tlog.Hash {
	var hashes []tlog.Hash
	for ; len(stored) >= tlog.HashSize; stored = stored[tlog.HashSize:] {
		hashes = append(hashes, tlog.Hash(stored[:tlog.HashSize]))
	}
	return hashes
}

func joinHashes(hashes []tlog.Hash) []byte {
	stored := make([]byte, 0, len(hashes)*tlog.HashSize)
	for _, h := range hashes {
		stored = append(stored, h[:]...)
	}
	return stored
}
