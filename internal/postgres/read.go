package postgres

import (
	"context"
	"errors"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
)

// reader runs single statements that see only one workspace's rows. Each is a
// transaction of its own and takes one exchange with the server, where
// [DB.InWorkspace] takes three: what is read the most is read with it.
type reader struct {
	db        *DB
	workspace id.Workspace
}

var _ dbsqlc.DBTX = reader{}

// read returns queries that see only the workspace's rows.
func (db *DB) read(w id.Workspace) *dbsqlc.Queries { return dbsqlc.New(reader{db, w}) }

// Query sends the workspace and the statement together. Until the end of both,
// the server takes them for one transaction, so the workspace ends with it.
func (r reader) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	var both pgx.Batch
	both.Queue("select set_config('gatehouse.workspace_id', $1, true)", strconv.FormatInt(int64(r.workspace), 10))
	both.Queue(sql, args...)
	conn, err := r.db.borrow(ctx)
	if err != nil {
		return nil, err
	}
	results := conn.SendBatch(ctx, &both)
	_, err = results.Exec()
	var rows pgx.Rows
	if err == nil {
		rows, err = results.Query()
	}
	if err != nil {
		err = errors.Join(err, results.Close())
		conn.Release()
		return nil, translate(err)
	}
	return &readRows{Rows: rows, results: results, conn: conn}, nil
}

// QueryRow is [reader.Query] for one row.
func (r reader) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	rows, err := r.Query(ctx, sql, args...)
	return readRow{rows, err}
}

// Exec is for statements that change something, which a reader does not.
func (reader) Exec(context.Context, string, ...any) (pgconn.CommandTag, error) {
	return pgconn.CommandTag{}, errors.New("a reader changes nothing; use InWorkspace")
}

// readRows gives the connection back with the last row.
type readRows struct {
	pgx.Rows
	results pgx.BatchResults
	conn    *pgxpool.Conn
}

// Close ends the transaction; what went wrong is in Err already.
func (r *readRows) Close() {
	r.Rows.Close()
	_ = r.results.Close()
	// Whoever reads to the end and closes calls it twice.
	if r.conn != nil {
		r.conn.Release()
		r.conn = nil
	}
}

// Err returns what ended the rows early.
func (r *readRows) Err() error { return translate(r.Rows.Err()) }

type readRow struct {
	rows pgx.Rows
	err  error
}

// Scan reads the first row; pgx.ErrNoRows when there is none.
func (r readRow) Scan(into ...any) error {
	if r.err != nil {
		return r.err
	}
	defer r.rows.Close()
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return pgx.ErrNoRows
	}
	return r.rows.Scan(into...)
}
