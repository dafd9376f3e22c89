package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
)

// plain runs single statements in no workspace. Unlike the pool it gives up when
// no connection gets free.
type plain struct{ db *DB }

var _ dbsqlc.DBTX = plain{}

// plain returns queries in no workspace.
func (db *DB) plain() *dbsqlc.Queries { return dbsqlc.New(plain{db}) }

// Exec runs a statement.
func (p plain) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	conn, err := p.db.borrow(ctx)
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	defer conn.Release()
	return conn.Exec(ctx, sql, args...)
}

// Query runs a statement that returns rows, which have to be closed.
func (p plain) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	conn, err := p.db.borrow(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := conn.Query(ctx, sql, args...)
	if err != nil {
		conn.Release()
		return nil, err
	}
	return &plainRows{Rows: rows, conn: conn}, nil
}

// QueryRow runs a statement that returns one row.
func (p plain) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	rows, err := p.Query(ctx, sql, args...)
	return plainRow{rows, err}
}

// plainRows gives the connection back when it is closed.
type plainRows struct {
	pgx.Rows
	conn *pgxpool.Conn
}

// Close may be called more than once.
func (r *plainRows) Close() {
	r.Rows.Close()
	if r.conn != nil {
		r.conn.Release()
		r.conn = nil
	}
}

type plainRow struct {
	rows pgx.Rows
	err  error
}

// Scan reads the first row; pgx.ErrNoRows when there is none.
func (r plainRow) Scan(into ...any) error {
	if r.err != nil {
		return r.err
	}
	defer r.rows.Close()
	if err := (readRow{rows: r.rows}).scan(into...); err != nil {
		return err
	}
	r.rows.Close()
	return r.rows.Err()
}
