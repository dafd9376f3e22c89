package postgres_test

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// update rewrites the golden file: go test ./internal/postgres -run Privileges -update
var update = flag.Bool("update", false, "rewrite golden files")

// workspaceTables are the tables of the data plane, partitions included, that
// hold what belongs to a workspace.
const workspaceTables = `
	select c.oid, c.relname, c.relrowsecurity, c.relforcerowsecurity, pg_get_userbyid(c.relowner) as owner
	from pg_class c
	where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
		and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'workspace_id' and not a.attisdropped)`

// services are the roles that services log in as.
const services = `('svc_integration', 'svc_discovery', 'svc_workspace')`

// rules are queries for what breaks them.
func rules() map[string]string {
	return map[string]string{
		"row-level security is enabled and forced on every workspace table": `
			select relname from (` + workspaceTables + `) w where not (relrowsecurity and relforcerowsecurity)`,

		"every workspace table has the one policy that compares workspaces": `
			select relname from (` + workspaceTables + `) w where not exists (
				select from pg_policy p where p.polrelid = w.oid and p.polname = 'by_workspace' and p.polpermissive and p.polcmd = '*' and p.polroles = '{0}'
					and pg_get_expr(p.polqual, p.polrelid) = '(workspace_id = current_workspace())'
					and pg_get_expr(p.polwithcheck, p.polrelid) = '(workspace_id = current_workspace())')`,

		"further policies are for the dispatcher alone": `
			select polrelid::regclass || ' ' || polname from pg_policy
			where polname <> 'by_workspace' and polroles <> array['gatehouse_dispatcher'::regrole::oid]`,

		"tables, views and sequences belong to the owner nobody logs in as": `
			select relname from pg_class
			where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'S') and relname <> 'schema_version'
				and pg_get_userbyid(relowner) <> 'gatehouse_owner'`,

		"views look with the eyes of whoever asks": `
			select relname from pg_class
			where relnamespace = 'public'::regnamespace and relkind = 'v' and not coalesce('security_invoker=true' = any (reloptions), false)`,

		"nothing is materialised past row-level security": `
			select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'm'`,

		"foreign keys between workspace tables include the workspace": `
			select k.conname from pg_constraint k
			join (` + workspaceTables + `) w on w.oid = k.conrelid join (` + workspaceTables + `) f on f.oid = k.confrelid
			where k.contype = 'f' and not exists (
				select from unnest(k.conkey, k.confkey) as pair(here, there)
				join pg_attribute a on a.attrelid = k.conrelid and a.attnum = pair.here and a.attname = 'workspace_id'
				join pg_attribute b on b.attrelid = k.confrelid and b.attnum = pair.there and b.attname = 'workspace_id')`,

		"unique keys of workspace tables include the workspace": `
			select x.indexrelid::regclass::text from pg_index x
			join (` + workspaceTables + `) w on w.oid = x.indrelid
			where x.indisunique and not exists (
				select from pg_attribute a where a.attrelid = x.indrelid and a.attnum = any (x.indkey::smallint[]) and a.attname = 'workspace_id')`,

		"nobody may truncate, refer to or put triggers on a table": `
			select g.grantee || ' ' || g.privilege_type || ' ' || g.table_name from information_schema.table_privileges g
			where g.table_schema in ('public', 'staging', 'river') and g.privilege_type in ('TRUNCATE', 'REFERENCES', 'TRIGGER')
				and g.grantee not in ('gatehouse_owner', (select pg_get_userbyid(10)))`,

		"nobody else is granted anything, and nobody may grant on": `
			select g.grantee || ' ' || g.privilege_type || ' ' || g.table_name from information_schema.table_privileges g
			where g.table_schema = 'public' and g.grantee not in ('gatehouse_owner', (select pg_get_userbyid(10)))
				and (g.is_grantable = 'YES' or g.grantee not in ('gatehouse_dispatcher', 'svc_integration', 'svc_discovery', 'svc_workspace'))`,

		"audit events and their log are only ever added to": `
			select grantee || ' ' || privilege_type || ' ' || table_name from information_schema.column_privileges
			where table_name in ('audit_events', 'audit_log_entries', 'audit_checkpoints', 'audit_signer')
				and privilege_type not in ('INSERT', 'SELECT') and grantee <> 'gatehouse_owner'
			union all
			select grantee || ' ' || privilege_type || ' ' || table_name from information_schema.table_privileges
			where table_name in ('audit_events', 'audit_log_entries', 'audit_checkpoints', 'audit_signer')
				and privilege_type not in ('INSERT', 'SELECT') and grantee <> 'gatehouse_owner'
			union all
			select 'no trigger on ' || t from unnest(array['audit_events', 'audit_log_entries', 'audit_checkpoints', 'audit_signer']) t
			where not exists (select from pg_trigger g where g.tgrelid = t::regclass and g.tgfoid = 'refuse_change'::regproc and g.tgenabled = 'O')`,

		"credentials are for the integrations service alone": `
			select r.rolname from pg_roles r
			where r.rolname like 'svc\_%' and r.rolname <> 'svc_integration'
				and has_any_column_privilege(r.oid, 'credentials', 'select, insert, update, references')`,

		"across workspaces nothing of a credential is seen but whose it is and its key's name": `
			select a.attname from pg_attribute a
			where a.attrelid = 'credentials'::regclass and a.attnum > 0
				and (has_column_privilege('gatehouse_dispatcher', a.attrelid, a.attnum, 'insert, update, references')
					or (has_column_privilege('gatehouse_dispatcher', a.attrelid, a.attnum, 'select')
						and a.attname not in ('workspace_id', 'connection_id', 'wrapper', 'kms_key_id')))`,

		"partitions are reached through their parents": `
			select c.relname || ' ' || r.rolname from pg_class c, pg_roles r
			where c.relispartition and c.relkind = 'r' and r.rolname in ` + services + `
				and has_any_column_privilege(r.oid, c.oid, 'select, insert, update, references')`,

		"no role of ours is above the rules": `
			select rolname from pg_roles
			where (rolname in ` + services + ` or rolname like 'gatehouse\_owner' or rolname = 'gatehouse_dispatcher')
				and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication)`,

		"nobody logs in as the owner or the dispatcher": `
			select rolname from pg_roles where rolname in ('gatehouse_owner', 'gatehouse_dispatcher') and rolcanlogin`,

		"no service is a member of another role": `
			select m.member::regrole::text from pg_auth_members m where m.member::regrole::text in ` + services + `
				or m.member::regrole::text in ('gatehouse_owner', 'gatehouse_dispatcher')`,

		"functions that act as their owner have a known one and a fixed path that ends in pg_temp": `
			select p.proname from pg_proc p
			where p.prosecdef and p.pronamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
				and not (pg_get_userbyid(p.proowner) in ('gatehouse_owner', 'gatehouse_dispatcher')
					and coalesce('search_path=public, pg_temp' = any (p.proconfig), false))`,

		"functions that act as their owner are not for everyone": `
			select p.proname from pg_proc p
			where p.prosecdef and p.pronamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
				and exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a where a.grantee = 0)`,

		"the schemas are not for everyone": `
			select n.nspname from pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
			where n.nspname in ('public', 'staging', 'river') and a.grantee = 0`,

		"services make objects in the staging schema alone": `
			select n.nspname || ' ' || r.rolname from pg_namespace n, pg_roles r
			where n.nspname in ('public', 'staging', 'river') and (r.rolname in ` + services + ` or r.rolname = 'gatehouse_dispatcher')
				and has_schema_privilege(r.oid, n.oid, 'create') and not (n.nspname = 'staging' and r.rolname = 'svc_discovery')`,
	}
}

