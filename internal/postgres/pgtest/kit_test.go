package pgtest

import (
	"context"
	"errors"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

var databases = &Kit{Migrate: migrate, Fingerprint: "pgtest's own", Roles: []string{"pgtest_service"}}

func migrate(ctx context.Context, databaseURL string) error {
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, `
		do $$ begin
			create role pgtest_service;
		exception when duplicate_object then null;
		end $$;
		create table thing (n int);
		grant select on thing to pgtest_service;`)
	return errors.Join(err, conn.Close(ctx))
}

func TestMain(m *testing.M) { os.Exit(databases.Run(m)) }

func TestEachTestHasItsOwnDatabase(t *testing.T) {
	t.Parallel()
	a, b := databases.New(t), databases.New(t)
	require.NotEqual(t, a.Name, b.Name)
	_, err := a.SuperuserPool().Exec(t.Context(), "insert into thing values (1)")
	require.NoError(t, err)
	require.Equal(t, 1, count(t, a))
	require.Equal(t, 0, count(t, b))
}

func TestTemplateIsBuiltOnceByRacingBinaries(t *testing.T) {
	t.Parallel()
	fingerprint := randomName()
	var migrated atomic.Int32
	var group errgroup.Group
	for range 4 {
		// One kit for each binary, all on this binary's server.
		kit := siblingKit(t, fingerprint, func(context.Context, string) error {
			migrated.Add(1)
			return nil
		})
		group.Go(func() error {
			_, err := kit.prepare(t.Context(), true)
			return err
		})
	}
	require.NoError(t, group.Wait())
	require.Equal(t, int32(1), migrated.Load())
}

func TestUnfinishedTemplateIsBuiltAgain(t *testing.T) {
	t.Parallel()
	fingerprint := randomName()
	broken := errors.New("broken migration")
	failing := siblingKit(t, fingerprint, func(ctx context.Context, databaseURL string) error {
		conn, err := pgx.Connect(ctx, databaseURL)
		if err != nil {
			return err
		}
		_, err = conn.Exec(ctx, "create table half (n int)")
		return errors.Join(err, conn.Close(ctx), broken)
	})
	_, err := failing.prepare(t.Context(), true)
	require.ErrorIs(t, err, broken)

	db := siblingKit(t, fingerprint, migrate).New(t)
	_, err = db.SuperuserPool().Exec(t.Context(), "select from half")
	require.ErrorContains(t, err, "42P01")
}

// siblingKit returns a kit with another template on this binary's server.
func siblingKit(t *testing.T, fingerprint string, migrate func(context.Context, string) error) *Kit {
	t.Helper()
	base, err := databases.prepare(t.Context(), false)
	require.NoError(t, err)
	kit := &Kit{Migrate: migrate, Fingerprint: fingerprint, base: base}
	t.Cleanup(func() { dropTemplate(t, base, kit.templateName()) })
	return kit
}

func dropTemplate(t *testing.T, base *url.URL, name string) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, base.String())
	require.NoError(t, err)
	defer conn.Close(ctx)
	quoted := pgx.Identifier{name}.Sanitize()
	_, err = conn.Exec(ctx, "update pg_database set datistemplate = false where datname = $1", name)
	require.NoError(t, err)
	_, err = conn.Exec(ctx, "drop database if exists "+quoted+" with (force)")
	require.NoError(t, err)
}

func TestRolesConnectWithTheirPrivileges(t *testing.T) {
	t.Parallel()
	pool := databases.New(t).Pool("pgtest_service")
	var who string
	require.NoError(t, pool.QueryRow(t.Context(), "select current_user from (select count(*) from thing) t").Scan(&who))
	require.Equal(t, "pgtest_service", who)
	_, err := pool.Exec(t.Context(), "insert into thing values (1)")
	require.ErrorContains(t, err, "42501")
}

// TestKitsMayHaveDifferentRoles builds the template with a kit of no roles and
// connects as the role of another kit, as when the tests of packages run side by
// side.
func TestKitsMayHaveDifferentRoles(t *testing.T) {
	t.Parallel()
	fingerprint, role := randomName(), strings.ToLower(randomName())
	migrate := func(ctx context.Context, databaseURL string) error {
		conn, err := pgx.Connect(ctx, databaseURL)
		if err != nil {
			return err
		}
		_, err = conn.Exec(ctx, "create role "+role)
		return errors.Join(err, conn.Close(ctx))
	}
	first := siblingKit(t, fingerprint, migrate)
	_, err := first.prepare(t.Context(), true)
	require.NoError(t, err)
	second := siblingKit(t, fingerprint, migrate)
	second.Roles = []string{role}
	var who string
	require.NoError(t, second.New(t).Pool(role).QueryRow(t.Context(), "select current_user").Scan(&who))
	require.Equal(t, role, who)
}

func TestDatabaseIsDroppedThoughInUse(t *testing.T) {
	t.Parallel()
	outer := databases.New(t)
	var name string
	t.Run("inner", func(t *testing.T) {
		db := databases.New(t)
		name = db.Name
		// Never closed: the drop must disconnect it.
		_, err := pgx.Connect(context.Background(), db.SuperuserURL())
		require.NoError(t, err)
	})
	var exists bool
	require.NoError(t, outer.SuperuserPool().QueryRow(t.Context(),
		"select exists (select from pg_database where datname = $1)", name).Scan(&exists))
	require.False(t, exists)
}

func TestNewEmptyHasNoSchema(t *testing.T) {
	t.Parallel()
	db := databases.NewEmpty(t)
	_, err := db.SuperuserPool().Exec(t.Context(), "select from thing")
	require.ErrorContains(t, err, "42P01")
}

func count(t *testing.T, db *Database) int {
	t.Helper()
	var n int
	require.NoError(t, db.SuperuserPool().QueryRow(t.Context(), "select count(*) from thing").Scan(&n))
	return n
}

func TestServerURLNeedsAPassword(t *testing.T) {
	t.Setenv(EnvURL, "postgres://postgres@127.0.0.1:1/postgres")
	_, err := (&Kit{}).prepare(t.Context(), false)
	require.ErrorContains(t, err, "no password")
}

func TestServerIsStoppedByWhoeverStartedIt(t *testing.T) {
	t.Setenv(EnvURL, "")
	_, err := (&Kit{}).prepare(t.Context(), false)
	require.ErrorIs(t, err, ErrNotRun)

	kit := &Kit{running: true}
	_, err = kit.prepare(t.Context(), false)
	require.NoError(t, err)
	dir := kit.server.dir
	require.DirExists(t, dir)
	require.NoError(t, kit.stop())
	require.NoDirExists(t, dir)
	require.NoError(t, kit.stop(), "a second stop does nothing")
}
