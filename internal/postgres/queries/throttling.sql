-- name: ListThrottleLimits :many
select integration_id, scope, calls, per_seconds, burst, concurrent, set_by, set_at from throttle_limits order by integration_id, scope;

-- name: SetThrottleLimit :one
insert into throttle_limits (integration_id, scope, calls, per_seconds, burst, concurrent, set_by)
values (@integration_id, @scope, @calls, @per_seconds, @burst, @concurrent, @set_by)
on conflict (integration_id, scope) do update
set calls = excluded.calls, per_seconds = excluded.per_seconds, burst = excluded.burst, concurrent = excluded.concurrent,
  set_by = excluded.set_by, set_at = clock_timestamp()
returning set_at;

-- name: ClearThrottleLimit :execrows
delete from throttle_limits where integration_id = @integration_id and scope = @scope;

-- name: ForgetThrottleBudgets :one
select forget_throttle_budgets(@kept::interval, @most::integer)::bigint;
