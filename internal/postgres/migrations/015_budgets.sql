set role gatehouse_owner;

-- What calls to a provider may take: one token bucket for each thing that the
-- provider counts by, such as an AWS account and a service. Two workspaces that
-- connect the same account share its bucket, as the account does. So these rows
-- are of no workspace: they are named by a hash, no service may touch them, and
-- take_throttle_budget below gives out what is in them.
create table throttle_budgets (
  budget_id bytea primary key,
  tokens double precision not null,
  refilled_at timestamptz not null default clock_timestamp(),
  -- How much of the allowed rate is used: halved when the provider refuses calls,
  -- and doubled in a minute without.
  pace double precision not null default 1,
  throttled_at timestamptz,
  paused_until timestamptz not null default '-infinity',
  -- How far those who wait for tokens have been served: who comes new starts here.
  served bigint not null default 0,
  constraint throttle_budgets_id_length check (octet_length(budget_id) = 32),
  constraint throttle_budgets_tokens_not_negative check (tokens >= 0),
  constraint throttle_budgets_pace_range check (pace > 0 and pace <= 1)
) with (fillfactor = 50);

-- A run's part in a budget.
create table throttle_holders (
  workspace_id bigint not null,
  run_id bigint not null,
  budget_id bytea not null references throttle_budgets,
  connection_id bigint not null,
  integration_id text not null,
  scope text not null,
  -- The budget in words, which only this workspace sees.
  key text[] not null,
  -- What it was given, by the budget's count of service.
  served bigint not null,
  -- The last tokens that it was given, which it may give back once.
  chunk bigint not null default 0,
  unsettled integer not null default 0,
  -- Until when it is waited for, and how much it still wants.
  waiting_until timestamptz,
  wanted integer not null default 0,
  -- Until when one of the calls that may be under way at once is its.
  slot_until timestamptz,
  asked_at timestamptz not null default clock_timestamp(),
  primary key (workspace_id, run_id, budget_id),
  foreign key (workspace_id, run_id) references runs on delete cascade,
  foreign key (workspace_id, connection_id) references connections,
  constraint throttle_holders_scope_length check (octet_length(scope) between 1 and 63),
  constraint throttle_holders_key_parts check (cardinality(key) between 1 and 8)
) with (fillfactor = 50);
call isolate_by_workspace('throttle_holders');
create index throttle_holders_waiting on throttle_holders (budget_id, waiting_until) where waiting_until is not null;
create index throttle_holders_in_slots on throttle_holders (budget_id, slot_until) where slot_until is not null;
create index throttle_holders_by_connection on throttle_holders (workspace_id, connection_id, asked_at);

-- What the operator allows instead of what a connector declares.
create table throttle_limits (
  integration_id text not null,
  scope text not null,
  calls integer not null,
  per_seconds integer not null,
  burst integer not null,
  concurrent integer not null default 0,
  set_by text not null,
  set_at timestamptz not null default clock_timestamp(),
  primary key (integration_id, scope),
  constraint throttle_limits_calls_range check (calls between 1 and 1000000),
  constraint throttle_limits_period_range check (per_seconds between 1 and 2678400),
  constraint throttle_limits_burst_range check (burst between 1 and 1000000),
  constraint throttle_limits_concurrent_range check (concurrent between 0 and 1000)
);

grant select on throttle_holders to svc_discovery;
grant select, insert, update, delete on throttle_limits to svc_discovery;

-- The dispatcher sees who else waits for a budget, whatever the workspace.
create policy dispatch on throttle_holders to gatehouse_dispatcher using (true) with check (true);
grant select, insert, update on throttle_budgets, throttle_holders to gatehouse_dispatcher;
grant select on throttle_limits to gatehouse_dispatcher;
grant select (token_hash, integration_id) on runs to gatehouse_dispatcher;

-- Gives the holder of a run tokens of a budget. No row means that the run is not
-- held by whoever asks. The law: in any time t at most burst + rate * t tokens are
-- given and not given back, whoever asks however often, by the database's clock.
-- When none are given, wait_seconds says when to ask again, and paused whether it
-- is because the provider said so.
create function take_throttle_budget(
  in_workspace bigint, in_run bigint, in_epoch bigint, in_lease uuid, in_token_hash bytea, in_integration text,
  in_scope text, in_budget bytea, in_key text[],
  -- What the connector declares; throttle_limits goes before it.
  in_rate double precision, in_burst integer, in_concurrent integer,
  -- How many it wants, and of how many it could make use at least.
  in_want integer, in_least integer,
  -- The chunk it was given last, how much of it was not used, and whether it goes.
  in_chunk bigint, in_unused integer, in_leaves boolean,
  -- Whether the provider refused a call, and for how long.
  in_throttled boolean, in_retry_seconds double precision)
  returns table (granted integer, chunk bigint, wait_seconds double precision, paused boolean)
  language plpgsql volatile security definer set search_path = public, pg_temp as $$
