-- One sealer per workspace; the others find nothing to do.
-- name: TryLockAuditLog :one
select pg_try_advisory_xact_lock(hashtextextended('gatehouse audit log ' || (@workspace_id::bigint)::text, 0));

-- name: SealableWorkspaces :many
select workspace_id::bigint as workspace_id from sealable_workspaces(@most::integer);

-- name: AuditLogArrival :one
select system_identifier = this_server() as here, checkpoint, horizon::text as horizon
from audit_log_arrivals
where workspace_id = @workspace_id;

-- name: NoteAuditLogArrival :exec
insert into audit_log_arrivals (workspace_id, system_identifier, checkpoint, horizon)
values (@workspace_id, this_server(), @checkpoint, (@horizon::text)::xid8)
on conflict (workspace_id) do update
set system_identifier = excluded.system_identifier, checkpoint = excluded.checkpoint, horizon = excluded.horizon, arrived_at = now();

-- name: UnsealedFor :one
select coalesce(clock_timestamp() - oldest_unsealed_event(), '0')::interval;

-- name: LatestAuditCheckpoint :one
select number, size, note, sealed_at
from audit_checkpoints
where workspace_id = @workspace_id
order by number desc
limit 1;

-- name: AuditCheckpointsAfter :many
select number, size, note, sealed_at
from audit_checkpoints
where workspace_id = @workspace_id and number > @after
order by number
limit @most;

-- name: CountAuditLog :one
select coalesce(max(entry) + 1, 0)::bigint from audit_log_entries where workspace_id = @workspace_id;

-- name: AuditLogHashes :many
select entry, hashes
from audit_log_entries
where workspace_id = @workspace_id and entry = any (@entries::bigint[]);

-- name: CurrentSnapshot :one
select pg_snapshot_xmin(s)::text as xmin, pg_snapshot_xmax(s)::text as xmax
from pg_current_snapshot() s;

-- Events of transactions that this server has not begun came with a dump of
-- another one, and are committed.
-- name: UnsealedAuditEvents :many
select event_id, tenant_id, actor_kind, actor_id, action, outcome, target_type, target_id, payload, created_at,
  transaction::text as transaction
from audit_events e
where e.workspace_id = @workspace_id
  and e.transaction >= (@from_transaction::text)::xid8
  and (e.transaction < (@xmin::text)::xid8 or @foreign_numbers::boolean and e.transaction >= (@xmax::text)::xid8)
  and not exists (select from audit_log_entries l where l.workspace_id = e.workspace_id and l.event_id = e.event_id)
order by e.transaction, e.event_id
limit @most;

-- name: InsertAuditLogEntries :exec
insert into audit_log_entries (workspace_id, entry, event_id, hashes)
select @workspace_id, unnest(@entries::bigint[]), unnest(@event_ids::bigint[]), unnest(@hashes::bytea[]);

-- name: InsertAuditCheckpoint :exec
insert into audit_checkpoints (workspace_id, number, size, horizon, note)
values (@workspace_id, @number, @size, (@horizon::text)::xid8, @note);

-- name: AuditLogEntriesFrom :many
select entry, event_id, hashes
from audit_log_entries
where workspace_id = @workspace_id and entry >= @first_entry
order by entry
limit @most;

-- name: AuditEventsByID :many
select event_id, tenant_id, actor_kind, actor_id, action, outcome, target_type, target_id, payload, created_at,
  transaction::text as transaction
from audit_events
where workspace_id = @workspace_id and event_id = any (@event_ids::bigint[]);

-- name: GetAuditSigner :one
select public_key from audit_signer;

-- name: InsertAuditSigner :exec
insert into audit_signer (public_key) values ($1)
on conflict (singleton) do nothing;

-- name: UndeliveredWorkspaces :many
select workspace_id::bigint as workspace_id, next_entry::bigint as next_entry, size::bigint as size, waiting_since::timestamptz as waiting_since
from undelivered_workspaces(@sink::text, @most::integer);

-- name: AdvanceAuditSink :exec
insert into audit_sink_positions (workspace_id, sink, next_entry)
values (@workspace_id, @sink, @next_entry)
on conflict (workspace_id, sink) do update set next_entry = greatest(audit_sink_positions.next_entry, excluded.next_entry), delivered_at = now();

-- name: TryHoldAuditSink :one
select pg_try_advisory_lock(hashtextextended('gatehouse audit sink ' || @sink::text, 0));

-- name: ReleaseAuditSink :one
select pg_advisory_unlock(hashtextextended('gatehouse audit sink ' || @sink::text, 0));
