-- name: AdmitRuns :one
-- Runs and their audit events, of one workspace and each with a dedupe key of its
-- own. A run that would hold what is taken is not inserted, has no event, and is
-- not among those returned. Two transactions that each insert several runs could
-- wait for each other, so there is one at a time.
with alone as materialized (
  select case when cardinality(@dedupe_keys::text[]) > 1
    then pg_advisory_xact_lock(hashtextextended('gatehouse admissions', @workspace_id::bigint)) end),
asked as (
  select
    unnest(@operation_types::text[]) as operation_type, unnest(@integrations::text[]) as integration_id, unnest(@connections::bigint[]) as connection_id,
    unnest(@targets::bigint[]) as target_id, unnest(@queues::text[]) as queue, unnest(@inputs::text[]) as input,
    unnest(@contexts::text[]) as context, unnest(@initiators::text[]) as initiator, unnest(@members::bigint[]) as member_id,
    unnest(@dedupe_keys::text[]) as dedupe_key, unnest(@scope_keys::text[]) as scope_key, unnest(@held_parts::text[]) as held_parts,
    unnest(@held_shared::boolean[]) as held_shared, unnest(@deadlines::bigint[]) as deadline, unnest(@actor_kinds::text[]) as actor_kind,
    unnest(@actors::text[]) as actor_id, unnest(@actions::text[]) as action, unnest(@outcomes::text[]) as outcome,
    unnest(@payloads::text[]) as payload
  from alone),
admitted as (
  insert into runs (workspace_id, operation_type, integration_id, connection_id, target_id, queue, input, context, status,
    initiator, initiated_by, dedupe_key, scope_key, held_parts, held_shared, deadline_at)
  select @workspace_id, operation_type, nullif(integration_id, ''), nullif(connection_id, 0), nullif(target_id, 0), queue, input::jsonb, context::jsonb, 'queued',
    initiator, nullif(member_id, 0), nullif(dedupe_key, ''), nullif(scope_key, ''), nullif(held_parts, '')::int4range, held_shared,
    clock_timestamp() + deadline * interval '1 microsecond'
  from asked
  on conflict do nothing
  returning run_id, dedupe_key, created_at, deadline_at),
events as (
  insert into audit_events (tenant_id, workspace_id, actor_kind, actor_id, action, outcome, target_type, target_id, payload)
  select @tenant_id, @workspace_id, a.actor_kind, a.actor_id, a.action, a.outcome, 'run', 'run_' || r.run_id, a.payload::jsonb
  from admitted r join asked a on a.dedupe_key = coalesce(r.dedupe_key, ''))
select coalesce(array_agg(coalesce(dedupe_key, '')), '{}')::text[] as dedupe_keys, coalesce(array_agg(run_id), '{}')::bigint[] as runs,
  coalesce(array_agg(created_at), '{}')::timestamptz[] as created_at, coalesce(array_agg(deadline_at), '{}')::timestamptz[] as deadline_at
from admitted;

-- name: InsertBlockedRun :one
insert into runs (workspace_id, operation_type, integration_id, connection_id, target_id, queue, input, context, status, outcome, reason_code,
  initiator, initiated_by, completed_at)
values (@workspace_id, @operation_type, sqlc.narg(integration_id), sqlc.narg(connection_id), sqlc.narg(target_id), @queue, @input, @context, 'completed',
  'blocked', @reason_code, @initiator, sqlc.narg(initiated_by), clock_timestamp())
returning run_id;

-- name: FindDuplicate :one
-- The unfinished run with the key, and whether JoinDuplicate would change it. One
-- that has not begun sees whatever this start wants seen.
select sqlc.embed(r), (r.status = 'running'
  and (not r.rerun_requested or (r.rerun_requested_by is null and sqlc.narg(requested_by)::bigint is not null)))::boolean as marks
from runs r
where r.workspace_id = @workspace_id and r.dedupe_key = @dedupe_key and r.status <> 'completed';

-- name: JoinDuplicate :one
-- A run that has begun may have missed what changed since, so it is marked to be followed by another, if asked to.
update runs
set rerun_requested = rerun_requested or (status = 'running' and @follow::boolean),
    rerun_requested_by = case when status = 'running' and @follow then coalesce(rerun_requested_by, sqlc.narg(requested_by)) else rerun_requested_by end
where workspace_id = @workspace_id and dedupe_key = @dedupe_key and status <> 'completed'
returning run_id;

-- name: FindHolder :one
-- What stands in the way of a hold, the oldest. One with the same dedupe key is no
-- other operation: it began after the caller looked for it.
select run_id from runs
where workspace_id = @workspace_id and status <> 'completed' and dedupe_key is distinct from sqlc.narg(dedupe_key)
  and (scope_key = sqlc.narg(scope_key)
    or (target_id = sqlc.narg(target_id) and held_parts is not null and not (held_shared and @held_shared::boolean)
      and lower(held_parts) < sqlc.narg(held_end)::integer and upper(held_parts) > sqlc.narg(held_first)::integer))
