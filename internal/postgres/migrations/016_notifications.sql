set role gatehouse_owner;

-- Endpoints of workspaces that are told of events, by Standard Webhooks.
create table webhook_endpoints (
  workspace_id bigint not null references workspaces,
  endpoint_id bigint generated always as identity,
  url text not null,
  description text not null default '',
  event_types text[] not null,
  disabled_at timestamptz,
  disabled_reason text,
  -- The newest of its secrets.
  secret_version bigint not null default 1,
  -- Since when, and how often in a row, nothing but failures.
  failing_since timestamptz,
  failures integer not null default 0,
  created_by bigint,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, endpoint_id),
  foreign key (workspace_id, created_by) references members (workspace_id, member_id),
  constraint webhook_endpoints_url_length check (octet_length(url) between 1 and 2048),
  constraint webhook_endpoints_description_length check (char_length(description) <= 200),
  constraint webhook_endpoints_event_types_some check (cardinality(event_types) between 1 and 50),
  constraint webhook_endpoints_disabled_reason check (disabled_reason in ('requested', 'gone', 'failing')),
  constraint webhook_endpoints_disabled_whole check ((disabled_at is null) = (disabled_reason is null)),
  constraint webhook_endpoints_failing_whole check ((failing_since is null) = (failures = 0))
);
call isolate_by_workspace('webhook_endpoints');

-- What deliveries are signed with, sealed like credentials. After a rotation the
-- former one is good until it expires.
create table webhook_secrets (
  workspace_id bigint not null,
  endpoint_id bigint not null,
  version bigint not null,
  algorithm text not null,
  wrapper text not null,
  kms_key_id text not null,
  wrapped_key bytea not null,
  nonce bytea not null,
  ciphertext bytea not null,
  schema_version text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  primary key (workspace_id, endpoint_id, version),
  foreign key (workspace_id, endpoint_id) references webhook_endpoints on delete cascade,
  constraint webhook_secrets_key_registered foreign key (wrapper, kms_key_id) references encryption_keys (wrapper, key_id),
  constraint webhook_secrets_version_positive check (version > 0)
);
call isolate_by_workspace('webhook_secrets');

-- Events that some endpoint asked for, written in the transaction of what they
-- tell. A subject makes an event happen once.
create table webhook_events (
  workspace_id bigint not null references workspaces,
  event_id bigint generated always as identity,
  event_type text not null,
  subject text,
  data jsonb not null,
  occurred_at timestamptz not null default clock_timestamp(),
  primary key (workspace_id, event_id),
  constraint webhook_events_data_is_object check (jsonb_typeof(data) = 'object')
);
call isolate_by_workspace('webhook_events');
create unique index webhook_events_once on webhook_events (workspace_id, event_type, subject) where subject is not null;
create index webhook_events_by_age on webhook_events (occurred_at);

create type delivery_status as enum ('pending', 'succeeded', 'failed');

create table webhook_deliveries (
  workspace_id bigint not null,
  delivery_id bigint generated always as identity,
  endpoint_id bigint not null,
  event_id bigint not null,
  status delivery_status not null default 'pending',
  -- How often it was tried, and where in the schedule of retries it is; a replay
  -- begins the schedule anew.
  attempts integer not null default 0,
  step integer not null default 0,
  next_attempt_at timestamptz default clock_timestamp(),
  -- Until then a process has it in hand.
  claimed_until timestamptz,
  last_attempt_at timestamptz,
  last_status integer,
  last_error text,
  created_at timestamptz not null default now(),
  completed_at timestamptz,
  primary key (workspace_id, delivery_id),
  foreign key (workspace_id, endpoint_id) references webhook_endpoints on delete cascade,
  foreign key (workspace_id, event_id) references webhook_events on delete cascade,
  constraint webhook_deliveries_once unique (workspace_id, endpoint_id, event_id),
  constraint webhook_deliveries_pending_is_due check ((status = 'pending') = (next_attempt_at is not null)),
  constraint webhook_deliveries_completed_has_time check ((status <> 'pending') = (completed_at is not null)),
  constraint webhook_deliveries_completed_is_free check (status = 'pending' or claimed_until is null),
  constraint webhook_deliveries_last_error_length check (octet_length(last_error) <= 500)
);
call isolate_by_workspace('webhook_deliveries');
create index webhook_deliveries_due on webhook_deliveries (workspace_id, endpoint_id, next_attempt_at) where status = 'pending';
create index webhook_deliveries_by_event on webhook_deliveries (workspace_id, event_id);

