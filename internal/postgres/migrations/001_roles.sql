-- Roles are cluster-wide, so another database of this server may have made them.
-- gatehouse_owner owns every table and nobody logs in as it; the svc_ roles are
-- what services log in as (the provisioner gives them LOGIN and a password);
-- gatehouse_dispatcher owns the few functions that look across workspaces.
do $$
declare
  role_name text;
begin
  foreach role_name in array array['gatehouse_owner', 'gatehouse_dispatcher', 'svc_integration', 'svc_discovery', 'svc_workspace'] loop
    begin
      execute format('create role %I nologin', role_name);
    exception when duplicate_object or unique_violation then
      null;
    end;
  end loop;
  -- Whoever migrates makes things for these two. A superuser may anyway.
  if not (select rolsuper from pg_roles where rolname = current_user) then
    execute format('grant gatehouse_owner, gatehouse_dispatcher to %I', current_user);
  end if;
end $$;

revoke all on schema public from public;
grant usage on schema public to svc_integration, svc_discovery, svc_workspace, gatehouse_dispatcher;
grant usage, create on schema public to gatehouse_owner;

-- A discovery process makes and drops one pair of staging tables per run here.
-- The owner reads them nowhere; only their maker does.
create schema staging authorization gatehouse_owner;
grant usage, create on schema staging to svc_discovery;

create schema river authorization gatehouse_owner;
grant usage on schema river to svc_discovery;

set role gatehouse_owner;

-- The workspace a transaction works in; null outside one, and null matches no row.
create function current_workspace() returns bigint
  language sql stable parallel safe
  return nullif(current_setting('gatehouse.workspace_id', true), '')::bigint;

-- Protects a workspace table: row-level security on and forced, one policy.
create procedure isolate_by_workspace(table_name regclass)
  language plpgsql as $$
begin
  execute format('alter table %s enable row level security', table_name);
  execute format('alter table %s force row level security', table_name);
  execute format('create policy by_workspace on %s using (workspace_id = current_workspace()) with check (workspace_id = current_workspace())', table_name);
end $$;

reset role;

---- create above / drop below ----

drop schema river cascade;
drop schema staging cascade;
drop procedure isolate_by_workspace(regclass);
drop function current_workspace();