// breaches asks for what breaks each rule.
func (d *discovery) breaches(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for rule, query := range rules() {
		rows, err := d.super.Query(t.Context(), query)
		require.NoError(t, err, rule)
		breaches, err := pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err, rule)
		if len(breaches) > 0 {
			found[rule] = breaches
		}
	}
	return found
}

// The rules are asked of a data plane that holds a graph, because partitions are
// made as connections are discovered.
func TestCatalogueKeepsTheRules(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	d.discover(t, d.scope, d.connect(t, d.scope), whole("alpha", "", accounts("a", "b"), assumes("a", "b")))
	require.Greater(t, d.number(t, `select count(*) from (`+workspaceTables+`) w`), 15, "the rules look at something")
	require.Empty(t, d.breaches(t))
}

// A rule that finds nothing in a catalogue full of breaches guards nothing.
func TestRulesFindWhatBreaksThem(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	d.discover(t, d.scope, d.connect(t, d.scope), whole("alpha", "", accounts("a")))
	d.exec(t, `
		alter table runs add constraint runs_alone unique (run_id);
		create table careless (workspace_id bigint, run_id bigint references runs (run_id));
		create policy everything on runs using (true);
		create view peek as select * from runs;
		create materialized view hoard as select * from runs;
		grant truncate on runs to svc_workspace;
		grant select on targets to svc_workspace with grant option;
		grant update (payload) on audit_events to svc_discovery;
		grant select (ciphertext) on credentials to svc_discovery, gatehouse_dispatcher;
		create function act() returns void language sql security definer as $$ select $$;
		grant usage on schema public to public;
		grant create on schema public to svc_integration`)
	d.exec(t, `do $$ begin execute format('grant select on %s to svc_discovery', (select relname from pg_class where relispartition and relkind = 'r' limit 1)); end $$`)
	clusterWide := []string{ // roles are shared with the databases of other tests
		"no role of ours is above the rules", "nobody logs in as the owner or the dispatcher", "no service is a member of another role",
	}
	found := d.breaches(t)
	for rule := range rules() {
		if !slices.Contains(clusterWide, rule) {
			require.NotEmpty(t, found[rule], rule)
		}
	}
}

