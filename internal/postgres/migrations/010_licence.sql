set role gatehouse_owner;

-- What licences are checked with. Written by whoever migrates; services only
-- read it, so none of them can make itself trust another key.
create table licence_keys (
  verifier text primary key,
  added_at timestamptz not null default now(),
  constraint licence_keys_length check (char_length(verifier) between 1 and 300)
);

-- Every licence that was installed in this tenant; the last one is in force. The
-- text is what was signed, so that it can be checked again.
create table licences (
  installation_id bigint generated always as identity primary key,
  document text not null,
  installed_by text not null,
  installed_at timestamptz not null default clock_timestamp(),
  constraint licences_document_length check (octet_length(document) between 1 and 65536)
);

grant select on licence_keys, licences to svc_integration, svc_discovery, svc_workspace;
grant insert (document, installed_by) on licences to svc_workspace;

-- Counting across workspaces: only inside the function below.
create policy count_for_licence on workspaces for select to gatehouse_dispatcher using (true);
grant select (workspace_id, level, archived_at) on workspaces to gatehouse_dispatcher;

-- Counts what licences limit. Whoever is about to add to it, or installs a
-- licence, counts alone: others that do wait until its transaction ends, and
-- then count anew. Volatile, so that the count sees what was committed while it
-- waited.
create function licensed_use(alone boolean)
  returns table (workspaces bigint, connections bigint)
  language plpgsql volatile security definer set search_path = public, pg_temp as $$
begin
  if alone then
    perform pg_advisory_xact_lock(hashtextextended('gatehouse licensed use', 0));
  end if;
  return query select
    (select count(*) from workspaces w where w.level = 'workspace' and w.archived_at is null),
    (select count(*) from connections c where c.deleted_at is null);
end $$;

reset role;

-- Giving a function away needs CREATE on its schema for the receiver, briefly.
grant create on schema public to gatehouse_dispatcher;
alter function licensed_use(boolean) owner to gatehouse_dispatcher;
revoke create on schema public from gatehouse_dispatcher;
revoke all on function licensed_use(boolean) from public;
grant execute on function licensed_use(boolean) to svc_integration, svc_workspace;

---- create above / drop below ----

drop function licensed_use(boolean);
drop policy count_for_licence on workspaces;
revoke select (workspace_id, archived_at) on workspaces from gatehouse_dispatcher;
drop table licences, licence_keys;
