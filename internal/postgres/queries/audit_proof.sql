-- name: AuditLogEntryOf :one
-- The entry is -1 for an event that is not sealed.
select coalesce(l.entry, -1)::bigint as entry
from audit_events e
left join audit_log_entries l on l.workspace_id = e.workspace_id and l.event_id = e.event_id
where e.workspace_id = @workspace_id and e.event_id = @event_id;