-- The inbox: what a member is told. There is nothing to read here that is not in
-- what it is about, so that texts come from there.
create table notifications (
  workspace_id bigint not null,
  notification_id bigint generated always as identity,
  member_id bigint not null,
  kind text not null,
  run_id bigint,
  endpoint_id bigint,
  created_at timestamptz not null default clock_timestamp(),
  read_at timestamptz,
  primary key (workspace_id, notification_id),
  foreign key (workspace_id, member_id) references members (workspace_id, member_id),
  foreign key (workspace_id, run_id) references runs on delete cascade,
  foreign key (workspace_id, endpoint_id) references webhook_endpoints on delete cascade,
  constraint notifications_kind check (kind in ('run_ended', 'webhook_disabled')),
  constraint notifications_about_a_run check ((kind = 'run_ended') = (run_id is not null)),
  constraint notifications_about_an_endpoint check ((kind = 'webhook_disabled') = (endpoint_id is not null)),
  constraint notifications_once_per_run unique (workspace_id, member_id, run_id)
);
call isolate_by_workspace('notifications');
create index notifications_by_member on notifications (workspace_id, member_id, notification_id);
create index notifications_unread on notifications (workspace_id, member_id, notification_id) where read_at is null;
create index notifications_by_run on notifications (workspace_id, run_id);
create index notifications_by_age on notifications (created_at);

grant select, insert, update, delete on webhook_endpoints to svc_integration;
grant select, insert, update (wrapper, kms_key_id, wrapped_key, expires_at), delete on webhook_secrets to svc_integration;
grant select on webhook_events to svc_integration;
grant insert (workspace_id, event_type, data) on webhook_events to svc_integration; -- to try an endpoint
grant select, insert, update on webhook_deliveries to svc_integration;
grant insert (workspace_id, member_id, kind, endpoint_id) on notifications to svc_integration;

grant select, update (read_at) on notifications to svc_discovery;
grant insert (workspace_id, member_id, kind, run_id) on notifications to svc_discovery;
-- The address may hold a token; an inbox names the endpoint by its id and description.
grant select (workspace_id, endpoint_id, description, disabled_reason) on webhook_endpoints to svc_discovery;

-- Writes an event, and a delivery for each endpoint that asked for its type. An
-- event that nobody asked for is not kept. It acts as the owner of the tables, so
-- that services that make events see no endpoint; it works in the workspace that
-- the transaction is in, and in no other.
create function emit_webhook_event(new_type text, new_subject text, new_data jsonb) returns void
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  w bigint := current_workspace();
  made bigint;
begin
  if not exists (select from webhook_endpoints e where e.workspace_id = w and e.disabled_at is null and new_type = any (e.event_types)) then
    return;
  end if;
  insert into webhook_events (workspace_id, event_type, subject, data) values (w, new_type, new_subject, new_data)
  on conflict (workspace_id, event_type, subject) where subject is not null do nothing
  returning event_id into made;
  if made is not null then
    insert into webhook_deliveries (workspace_id, endpoint_id, event_id)
    select e.workspace_id, e.endpoint_id, made
    from webhook_endpoints e
    where e.workspace_id = w and e.disabled_at is null and new_type = any (e.event_types);
  end if;
end $$;
revoke all on function emit_webhook_event(text, text, jsonb) from public;
grant execute on function emit_webhook_event(text, text, jsonb) to svc_integration, svc_discovery;

-- Events of connections are made where their rows change, so that none can be
-- forgotten and each commits with its change.
create function tell_connection_events() returns trigger
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
  end if;
  return null;
end $$;

create function tell_connection_tested() returns trigger
  language plpgsql as $$
begin
  perform emit_webhook_event('connection.tested', 'test_' || new.test_id, jsonb_strip_nulls(jsonb_build_object(
    'connection_id', 'conn_' || new.connection_id, 'test_id', 'test_' || new.test_id, 'run_id', 'run_' || new.run_id,
    'status', new.status, 'reason_code', new.reason_code)));
  return null;
end $$;

