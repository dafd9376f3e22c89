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
-- Who is to own a workspace, for the list of all of them.
grant select (makes_owner) on invitations to gatehouse_dispatcher;

-- Of the rows that a service may change, it may change what it does change: not
-- whose they are, what they are about, nor when they were made.
revoke update on runs, run_ingest, run_partitions, stream_partitions, targets, throttle_limits from svc_discovery;
grant update (target_id, status, outcome, reason_code, failure_summary, summary_counts, progress, phase, phase_since, attempt, epoch, reached_epoch,
  lease_id, lease_until, token_hash, started_at, completed_at, cancel_requested_at, rerun_requested, rerun_requested_by) on runs to svc_discovery;
grant update (plan_complete, next_batch, last_digest, staged_entities, staged_relationships) on run_ingest to svc_discovery;
grant update (next_cursor, records, gap_count, gaps, coverage, category, message) on run_partitions to svc_discovery;
grant update (coverage, reason_code, message, records, last_run_id, last_observed_at, last_complete_at, retired_at) on stream_partitions to
  svc_discovery;
grant update (name, target_type, updated_at) on targets to svc_discovery;
grant update (calls, per_seconds, burst, concurrent, set_by, set_at) on throttle_limits to svc_discovery;
revoke update on connections, credentials, integrations, webhook_deliveries, webhook_endpoints from svc_integration;
grant update (name, config, scope, metadata, credential_type, secret_fields, config_refs, target_id, acts_as, configured_at_version, is_default,
  lifecycle, schedule, next_run_at, schedule_failures, schedule_paused_at, schedule_pause_reason_code, last_used_at, version, updated_at, deleted_at) on
  connections to svc_integration;
grant update (version, type, algorithm, wrapper, kms_key_id, wrapped_key, nonce, ciphertext, schema_version, updated_at) on credentials to
  svc_integration;
grant update (name, connector_id, connector_version, connector_type, provider_system, required_permissions, emits_entities, emits_relationships,
  limits_blind_spots, supports_test, manifest, updated_at) on integrations to svc_integration;
grant update (status, step, next_attempt_at, claimed_until, completed_at, last_status, last_error) on webhook_deliveries to svc_integration;
grant update (url, description, event_types, secret_version, disabled_at, disabled_reason, failing_since, failures, updated_at) on webhook_endpoints
  to svc_integration;
revoke update on api_keys, invitations, members, people, sessions, workspaces from svc_workspace;
grant update (last_used_at, revoked_at) on api_keys to svc_workspace;
grant update (accepted_at, accepted_by, revoked_at) on invitations to svc_workspace;
grant update (role, source, name, email, removed_at) on members to svc_workspace;
grant update (email, email_verified, name, last_sign_in_at) on people to svc_workspace;
grant update (last_used_at, ended_at) on sessions to svc_workspace;
grant update (owner_id, archived_at, updated_at) on workspaces to svc_workspace;
revoke update on throttle_budgets, throttle_holders from gatehouse_dispatcher;
grant update (tokens, refilled_at, pace, throttled_at, paused_until, served) on throttle_budgets to gatehouse_dispatcher;
grant update (served, chunk, unsettled, waiting_until, wanted, slot_until, asked_at) on throttle_holders to gatehouse_dispatcher;

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
-- to be because it came from elsewhere. It begins anew where checkpoints that were
-- there are gone.
create function audit_log_starts()
  returns table (workspace_id bigint, since xid8)
  language sql stable set search_path = public, pg_temp
begin atomic
  select w.workspace_id,
    case
      when a.system_identifier is distinct from s.identifier then null
      when latest.number is null or latest.number < a.checkpoint then '0'::xid8
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

-- As in 009, with who becomes the owner when they sign in.
drop function list_workspaces(bigint, integer);
create function list_workspaces(after_id bigint, most integer)
  returns table (workspace_id bigint, name text, owner_id bigint, archived_at timestamptz, created_at timestamptz, pending_email text, pending_until timestamptz)
  language sql stable security definer set search_path = public, pg_temp
begin atomic
  select w.workspace_id, w.name, w.owner_id, w.archived_at, w.created_at, pending.email, pending.expires_at
  from workspaces w
  left join lateral (
    select i.email, i.expires_at
    from invitations i
    where i.workspace_id = w.workspace_id and i.makes_owner and i.accepted_at is null and i.revoked_at is null and i.expires_at > now()
    order by i.invitation_id desc
    limit 1
  ) pending on true
  where w.level = 'workspace' and w.workspace_id > after_id
  order by w.workspace_id
  limit most;
end;
revoke all on function list_workspaces(bigint, integer) from public;
grant execute on function list_workspaces(bigint, integer) to svc_workspace;

reset role;
revoke create on schema public from gatehouse_dispatcher;

---- create above / drop below ----

grant create on schema public to gatehouse_dispatcher;
set role gatehouse_dispatcher;
drop function list_workspaces(bigint, integer);
create function list_workspaces(after_id bigint, most integer)
  returns table (workspace_id bigint, name text, owner_id bigint, archived_at timestamptz, created_at timestamptz)
  language sql stable security definer set search_path = public, pg_temp
begin atomic
  select w.workspace_id, w.name, w.owner_id, w.archived_at, w.created_at
  from workspaces w
  where w.level = 'workspace' and w.workspace_id > after_id
  order by w.workspace_id
  limit most;
end;
revoke all on function list_workspaces(bigint, integer) from public;
grant execute on function list_workspaces(bigint, integer) to svc_workspace;
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
revoke create on schema public from gatehouse_dispatcher;
revoke select (makes_owner) on invitations from gatehouse_dispatcher;
drop table audit_log_arrivals;
grant update on throttle_budgets, throttle_holders to gatehouse_dispatcher;
grant update on runs, run_ingest, run_partitions, stream_partitions, targets, throttle_limits to svc_discovery;
grant update on connections, credentials, integrations, webhook_deliveries, webhook_endpoints to svc_integration;
grant update on api_keys, invitations, members, people, sessions, workspaces to svc_workspace;
