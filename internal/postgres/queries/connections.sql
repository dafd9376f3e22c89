-- name: DrawConnectionID :one
select nextval('connections_connection_id_seq')::bigint;

-- One query for every way of finding connections, so that there is one row to
-- map. Plans are made for the values at hand, so unused conditions cost nothing.
-- name: FindConnections :many
select c.connection_id, c.tenant_id, c.workspace_id, c.integration_id, c.connector_id, c.connector_version, c.name,
  c.config, c.scope, c.schedule, c.metadata, c.scopes_granted, c.credential_type, c.secret_fields, c.config_refs, c.acts_as, c.is_default,
  c.lifecycle::text as lifecycle, c.status::text as status, c.last_run_at, c.last_used_at, c.last_connected_at,
  c.last_health_check_at, c.last_error_reason_code, c.last_error_message, c.next_run_at, c.last_scheduled_at,
  c.schedule_failures, c.schedule_paused_at, c.schedule_pause_reason_code, c.version, c.credential_version, c.created_at, c.updated_at,
  c.target_id, t.provider_system, t.provider_target_id, t.target_type, t.name as target_name,
  t.created_at as target_created_at, t.updated_at as target_updated_at
from connections c
left join targets t on t.workspace_id = c.workspace_id and t.target_id = c.target_id
where c.workspace_id = @workspace_id and c.deleted_at is null
  and (@target_id::bigint = 0 or c.target_id = @target_id)
  and (@integration_id::text = '' or c.integration_id = @integration_id)
  and (@status::text = '' or c.status = (nullif(@status, ''))::connection_status)
  and (@lifecycle::text = '' or c.lifecycle = (nullif(@lifecycle, ''))::connection_lifecycle)
  and (@name_prefix::text = '' or c.name collate "C" ^@ @name_prefix)
  and (not @defaults_only::boolean or c.is_default)
  and (not @paused_only::boolean or c.schedule_paused_at is not null)
  and c.connection_id > @after
order by c.connection_id
limit @most;

-- What FindConnections finds without conditions. One plan serves every page and
-- is kept: the bound comes by a subquery, because the server would plan for each
-- number anew, which takes longer than a page.
-- name: ListConnections :many
select c.connection_id, c.tenant_id, c.workspace_id, c.integration_id, c.connector_id, c.connector_version, c.name,
  c.config, c.scope, c.schedule, c.metadata, c.scopes_granted, c.credential_type, c.secret_fields, c.config_refs, c.acts_as, c.is_default,
  c.lifecycle::text as lifecycle, c.status::text as status, c.last_run_at, c.last_used_at, c.last_connected_at,
  c.last_health_check_at, c.last_error_reason_code, c.last_error_message, c.next_run_at, c.last_scheduled_at,
  c.schedule_failures, c.schedule_paused_at, c.schedule_pause_reason_code, c.version, c.credential_version, c.created_at, c.updated_at,
  c.target_id, t.provider_system, t.provider_target_id, t.target_type, t.name as target_name,
  t.created_at as target_created_at, t.updated_at as target_updated_at
from connections c
left join targets t on t.workspace_id = c.workspace_id and t.target_id = c.target_id
where c.workspace_id = @workspace_id and c.deleted_at is null and c.connection_id > @after
order by c.connection_id
limit (select @most::integer);

-- name: GetConnection :one
select c.connection_id, c.tenant_id, c.workspace_id, c.integration_id, c.connector_id, c.connector_version, c.name,
  c.config, c.scope, c.schedule, c.metadata, c.scopes_granted, c.credential_type, c.secret_fields, c.config_refs, c.acts_as, c.is_default,
  c.lifecycle::text as lifecycle, c.status::text as status, c.last_run_at, c.last_used_at, c.last_connected_at,
  c.last_health_check_at, c.last_error_reason_code, c.last_error_message, c.next_run_at, c.last_scheduled_at,
  c.schedule_failures, c.schedule_paused_at, c.schedule_pause_reason_code, c.version, c.credential_version, c.created_at, c.updated_at,
  c.target_id, t.provider_system, t.provider_target_id, t.target_type, t.name as target_name,
  t.created_at as target_created_at, t.updated_at as target_updated_at