create trigger tell_created after insert on connections for each row execute function tell_connection_events();
create trigger tell_changed after update of version, status, deleted_at on connections for each row
  when (new.version <> old.version or new.status <> old.status or new.deleted_at is distinct from old.deleted_at)
  execute function tell_connection_events();
create trigger tell_tested after insert on connection_tests for each row execute function tell_connection_tested();

-- Looking across workspaces, as decision 0007 has it: which deliveries are due,
-- and what is old enough to be forgotten.
create policy dispatch on webhook_endpoints for select to gatehouse_dispatcher using (true);
create policy dispatch on webhook_deliveries to gatehouse_dispatcher using (true) with check (true);
create policy dispatch on webhook_events to gatehouse_dispatcher using (true);
create policy dispatch on notifications to gatehouse_dispatcher using (true);
grant select (workspace_id, endpoint_id, disabled_at) on webhook_endpoints to gatehouse_dispatcher;
grant select (workspace_id, delivery_id, endpoint_id, status, attempts, next_attempt_at, claimed_until),
  update (attempts, claimed_until, last_attempt_at) on webhook_deliveries to gatehouse_dispatcher;
grant select (workspace_id, event_id, occurred_at), delete on webhook_events to gatehouse_dispatcher;
grant select (workspace_id, notification_id, created_at), delete on notifications to gatehouse_dispatcher;
-- For events that still wait to be delivered.
grant select (event_id) on webhook_deliveries to gatehouse_dispatcher;

-- Takes due deliveries in hand, a few of each endpoint so that a slow one is in
-- nobody's way. A claim that was not ended in time counts as an attempt that
-- nobody knows of, and the delivery is due again. All times are the database's.
create function claim_webhook_deliveries(most integer, most_per_endpoint integer, claim_for interval)
  returns table (workspace_id bigint, delivery_id bigint)
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
  returning c.workspace_id, c.delivery_id;
end;

-- Deletes old events with their deliveries, unless one of those is still due.
create function forget_webhook_events(kept interval, most integer) returns bigint
  language sql volatile security definer set search_path = public, pg_temp
begin atomic
  with old as (
    select e.workspace_id, e.event_id
    from webhook_events e
    where e.occurred_at < clock_timestamp() - kept
      and not exists (select from webhook_deliveries d where d.workspace_id = e.workspace_id and d.event_id = e.event_id and d.status = 'pending')
    order by e.occurred_at
    limit most
  ), gone as (
    delete from webhook_events e using old where e.workspace_id = old.workspace_id and e.event_id = old.event_id returning 1
  )
  select count(*) from gone;
end;

create function forget_notifications(kept interval, most integer) returns bigint
  language sql volatile security definer set search_path = public, pg_temp
begin atomic
  with old as (
    select n.workspace_id, n.notification_id
    from notifications n
    where n.created_at < clock_timestamp() - kept
    order by n.created_at
    limit most
  ), gone as (
    delete from notifications n using old where n.workspace_id = old.workspace_id and n.notification_id = old.notification_id returning 1
  )
  select count(*) from gone;
end;

reset role;

-- As in 005: the functions' owner needs CREATE on its schema, briefly.
grant create on schema public to gatehouse_dispatcher;
alter function claim_webhook_deliveries(integer, integer, interval) owner to gatehouse_dispatcher;
alter function forget_webhook_events(interval, integer) owner to gatehouse_dispatcher;
alter function forget_notifications(interval, integer) owner to gatehouse_dispatcher;
revoke create on schema public from gatehouse_dispatcher;
revoke all on function claim_webhook_deliveries(integer, integer, interval), forget_webhook_events(interval, integer),
  forget_notifications(interval, integer) from public;
grant execute on function claim_webhook_deliveries(integer, integer, interval), forget_webhook_events(interval, integer) to svc_integration;
grant execute on function forget_notifications(interval, integer) to svc_discovery;

---- create above / drop below ----

drop function forget_notifications(interval, integer), forget_webhook_events(interval, integer), claim_webhook_deliveries(integer, integer, interval);
drop trigger tell_tested on connection_tests;
drop trigger tell_changed on connections;
drop trigger tell_created on connections;
drop function tell_connection_tested(), tell_connection_events(), emit_webhook_event(text, text, jsonb);
drop table notifications, webhook_deliveries, webhook_events, webhook_secrets, webhook_endpoints;
drop type delivery_status;
