-- name: InsertOnboarding :one
insert into onboarding_sessions (workspace_id, integration_id, started_by)
values (@workspace_id, @integration_id, @started_by)
returning session_id;

-- name: LockOnboarding :one
select version from onboarding_sessions where workspace_id = @workspace_id and session_id = @session_id for update;

-- One query for every way of finding sessions, so that there is one row to map.
-- name: FindOnboarding :many
select s.session_id, s.integration_id, coalesce(s.connection_id, 0)::bigint as connection_id, coalesce(c.name, '')::text as connection_name,
  coalesce(c.schedule->>'type' <> 'manual', false)::boolean as connection_scheduled, s.status, coalesce(s.verify_run_id, 0)::bigint as verify_run_id, s.surface, coalesce(s.reason_code, '')::text as reason_code, s.version, s.created_at, s.updated_at
from onboarding_sessions s
left join connections c on c.workspace_id = s.workspace_id and c.connection_id = s.connection_id
where s.workspace_id = @workspace_id
  and (@session_id::bigint = 0 or s.session_id = @session_id)
  and (@status::text = '' or s.status = @status)
  and (@integration_id::text = '' or s.integration_id = @integration_id)
  and (@started_by::bigint = 0 or s.started_by = @started_by)
  and (@before::bigint = 0 or s.session_id < @before)
order by s.session_id desc
limit @most;

-- name: ListOnboardingSteps :many
select session_id, step, taken_by, taken_at
from onboarding_steps
where workspace_id = @workspace_id and session_id = any (@sessions::bigint[])
order by session_id, step;

-- name: ListOnboardingOperations :many
-- The run is that of the operation, or the one that it waits for.
select o.session_id, o.position, o.operation_type, o.state, coalesce(o.run_id, 0)::bigint as run_id, coalesce(o.waits_for, 0)::bigint as waits_for,
  coalesce(o.outcome::text, '')::text as outcome, coalesce(o.reason_code, '')::text as reason_code, o.started_at, o.ended_at,
  coalesce(r.status::text, '')::text as run_status, coalesce(r.outcome::text, '')::text as run_outcome, coalesce(r.reason_code, '')::text as run_reason_code
from onboarding_operations o
left join runs r on r.workspace_id = o.workspace_id and r.run_id = coalesce(o.run_id, o.waits_for)
where o.workspace_id = @workspace_id and o.session_id = any (@sessions::bigint[])
order by o.session_id, o.position;

-- name: ListVerifications :many
-- What the last holder of the test was given is compared with the configuration
-- that the connection has now.
select s.session_id, r.run_id, r.status::text as status, coalesce(r.reason_code, '')::text as reason_code, r.completed_at,
  coalesce(t.status, '')::text as result, t.remediation, t.outlook,
  coalesce((select d.configured_at_version from credential_disclosures d
    where d.workspace_id = r.workspace_id and d.run_id = r.run_id order by d.epoch desc limit 1) = c.configured_at_version, false)::boolean as current
from onboarding_sessions s
join runs r on r.workspace_id = s.workspace_id and r.run_id = s.verify_run_id
join connections c on c.workspace_id = s.workspace_id and c.connection_id = s.connection_id
left join connection_tests t on t.workspace_id = r.workspace_id and t.run_id = r.run_id
where s.workspace_id = @workspace_id and s.session_id = any (@sessions::bigint[]);

-- name: UpdateOnboarding :exec
update onboarding_sessions
set connection_id = sqlc.narg(connection_id), status = @status, verify_run_id = sqlc.narg(verify_run_id), surface = @surface,
  reason_code = sqlc.narg(reason_code), version = @version, updated_at = clock_timestamp()
where workspace_id = @workspace_id and session_id = @session_id;

-- name: DeleteOnboardingSteps :exec
delete from onboarding_steps where workspace_id = @workspace_id and session_id = @session_id and not (step = any (@steps::text[]));

-- name: TakeOnboardingStep :exec
insert into onboarding_steps (workspace_id, session_id, step, taken_by)
values (@workspace_id, @session_id, @step, @taken_by)
on conflict (workspace_id, session_id, step) do update set taken_by = excluded.taken_by, taken_at = clock_timestamp();

-- name: DeleteOnboardingOperations :exec
delete from onboarding_operations where workspace_id = @workspace_id and session_id = @session_id and position > @most;

-- name: PutOnboardingOperation :exec
insert into onboarding_operations (workspace_id, session_id, position, operation_type, state, run_id, waits_for, outcome, reason_code, started_at, ended_at)
values (@workspace_id, @session_id, @position, @operation_type, @state, sqlc.narg(run_id), sqlc.narg(waits_for),
  (sqlc.narg(outcome)::text)::run_outcome, sqlc.narg(reason_code),
  case when @state = 'started' then clock_timestamp() end, case when @state = 'ended' then clock_timestamp() end)
on conflict (workspace_id, session_id, position) do update
set operation_type = excluded.operation_type, state = excluded.state, run_id = excluded.run_id, waits_for = excluded.waits_for,
  outcome = excluded.outcome, reason_code = excluded.reason_code,
  started_at = case when excluded.state in ('pending', 'waiting') then null else coalesce(onboarding_operations.started_at, excluded.started_at) end,
  ended_at = case when excluded.state = 'ended' then coalesce(onboarding_operations.ended_at, excluded.ended_at) end;

-- name: FollowingOnboarding :many
-- The sessions that go on when the run has ended.
select distinct s.session_id
from onboarding_operations o
join onboarding_sessions s on s.workspace_id = o.workspace_id and s.session_id = o.session_id
where o.workspace_id = @workspace_id and (o.run_id = @run_id or o.waits_for = @run_id) and o.state in ('started', 'waiting') and s.status = 'bootstrapping'
order by s.session_id;

-- name: ForgetOnboarding :one
select forget_onboarding(@kept::interval, @most::integer)::bigint;