from connections c
left join targets t on t.workspace_id = c.workspace_id and t.target_id = c.target_id
where c.workspace_id = @workspace_id and c.deleted_at is null and c.connection_id = @connection_id;

-- No row before the first connection.
-- name: GetConnectionCount :one
select live from connection_counts where workspace_id = @workspace_id;

-- name: CountConnections :one
-- What FindConnections finds on all pages.
select count(*) from connections c
where c.workspace_id = @workspace_id and c.deleted_at is null
  and (@target_id::bigint = 0 or c.target_id = @target_id)
  and (@integration_id::text = '' or c.integration_id = @integration_id)
  and (@status::text = '' or c.status = (nullif(@status, ''))::connection_status)
  and (@lifecycle::text = '' or c.lifecycle = (nullif(@lifecycle, ''))::connection_lifecycle)
  and (@name_prefix::text = '' or c.name collate "C" ^@ @name_prefix)
  and (not @defaults_only::boolean or c.is_default)
  and (not @paused_only::boolean or c.schedule_paused_at is not null);

-- name: FindTargets :many
select target_id, provider_system, provider_target_id, target_type, name, created_at, updated_at
from targets
where workspace_id = @workspace_id
  and (@target_id::bigint = 0 or target_id = @target_id)
  and (@provider_system::text = '' or provider_system = @provider_system)
  and target_id > @after
order by target_id
limit @most;

-- name: CountTargets :one
select count(*) from targets
where workspace_id = @workspace_id and (@provider_system::text = '' or provider_system = @provider_system);

-- name: InsertConnection :exec
insert into connections (connection_id, tenant_id, workspace_id, integration_id, connector_id, connector_version, name,
  config, scope, schedule, metadata, credential_type, secret_fields, config_refs, lifecycle, next_run_at, target_id)
values (@connection_id, @tenant_id, @workspace_id, @integration_id, @connector_id, @connector_version, @name,
  @config, @scope, @schedule, @metadata, @credential_type, @secret_fields, @config_refs, (@lifecycle::text)::connection_lifecycle, @next_run_at, @target_id);

-- The due time belongs to the schedule; an edit that leaves the schedule alone
-- must not undo what the scheduler has moved since. What failed with another
-- schedule or configuration says nothing of this one; says whether the schedule
-- was paused for it.
-- name: UpdateConnection :one
with before as (
  select o.schedule_paused_at, o.schedule <> @schedule or @reconfigured::boolean as afresh,
    -- What somebody has paused goes on when somebody says so.
    (o.schedule <> @schedule or @reconfigured::boolean) and o.schedule_pause_reason_code is distinct from 'requested' as goes_on
  from connections o
  where o.workspace_id = @workspace_id and o.connection_id = @connection_id for no key update
)
update connections c
set name = @name, config = @config, scope = @scope, metadata = @metadata, credential_type = @credential_type, secret_fields = @secret_fields,
  target_id = coalesce(sqlc.narg(target_id), c.target_id), acts_as = case when @reconfigured::boolean then null else c.acts_as end,
  configured_at_version = case when @reconfigured::boolean then c.version + 1 else c.configured_at_version end,
  -- Each version of a credential has a number of its own, whoever made it.
  credential_version = greatest(c.credential_version, @credential_version::bigint),
  config_refs = @config_refs, lifecycle = (@lifecycle::text)::connection_lifecycle,
  next_run_at = case when c.schedule = @schedule then c.next_run_at else @next_run_at end,
  schedule_failures = case when before.afresh then 0 else c.schedule_failures end,
  schedule_paused_at = case when before.goes_on then null else c.schedule_paused_at end,
  schedule_pause_reason_code = case when before.goes_on then null else c.schedule_pause_reason_code end,
  schedule = @schedule, version = c.version + 1, updated_at = now()
