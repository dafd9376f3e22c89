set role gatehouse_owner;

-- The connections of an archived workspace start nothing, and are in nobody's way
-- when it is looked for what is due. Kept with the workspace's own mark by a
-- trigger, below.
alter table connections add column workspace_archived boolean not null default false;
-- As in 019: the owner sees no rows while isolation is forced.
alter table connections no force row level security;
alter table workspaces no force row level security;
update connections c set workspace_archived = true
from workspaces w where w.workspace_id = c.workspace_id and w.archived_at is not null;
alter table workspaces force row level security;
alter table connections force row level security;

drop index connections_due;
create index connections_due on connections (next_run_at, connection_id)
  where next_run_at is not null and deleted_at is null and lifecycle = 'active' and schedule_paused_at is null and not workspace_archived;

create policy dispatch_archived on connections for update to gatehouse_dispatcher using (true) with check (true);
grant select (workspace_archived), update (workspace_archived) on connections to gatehouse_dispatcher;

-- Sessions that have ended are forgotten with what is theirs.
alter table onboarding_steps
  drop constraint onboarding_steps_workspace_id_session_id_fkey,
  add foreign key (workspace_id, session_id) references onboarding_sessions on delete cascade;
alter table onboarding_operations
  drop constraint onboarding_operations_workspace_id_session_id_fkey,
  add foreign key (workspace_id, session_id) references onboarding_sessions on delete cascade;
create index onboarding_sessions_ended on onboarding_sessions (updated_at) where status in ('completed', 'abandoned');
create policy dispatch_ended on onboarding_sessions for delete to gatehouse_dispatcher using (true);
grant delete on onboarding_sessions to gatehouse_dispatcher;

create index throttle_budgets_by_age on throttle_budgets (refilled_at);
-- Who holds a budget, also without waiting for it.
create index throttle_holders_by_budget on throttle_holders (budget_id);
grant delete on throttle_budgets to gatehouse_dispatcher;

-- Starts may be sent again, as connections to be created.
grant select, insert, delete on idempotent_requests to svc_discovery;

-- A schedule that failures have paused is told to the workspace's admins.
alter table notifications
  add column connection_id bigint,
  add foreign key (workspace_id, connection_id) references connections,
  drop constraint notifications_kind,
  add constraint notifications_kind check (kind in ('run_ended', 'webhook_disabled', 'schedule_paused')),
  add constraint notifications_about_a_connection check ((kind = 'schedule_paused') = (connection_id is not null));
grant insert (connection_id) on notifications to svc_discovery;

-- As in 016, and of schedules that are paused, by failures or by somebody, and go
-- on again.
create or replace function tell_connection_events() returns trigger
  language plpgsql as $$
declare
  data jsonb := jsonb_build_object('connection_id', 'conn_' || new.connection_id, 'name', new.name, 'integration_id', new.integration_id,
    'lifecycle', new.lifecycle, 'status', new.status, 'version', new.version);
begin
  if tg_op = 'INSERT' then
    perform emit_webhook_event('connection.created', null, data);
  elsif new.deleted_at is not null then
    if old.deleted_at is null then
      perform emit_webhook_event('connection.deleted', null, data);
    end if;
  else
    if new.version <> old.version then
      perform emit_webhook_event('connection.updated', null, data);
    end if;
    if new.status <> old.status then
      perform emit_webhook_event('connection.health_changed', null, data || jsonb_strip_nulls(jsonb_build_object(
        'former_status', old.status, 'reason_code', case when new.status = 'degraded' then new.last_error_reason_code end)));
    end if;
    if old.schedule_paused_at is null and new.schedule_paused_at is not null then
      perform emit_webhook_event('connection.schedule_paused', null, data || jsonb_build_object('reason_code', new.schedule_pause_reason_code));
    elsif old.schedule_paused_at is not null and new.schedule_paused_at is null then
      perform emit_webhook_event('connection.schedule_resumed', null, data);
    end if;
  end if;
  return null;
end $$;
drop trigger tell_changed on connections;
create trigger tell_changed after update of version, status, deleted_at, schedule_paused_at on connections for each row
  when (new.version <> old.version or new.status <> old.status or new.deleted_at is distinct from old.deleted_at
    or (new.schedule_paused_at is null) <> (old.schedule_paused_at is null))
  execute function tell_connection_events();

reset role;

-- As in 005: the functions' owner needs CREATE on its schema, briefly.
grant create on schema public to gatehouse_dispatcher;
set role gatehouse_dispatcher;

-- A change of a connection that races with the archiving waits for it, or is seen
-- here: both lock the workspace's row.
create function note_archived_workspace() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  update connections c set workspace_archived = new.archived_at is not null
  where c.workspace_id = new.workspace_id and c.workspace_archived <> (new.archived_at is not null);
  return null;
end $$;
revoke all on function note_archived_workspace() from public;
grant execute on function note_archived_workspace() to gatehouse_owner;

-- As in 014; an archived workspace is known by the connection.
create or replace function due_connections(after timestamptz, after_connection bigint, most integer)
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

-- As in 013. The oldest run of each workspace decides, which is one entry of an
-- index; asked whether there is any, the planner read the whole table.
create or replace function workspaces_with_old_runs(older_than interval)
  returns table (workspace_id bigint)
  language sql stable security definer set search_path = public, pg_temp
