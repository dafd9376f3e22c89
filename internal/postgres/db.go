package postgres

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// DB is a service's connection pool, as the service's own role.
type DB struct {
	pool    *pgxpool.Pool
	acquire time.Duration
}

// Config says how a service connects.
type Config struct {
	// URL of the database, as the service's role.
	URL string
	// MaxConns bounds the pool; 10 when zero.
	MaxConns int
	// Service names the connections in pg_stat_activity.
	Service string
	// AcquireTimeout bounds the wait for a connection; 10 s when zero.
	AcquireTimeout time.Duration
}

// Limits of time that a service cannot forget to set. Whoever waits for a request
// has gone by then, or is told to try again.
const (
	// statementTimeout ends what a client that went away would leave running.
	statementTimeout = 30 * time.Second
	// lockTimeout is less, so that a wait for somebody else is told from slow work.
	lockTimeout = 10 * time.Second
	// idleTimeout frees the locks of a process that stopped inside a transaction.
	idleTimeout = 60 * time.Second
	// connectTimeout is for a server that does not answer at all.
	connectTimeout = 10 * time.Second
	// acquireTimeout bounds the wait for a connection of a pool in full use, which
	// nothing else would: a request's context may have no end.
	acquireTimeout = 10 * time.Second
)

// Open makes a pool. It does not connect until it is used; see [DB.Ping].
func Open(ctx context.Context, c Config) (*DB, error) {
	cfg, err := pgxpool.ParseConfig(c.URL)
	if err != nil {
		return nil, fmt.Errorf("read the database URL: %w", err)
	}
	cfg.MaxConns = 10
	if c.MaxConns > 0 {
		cfg.MaxConns = int32(c.MaxConns)
	}
	if cfg.ConnConfig.ConnectTimeout == 0 {
		cfg.ConnConfig.ConnectTimeout = connectTimeout
	}
	p := cfg.ConnConfig.RuntimeParams
	p["application_name"] = "gatehouse " + c.Service
	p["statement_timeout"] = strconv.FormatInt(statementTimeout.Milliseconds(), 10)
	p["lock_timeout"] = strconv.FormatInt(lockTimeout.Milliseconds(), 10)
	p["idle_in_transaction_session_timeout"] = strconv.FormatInt(idleTimeout.Milliseconds(), 10)
	p["jit"] = "off"
	cfg.AfterConnect = registerTypes
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open the database pool: %w", err)
	}
	if c.AcquireTimeout == 0 {
		c.AcquireTimeout = acquireTimeout
	}
	return &DB{pool: pool, acquire: c.AcquireTimeout}, nil
}

// registerTypes teaches a connection the enums that binary COPY needs, and to read
// JSON without looking at it.
func registerTypes(ctx context.Context, conn *pgx.Conn) error {
	types, err := conn.LoadTypes(ctx, []string{"entity_kind", "relationship_kind", "grant_effect"})
	if err != nil {
		return fmt.Errorf("load types: %w", err)
	}
	conn.TypeMap().RegisterTypes(types)
	conn.TypeMap().RegisterType(&pgtype.Type{
		Name: "jsonb", OID: pgtype.JSONBOID, Codec: &pgtype.JSONBCodec{Marshal: json.Marshal, Unmarshal: readJSON},
	})
	return nil
}

// readJSON copies what is wanted as it is: the server has checked it before it
// was stored.
func readJSON(raw []byte, into any) error {
	if whole, ok := into.(*json.RawMessage); ok {
		*whole = bytes.Clone(raw)
		return nil
	}
	return json.Unmarshal(raw, into)
}

// Pool gives the composition root the pool for the job engine and listeners.
func (db *DB) Pool() *pgxpool.Pool { return db.pool }

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error { return db.pool.Ping(ctx) }

// Close waits for borrowed connections and closes them all.
func (db *DB) Close() { db.pool.Close() }