// Who may do what with which column is reviewed as a whole: the golden file
// changes with every grant.
func TestPrivilegesAreAsReviewed(t *testing.T) {
	t.Parallel()
	d := newDiscovery(t)
	rows, err := d.super.Query(t.Context(), `
		select format('%s %s %s: %s', grantee, relname, privilege_type,
			case when bool_and(granted) then '*' else string_agg(attname, ', ' order by attnum) filter (where granted) end)
		from (
			select r.rolname as grantee, c.relname, p.privilege_type, a.attname, a.attnum,
				has_column_privilege(r.oid, c.oid, a.attnum, p.privilege_type) as granted
			from pg_roles r, (values ('SELECT'), ('INSERT'), ('UPDATE'), ('REFERENCES')) p(privilege_type),
				pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
			where (r.rolname like 'svc\_%' or r.rolname = 'gatehouse_dispatcher') and c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v')
			union all
			select r.rolname, c.relname, 'DELETE', 'row', 0, true
			from pg_roles r, pg_class c
			where (r.rolname like 'svc\_%' or r.rolname = 'gatehouse_dispatcher') and c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v')
				and has_table_privilege(r.oid, c.oid, 'DELETE')) each
		group by grantee, relname, privilege_type
		having bool_or(granted)
		union all
		select format('%s %s EXECUTE', r.rolname, p.oid::regprocedure)
		from pg_roles r, pg_proc p
		where (r.rolname like 'svc\_%' or r.rolname = 'gatehouse_dispatcher') and p.pronamespace = 'public'::regnamespace and has_function_privilege(r.oid, p.oid, 'EXECUTE')
		union all
		select format('%s %s USAGE', r.rolname, c.relname)
		from pg_roles r, pg_class c
		where (r.rolname like 'svc\_%' or r.rolname = 'gatehouse_dispatcher') and c.relnamespace = 'public'::regnamespace and c.relkind = 'S' and has_sequence_privilege(r.oid, c.oid, 'USAGE')
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