order by run_id
limit 1;

-- name: GetRun :one
select sqlc.embed(r), coalesce(c.name, '')::text as connection_name
from runs r left join connections c on c.workspace_id = r.workspace_id and c.connection_id = r.connection_id
where r.workspace_id = @workspace_id and r.run_id = @run_id;

-- name: ListRuns :many
select sqlc.embed(r), coalesce(c.name, '')::text as connection_name
from runs r left join connections c on c.workspace_id = r.workspace_id and c.connection_id = r.connection_id
where r.workspace_id = @workspace_id
  and (@connection_id::bigint = 0 or r.connection_id = @connection_id)
  and (@operation_type::text = '' or r.operation_type = @operation_type)
  and (@status::text = '' or r.status::text = @status)
  and (@outcome::text = '' or r.outcome::text = @outcome)
  and (@before::bigint = 0 or r.run_id < @before)
order by r.run_id desc
limit @most;

-- name: ListCoverage :many
select stream, partition_key, coverage, reason_code, message, records
from run_coverage
where workspace_id = @workspace_id and run_id = @run_id
order by stream, partition_key;

-- name: LockRun :one
select * from runs where workspace_id = @workspace_id and run_id = @run_id for no key update;

-- name: TryLockRun :one
-- No row when someone else has it in hand.
select * from runs where workspace_id = @workspace_id and run_id = @run_id for no key update skip locked;

-- name: FindPublishable :one
select connection_id from runs where workspace_id = @workspace_id and run_id = @run_id and status <> 'completed' and phase = 'publishing';

-- name: FindFencedRun :one
-- What LockFencedRun finds, without keeping anybody from changing it.
select connection_id, integration_id from runs
where workspace_id = @workspace_id and run_id = @run_id and epoch = @epoch and lease_id = @lease_id and token_hash = @token_hash
  and status = 'running' and phase = 'executing';

-- name: LockFencedRun :one
-- The claim raised the epoch, so nobody who held the run before gets past this.
select * from runs
where workspace_id = @workspace_id and run_id = @run_id and epoch = @epoch and lease_id = @lease_id and token_hash = @token_hash
  and status = 'running' and phase = 'executing'
for no key update;

-- name: ExtendLease :exec
update runs set lease_until = clock_timestamp() + @lease_for::interval, progress = @progress
where workspace_id = @workspace_id and run_id = @run_id;

-- name: UndoClaim :exec
-- For a run that ends without having been handed to anybody.
update runs set epoch = epoch - 1, attempt = attempt - 1, started_at = case when attempt > 1 then started_at end
where workspace_id = @workspace_id and run_id = @run_id;

-- name: ReleaseLease :exec
update runs set lease_id = null, lease_until = null, token_hash = null, attempt = greatest(attempt - 1, 0)
where workspace_id = @workspace_id and run_id = @run_id;

-- name: EndLease :exec
-- For a run that has to be taken anew; the attempt counts. The lease is over, so
-- that claims and sweeps see the run as they see that of a worker that is gone.
update runs set lease_until = least(lease_until, clock_timestamp())
where workspace_id = @workspace_id and run_id = @run_id;

-- name: BeginPublishing :exec
update runs set phase = 'publishing', phase_since = clock_timestamp(), lease_id = null, lease_until = null, token_hash = null
where workspace_id = @workspace_id and run_id = @run_id;

-- name: ReadAgain :exec
update runs set phase = 'executing', phase_since = clock_timestamp(), attempt = greatest(attempt - 1, 0)
where workspace_id = @workspace_id and run_id = @run_id;

-- name: RequestRunCancel :exec
update runs set cancel_requested_at = coalesce(cancel_requested_at, clock_timestamp())
where workspace_id = @workspace_id and run_id = @run_id;

-- name: CompleteRun :exec
update runs
set status = 'completed', outcome = @outcome, reason_code = sqlc.narg(reason_code), failure_summary = sqlc.narg(failure_summary),
    summary_counts = summary_counts || @summary_counts, completed_at = clock_timestamp(),
    lease_id = null, lease_until = null, token_hash = null, rerun_requested = false
where workspace_id = @workspace_id and run_id = @run_id and status <> 'completed';

-- name: NotifyRuns :exec
select pg_notify('gatehouse_runs', @what::text);

-- name: MoveDueTime :execrows
update connections set next_run_at = sqlc.narg(next_run_at), last_scheduled_at = clock_timestamp()
where workspace_id = @workspace_id and connection_id = @connection_id and next_run_at = @due;

-- name: CountScheduleFailure :one
-- One more in a row. The schedule is paused by as many as are too many, and only
-- then; one that somebody has paused stays as it is.
with before as (
  select o.schedule_paused_at from connections o
  where o.workspace_id = @workspace_id and o.connection_id = @connection_id for no key update
)
update connections c
set schedule_failures = c.schedule_failures + 1,
    schedule_paused_at = case when c.schedule_failures + 1 >= @too_many::integer then coalesce(c.schedule_paused_at, clock_timestamp()) else c.schedule_paused_at end,
    schedule_pause_reason_code = case when c.schedule_failures + 1 >= @too_many then coalesce(c.schedule_pause_reason_code, @reason_code::text) else c.schedule_pause_reason_code end
