-- Tells whoever started a run that it has ended: once, and only somebody who is
-- still a member.
-- name: NotifyInitiator :execrows
insert into notifications (workspace_id, member_id, kind, run_id)
select r.workspace_id, m.member_id, 'run_ended', r.run_id
from runs r
join members m on m.workspace_id = r.workspace_id and m.member_id = r.initiated_by
where r.workspace_id = @workspace_id and r.run_id = @run_id and r.initiator = 'user' and r.status = 'completed' and m.removed_at is null
on conflict (workspace_id, member_id, run_id) do nothing;

-- name: ListNotifications :many
select n.notification_id, n.kind, n.created_at, n.read_at, n.run_id, n.endpoint_id,
  r.operation_type, coalesce(r.outcome::text, '')::text as outcome, r.reason_code, c.connection_id, c.name as connection_name,
  c.schedule_paused_at, c.schedule_pause_reason_code, e.description as endpoint_description, e.disabled_reason
from notifications n
left join runs r on r.workspace_id = n.workspace_id and r.run_id = n.run_id
left join connections c on c.workspace_id = n.workspace_id and c.connection_id = coalesce(r.connection_id, n.connection_id)
left join webhook_endpoints e on e.workspace_id = n.workspace_id and e.endpoint_id = n.endpoint_id
where n.workspace_id = @workspace_id and n.member_id = @member_id
  and (@before::bigint = 0 or n.notification_id < @before)
  and (not @unread::boolean or n.read_at is null)
  and (@this::bigint = 0 or n.notification_id = @this)
order by n.notification_id desc
limit @most;

-- name: NotifyAdminsOfPause :exec
insert into notifications (workspace_id, member_id, kind, connection_id)
select m.workspace_id, m.member_id, 'schedule_paused', @connection_id::bigint
from members m
where m.workspace_id = @workspace_id and m.role = 'admin' and m.removed_at is null;

-- name: CountUnreadNotifications :one
select count(*) from notifications
where workspace_id = @workspace_id and member_id = @member_id and read_at is null;

-- name: ReadNotification :exec
update notifications set read_at = clock_timestamp()
where workspace_id = @workspace_id and member_id = @member_id and notification_id = @notification_id and read_at is null;

-- name: ReadNotifications :execrows
update notifications set read_at = clock_timestamp()
where workspace_id = @workspace_id and member_id = @member_id and read_at is null;

-- name: ForgetNotifications :one
select forget_notifications(@kept::interval, @most::integer)::bigint;

-- name: EmitWebhookEvent :exec
select emit_webhook_event(@event_type::text, @subject::text, @data::jsonb);
