set role gatehouse_owner;

-- Requests to take data out, and what came of them.
create table exports (
  workspace_id bigint not null references workspaces,
  export_id bigint generated always as identity,
  requested_by bigint not null,
  query jsonb not null,
  status text not null default 'queued',
  -- How often making the file was begun, and when whoever makes it last said so.
  attempt integer not null default 0,
  alive_at timestamptz not null default clock_timestamp(),
  rows bigint not null default 0,
  bytes bigint not null default 0,
  sha256 bytea,
  -- As it was hashed, byte for byte; jsonb would not keep that.
  manifest text,
  failure text not null default '',
  created_at timestamptz not null default clock_timestamp(),
  started_at timestamptz,
  ended_at timestamptz,
  expires_at timestamptz,
  primary key (workspace_id, export_id),
  foreign key (workspace_id, requested_by) references members (workspace_id, member_id),
  constraint exports_query_is_object check (jsonb_typeof(query) = 'object'),
  constraint exports_status check (status in ('queued', 'running', 'completed', 'failed', 'cancelled')),
  constraint exports_ended_has_times check ((status in ('completed', 'failed', 'cancelled')) = (ended_at is not null and expires_at is not null)),
  constraint exports_completed_is_whole check ((status = 'completed') = (sha256 is not null and manifest is not null)),
  constraint exports_sha256_length check (octet_length(sha256) = 32),
  constraint exports_failure_length check (char_length(failure) <= 1000)
);
call isolate_by_workspace('exports');
create index exports_unfinished on exports (alive_at) where status in ('queued', 'running');
create index exports_by_expiry on exports (expires_at) where expires_at is not null;

-- The files, in parts of one size, compressed one by one. They are not compressed
-- a second time.
create table export_chunks (
  workspace_id bigint not null,
  export_id bigint not null,
  number bigint not null,
  bytes bytea not null,
  primary key (workspace_id, export_id, number),
  foreign key (workspace_id, export_id) references exports on delete cascade
);
alter table export_chunks alter column bytes set storage external;
call isolate_by_workspace('export_chunks');

grant select, insert, delete on exports to svc_discovery;
grant update (status, attempt, alive_at, rows, bytes, sha256, manifest, failure, started_at, ended_at, expires_at) on exports to svc_discovery;
grant select, insert, delete on export_chunks to svc_discovery;

create policy dispatch on exports for select to gatehouse_dispatcher using (true);
grant select (workspace_id, export_id, status, attempt, alive_at, expires_at) on exports to gatehouse_dispatcher;

-- Exports that nobody is at although somebody should be.
create function exports_abandoned(stale interval, most integer)
  returns table (workspace_id bigint, export_id bigint, attempt integer)
  language sql volatile security definer set search_path = public, pg_temp
begin atomic
  select e.workspace_id, e.export_id, e.attempt
  from exports e
  where e.status in ('queued', 'running') and e.alive_at < clock_timestamp() - stale
  order by e.alive_at
  limit most;
end;

-- Exports that were kept long enough.
create function exports_expired(most integer)
  returns table (workspace_id bigint, export_id bigint)
  language sql volatile security definer set search_path = public, pg_temp
begin atomic
  select e.workspace_id, e.export_id
  from exports e
  where e.expires_at < clock_timestamp()
  order by e.expires_at
  limit most;
end;

reset role;

-- Giving a function away needs CREATE on its schema for the receiver, briefly.
grant create on schema public to gatehouse_dispatcher;
alter function exports_abandoned(interval, integer) owner to gatehouse_dispatcher;
alter function exports_expired(integer) owner to gatehouse_dispatcher;
revoke create on schema public from gatehouse_dispatcher;
revoke all on function exports_abandoned(interval, integer), exports_expired(integer) from public;
grant execute on function exports_abandoned(interval, integer), exports_expired(integer) to svc_discovery;

---- create above / drop below ----

drop function exports_expired(integer), exports_abandoned(interval, integer);
drop table export_chunks, exports;