from before
where c.workspace_id = @workspace_id and c.connection_id = @connection_id and c.deleted_at is null
returning c.schedule_failures, (before.schedule_paused_at is null and c.schedule_paused_at is not null)::boolean as paused_now;

-- name: GetTenantID :one
select tenant_id from data_plane;

-- name: Now :one
select clock_timestamp()::timestamptz;

-- name: NoteConnectionRun :exec
-- A provider that asks for consent gets no further scheduled runs until a test
-- finds that it was given.
update connections
set last_run_at = clock_timestamp(), last_used_at = clock_timestamp(),
    last_connected_at = case when @connected::boolean then clock_timestamp() else last_connected_at end,
    status = @status::connection_status, last_error_reason_code = sqlc.narg(reason_code), last_error_message = sqlc.narg(message),
    lifecycle = case when sqlc.narg(reason_code) = 'consent_required' and lifecycle = 'active' then 'needs_consent' else lifecycle end
where workspace_id = @workspace_id and connection_id = @connection_id and deleted_at is null;

-- name: NoteFormerConnectionRun :exec
-- A run with a configuration that has been replaced since says no more than that
-- it was.
update connections set last_run_at = clock_timestamp(), last_used_at = clock_timestamp()
where workspace_id = @workspace_id and connection_id = @connection_id and deleted_at is null;

-- name: NoteConnectionTest :exec
update connections
set last_used_at = clock_timestamp(), last_health_check_at = clock_timestamp(),
    last_connected_at = case when @connected::boolean then clock_timestamp() else last_connected_at end,
    scopes_granted = case when @connected::boolean then @scopes_granted else scopes_granted end,
    status = @status::connection_status, last_error_reason_code = sqlc.narg(reason_code), last_error_message = sqlc.narg(message),
    lifecycle = case
      when sqlc.narg(reason_code) = 'consent_required' and lifecycle = 'active' then 'needs_consent'
      when sqlc.narg(reason_code)::text is null and lifecycle = 'needs_consent' then 'active'
      else lifecycle end
where workspace_id = @workspace_id and connection_id = @connection_id and deleted_at is null;

-- name: InsertConnectionTest :exec
insert into connection_tests (tenant_id, workspace_id, connection_id, run_id, status, reason_code, checked_at, remediation, outlook)
values (@tenant_id, @workspace_id, @connection_id, @run_id, @status, sqlc.narg(reason_code), clock_timestamp(), @remediation, @outlook);

-- name: UpsertTarget :one
insert into targets (workspace_id, provider_system, provider_target_id, target_type, name)
values (@workspace_id, @provider_system, @provider_target_id, @target_type, @name)
on conflict (workspace_id, provider_system, provider_target_id)
do update set name = excluded.name, target_type = excluded.target_type, updated_at = now()
returning target_id;

-- name: GetConnectionTarget :one
select c.name, c.integration_id, c.target_id, coalesce(t.provider_target_id, '')::text as provider_target_id, i.provider_system,
  c.lifecycle::text as lifecycle, c.deleted_at
from connections c
join integrations i using (integration_id)
left join targets t on t.workspace_id = c.workspace_id and t.target_id = c.target_id
where c.workspace_id = @workspace_id and c.connection_id = @connection_id;

-- name: LockConfiguration :one
-- Whether the configuration that the run was given has been replaced since. It
-- stays as it is until the transaction ends.
select (c.configured_at_version <> coalesce((
  select d.configured_at_version from credential_disclosures d
  where d.workspace_id = c.workspace_id and d.run_id = @run_id and d.epoch = @epoch), c.configured_at_version))::boolean as replaced
from connections c where c.workspace_id = @workspace_id and c.connection_id = @connection_id
for no key update of c;

-- name: FindActingAs :one
-- The other connection that acts as the same identity in the same organisation.
select connection_id, name from connections
where workspace_id = @workspace_id and target_id = @target_id and integration_id = @integration_id and acts_as = @acts_as
  and connection_id <> @connection_id and deleted_at is null;

-- name: NoteReached :exec
-- The first connection found to reach a target becomes its default.
update connections c
set target_id = @target_id, acts_as = coalesce(sqlc.narg(acts_as), c.acts_as),
    is_default = c.is_default or (c.last_connected_at is null and @may_be_default::boolean and not exists (
      select from connections o
      where o.workspace_id = c.workspace_id and o.target_id = @target_id and o.integration_id = c.integration_id and o.is_default and o.deleted_at is null))
where c.workspace_id = @workspace_id and c.connection_id = @connection_id;

-- name: NoteRunReached :exec
update runs set reached_epoch = epoch, target_id = coalesce(sqlc.narg(target_id), target_id)
where workspace_id = @workspace_id and run_id = @run_id;