begin atomic
  select w.workspace_id
  from workspaces w
  where (
    select r.completed_at from runs r
    where r.workspace_id = w.workspace_id and r.completed_at is not null
    order by r.completed_at limit 1) < clock_timestamp() - greatest(older_than, interval '1 day')
  order by w.workspace_id;
end;

-- Deletes onboarding sessions that ended longer ago than this, at most that many.
-- Nothing of the last day is deleted, whoever asks.
create function forget_onboarding(kept interval, most integer) returns bigint
  language sql volatile security definer set search_path = public, pg_temp
begin atomic
  with old as (
    select s.workspace_id, s.session_id
    from onboarding_sessions s
    where s.status in ('completed', 'abandoned') and s.updated_at < clock_timestamp() - greatest(kept, interval '1 day')
    order by s.updated_at
    limit most
  ), gone as (
    delete from onboarding_sessions s using old where s.workspace_id = old.workspace_id and s.session_id = old.session_id returning 1
  )
  select count(*) from gone;
end;

-- Deletes budgets that no kept run has a part in and that nobody has asked for in
-- this time, at most that many. One that is asked for again begins full, as it
-- would be by then. Nothing of the last 31 days, the longest period of a limit, is
-- deleted, whoever asks.
create function forget_throttle_budgets(kept interval, most integer) returns bigint
  language sql volatile security definer set search_path = public, pg_temp
begin atomic
  with old as (
    select b.budget_id
    from throttle_budgets b
    where b.refilled_at < clock_timestamp() - greatest(kept, interval '31 days') and b.paused_until < clock_timestamp()
      and not exists (select from throttle_holders h where h.budget_id = b.budget_id)
    order by b.refilled_at
    limit most
    for update skip locked
  ), gone as (
    delete from throttle_budgets b using old where b.budget_id = old.budget_id returning 1
  )
  select count(*) from gone;
end;

-- As in 016, and the number of the attempt comes with the claim: read afterwards
-- it could be that of a later claim, when the process was held up in between.
drop function claim_webhook_deliveries(integer, integer, interval);
create function claim_webhook_deliveries(most integer, most_per_endpoint integer, claim_for interval)
  returns table (workspace_id bigint, delivery_id bigint, attempt integer)
  language sql volatile security definer set search_path = public, pg_temp
begin atomic
  with due as (
    select d.workspace_id, d.delivery_id
    from (
      select e.workspace_id, e.endpoint_id
      from webhook_endpoints e
      where e.disabled_at is null
        and not exists (select from workspaces w where w.workspace_id = e.workspace_id and w.archived_at is not null)
      order by random()
    ) e
    cross join lateral (
      select p.workspace_id, p.delivery_id
      from webhook_deliveries p
      where p.workspace_id = e.workspace_id and p.endpoint_id = e.endpoint_id and p.status = 'pending'
        and p.next_attempt_at <= clock_timestamp() and (p.claimed_until is null or p.claimed_until < clock_timestamp())
      order by p.next_attempt_at, p.delivery_id
      limit greatest(0, most_per_endpoint - (
        select count(*) from webhook_deliveries f
        where f.workspace_id = e.workspace_id and f.endpoint_id = e.endpoint_id and f.status = 'pending' and f.claimed_until >= clock_timestamp()))
      for no key update skip locked
    ) d
    limit most
  )
  update webhook_deliveries c
  set attempts = c.attempts + 1, claimed_until = clock_timestamp() + claim_for, last_attempt_at = clock_timestamp()
  from due
  where c.workspace_id = due.workspace_id and c.delivery_id = due.delivery_id
  returning c.workspace_id, c.delivery_id, c.attempts;
end;

revoke all on function forget_onboarding(interval, integer), forget_throttle_budgets(interval, integer), claim_webhook_deliveries(integer, integer, interval) from public;
grant execute on function forget_onboarding(interval, integer), forget_throttle_budgets(interval, integer) to svc_discovery;
grant execute on function claim_webhook_deliveries(integer, integer, interval) to svc_integration;

reset role;

revoke create on schema public from gatehouse_dispatcher;

set role gatehouse_owner;

create trigger connections_rest after update of archived_at on workspaces
  for each row when ((old.archived_at is null) <> (new.archived_at is null)) execute function note_archived_workspace();

reset role;

---- create above / drop below ----

drop trigger connections_rest on workspaces;
-- 016 drops this trigger with its function, whose further branch does no harm.
drop trigger tell_changed on connections;
create trigger tell_changed after update of version, status, deleted_at on connections for each row
  when (new.version <> old.version or new.status <> old.status or new.deleted_at is distinct from old.deleted_at)
  execute function tell_connection_events();
revoke all on idempotent_requests from svc_discovery;
delete from notifications where kind = 'schedule_paused';
alter table notifications drop column connection_id, drop constraint notifications_kind,
  add constraint notifications_kind check (kind in ('run_ended', 'webhook_disabled'));
drop function note_archived_workspace(), forget_throttle_budgets(interval, integer), forget_onboarding(interval, integer);
drop index throttle_holders_by_budget, throttle_budgets_by_age, onboarding_sessions_ended, connections_due;
drop policy dispatch_ended on onboarding_sessions;
drop policy dispatch_archived on connections;
create or replace function due_connections(after timestamptz, after_connection bigint, most integer)
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
alter table connections drop column workspace_archived;
create index connections_due on connections (next_run_at, connection_id)
  where next_run_at is not null and deleted_at is null and lifecycle = 'active' and schedule_paused_at is null;
