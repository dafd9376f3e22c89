-- name: InsertAuditEvent :exec
insert into audit_events (tenant_id, workspace_id, actor_kind, actor_id, action, outcome, target_type, target_id, payload)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: ListAuditEvents :many
select event_id, tenant_id, actor_kind, actor_id, action, outcome, target_type, target_id, payload, created_at,
  transaction::text as transaction
from audit_events
where workspace_id = @workspace_id
  and (@action::text = '' or action = @action)
  and (@outcome::text = '' or outcome = @outcome)
  and (@target_type::text = '' or target_type = @target_type)
  and (@target_id::text = '' or target_id = @target_id)
  and (@actor_id::text = '' or actor_id = @actor_id)
  and (sqlc.narg(since)::timestamptz is null or created_at >= sqlc.narg(since))
  and (sqlc.narg(until)::timestamptz is null or created_at < sqlc.narg(until))
  and (@before::bigint = 0 or event_id < @before)
order by event_id desc
limit @most;

-- name: CountAuditEvents :one
select count(*) from (
  select from audit_events
  where workspace_id = @workspace_id
    and (@action::text = '' or action = @action)
    and (@outcome::text = '' or outcome = @outcome)
    and (@target_type::text = '' or target_type = @target_type)
    and (@target_id::text = '' or target_id = @target_id)
    and (@actor_id::text = '' or actor_id = @actor_id)
    and (sqlc.narg(since)::timestamptz is null or created_at >= sqlc.narg(since))
    and (sqlc.narg(until)::timestamptz is null or created_at < sqlc.narg(until))
  limit @most
) found;
