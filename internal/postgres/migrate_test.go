package postgres_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/postgres"
)

func TestMigratingAsTheWrongRoleSaysWhatItNeeds(t *testing.T) {
	t.Parallel()
	err := postgres.Migrate(t.Context(), databases.New(t).URL("svc_discovery"))
	require.ErrorContains(t, err, "must own the database")
	require.ErrorContains(t, err, "permission denied")
}

// Each migration undoes what it does, and nothing that an earlier one has made.
func TestMigrationsAreUndoneAndMadeAgain(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db := databases.NewEmpty(t)
	require.NoError(t, postgres.Migrate(ctx, db.SuperuserURL()))
	require.NoError(t, postgres.UndoMigrations(ctx, db.SuperuserURL()))

	conn, err := pgx.Connect(ctx, db.SuperuserURL())
	require.NoError(t, err)
	defer conn.Close(ctx)
	var left []string
	require.NoError(t, conn.QueryRow(ctx, `
		select coalesce(array_agg(made order by made), '{}') from (
			select c.oid::regclass::text from pg_class c where c.relnamespace = 'public'::regnamespace and c.relname <> 'schema_version'
			union all
			select p.oid::regprocedure::text from pg_proc p where p.pronamespace = 'public'::regnamespace
			union all
			select t.typname::text from pg_type t where t.typnamespace = 'public'::regnamespace and t.typtype = 'e'
			union all
			select s.nspname::text from pg_namespace s where s.nspname in ('staging', 'river')) as objects (made)`).Scan(&left))
	require.Empty(t, left)

	require.NoError(t, postgres.Migrate(ctx, db.SuperuserURL()))
}