// InWorkspace runs fn in one transaction that sees only the workspace's rows. It
// commits when fn returns nil. The workspace ends with the transaction, so no
// pooled connection carries it on.
func (db *DB) InWorkspace(ctx context.Context, w id.Workspace, fn func(tx pgx.Tx) error) error {
	// One message to the server instead of two: a run of a million records has
	// thousands of these transactions.
	options := pgx.TxOptions{BeginQuery: fmt.Sprintf("begin; set local gatehouse.workspace_id = '%d'", int64(w))}
	conn, err := db.borrow(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	return translate(inTransaction(ctx, conn, options, fn))
}

// borrow takes a connection out of the pool, or gives up when none gets free.
func (db *DB) borrow(ctx context.Context) (*pgxpool.Conn, error) {
	waiting, cancel := context.WithTimeout(ctx, db.acquire)
	defer cancel()
	conn, err := db.pool.Acquire(waiting)
	if err != nil && waiting.Err() != nil && ctx.Err() == nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the database does not answer, or all connections to it are in use; try again")
	}
	return conn, translate(err)
}

// enterWorkspace confines the rest of a transaction to one workspace.
func enterWorkspace(ctx context.Context, tx pgx.Tx, w id.Workspace) error {
	if t, ok := tx.(*transaction); ok {
		if err := t.flush(ctx); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, "select set_config('gatehouse.workspace_id', $1, true)", strconv.FormatInt(int64(w), 10))
	return err
}

// PostgreSQL's codes for what the callers can act on.
const (
	codeUniqueViolation = "23505"
	codeForeignKey      = "23503"
	codeCheck           = "23514"
	codeLockTimeout     = "55P03"
	codeSerialization   = "40001"
	codeDeadlock        = "40P01"
	codeQueryCanceled   = "57014"

	// What a JSON document can hold and PostgreSQL cannot: NUL, broken UTF-8,
	// numbers beyond numeric, nesting beyond its stack.
	codeUntranslatable = "22P05"
	codeBadEncoding    = "22021"
	codeOutOfRange     = "22003"
	codeTooComplex     = "54001"

	// Of the trigger that keeps an archived workspace as it is.
	codeArchived = "GH001"
)

// translate gives database failures a kind. A missing row becomes NotFound; what
// the caller said with a fault stays as it is.
func translate(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := fault.As(err); ok {
		return err
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return fault.Wrap(fault.NotFound, err, "not found")
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code {
		case codeLockTimeout, codeSerialization, codeDeadlock, codeQueryCanceled:
			return fault.Wrap(fault.Unavailable, err, "the database is busy; try again")
		case codeArchived:
			return fault.Wrap(fault.Conflict, workspace.ErrArchived, "the workspace is archived and can only be read; a tenant administrator can unarchive it")
		case codeUntranslatable, codeBadEncoding, codeOutOfRange, codeTooComplex:
			return fault.Wrap(fault.Invalid, err, "the request holds a value that cannot be stored: a NUL character, broken UTF-8, a number too large, or nesting too deep")
		}
		if pgconn.SafeToRetry(err) || pg.Code[:2] == "57" || pg.Code[:2] == "53" || pg.Code[:2] == "08" || pg.Code[:2] == classAuthorization {
			return fault.Wrap(fault.Unavailable, err, "the database is not available; try again")
		}
		return err
	}
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) || pgconn.SafeToRetry(err) {
		return fault.Wrap(fault.Unavailable, err, "the database is not available; try again")
	}
	return err
}

// violates reports whether err breaks the named constraint or unique index.
func violates(err error, constraint string) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == codeUniqueViolation && pg.ConstraintName == constraint
}

// breaks reports whether err breaks the named check or trigger.
func breaks(err error, constraint string) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == codeCheck && pg.ConstraintName == constraint
}

// violatesForeignKey reports whether err names a row that does not exist.
func violatesForeignKey(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == codeForeignKey
}
