grant create on schema public to gatehouse_dispatcher;
set role gatehouse_dispatcher;

-- Connections whose schedules are due, with the due time and the time by which it
-- is: processes have clocks of their own. Continues after a due time and
-- connection, so that those which cannot be started are in nobody's way.
create function due_connections(after timestamptz, after_connection bigint, most integer)
  returns table (workspace_id bigint, connection_id bigint, due timestamptz, seen timestamptz)
  language sql stable security definer set search_path = public, pg_temp
begin atomic
  select c.workspace_id, c.connection_id, c.next_run_at, now()
  from connections c
  where c.next_run_at <= now() and (c.next_run_at, c.connection_id) > (after, after_connection)
    and c.deleted_at is null and c.lifecycle = 'active' and c.schedule_paused_at is null and not c.workspace_archived
  order by c.next_run_at, c.connection_id
  limit most;
end;

reset role;

revoke create on schema public from gatehouse_dispatcher;
revoke all on function due_connections(timestamptz, bigint, integer) from public;
grant execute on function due_connections(timestamptz, bigint, integer) to svc_discovery;

---- create above / drop below ----

drop function due_connections(timestamptz, bigint, integer);
