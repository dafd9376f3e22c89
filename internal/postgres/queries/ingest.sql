-- name: GetIngest :one
select next_batch, last_digest, staged_entities, staged_relationships from run_ingest
where workspace_id = @workspace_id and run_id = @run_id
for update;

-- name: BeginIngest :execrows
insert into run_ingest (workspace_id, run_id) values (@workspace_id, @run_id) on conflict do nothing;

-- name: AdvanceIngest :exec
update run_ingest
set next_batch = next_batch + 1, last_digest = @last_digest, staged_entities = staged_entities + @entities, staged_relationships = staged_relationships + @relationships
where workspace_id = @workspace_id and run_id = @run_id;

-- name: DeleteIngest :exec
delete from run_ingest where workspace_id = @workspace_id and run_id = @run_id;

-- name: DeleteRunPartitions :exec
delete from run_partitions where workspace_id = @workspace_id and run_id = @run_id;

-- name: FindRunPartition :one
select partition_id, coverage from run_partitions
where workspace_id = @workspace_id and run_id = @run_id and stream = @stream and partition_key = @partition_key;

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

-- name: AdvanceRunPartition :exec
update run_partitions
set next_cursor = @next_cursor, records = records + @records, gap_count = gap_count + @new_gaps,
    gaps = case when jsonb_array_length(gaps) < 20 then gaps || @gaps else gaps end,
    coverage = sqlc.narg(coverage), category = coalesce(sqlc.narg(category), category), message = coalesce(sqlc.narg(message), message)
where workspace_id = @workspace_id and run_id = @run_id and partition_id = @partition_id;

-- name: ListRunPartitions :many
select partition_id, stream, partition_key, next_cursor, coverage, category, message, gap_count, gaps, records
from run_partitions
where workspace_id = @workspace_id and run_id = @run_id
order by stream, partition_key;

-- name: ObserveStreamPartition :exec
update stream_partitions
set coverage = @coverage, reason_code = sqlc.narg(reason_code), message = sqlc.narg(message), records = @records, last_run_id = @run_id,
    last_observed_at = @at, last_complete_at = case when @coverage::text = 'complete' then @at else last_complete_at end
where workspace_id = @workspace_id and partition_id = @partition_id;

-- name: InsertCoverage :exec
insert into run_coverage (workspace_id, run_id, stream, partition_key, coverage, reason_code, message, gaps, records)
values (@workspace_id, @run_id, @stream, @partition_key, @coverage, sqlc.narg(reason_code), sqlc.narg(message), @gaps, @records);

-- name: NextPublicationTime :one
-- Later than every earlier publication of the connection, whatever the clock did.
select greatest(clock_timestamp(), coalesce(max(published_at) + interval '1 microsecond', '-infinity'))::timestamptz
from publications where workspace_id = @workspace_id and connection_id = @connection_id;

-- name: InsertPublication :exec
insert into publications (workspace_id, run_id, connection_id, published_at, counts) values (@workspace_id, @run_id, @connection_id, @published_at, @counts);

-- name: CountStreamPartitions :one
select count(*) from stream_partitions where workspace_id = @workspace_id and connection_id = @connection_id;
