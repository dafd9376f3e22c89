-- name: GetCredential :one
select version, type, algorithm, wrapper, kms_key_id, wrapped_key, nonce, ciphertext, schema_version
from credentials
where workspace_id = $1 and connection_id = $2;

-- name: PutCredential :exec
insert into credentials (workspace_id, connection_id, version, type, algorithm, wrapper, kms_key_id, wrapped_key, nonce, ciphertext, schema_version)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
on conflict (workspace_id, connection_id) do update
set version = excluded.version, type = excluded.type, algorithm = excluded.algorithm, wrapper = excluded.wrapper,
  kms_key_id = excluded.kms_key_id, wrapped_key = excluded.wrapped_key, nonce = excluded.nonce,
  ciphertext = excluded.ciphertext, schema_version = excluded.schema_version, updated_at = now();

-- name: DeleteCredential :exec
delete from credentials where workspace_id = $1 and connection_id = $2;

-- Held until the disclosure is committed, so that the run cannot end, be
-- cancelled or change hands in between.
-- name: LockRunForDisclosure :one
select connection_id, operation_type, token_hash, epoch,
  (status = 'running' and phase = 'executing' and cancel_requested_at is null
    and coalesce(lease_until > clock_timestamp(), false))::boolean as held
from runs
where workspace_id = $1 and run_id = $2
for share;

-- None when the connection may not be used: it is deleted or disabled, or waits
-- for consent, which only a test may look for.
-- name: NoteConnectionUse :execrows
update connections set last_used_at = clock_timestamp()
where workspace_id = @workspace_id and connection_id = @connection_id and deleted_at is null
  and (lifecycle = 'active' or (lifecycle = 'needs_consent' and @is_test::boolean));

-- name: InsertDisclosure :exec
insert into credential_disclosures (workspace_id, run_id, epoch, connection_id, configured_at_version)
select c.workspace_id, @run_id, @epoch, c.connection_id, c.configured_at_version
from connections c where c.workspace_id = @workspace_id and c.connection_id = @connection_id;
