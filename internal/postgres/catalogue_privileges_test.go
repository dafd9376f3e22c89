package postgres_test

import (
	"maps"
	"slices"
	"strings"
)

// actAsOwner are the functions that act as the owner of all tables, each with
// the reason. Looking across workspaces is the dispatcher's.
func actAsOwner() map[string]string {
	return map[string]string{
		"refuse_when_archived":        "locks the row of the caller's workspace, for which services have no privilege",
		"refuse_starts_when_archived": "does the same for a statement that starts many runs",
		"emit_webhook_event":          "finds the endpoints that asked for an event, which services that make events cannot read",
		"graph_prepare":               "makes the partitions of a connection, which only the owner of the parent may",
		"graph_attach":                "attaches them",
		"graph_drop":                  "drops them",
		"forget_history":              "removes old versions of the caller's workspace, which no service may",
		"forget_runs":                 "removes old runs of the caller's workspace, which no service may",
	}
}

// privilegeRules keep services to what they are for.
func privilegeRules() []catalogueRule {
	return []catalogueRule{
		{
			rule: "tables, views and sequences belong to the owner nobody logs in as",
			breaches: `
			select relname from pg_class
			where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'S') and relname <> 'schema_version'
				and pg_get_userbyid(relowner) <> 'gatehouse_owner'`,
			breach: `alter table runs owner to svc_discovery`,
		},
		{
			rule: "nobody may truncate, refer to or put triggers on a table",
			breaches: `
			select g.grantee || ' ' || g.privilege_type || ' ' || g.table_name from information_schema.table_privileges g
			where g.table_schema in ('public', 'staging', 'river') and g.privilege_type in ('TRUNCATE', 'REFERENCES', 'TRIGGER')
				and g.grantee not in ('gatehouse_owner', (select pg_get_userbyid(10)))`,
			breach: `grant truncate on runs to svc_workspace`,
		},
		{
			rule: "nobody else is granted anything, and nobody may grant on",
			breaches: `
			select g.grantee || ' ' || g.privilege_type || ' ' || g.table_name from information_schema.table_privileges g
			where g.table_schema = 'public' and g.grantee not in ('gatehouse_owner', (select pg_get_userbyid(10)))
				and (g.is_grantable = 'YES' or g.grantee not in ('gatehouse_dispatcher', 'svc_integration', 'svc_discovery', 'svc_workspace'))`,
			breach: `grant select on targets to svc_workspace with grant option`,
		},
		{
			rule: "audit events and their log are only ever added to",
			breaches: `
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
			breach: `grant update (payload) on audit_events to svc_discovery`,
		},
		{
			rule: "a row stays whose it is: no service may change a key, a workspace, a tenant or when it was made, nor all of a table's columns",
			breaches: `
			select r.rolname || ' ' || c.relname || ' ' || a.attname
			from pg_roles r, pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
			where (r.rolname like 'svc\_%' or r.rolname = 'gatehouse_dispatcher') and c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
				and has_column_privilege(r.oid, c.oid, a.attnum, 'update')
				and (a.attname in ('workspace_id', 'tenant_id', 'created_at')
					or exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary and a.attnum = any (i.indkey)))
			union all
			select r.rolname || ' ' || c.relname
			from pg_roles r, pg_class c
			where r.rolname like 'svc\_%' and c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
				and has_table_privilege(r.oid, c.oid, 'update')`,
			breach: `grant update (workspace_id) on connections to svc_integration`,
		},
		{
			rule: "credentials are for the integrations service alone",
			breaches: `
			select r.rolname from pg_roles r
			where r.rolname like 'svc\_%' and r.rolname <> 'svc_integration'
				and has_any_column_privilege(r.oid, 'credentials', 'select, insert, update, references')`,
			breach: `grant select (ciphertext) on credentials to svc_discovery`,
		},
		{
			rule: "across workspaces nothing of a credential is seen but whose it is and its key's name",
			breaches: `
			select a.attname from pg_attribute a
			where a.attrelid = 'credentials'::regclass and a.attnum > 0
				and (has_column_privilege('gatehouse_dispatcher', a.attrelid, a.attnum, 'insert, update, references')
					or (has_column_privilege('gatehouse_dispatcher', a.attrelid, a.attnum, 'select')
						and a.attname not in ('workspace_id', 'connection_id', 'wrapper', 'kms_key_id')))`,
			breach: `grant select (ciphertext) on credentials to gatehouse_dispatcher`,
		},
		{
			rule: "partitions are reached through their parents",
			breaches: `
			select c.relname || ' ' || r.rolname from pg_class c, pg_roles r
			where c.relispartition and c.relkind = 'r' and r.rolname in ` + services + `
				and has_any_column_privilege(r.oid, c.oid, 'select, insert, update, references')`,
			breach: `do $$ begin execute format('grant select on %s to svc_discovery', (select relname from pg_class where relispartition and relkind = 'r' limit 1)); end $$`,
		},
		{
			rule: "no role of ours is above the rules",
			breaches: `
			select rolname from pg_roles
			where (rolname in ` + services + ` or rolname like 'gatehouse\_owner' or rolname = 'gatehouse_dispatcher')
				and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication)`,
			breach: `alter role svc_discovery bypassrls`,
		},
		{
			rule: "nobody logs in as the owner or the dispatcher",
			breaches: `
			select rolname from pg_roles where rolname in ('gatehouse_owner', 'gatehouse_dispatcher') and rolcanlogin`,
			breach: `alter role gatehouse_dispatcher login`,
		},
		{
			rule: "no service is a member of another role",
			breaches: `
			select m.member::regrole::text from pg_auth_members m where m.member::regrole::text in ` + services + `
				or m.member::regrole::text in ('gatehouse_owner', 'gatehouse_dispatcher')`,
			breach: `grant gatehouse_owner to svc_workspace`,
		},
		{
			rule: "functions that act as their owner have a known one and a fixed path that ends in pg_temp",
			breaches: `
			select p.proname from pg_proc p
			where p.prosecdef and p.pronamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
				and not (pg_get_userbyid(p.proowner) in ('gatehouse_owner', 'gatehouse_dispatcher')
					and coalesce('search_path=public, pg_temp' = any (p.proconfig), false))`,
			breach: `create function act() returns void language sql security definer as $$ select $$; alter function act() owner to gatehouse_dispatcher`,
		},
		{
			rule: "functions that act as their owner are not for everyone",
			breaches: `
			select p.proname from pg_proc p
			where p.prosecdef and p.pronamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
				and exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a where a.grantee = 0)`,
			breach: `create function act() returns void language sql security definer as $$ select $$`,
		},
		{
			rule: "the schemas are not for everyone",
			breaches: `
			select n.nspname from pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
			where n.nspname in ('public', 'staging', 'river') and a.grantee = 0`,
			breach: `grant usage on schema public to public`,
		},
		{
			rule: "services make objects in the staging schema alone",
			breaches: `
			select n.nspname || ' ' || r.rolname from pg_namespace n, pg_roles r
			where n.nspname in ('public', 'staging', 'river') and (r.rolname in ` + services + ` or r.rolname = 'gatehouse_dispatcher')
				and has_schema_privilege(r.oid, n.oid, 'create') and not (n.nspname = 'staging' and r.rolname = 'svc_discovery')`,
			breach: `grant create on schema public to svc_integration`,
		},
		{
			rule: "everyone has nothing",
			breaches: `
			select c.relname || ' ' || a.privilege_type from pg_class c, aclexplode(c.relacl) a
			where c.relnamespace in ('public'::regnamespace, 'staging'::regnamespace, 'river'::regnamespace) and a.grantee = 0
			union all
			select t.attrelid::regclass || '.' || t.attname || ' ' || a.privilege_type from pg_attribute t, aclexplode(t.attacl) a
			where a.grantee = 0 and t.attrelid in (select oid from pg_class where relnamespace in ('public'::regnamespace, 'staging'::regnamespace, 'river'::regnamespace))`,
			breach: `grant select (name) on workspaces to public`,
		},
		{
			rule: "nothing is granted by default",
			breaches: `
			select d.defaclrole::regrole || ' grants ' || a.privilege_type from pg_default_acl d, aclexplode(d.defaclacl) a where a.grantee <> d.defaclrole`,
			breach: `alter default privileges for role gatehouse_owner in schema public grant select on tables to svc_workspace`,
		},
		{
			rule: "sequences are drawn from and never set",
			breaches: `
			select c.relname || ' ' || a.privilege_type from pg_class c, aclexplode(c.relacl) a
			where c.relnamespace = 'public'::regnamespace and c.relkind = 'S' and a.grantee <> c.relowner and a.privilege_type <> 'USAGE'`,
			breach: `grant update on sequence runs_run_id_seq to svc_discovery`,
		},
		{
			rule: "jobs and staged rows are for the discovery service alone",
			breaches: `
			select n.nspname || ' ' || r.rolname from pg_namespace n, pg_roles r
			where n.nspname in ('staging', 'river') and (r.rolname in ` + services + ` or r.rolname = 'gatehouse_dispatcher') and r.rolname <> 'svc_discovery'
				and has_schema_privilege(r.oid, n.oid, 'usage')`,
			breach: `grant usage on schema staging to svc_workspace`,
		},
		{
			rule: "what acts as the owner of all tables is listed with the reason",
			breaches: `
			select p.proname from pg_proc p
			where p.prosecdef and pg_get_userbyid(p.proowner) = 'gatehouse_owner'
				and p.proname <> all ('{` + strings.Join(slices.Sorted(maps.Keys(actAsOwner())), ",") + `}')`,
			breach: `create function act() returns void language sql security definer set search_path = public, pg_temp as $$ select $$; alter function act() owner to gatehouse_owner`,
		},
		{
			rule: "nothing leaves the database by itself",
			breaches: `
			select pubname::text from pg_publication union all select srvname::text from pg_foreign_server union all select evtname::text from pg_event_trigger`,
			breach: `create publication leak for table runs`,
		},
	}
}