declare
  held_connection bigint;
  most_rate double precision := in_rate;
  most integer := in_burst;
  parallel integer := in_concurrent;
  b throttle_budgets;
  h throttle_holders;
  moment timestamptz;
  elapsed double precision;
  available integer;
  want integer := 0;
  least_useful integer;
  others_served bigint[] := '{}';
  others_wanted integer[] := '{}';
  reserved bigint := 0;
  low integer;
  high integer;
  middle integer;
  given integer := 0;
  wait double precision := 0;
  slot_free boolean := true;
begin
  -- What a crash of the server loses of this is a moment's worth of calls, and
  -- everybody else would wait for the disk.
  perform set_config('synchronous_commit', 'off', true);
  select r.connection_id into held_connection from runs r
  where r.workspace_id = in_workspace and r.run_id = in_run and r.epoch = in_epoch and r.lease_id = in_lease and r.token_hash = in_token_hash
    and r.status = 'running' and r.phase = 'executing' and r.integration_id = in_integration;
  if held_connection is null then
    return;
  end if;
  select l.calls::double precision / l.per_seconds, l.burst, l.concurrent into most_rate, most, parallel
  from throttle_limits l where l.integration_id = in_integration and l.scope = in_scope;
  if not found then
    most_rate := in_rate; most := in_burst; parallel := in_concurrent;
  end if;

  -- Whoever has the budget's row is alone with all of its holders.
  select * into b from throttle_budgets t where t.budget_id = in_budget for no key update;
  if not found then
    insert into throttle_budgets (budget_id, tokens) values (in_budget, most) on conflict do nothing;
    select * into b from throttle_budgets t where t.budget_id = in_budget for no key update;
  end if;
  select * into h from throttle_holders t where t.workspace_id = in_workspace and t.run_id = in_run and t.budget_id = in_budget;
  if not found then
    insert into throttle_holders (workspace_id, run_id, budget_id, connection_id, integration_id, scope, key, served)
    values (in_workspace, in_run, in_budget, held_connection, in_integration, in_scope, in_key, b.served)
    returning * into h;
  end if;

  -- Refill. A clock that was put back refills nothing until it has caught up.
  moment := clock_timestamp();
  elapsed := greatest(0, extract(epoch from moment - greatest(b.refilled_at, b.paused_until)));
  b.tokens := least(most, b.tokens + elapsed * most_rate * b.pace);
  b.pace := least(1, b.pace * power(2, least(elapsed, 600) / 60));
  b.refilled_at := greatest(b.refilled_at, moment);

  -- What was given and not used comes back, once.
  if in_chunk = h.chunk then
    b.tokens := least(most, b.tokens + least(greatest(in_unused, 0), h.unsettled));
    h.unsettled := 0;
  end if;

  -- Several workers meet the same limit within a moment; that counts as once.
  if in_throttled then
    if b.throttled_at is null or b.throttled_at < moment - interval '1 second' then
      b.pace := greatest(b.pace / 2, 1.0 / 256);
      b.throttled_at := moment;
    end if;
    b.tokens := 0;
    if in_retry_seconds > 0 then
      b.paused_until := greatest(b.paused_until, moment + make_interval(secs => least(in_retry_seconds, 86400)));
    end if;
  end if;

  if in_want > 0 then
    want := least(in_want, most);
    least_useful := least(greatest(in_least, 1), want);
    available := floor(b.tokens);
    -- Who did not wait has no claim on what was given out meanwhile.
    if h.waiting_until is null or h.waiting_until <= moment then
      h.served := greatest(h.served, b.served);
    end if;
    select coalesce(array_agg(w.served), '{}'), coalesce(array_agg(w.wanted), '{}') into others_served, others_wanted
    from throttle_holders w
    where w.budget_id = in_budget and w.waiting_until > moment and (w.workspace_id, w.run_id) <> (in_workspace, in_run);

    if parallel > 0 then
      -- A slot is given up to those who wait for one and have had less.
      select count(*) filter (where w.slot_until > moment)
          + count(*) filter (where (w.slot_until is null or w.slot_until <= moment) and w.waiting_until > moment and w.served < h.served) < parallel
        into slot_free
      from throttle_holders w
      where w.budget_id = in_budget and (w.waiting_until > moment or w.slot_until > moment) and (w.workspace_id, w.run_id) <> (in_workspace, in_run);
    end if;

    if slot_free and moment >= b.paused_until and available >= least_useful then
      -- The most that leaves those who wait what is theirs before it: token by
      -- token, the next is for whoever was served least.
      low := 0;
      high := least(want, available);
      while low < high loop
        middle := (low + high + 1) / 2;
        select coalesce(sum(least(o.wanted, greatest(0, h.served + middle - o.served - 1))), 0) into reserved
        from unnest(others_served, others_wanted) as o(served, wanted);
        if middle + reserved <= available then low := middle; else high := middle - 1; end if;
      end loop;
      given := low;
      if given < least_useful then
        -- Whoever was served least is not kept waiting by those who come after.
        given := case when h.served <= all (others_served) then least_useful else 0 end;
      end if;
    end if;

    if given > 0 then
      b.tokens := b.tokens - given;
      b.served := greatest(b.served, h.served);
      h.served := h.served + given;
      h.chunk := h.chunk + 1;
      h.unsettled := given;
    elsif moment < b.paused_until then
      wait := extract(epoch from b.paused_until - moment);
    elsif not slot_free then
      wait := 0.5;
    else
      -- Until there is about a fifth of a second's worth, after those who are first.
      select coalesce(sum(least(o.wanted, greatest(0, h.served - o.served))), 0) into reserved
      from unnest(others_served, others_wanted) as o(served, wanted);
      wait := greatest(0.01, (greatest(least_useful, least(want, floor(most_rate * b.pace / 5))) + reserved - b.tokens) / (most_rate * b.pace));
    end if;
    h.wanted := want - given;
    h.waiting_until := case when h.wanted > 0 then moment + make_interval(secs => wait + 2) end;
    h.slot_until := case when given > 0 and parallel > 0 then moment + interval '30 seconds' end;
  elsif in_leaves then
    h.wanted := 0;
    h.waiting_until := null;
    h.slot_until := null;
  end if;

  update throttle_budgets t set tokens = b.tokens, refilled_at = b.refilled_at, pace = b.pace, throttled_at = b.throttled_at,
    paused_until = b.paused_until, served = b.served
  where t.budget_id = in_budget;
  update throttle_holders t set served = h.served, chunk = h.chunk, unsettled = h.unsettled, waiting_until = h.waiting_until, wanted = h.wanted,
    slot_until = h.slot_until, asked_at = moment
  where t.workspace_id = in_workspace and t.run_id = in_run and t.budget_id = in_budget;
  return query select given, h.chunk, wait, moment < b.paused_until;
