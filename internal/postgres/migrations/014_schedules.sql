set role gatehouse_owner;

-- How a connection's schedule fares. A schedule whose runs fail again and again
-- is paused, with the reason of the last failure.
alter table connections
  add column last_scheduled_at timestamptz,
  add column schedule_failures integer not null default 0,
  add column schedule_paused_at timestamptz,
  add column schedule_pause_reason_code text,
  add constraint connections_schedule_failures_not_negative check (schedule_failures >= 0),
  add constraint connections_schedule_pause_whole check ((schedule_paused_at is null) = (schedule_pause_reason_code is null)),
  add constraint connections_schedule_pause_length check (octet_length(schedule_pause_reason_code) between 1 and 100);

drop index connections_due;
create index connections_due on connections (next_run_at, connection_id)
  where next_run_at is not null and deleted_at is null and lifecycle = 'active' and schedule_paused_at is null;
-- Few are, in a workspace of thousands.
create index connections_paused on connections (workspace_id, connection_id) where schedule_paused_at is not null and deleted_at is null;

grant update (last_scheduled_at, schedule_failures, schedule_paused_at, schedule_pause_reason_code) on connections to svc_discovery;
grant select (schedule_paused_at) on connections to gatehouse_dispatcher;

reset role;

grant create on schema public to gatehouse_dispatcher;
set role gatehouse_dispatcher;

-- As in 009, and nothing of a paused schedule. The due time comes with it, and
-- the time by which it is due: processes have clocks of their own. Continues
-- after a due time and connection, so that those which cannot be started are in
-- nobody's way.
drop function due_connections(integer);
create function due_connections(after timestamptz, after_connection bigint, most integer)
  returns table (workspace_id bigint, connection_id bigint, due timestamptz, seen timestamptz)
  language sql stable security definer set search_path = public, pg_temp
begin atomic
  select c.workspace_id, c.connection_id, c.next_run_at, now()
  from connections c
  where c.next_run_at <= now() and (c.next_run_at, c.connection_id) > (after, after_connection)
    and c.deleted_at is null and c.lifecycle = 'active' and c.schedule_paused_at is null
    and not exists (select from workspaces w where w.workspace_id = c.workspace_id and w.archived_at is not null)
  order by c.next_run_at, c.connection_id
  limit most;
end;

reset role;

revoke create on schema public from gatehouse_dispatcher;
revoke all on function due_connections(timestamptz, bigint, integer) from public;
grant execute on function due_connections(timestamptz, bigint, integer) to svc_discovery;

---- create above / drop below ----

grant create on schema public to gatehouse_dispatcher;
set role gatehouse_dispatcher;
drop function due_connections(timestamptz, bigint, integer);
create function due_connections(most integer)
  returns table (workspace_id bigint, connection_id bigint)
  language sql stable security definer set search_path = public, pg_temp
begin atomic
  select c.workspace_id, c.connection_id
  from connections c
  where c.next_run_at <= clock_timestamp() and c.deleted_at is null and c.lifecycle = 'active'
    and not exists (select from workspaces w where w.workspace_id = c.workspace_id and w.archived_at is not null)
  order by c.next_run_at
  limit most;
end;
reset role;
revoke create on schema public from gatehouse_dispatcher;
revoke all on function due_connections(integer) from public;
grant execute on function due_connections(integer) to svc_discovery;

set role gatehouse_owner;
drop index connections_paused, connections_due;
create index connections_due on connections (next_run_at)
  where next_run_at is not null and deleted_at is null and lifecycle = 'active';
revoke select (schedule_paused_at) on connections from gatehouse_dispatcher;
alter table connections
  drop constraint connections_schedule_pause_length, drop constraint connections_schedule_pause_whole,
  drop constraint connections_schedule_failures_not_negative,
  drop column schedule_pause_reason_code, drop column schedule_paused_at, drop column schedule_failures, drop column last_scheduled_at;
reset role;
