set role gatehouse_owner;

-- On which server a log was continued last. Numbers of transactions count within
-- a server: those that came with a logical dump say nothing of the order of what
-- is recorded here, nor whether all of it is in the log. A row of this server says
-- that all that came is, as of that checkpoint, and from which transaction on the
-- server's own events have to be looked for; later checkpoints say so themselves.
-- A row that is missing, or of another server, has all events compared with the
-- log once.
create table audit_log_arrivals (
  workspace_id bigint primary key references workspaces,
  system_identifier bigint not null,
  checkpoint bigint not null,
  horizon xid8 not null,
  arrived_at timestamptz not null default now(),
  constraint audit_log_arrivals_checkpoint_counts check (checkpoint >= 0)
);
call isolate_by_workspace('audit_log_arrivals');
grant select (workspace_id, system_identifier, checkpoint, horizon), insert (workspace_id, system_identifier, checkpoint, horizon),
  update (system_identifier, checkpoint, horizon, arrived_at) on audit_log_arrivals to svc_workspace;
create policy dispatch on audit_log_arrivals for select to gatehouse_dispatcher using (true);
grant select (workspace_id, system_identifier, checkpoint, horizon) on audit_log_arrivals to gatehouse_dispatcher;

reset role;

-- As in 005: the functions' owner needs CREATE on its schema, briefly.
grant create on schema public to gatehouse_dispatcher;
set role gatehouse_dispatcher;

-- Which server this is; the same through restarts, upgrades in place aside, and
-- through physical copies, which count on where the original was.
create function this_server() returns bigint
  language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  select system_identifier from pg_control_system();
end;
revoke all on function this_server() from public;
grant execute on function this_server() to svc_workspace;

-- From which transaction on the log has to be looked at, null when all of it has
-- to be.
create function audit_log_starts()
  returns table (workspace_id bigint, since xid8)
  language sql stable set search_path = public, pg_temp
begin atomic
  select w.workspace_id,
    case
      when a.system_identifier is distinct from s.identifier then null
      when latest.number > a.checkpoint then latest.horizon
      else a.horizon
    end
  from (select this_server() as identifier) s
  cross join workspaces w
  left join audit_log_arrivals a on a.workspace_id = w.workspace_id
  left join lateral (
    select c.number, c.horizon from audit_checkpoints c where c.workspace_id = w.workspace_id order by c.number desc limit 1
  ) latest on true;
end;
revoke all on function audit_log_starts() from public;

-- Workspaces with events that can be sealed, those that waited longest first, and
-- behind them those whose events have to be compared with the log.
create or replace function sealable_workspaces(most integer)
  returns table (workspace_id bigint)
  language sql stable security definer set search_path = public, pg_temp
begin atomic
  select l.workspace_id
  from audit_log_starts() l
  left join lateral (
    select e.created_at
    from audit_events e
    where e.workspace_id = l.workspace_id and e.transaction >= l.since and e.transaction < pg_snapshot_xmin(pg_current_snapshot())
      and not exists (select from audit_log_entries s where s.workspace_id = e.workspace_id and s.event_id = e.event_id)
    order by e.transaction
    limit 1
  ) e on true
  where l.since is null or e.created_at is not null
  order by e.created_at nulls last, l.workspace_id
  limit most;
end;

create or replace function oldest_unsealed_event()
  returns timestamptz
  language sql stable security definer set search_path = public, pg_temp
begin atomic
  select min(e.created_at)
  from audit_log_starts() l
  cross join lateral (
    select e.created_at
    from audit_events e
    where e.workspace_id = l.workspace_id and e.transaction >= coalesce(l.since, '0'::xid8)
      and not exists (select from audit_log_entries s where s.workspace_id = e.workspace_id and s.event_id = e.event_id)
    order by e.transaction
    limit 1
  ) e;
end;

reset role;
revoke create on schema public from gatehouse_dispatcher;

---- create above / drop below ----

set role gatehouse_dispatcher;
create or replace function sealable_workspaces(most integer)
  returns table (workspace_id bigint)
  language sql stable security definer set search_path = public, pg_temp
begin atomic
  select w.workspace_id
  from workspaces w
  left join lateral (
    select c.horizon from audit_checkpoints c where c.workspace_id = w.workspace_id order by c.number desc limit 1
  ) latest on true
  cross join lateral (
    select coalesce(latest.horizon > pg_snapshot_xmax(pg_current_snapshot()), true) as foreign_numbers
  ) log
  cross join lateral (
    select e.created_at
    from audit_events e
    where e.workspace_id = w.workspace_id
      and e.transaction >= case when log.foreign_numbers then '0'::xid8 else latest.horizon end
      and (e.transaction < pg_snapshot_xmin(pg_current_snapshot())
        or log.foreign_numbers and e.transaction >= pg_snapshot_xmax(pg_current_snapshot()))
      and not exists (select from audit_log_entries l where l.workspace_id = e.workspace_id and l.event_id = e.event_id)
    order by e.transaction
    limit 1
  ) e
  order by e.created_at
  limit most;
end;
create or replace function oldest_unsealed_event()
  returns timestamptz
  language sql stable security definer set search_path = public, pg_temp
begin atomic
  select min(e.created_at)
  from workspaces w
  left join lateral (
    select c.horizon from audit_checkpoints c where c.workspace_id = w.workspace_id order by c.number desc limit 1
  ) latest on true
  cross join lateral (
    select e.created_at
    from audit_events e
    where e.workspace_id = w.workspace_id
      and e.transaction >= case when latest.horizon > pg_snapshot_xmax(pg_current_snapshot()) then '0'::xid8 else coalesce(latest.horizon, '0'::xid8) end
      and not exists (select from audit_log_entries l where l.workspace_id = e.workspace_id and l.event_id = e.event_id)
    order by e.transaction
    limit 1
  ) e;
end;
drop function audit_log_starts(), this_server();
reset role;
drop table audit_log_arrivals;
