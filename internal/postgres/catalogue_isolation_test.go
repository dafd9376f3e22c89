package postgres_test

import (
	"maps"
	"slices"
	"strings"
)

// tablesOfNoWorkspace are those that hold nothing of any workspace, each with
// what it holds instead.
func tablesOfNoWorkspace() map[string]string {
	return map[string]string{
		"audit_signer":            "the data plane's public key for checkpoints",
		"data_plane":              "one row: the tenant",
		"encryption_keys":         "the keys that credentials are under, by name",
		"integrations":            "the catalogue, the same for all",
		"licence_keys":            "whose signature a licence may carry",
		"licences":                "the tenant's licences",
		"retired_encryption_keys": "the keys that nothing is written under again, by name",
		"schema_version":          "the number of the last migration",
		"throttle_budgets":        "what calls to a provider may take, named by a hash, which workspaces share as the provider counts",
		"throttle_limits":         "how much administrators of the tenant allow of it",
	}
}

// isolationRules keep workspaces apart.
func isolationRules() []catalogueRule {
	return []catalogueRule{
		{
			rule: "row-level security is enabled and forced on every workspace table",
			breaches: `
			select relname from (` + workspaceTables + `) w where not (relrowsecurity and relforcerowsecurity)`,
			breach: `alter table runs no force row level security`,
		},
		{
			rule: "every workspace table has the one policy that compares workspaces",
			breaches: `
			select relname from (` + workspaceTables + `) w where not exists (
				select from pg_policy p where p.polrelid = w.oid and p.polname = 'by_workspace' and p.polpermissive and p.polcmd = '*' and p.polroles = '{0}'
					and pg_get_expr(p.polqual, p.polrelid) = '(workspace_id = current_workspace())'
					and pg_get_expr(p.polwithcheck, p.polrelid) = '(workspace_id = current_workspace())')`,
			breach: `alter policy by_workspace on runs using (true)`,
		},
		{
			rule: "further policies are for the dispatcher alone",
			breaches: `
			select polrelid::regclass || ' ' || polname from pg_policy
			where polname <> 'by_workspace' and polroles <> array['gatehouse_dispatcher'::regrole::oid]`,
			breach: `create policy everything on runs using (true)`,
		},
		{
			rule: "views look with the eyes of whoever asks",
			breaches: `
			select relname from pg_class
			where relnamespace = 'public'::regnamespace and relkind = 'v' and not coalesce('security_invoker=true' = any (reloptions), false)`,
			breach: `create view peek as select * from runs`,
		},
		{
			rule: "nothing is materialised past row-level security",
			breaches: `
			select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'm'`,
			breach: `create materialized view hoard as select * from runs`,
		},
		{
			rule: "foreign keys between workspace tables include the workspace",
			breaches: `
			select k.conname from pg_constraint k
			join (` + workspaceTables + `) w on w.oid = k.conrelid join (` + workspaceTables + `) f on f.oid = k.confrelid
			where k.contype = 'f' and not exists (
				select from unnest(k.conkey, k.confkey) as pair(here, there)
				join pg_attribute a on a.attrelid = k.conrelid and a.attnum = pair.here and a.attname = 'workspace_id'
				join pg_attribute b on b.attrelid = k.confrelid and b.attnum = pair.there and b.attname = 'workspace_id')`,
			breach: `alter table runs add constraint runs_alone unique (run_id); create table careless (workspace_id bigint not null, run_id bigint references runs (run_id))`,
		},
		{
			rule: "unique keys of workspace tables include the workspace",
			breaches: `
			select x.indexrelid::regclass::text from pg_index x
			join (` + workspaceTables + `) w on w.oid = x.indrelid
			where x.indisunique and not exists (
				select from pg_attribute a where a.attrelid = x.indrelid and a.attnum = any (x.indkey::smallint[]) and a.attname = 'workspace_id')`,
			breach: `alter table runs add constraint runs_alone unique (run_id)`,
		},
		{
			rule: "tables without a workspace are listed with the reason",
			breaches: `
			select c.relname from pg_class c
			where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'f')
				and not exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'workspace_id' and not a.attisdropped)
				and c.relname <> all ('{` + strings.Join(slices.Sorted(maps.Keys(tablesOfNoWorkspace())), ",") + `}')`,
			breach: `create table careless (secret text)`,
		},
		{
			rule: "every row of a workspace table has a workspace",
			breaches: `
			select w.relname from (` + workspaceTables + `) w
			join pg_attribute a on a.attrelid = w.oid and a.attname = 'workspace_id' where not a.attnotnull`,
			breach: `create table careless (workspace_id bigint)`,
		},
		{
			rule: "no rule rewrites what is asked of a table",
			breaches: `
			select r.rulename from pg_rewrite r join pg_class c on c.oid = r.ev_class
			where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')`,
			breach: `create rule quietly as on delete to runs do instead nothing`,
		},
		{
			rule: "no function of ours is trusted with rows that a policy hides",
			breaches: `
			select p.proname from pg_proc p
			where p.proleakproof and p.pronamespace in ('public'::regnamespace, 'staging'::regnamespace, 'river'::regnamespace)
				and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')`,
			breach: `create function see(bigint) returns boolean language sql immutable leakproof as $$ select true $$`,
		},
		{
			rule: "tables inherit from nothing but their partitioned parent",
			breaches: `
			select i.inhrelid::regclass::text from pg_inherits i join pg_class c on c.oid = i.inhparent
			where c.relnamespace = 'public'::regnamespace and c.relkind not in ('p', 'I')`,
			breach: `create table offspring () inherits (runs)`,
		},
	}
}