from before
where c.workspace_id = @workspace_id and c.connection_id = @connection_id and c.version = @was and c.deleted_at is null
  and (not @reconfigured::boolean or c.credential_version = @was_credential)
returning (before.goes_on and before.schedule_paused_at is not null)::boolean as was_paused;

-- No row where there is nothing to forget. What somebody has paused goes on only
-- if somebody wants it. Says whether the schedule was paused and goes on.
-- name: ResumeSchedule :one
with before as (
  select o.schedule_paused_at is not null and (@requested::boolean or o.schedule_pause_reason_code <> 'requested') as goes_on
  from connections o
  where o.workspace_id = @workspace_id and o.connection_id = @connection_id for no key update
)
update connections c
set schedule_failures = 0,
    schedule_paused_at = case when before.goes_on then null else c.schedule_paused_at end,
    schedule_pause_reason_code = case when before.goes_on then null else c.schedule_pause_reason_code end
from before
where c.workspace_id = @workspace_id and c.connection_id = @connection_id and c.deleted_at is null and (c.schedule_failures > 0 or before.goes_on)
returning before.goes_on::boolean as was_paused;

-- No row of a connection that is deleted, or whose schedule is paused already.
-- name: PauseSchedule :execrows
update connections
set schedule_paused_at = clock_timestamp(), schedule_pause_reason_code = 'requested'
where workspace_id = @workspace_id and connection_id = @connection_id and deleted_at is null and schedule_paused_at is null;

-- Whoever edits the former default has to see that it has changed. The chosen
-- connection has its new version from UpdateConnection.
-- name: ClearDefault :exec
update connections c set is_default = false, version = c.version + 1, updated_at = now()
from connections chosen
where chosen.workspace_id = @workspace_id and chosen.connection_id = @connection_id
  and c.workspace_id = chosen.workspace_id and c.target_id = chosen.target_id and c.integration_id = chosen.integration_id
  and c.connection_id <> chosen.connection_id and c.is_default and c.deleted_at is null;

-- name: SetDefault :exec
update connections set is_default = @is_default
where workspace_id = @workspace_id and connection_id = @connection_id and (target_id is not null or not @is_default);

-- name: DeleteConnection :execrows
update connections
set deleted_at = now(), updated_at = now(), config = '{}', credential_type = null, secret_fields = '{}', config_refs = '{}', is_default = false, next_run_at = null
where workspace_id = @workspace_id and connection_id = @connection_id and deleted_at is null
  and (sqlc.narg(if_version)::bigint is null or version = sqlc.narg(if_version));

-- name: ForgetRequests :exec
delete from idempotent_requests where workspace_id = @workspace_id and created_at < now() - @lifetime::interval;

-- name: FindRequest :one
select request_hash, made from idempotent_requests
where workspace_id = @workspace_id and member_id = @member_id and operation = @operation and key_hash = @key_hash
  and created_at >= now() - @lifetime::interval;

-- Waits for another transaction that has the same key in hand.
-- name: InsertRequest :execrows
insert into idempotent_requests (workspace_id, member_id, operation, key_hash, request_hash, made)
values (@workspace_id, @member_id, @operation, @key_hash, @request_hash, @made)
on conflict (workspace_id, member_id, operation, key_hash) do nothing;

-- A deleted connection keeps its row.
-- name: ConnectionWasMade :one
select exists (select from connections where workspace_id = @workspace_id and connection_id = @connection_id);

-- name: ListTests :many
select test_id, connection_id, run_id, status, reason_code, checked_at, remediation, outlook
from connection_tests
where workspace_id = @workspace_id
  and (@connection_id::bigint = 0 or connection_id = @connection_id)
  and (@run_id::bigint = 0 or run_id = @run_id)
  and (@before::bigint = 0 or test_id < @before)
order by test_id desc
limit @most;
