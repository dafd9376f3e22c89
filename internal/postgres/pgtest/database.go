package pgtest

import (
	"context"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
)

// cleanupTimeout bounds the dropping of a database after its test.
const cleanupTimeout = time.Minute

// Database is one test's own database.
type Database struct {
	// Name of the database on its server.
	Name string

	tb    testing.TB
	base  *url.URL
	roles []string
}

// New returns a database with the current schema. It is dropped, and whatever
// is still connected to it disconnected, when the test ends.
func (k *Kit) New(tb testing.TB) *Database {
	tb.Helper()
	base, err := k.prepare(tb.Context(), true)
	require.NoError(tb, err)
	return create(tb, base, k.templateName(), k.Roles)
}

// NewEmpty returns a database without any schema, for tests of the migrations
// themselves. Role passwords are not set for it.
func (k *Kit) NewEmpty(tb testing.TB) *Database {
	tb.Helper()
	base, err := k.prepare(tb.Context(), false)
	require.NoError(tb, err)
	return create(tb, base, "template0", nil)
}

func create(tb testing.TB, base *url.URL, template string, roles []string) *Database {
	tb.Helper()
	d := &Database{Name: randomName(), tb: tb, base: base, roles: roles}
	quoted := pgx.Identifier{d.Name}.Sanitize()
	// Copying the files is three times as fast as writing them through the log.
	d.administer(tb.Context(), "create database "+quoted+" template "+pgx.Identifier{template}.Sanitize()+" strategy file_copy")
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), cleanupTimeout)
		defer cancel()
		d.administer(ctx, "drop database if exists "+quoted+" with (force)")
	})
	return d
}

// administer runs one statement outside the database.
func (d *Database) administer(ctx context.Context, sql string) {
	d.tb.Helper()
	conn, err := pgx.Connect(ctx, d.base.String())
	require.NoError(d.tb, err)
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, sql)
	require.NoError(d.tb, err)
}

// SuperuserURL returns the URL for looking behind row-level security.
func (d *Database) SuperuserURL() string { return withDatabase(d.base, d.Name) }

// URL returns the URL for one of the Kit's Roles; any other role fails the test.
func (d *Database) URL(role string) string {
	d.tb.Helper()
	require.True(d.tb, slices.Contains(d.roles, role), "role %q is not one of the kit's: %q", role, d.roles)
	u := *d.base
	u.User = url.UserPassword(role, rolePassword(d.base, role))
	return withDatabase(&u, d.Name)
}

// Pool returns a pool of connections as the role, closed when the test ends.
func (d *Database) Pool(role string) *pgxpool.Pool {
	d.tb.Helper()
	return d.pool(d.URL(role))
}

// SuperuserPool returns a pool of connections as superuser, closed when the test
// ends.
func (d *Database) SuperuserPool() *pgxpool.Pool {
	d.tb.Helper()
	return d.pool(d.SuperuserURL())
}

func (d *Database) pool(connString string) *pgxpool.Pool {
	d.tb.Helper()
	pool, err := pgxpool.New(d.tb.Context(), connString)
	require.NoError(d.tb, err)
	d.tb.Cleanup(pool.Close)
	return pool
}