end $$;

-- How the budgets stand that the caller's workspace takes part in. What there is
-- now is what the provider itself would show whoever calls it; who else takes part
-- is not shown.
create function throttle_levels(budgets bytea[])
  returns table (budget_id bytea, tokens double precision, refilled_at timestamptz, pace double precision, throttled_at timestamptz,
    paused_until timestamptz, checked_at timestamptz)
  language sql stable security definer set search_path = public, pg_temp
begin atomic
  select b.budget_id, b.tokens, b.refilled_at, b.pace, b.throttled_at, nullif(b.paused_until, '-infinity'), clock_timestamp()
  from throttle_budgets b
  where b.budget_id = any (budgets) and exists (
    select from throttle_holders h where h.budget_id = b.budget_id and h.workspace_id = current_workspace());
end;

reset role;

-- Giving a function away needs CREATE on its schema for the receiver, briefly.
grant create on schema public to gatehouse_dispatcher;
alter function take_throttle_budget(bigint, bigint, bigint, uuid, bytea, text, text, bytea, text[], double precision, integer, integer,
  integer, integer, bigint, integer, boolean, boolean, double precision) owner to gatehouse_dispatcher;
alter function throttle_levels(bytea[]) owner to gatehouse_dispatcher;
revoke create on schema public from gatehouse_dispatcher;
revoke all on function take_throttle_budget, throttle_levels from public;
grant execute on function take_throttle_budget, throttle_levels to svc_discovery;

---- create above / drop below ----

drop function throttle_levels, take_throttle_budget;
revoke select (token_hash, integration_id) on runs from gatehouse_dispatcher;
drop table throttle_limits, throttle_holders, throttle_budgets;
