package postgres_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// update rewrites the golden file: go test ./internal/postgres -run Privileges -update
var update = flag.Bool("update", false, "rewrite golden files")

// Who may do what with which column is reviewed as a whole: the golden file
// changes with every grant.
func TestPrivilegesAreAsReviewed(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	rows, err := d.super.Query(t.Context(), `
		select format('%s %s %s: %s', grantee, relname, privilege_type,
			case when bool_and(granted) then '*' else string_agg(attname, ', ' order by attnum) filter (where granted) end)
		from (
			select r.rolname as grantee, c.oid::regclass::text as relname, p.privilege_type, a.attname, a.attnum,
				has_column_privilege(r.oid, c.oid, a.attnum, p.privilege_type) as granted
			from pg_roles r, (values ('SELECT'), ('INSERT'), ('UPDATE'), ('REFERENCES')) p(privilege_type),
				pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
			where (r.rolname like 'svc\_%' or r.rolname = 'gatehouse_dispatcher') and c.relnamespace in ('public'::regnamespace, 'staging'::regnamespace, 'river'::regnamespace) and c.relkind in ('r', 'p', 'v')
			union all
			select r.rolname, c.oid::regclass::text, 'DELETE', 'row', 0, true
			from pg_roles r, pg_class c
			where (r.rolname like 'svc\_%' or r.rolname = 'gatehouse_dispatcher') and c.relnamespace in ('public'::regnamespace, 'staging'::regnamespace, 'river'::regnamespace) and c.relkind in ('r', 'p', 'v')
				and has_table_privilege(r.oid, c.oid, 'DELETE')) each
		group by grantee, relname, privilege_type
		having bool_or(granted)
		union all
		select format('%s %s EXECUTE', r.rolname, p.oid::regprocedure)
		from pg_roles r, pg_proc p
		where (r.rolname like 'svc\_%' or r.rolname = 'gatehouse_dispatcher') and p.pronamespace in ('public'::regnamespace, 'staging'::regnamespace, 'river'::regnamespace) and has_function_privilege(r.oid, p.oid, 'EXECUTE')
		union all
		select format('%s schema %s %s', r.rolname, n.nspname, p)
		from pg_roles r, pg_namespace n, unnest(array['USAGE', 'CREATE']) p
		where (r.rolname like 'svc\_%' or r.rolname = 'gatehouse_dispatcher') and n.nspname in ('public', 'staging', 'river') and has_schema_privilege(r.oid, n.oid, p)
		union all
		select format('%s %s %s', r.rolname, c.oid::regclass, p)
		from pg_roles r, pg_class c, unnest(array['USAGE', 'SELECT', 'UPDATE']) p
		where (r.rolname like 'svc\_%' or r.rolname = 'gatehouse_dispatcher') and c.relnamespace in ('public'::regnamespace, 'staging'::regnamespace, 'river'::regnamespace) and c.relkind = 'S' and has_sequence_privilege(r.oid, c.oid, p)
		order by 1`)
	require.NoError(t, err)
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	got := strings.Join(lines, "\n") + "\n"
	const golden = "testdata/privileges.golden"
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")), "review the change, then run with -update")
}
