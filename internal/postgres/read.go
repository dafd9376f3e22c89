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
func (r *readRows) Close() { _ = r.end() }

// end ends the transaction and returns what kept it from being committed. Whoever
// reads to the end and closes calls it twice.
func (r *readRows) end() error {
	if r.conn == nil {
		return nil
	}
	r.Rows.Close()
	err := r.results.Close()
	r.conn.Release()
	r.conn = nil
	return err
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
	return r.scan(into...)
}

func (r readRow) scan(into ...any) error {
	if r.err != nil {
		return r.err
	}
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return pgx.ErrNoRows
	}
	return r.rows.Scan(into...)
}

// changer runs single statements that change something and return a row. Like
// those of a reader, each is a transaction of its own and takes one exchange.
type changer struct{ reader }

// change returns queries that see and change only the workspace's rows. Only
// those for one row can be run.
func (db *DB) change(w id.Workspace) *dbsqlc.Queries {
	return dbsqlc.New(changer{reader{db, w}})
}

// Query is for statements that return many rows, whose commit nobody would see
// fail.
func (changer) Query(context.Context, string, ...any) (pgx.Rows, error) {
	return nil, errors.New("a changer returns one row; use InWorkspace")
}

// QueryRow runs the statement and commits.
func (c changer) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	rows, err := c.reader.Query(ctx, sql, args...)
	return changedRow{rows, err}
}

type changedRow struct {
	rows pgx.Rows
	err  error
}

// Scan reads the row and returns once it is committed; pgx.ErrNoRows when there
// is none.
func (c changedRow) Scan(into ...any) error {
	err := readRow(c).scan(into...)
	if r, ok := c.rows.(*readRows); ok {
		// The commit comes after the row, and may fail.
		err = errors.Join(err, translate(r.end()))
	}
	return err
}
