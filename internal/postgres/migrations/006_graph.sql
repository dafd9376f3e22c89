set role gatehouse_owner;

create type entity_kind as enum ('Principal', 'Account', 'Entitlement', 'Resource', 'CloudAccountBoundary');
create type relationship_kind as enum (
  'principal_represents_account', 'account_assigned_entitlement', 'entitlement_grants_resource',
  'entitlement_includes_entitlement', 'boundary_contains', 'account_assumes_account');
create type grant_effect as enum ('allow', 'deny');

-- A part of a stream that is known to be complete by itself. Every record
-- belongs to the one that read it. One that a complete plan no longer named is
-- retired: out of scope, until a run plans it again.
create table stream_partitions (
  partition_id bigint generated always as identity,
  workspace_id bigint not null,
  connection_id bigint not null,
  stream text not null,
  partition_key text not null,
  coverage text,
  reason_code text,
  message text,
  records bigint not null default 0,
  last_run_id bigint,
  last_observed_at timestamptz,
  last_complete_at timestamptz,
  -- When it became known: from then on it counts as skipped, until a run that read
  -- it is published.
  known_at timestamptz not null default now(),
  retired_at timestamptz,
  primary key (workspace_id, partition_id),
  foreign key (workspace_id, connection_id) references connections,
  constraint stream_partitions_unique unique (workspace_id, connection_id, stream, partition_key)
);
call isolate_by_workspace('stream_partitions');

create table run_coverage (
  workspace_id bigint not null,
  run_id bigint not null,
  stream text not null,
  partition_key text not null,
  coverage text not null,
  reason_code text,
  message text,
  gaps jsonb not null default '[]',
  records bigint not null,
  primary key (workspace_id, run_id, stream, partition_key),
  foreign key (workspace_id, run_id) references runs,
  constraint run_coverage_coverage check (coverage in ('complete', 'partial', 'skipped'))
);
call isolate_by_workspace('run_coverage');

-- One publish of a connection's graph. Its versions carry published_at, the
-- beginning of its transaction; readers began to see it at visible_at, its end. A
-- question about an earlier moment is answered from what was visible then. Of one
-- connection both only grow.
create table publications (
  workspace_id bigint not null,
  run_id bigint not null,
  connection_id bigint not null,
  published_at timestamptz not null,
  visible_at timestamptz not null,
  counts jsonb not null,
  -- Whether the publication made, or ended, a version of anything.
  wrote boolean not null generated always as (
    coalesce((counts->>'entities_new')::bigint, 0) + coalesce((counts->>'entities_changed')::bigint, 0) + coalesce((counts->>'entities_closed')::bigint, 0)
    + coalesce((counts->>'relationships_new')::bigint, 0) + coalesce((counts->>'relationships_changed')::bigint, 0)
    + coalesce((counts->>'relationships_closed')::bigint, 0) > 0) stored,
  -- What answers said of the connection's coverage from then on, and the
  -- partitions that it found out of scope.
  coverage jsonb not null,
  retired bigint[] not null default '{}',
  primary key (workspace_id, run_id),
  foreign key (workspace_id, run_id) references runs,
  foreign key (workspace_id, connection_id) references connections,
  constraint publications_in_order unique (workspace_id, connection_id, published_at),
  constraint publications_visible_in_order unique (workspace_id, connection_id, visible_at) include (published_at)
);
call isolate_by_workspace('publications');

-- Versions of nodes and edges. The current version has valid_to null. A row
-- belongs to the stream partition that showed it; shared says that others did
-- too, so that its own partition alone cannot prove it gone. One
-- partition per connection: ends of a relationship never leave a connection,
-- so every question prunes to the partitions it needs, a first load builds its
-- indexes after the rows, and a deleted connection's graph is dropped at once.
create table entities (
  workspace_id bigint not null,
  connection_id bigint not null,
  entity_id uuid not null,
  kind entity_kind not null,
  provider_id text not null,
  name text not null,
  type text not null,
  identifiers jsonb,
  attributes jsonb,
  content_hash uuid not null,
  partition_id bigint not null,
  shared boolean not null default false,
  first_run_id bigint not null,
  valid_from timestamptz not null,
  valid_to timestamptz,
  -- Whether the version's partition had been read completely before: then what is
  -- new was not there before, and else it may only not have been seen. Null in a
  -- connection's first load, of which no change is told.
  observed_before boolean
) partition by list (connection_id);
call isolate_by_workspace('entities');

create table relationships (
  workspace_id bigint not null,
  connection_id bigint not null,
  relationship_id uuid not null,
  from_id uuid not null,
  to_id uuid not null,
  kind relationship_kind not null,
  -- The kind for the indexes. PostgreSQL does not take the comparison of enums
  -- to be leakproof, so that under row-level security it is no index condition.
  kind_code "char" not null generated always as (case kind
    when 'principal_represents_account' then 'p'::"char"
    when 'account_assigned_entitlement' then 'a'::"char"
    when 'entitlement_grants_resource' then 'g'::"char"
    when 'entitlement_includes_entitlement' then 'i'::"char"
    when 'boundary_contains' then 'b'::"char"
    when 'account_assumes_account' then 's'::"char" end) stored,
  key text not null,
  effect grant_effect not null,
  terms jsonb,
  attributes jsonb,
  content_hash uuid not null,
  partition_id bigint not null,
  shared boolean not null default false,
  first_run_id bigint not null,
  valid_from timestamptz not null,
  valid_to timestamptz,
  -- As of entities.
  observed_before boolean
) partition by list (connection_id);
call isolate_by_workspace('relationships');

