set role gatehouse_owner;

create policy dispatch_archived on connections for update to gatehouse_dispatcher using (true) with check (true);
grant select (workspace_archived), update (workspace_archived) on connections to gatehouse_dispatcher;

-- Onboarding sessions that have ended are forgotten with what is theirs.
create index onboarding_sessions_ended on onboarding_sessions (updated_at) where status in ('completed', 'abandoned');
create policy dispatch_ended on onboarding_sessions for delete to gatehouse_dispatcher using (true);
grant delete on onboarding_sessions to gatehouse_dispatcher;

create index throttle_budgets_by_age on throttle_budgets (refilled_at);
-- Who holds a budget, also without waiting for it.
create index throttle_holders_by_budget on throttle_holders (budget_id);
grant delete on throttle_budgets to gatehouse_dispatcher;

reset role;

-- As in 005: the functions' owner needs CREATE on its schema, briefly.
grant create on schema public to gatehouse_dispatcher;
set role gatehouse_dispatcher;

-- Keeps connections.workspace_archived with the workspace's own mark. A change of a
-- connection that races with the archiving waits for it, or is seen here: both lock
-- the workspace's row.
create function note_archived_workspace() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
begin
  update connections c set workspace_archived = new.archived_at is not null
  where c.workspace_id = new.workspace_id and c.workspace_archived <> (new.archived_at is not null);
  return null;
end $$;
revoke all on function note_archived_workspace() from public;
grant execute on function note_archived_workspace() to gatehouse_owner;

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

revoke all on function forget_onboarding(interval, integer), forget_throttle_budgets(interval, integer) from public;
grant execute on function forget_onboarding(interval, integer), forget_throttle_budgets(interval, integer) to svc_discovery;

reset role;

revoke create on schema public from gatehouse_dispatcher;

set role gatehouse_owner;

create trigger connections_rest after update of archived_at on workspaces
  for each row when ((old.archived_at is null) <> (new.archived_at is null)) execute function note_archived_workspace();

reset role;

---- create above / drop below ----

drop trigger connections_rest on workspaces;
drop function note_archived_workspace(), forget_throttle_budgets(interval, integer), forget_onboarding(interval, integer);
drop index throttle_holders_by_budget, throttle_budgets_by_age, onboarding_sessions_ended;
drop policy dispatch_ended on onboarding_sessions;
drop policy dispatch_archived on connections;
