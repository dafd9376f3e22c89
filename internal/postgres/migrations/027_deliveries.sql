set role gatehouse_owner;

-- What is in hand is counted by each claim; it is little, whatever waits.
create index webhook_deliveries_in_hand on webhook_deliveries (workspace_id, claimed_until) where claimed_until is not null;

reset role;

-- As in 005: the function's owner needs CREATE on its schema, briefly.
grant create on schema public to gatehouse_dispatcher;
set role gatehouse_dispatcher;

drop function claim_webhook_deliveries(integer, integer, interval);

-- Takes due deliveries in hand, of all workspaces. Endpoints come in no order, and
-- neither one of them nor a workspace has more than so many in hand, so that what
-- answers late, or not at all, keeps nobody else waiting. A workspace may have some
-- more where two processes claim at once.
create function claim_webhook_deliveries(most integer, most_per_endpoint integer, most_per_workspace integer, claim_for interval)
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
      select count(*) as by_workspace, count(*) filter (where f.endpoint_id = e.endpoint_id) as by_endpoint
      from webhook_deliveries f
      where f.workspace_id = e.workspace_id and f.claimed_until >= clock_timestamp()
    ) h
    cross join lateral (
      select p.workspace_id, p.delivery_id
      from webhook_deliveries p
      where p.workspace_id = e.workspace_id and p.endpoint_id = e.endpoint_id and p.status = 'pending'
        and p.next_attempt_at <= clock_timestamp() and (p.claimed_until is null or p.claimed_until < clock_timestamp())
        and h.by_workspace < most_per_workspace
      order by p.next_attempt_at, p.delivery_id
      limit greatest(0, most_per_endpoint - h.by_endpoint)
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
revoke all on function claim_webhook_deliveries(integer, integer, integer, interval) from public;
grant execute on function claim_webhook_deliveries(integer, integer, integer, interval) to svc_integration;

reset role;

revoke create on schema public from gatehouse_dispatcher;

---- create above / drop below ----

drop function claim_webhook_deliveries(integer, integer, integer, interval);
grant create on schema public to gatehouse_dispatcher;
set role gatehouse_dispatcher;
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
revoke all on function claim_webhook_deliveries(integer, integer, interval) from public;
grant execute on function claim_webhook_deliveries(integer, integer, interval) to svc_integration;
reset role;
revoke create on schema public from gatehouse_dispatcher;
drop index webhook_deliveries_in_hand;
