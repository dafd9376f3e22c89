-- name: LockExportsOfWorkspace :exec
-- Requests of one workspace are counted one after the other.
select pg_advisory_xact_lock(hashtextextended('gatehouse exports ' || (@workspace_id::bigint)::text, 0));

-- name: CountExports :one
select count(*) filter (where status in ('queued', 'running')) as unfinished, coalesce(sum(bytes), 0)::bigint as kept
from exports
where workspace_id = @workspace_id;

-- name: InsertExport :one
insert into exports (workspace_id, requested_by, query)
values (@workspace_id, @requested_by, @query)
returning export_id;

-- name: FindExports :many
-- One query for every way of finding exports, so that there is one row to map.
select export_id, requested_by, query, status, attempt, rows, bytes, sha256, coalesce(manifest, '')::text as manifest, failure,
  created_at, started_at, ended_at, expires_at
from exports
where workspace_id = @workspace_id
  and (@export_id::bigint = 0 or export_id = @export_id)
  and (@status::text = '' or status = @status)
  and (@requested_by::bigint = 0 or requested_by = @requested_by)
  and (@before::bigint = 0 or export_id < @before)
order by export_id desc
limit @most;

-- name: CancelExport :execrows
update exports
set status = 'cancelled', ended_at = clock_timestamp(), expires_at = @expires_at, rows = 0, bytes = 0
where workspace_id = @workspace_id and export_id = @export_id and status in ('queued', 'running');

-- name: DeleteExport :execrows
delete from exports where workspace_id = @workspace_id and export_id = @export_id;

-- name: DeleteExportChunks :exec
delete from export_chunks where workspace_id = @workspace_id and export_id = @export_id;

-- name: BeginExport :execrows
-- One that somebody is at is left to them, unless they have not been heard of.
update exports
set status = 'running', attempt = attempt + 1, alive_at = clock_timestamp(), started_at = coalesce(started_at, clock_timestamp()), rows = 0, bytes = 0
where workspace_id = @workspace_id and export_id = @export_id
  and (status = 'queued' or status = 'running' and alive_at < clock_timestamp() - @stale::interval);

-- name: ExportAlive :execrows
update exports set alive_at = clock_timestamp()
where workspace_id = @workspace_id and export_id = @export_id and status = 'running' and attempt = @attempt;

-- name: ExportWritten :execrows
-- Locks the export, so that what is written with it is of the current attempt.
update exports set alive_at = clock_timestamp(), rows = @rows, bytes = @bytes
where workspace_id = @workspace_id and export_id = @export_id and status = 'running' and attempt = @attempt;

-- name: InsertExportChunk :exec
insert into export_chunks (workspace_id, export_id, number, bytes) values (@workspace_id, @export_id, @number, @bytes);

-- name: GetExportChunk :one
select c.bytes
from export_chunks c
join exports e on e.workspace_id = c.workspace_id and e.export_id = c.export_id
where c.workspace_id = @workspace_id and c.export_id = @export_id and c.number = @number and e.status = 'completed';

-- name: CompleteExport :execrows
update exports
set status = 'completed', rows = @rows, bytes = @bytes, sha256 = @sha256, manifest = @manifest::text, ended_at = clock_timestamp(), expires_at = @expires_at
where workspace_id = @workspace_id and export_id = @export_id and status = 'running' and attempt = @attempt;

-- name: FailExport :execrows
-- Attempt 0 stands for any.
update exports
set status = 'failed', failure = @failure, rows = 0, bytes = 0, ended_at = clock_timestamp(), expires_at = @expires_at
where workspace_id = @workspace_id and export_id = @export_id and status in ('queued', 'running') and (@attempt::integer = 0 or attempt = @attempt);
