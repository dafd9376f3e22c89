package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/auditsink"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
)

var _ auditsink.Store = (*AuditLogs)(nil)

// HoldSink holds a lock of the session and no transaction: one that stayed open
// while a webhook answers would hold up the sealer.
func (l *AuditLogs) HoldSink(ctx context.Context, sink string, fn func(ctx context.Context) error) (err error) {
	conn, err := l.borrow(ctx)
	if err != nil {
		return translate(fmt.Errorf("connect for the sink %s: %w", sink, err))
	}
	defer conn.Release()
	q := dbsqlc.New(conn)
	mine, err := q.TryHoldAuditSink(ctx, sink)
	if err != nil || !mine {
		return translate(err)
	}
	defer func() {
		if _, released := q.ReleaseAuditSink(context.WithoutCancel(ctx), sink); released != nil {
			// The lock must not live on in the pool.
			err = errors.Join(err, conn.Conn().Close(context.WithoutCancel(ctx)))
		}
	}()
	return fn(ctx)
}

// Undelivered asks the one function that looks across workspaces for it.
func (l *AuditLogs) Undelivered(ctx context.Context, sink string, most int) ([]auditsink.Undelivered, error) {
	rows, err := l.plain().UndeliveredWorkspaces(ctx, dbsqlc.UndeliveredWorkspacesParams{Sink: sink, Most: int32(most)})
	if err != nil {
		return nil, translate(fmt.Errorf("look for audit events to send: %w", err))
	}
	behind := make([]auditsink.Undelivered, len(rows))
	for i, r := range rows {
		behind[i] = auditsink.Undelivered{
			Workspace: id.Workspace(r.WorkspaceID), Next: r.NextEntry, Size: r.Size, Waiting: max(time.Since(r.WaitingSince), 0),
		}
	}
	return behind, nil
}

// Advance notes how far a sink is.
func (l *AuditLogs) Advance(ctx context.Context, sink string, w id.Workspace, next int64) error {
	return l.InWorkspace(ctx, w, func(tx pgx.Tx) error {
		return dbsqlc.New(tx).AdvanceAuditSink(ctx, dbsqlc.AdvanceAuditSinkParams{WorkspaceID: int64(w), Sink: sink, NextEntry: next})
	})
}
