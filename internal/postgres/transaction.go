package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
)

// transaction is one whose audit events travel with its commit: an exchange with
// the server of their own would be most of what an event costs.
type transaction struct {
	pgx.Tx
	events pgx.Batch
}

// inTransaction runs fn in a transaction and commits it when fn returns nil.
func inTransaction(ctx context.Context, conn *pgxpool.Conn, options pgx.TxOptions, fn func(tx pgx.Tx) error) error {
	begun, err := conn.BeginTx(ctx, options)
	if err != nil {
		return err
	}
	tx, committed := &transaction{Tx: begun}, false
	defer func() {
		if !committed {
			_ = begun.Rollback(ctx) // where this fails, the connection is given up
		}
	}()
	if err := fn(tx); err != nil {
		return err
	}
	err = tx.commitOn(ctx, conn)
	committed = err == nil
	return err
}

// commitOn writes the events and commits. When one cannot be written, nothing is
// committed: the server passes over what follows a failure.
func (t *transaction) commitOn(ctx context.Context, conn *pgxpool.Conn) error {
	events := t.events.Len()
	if events == 0 {
		return t.Commit(ctx)
	}
	t.events.Queue("commit")
	results := conn.SendBatch(ctx, &t.events)
	for range events {
		if _, err := results.Exec(); err != nil {
			return errors.Join(fmt.Errorf("write audit event: %w", err), results.Close())
		}
	}
	tag, err := results.Exec()
	if err == nil && tag.String() == "ROLLBACK" {
		err = pgx.ErrTxCommitRollback
	}
	return errors.Join(err, results.Close())
}

// flush writes the events that wait, for a transaction that goes on elsewhere.
func (t *transaction) flush(ctx context.Context) error {
	waiting := t.events
	t.events = pgx.Batch{}
	if waiting.Len() == 0 {
		return nil
	}
	if err := t.SendBatch(ctx, &waiting).Close(); err != nil {
		return fmt.Errorf("write audit event: %w", err)
	}
	return nil
}

// laterEvents takes the statements of events and keeps them for the commit.
type laterEvents struct {
	dbsqlc.DBTX
	events *pgx.Batch
}

// Exec keeps the statement.
func (l laterEvents) Exec(_ context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	l.events.Queue(sql, args...)
	return pgconn.CommandTag{}, nil
}