grant select, insert, update on stream_partitions to svc_discovery;
grant select, insert on run_coverage, publications to svc_discovery;
grant select, insert, update (valid_to, partition_id, shared) on entities, relationships to svc_discovery;

-- Makes a connection's tables apart from the graph, without indexes, so that a
-- first load can fill them. Only the transaction that calls it can see them. The
-- owner is held to the caller's workspace like everyone. Lists of neighbours are
-- read from indexes alone as long as vacuum has seen the pages of the table. A
-- day's changes are spread over far more pages than rows, so that vacuum has to
-- come after each publish that changed something, and not when a fifth of all rows
-- has changed.
create procedure graph_prepare(connection bigint)
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  part text;
begin
  if not exists (select from connections c where c.connection_id = connection) then
    raise 'connection % is not of this workspace', connection;
  end if;
  execute format('create table public.entities_%s (like entities including defaults)', connection);
  execute format('create table public.relationships_%s (like relationships including defaults including generated)', connection);
  foreach part in array array['entities', 'relationships'] loop
    execute format('alter table public.%s_%s set (autovacuum_vacuum_scale_factor = 0.005, autovacuum_vacuum_insert_scale_factor = 0.005,
      autovacuum_analyze_scale_factor = 0.02)', part, connection);
  end loop;
  execute format('grant insert on entities_%s, relationships_%s to svc_discovery', connection, connection);
end $$;

-- Indexes the tables of graph_prepare, protects them, and makes them partitions.
-- From then on they are reached through their parents alone. Analysed at once:
-- the first questions and the next comparison must not be planned blindly. The
-- indexes carry the connection because every question names it: with it, lists
-- of neighbours are read from the index alone.
create procedure graph_attach(connection bigint)
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  part text;
begin
  if not exists (select from connections c where c.connection_id = connection) then
    raise 'connection % is not of this workspace', connection;
  end if;
  execute format('create unique index entities_%1$s_current on entities_%1$s (entity_id) include (workspace_id) where valid_to is null', connection);
  execute format('create index entities_%1$s_by_name on entities_%1$s (name collate "C", entity_id) include (workspace_id) where valid_to is null', connection);
  execute format('create unique index relationships_%1$s_from on relationships_%1$s (from_id, kind_code, to_id, relationship_id) include (workspace_id, connection_id, valid_from) where valid_to is null', connection);
  execute format('create index relationships_%1$s_to on relationships_%1$s (to_id, kind_code, from_id) include (workspace_id, connection_id, valid_from) where valid_to is null', connection);
  foreach part in array array['entities', 'relationships'] loop
    execute format('analyze %s_%s', part, connection);
    execute format('revoke all on %s_%s from svc_discovery', part, connection);
    execute format('alter table %1$s_%2$s add constraint %1$s_%2$s_connection check (connection_id = %2$s)', part, connection);
    call isolate_by_workspace(format('%s_%s', part, connection)::regclass);
    execute format('alter table %1$s attach partition %1$s_%2$s for values in (%2$s)', part, connection);
  end loop;
end $$;

-- Forgets the graph of a connection that has been deleted.
create procedure graph_drop(connection bigint)
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if not exists (select from connections c where c.connection_id = connection and c.deleted_at is not null) then
    raise 'connection % of this workspace has not been deleted', connection;
  end if;
  execute format('drop table if exists entities_%1$s, relationships_%1$s', connection);
end $$;

-- Deleted connections whose graph is still there.
create function forgettable_graphs(most integer)
  returns table (workspace_id bigint, connection_id bigint)
  language sql stable security definer set search_path = public, pg_temp
begin atomic
  select c.workspace_id, c.connection_id
  from connections c
  where c.deleted_at is not null and to_regclass('public.entities_' || c.connection_id) is not null
  order by c.connection_id
  limit most;
end;

revoke all on procedure graph_prepare(bigint), graph_attach(bigint), graph_drop(bigint), isolate_by_workspace(regclass) from public;
grant execute on procedure graph_prepare(bigint), graph_attach(bigint), graph_drop(bigint) to svc_discovery;
revoke all on function current_workspace() from public;
grant execute on function current_workspace() to svc_integration, svc_discovery, svc_workspace, gatehouse_dispatcher;

reset role;

-- As in 005: the function's owner needs CREATE on its schema, briefly.
grant create on schema public to gatehouse_dispatcher;
alter function forgettable_graphs(integer) owner to gatehouse_dispatcher;
revoke create on schema public from gatehouse_dispatcher;
revoke all on function forgettable_graphs(integer) from public;
grant execute on function forgettable_graphs(integer) to svc_discovery;

---- create above / drop below ----

drop function forgettable_graphs(integer);
drop procedure graph_drop(bigint), graph_attach(bigint), graph_prepare(bigint);
drop table relationships, entities, publications, run_coverage, stream_partitions;
drop type grant_effect, relationship_kind, entity_kind;
