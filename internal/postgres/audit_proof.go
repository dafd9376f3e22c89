package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/gatehouse-project/gatehouse/internal/auditlog"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
)

var _ auditlog.Reader = (*AuditLogs)(nil)

// EntryOf returns an event's place in the log, unless it is not sealed.
func (l *AuditLogs) EntryOf(ctx context.Context, scope id.Scope, e id.AuditEvent) (entry int64, sealed bool, err error) {
	entry, err = l.read(scope.Workspace).AuditLogEntryOf(ctx, dbsqlc.AuditLogEntryOfParams{WorkspaceID: int64(scope.Workspace), EventID: int64(e)})
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, false, fault.New(fault.NotFound, "there is no audit event %s", e)
	}
	if err != nil {
		return 0, false, translate(fmt.Errorf("find %s in the log: %w", e, err))
	}
	return entry, entry >= 0, nil
}

// Hashes returns the stored hashes of entries.
func (l *AuditLogs) Hashes(ctx context.Context, scope id.Scope, entries []int64) (map[int64][]tlog.Hash, error) {
	rows, err := l.read(scope.Workspace).AuditLogHashes(ctx, dbsqlc.AuditLogHashesParams{WorkspaceID: int64(scope.Workspace), Entries: entries})
	if err != nil {
		return nil, translate(fmt.Errorf("read the log's hashes: %w", err))
	}
	stored := make(map[int64][]tlog.Hash, len(rows))
	for _, r := range rows {
		stored[r.Entry] = splitHashes(r.Hashes)
	}
	return stored, nil
}
