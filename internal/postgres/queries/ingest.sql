-- name: GetIngest :one
select next_batch, last_digest, staged_entities, staged_relationships, plan_complete from run_ingest
where workspace_id = @workspace_id and run_id = @run_id
for update;

-- name: ExpectBatch :one
-- Where a run stands that has begun, and the partition, if the run knows it.
-- Nothing here outlives a crash of the server, the staging tables are unlogged,
-- so the commit need not wait for the disk. Only that of the first batch does,
-- which finds no row: that there are tables has to outlive a crash.
select i.next_batch, i.last_digest, p.partition_id, p.coverage, set_config('synchronous_commit', 'off', true)::text as flush
from run_ingest i
left join run_partitions p on p.workspace_id = i.workspace_id and p.run_id = i.run_id and p.stream = @stream and p.partition_key = @partition_key
where i.workspace_id = @workspace_id and i.run_id = @run_id
for update of i;

-- name: BeginIngest :execrows
insert into run_ingest (workspace_id, run_id) values (@workspace_id, @run_id) on conflict do nothing;

-- name: NotePlan :exec
update run_ingest set plan_complete = @plan_complete where workspace_id = @workspace_id and run_id = @run_id;

-- name: DeleteIngest :exec
delete from run_ingest where workspace_id = @workspace_id and run_id = @run_id;

-- name: DeleteRunPartitions :exec
delete from run_partitions where workspace_id = @workspace_id and run_id = @run_id;

-- name: FindStreamPartition :one
select partition_id from stream_partitions
where workspace_id = @workspace_id and connection_id = @connection_id and stream = @stream and partition_key = @partition_key;

-- name: InsertStreamPartition :one
insert into stream_partitions (workspace_id, connection_id, stream, partition_key)
values (@workspace_id, @connection_id, @stream, @partition_key)
returning partition_id;

-- name: InsertRunPartition :exec
insert into run_partitions (workspace_id, run_id, partition_id, stream, partition_key)
values (@workspace_id, @run_id, @partition_id, @stream, @partition_key);

-- name: AdvanceIngest :exec
-- The account of a batch: of its run, and of its partition.
with run as (
  update run_ingest
  set next_batch = next_batch + 1, last_digest = @last_digest, staged_entities = staged_entities + @entities, staged_relationships = staged_relationships + @relationships
  where run_ingest.workspace_id = @workspace_id and run_ingest.run_id = @run_id)
update run_partitions
set next_cursor = @next_cursor, records = records + @records, gap_count = gap_count + @new_gaps,
    gaps = case when jsonb_array_length(gaps) < 20 then gaps || @gaps else gaps end,
    coverage = sqlc.narg(coverage), category = coalesce(sqlc.narg(category), category), message = coalesce(sqlc.narg(message), message)
where run_partitions.workspace_id = @workspace_id and run_partitions.run_id = @run_id and partition_id = @partition_id;

-- name: ListRunPartitions :many
select partition_id, stream, partition_key, next_cursor, coverage, category, message, gap_count, gaps, records
from run_partitions
where workspace_id = @workspace_id and run_id = @run_id
order by stream, partition_key;

-- name: ObserveStreamPartition :exec
update stream_partitions
set coverage = @coverage, reason_code = sqlc.narg(reason_code), message = sqlc.narg(message), records = @records, last_run_id = @run_id,
    last_observed_at = @at, last_complete_at = case when @coverage::text = 'complete' then @at when retired_at is null then last_complete_at end, retired_at = null
where workspace_id = @workspace_id and partition_id = @partition_id;

-- name: InsertCoverage :exec
insert into run_coverage (workspace_id, run_id, stream, partition_key, coverage, reason_code, message, gaps, records)
values (@workspace_id, @run_id, @stream, @partition_key, @coverage, sqlc.narg(reason_code), sqlc.narg(message), @gaps, @records);

-- name: NextPublicationTime :one
-- Later than every earlier publication of the connection, whatever the clock did.
select greatest(clock_timestamp(), coalesce(max(visible_at) + interval '1 microsecond', '-infinity'))::timestamptz
from publications where workspace_id = @workspace_id and connection_id = @connection_id;

-- name: InsertPublication :exec
-- Visible from now on, as nearly as can be said before the commit.
insert into publications (workspace_id, run_id, connection_id, published_at, visible_at, counts, coverage, retired, whole_plan)
values (@workspace_id, @run_id, @connection_id, @published_at, greatest(clock_timestamp(), @published_at), @counts, @coverage, @retired, @whole_plan);

-- name: PlannedWhole :one
-- Whether some run had planned all that is in scope.
select coalesce((
  select p.whole_plan from publications p
  where p.workspace_id = @workspace_id and p.connection_id = @connection_id
  order by p.visible_at desc
  limit 1), false)::boolean;

-- name: ListObservedPartitions :many
-- Those in scope that have been read completely.
select partition_id from stream_partitions
where workspace_id = @workspace_id and connection_id = @connection_id and retired_at is null and last_complete_at is not null;

-- name: CountStreamPartitions :one
-- Those that are in scope as far as is known.
select count(*) from stream_partitions where workspace_id = @workspace_id and connection_id = @connection_id and retired_at is null;

-- name: RetireStreamPartitions :many
-- Those that a run did not plan whose plan was complete.
update stream_partitions p
set retired_at = @at
where p.workspace_id = @workspace_id and p.connection_id = @connection_id and p.retired_at is null
  and not exists (
    select from run_partitions r
    where r.workspace_id = p.workspace_id and r.run_id = @run_id and r.partition_id = p.partition_id)
returning p.partition_id;
