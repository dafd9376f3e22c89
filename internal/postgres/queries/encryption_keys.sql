-- name: ListEncryptionKeys :many
select wrapper, key_id, check_value, registered_at
from encryption_keys
order by registered_at, wrapper, key_id
limit 1000;

-- name: CountCredentialsByKey :many
select wrapper::text as wrapper, key_id::text as key_id, credentials::bigint as credentials
from credentials_by_key()
limit 1000;

-- name: InsertEncryptionKey :execrows
insert into encryption_keys (wrapper, key_id, check_value) values ($1, $2, $3)
on conflict (wrapper, key_id) do nothing;

-- name: DeleteEncryptionKey :execrows
delete from encryption_keys where wrapper = $1 and key_id = $2;

-- name: InsertRetiredEncryptionKey :exec
insert into retired_encryption_keys (wrapper, key_id) values ($1, $2);

-- name: EncryptionKeyIsRetired :one
select exists (select from retired_encryption_keys where wrapper = $1 and key_id = $2);

-- name: FindCredentialsToRewrap :many
select workspace_id::bigint as workspace_id, connection_id::bigint as connection_id
from credentials_to_rewrap(@wrapper, @key_id, @after_workspace, @after_connection, @most);

-- The tenant is what a credential is sealed to beside its row.
-- name: ListSealedCredentials :many
select c.connection_id, n.tenant_id, c.version, c.type, c.algorithm, c.wrapper, c.kms_key_id, c.wrapped_key, c.nonce, c.ciphertext, c.schema_version
from credentials c
join connections n on n.workspace_id = c.workspace_id and n.connection_id = c.connection_id
where c.workspace_id = @workspace_id and c.connection_id = any (@connection_ids::bigint[])
  and (c.wrapper, c.kms_key_id) <> (@wrapper::text, @key_id::text)
order by c.connection_id
limit @most;

-- No two wrapped keys are alike, so the old one tells whether the row is still
-- what was read. Rows are locked in one order, so that two rewraps at once wait for
-- each other and do not deadlock.
-- name: RewrapCredentials :execrows
with given as (
  select unnest(@connection_ids::bigint[]) as connection_id, unnest(@was::bytea[]) as was, unnest(@wrapped::bytea[]) as wrapped
), unchanged as (
  select c.connection_id, g.wrapped
  from credentials c
  join given g on g.connection_id = c.connection_id
  where c.workspace_id = @workspace_id and c.wrapped_key = g.was
  order by c.connection_id
  for no key update of c
)
update credentials c
set wrapper = @wrapper, kms_key_id = @key_id, wrapped_key = u.wrapped
from unchanged u
where c.workspace_id = @workspace_id and c.connection_id = u.connection_id;
