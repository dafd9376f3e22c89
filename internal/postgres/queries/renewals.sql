-- The connection of a run whose holder was given the present configuration, locked
-- against edits and other renewals. None when it was given a former one, or is deleted.
-- name: LockForRenewal :one
select c.lifecycle::text as lifecycle
from connections c
join credential_disclosures d on d.workspace_id = c.workspace_id and d.connection_id = c.connection_id
  and d.configured_at_version = c.configured_at_version
where c.workspace_id = @workspace_id and c.connection_id = @connection_id and c.deleted_at is null
  and d.run_id = @run_id and d.epoch = @epoch
for no key update of c;

-- name: LockConnection :execrows
select from connections where workspace_id = $1 and connection_id = $2 and deleted_at is null for no key update;

-- name: GetRenewal :one
select renewal_id, run_id, epoch, token_hash, begun_at, unsure_since, outcome,
  greatest(lease_until - clock_timestamp(), '0'::interval)::interval as lease_left
from credential_renewals
where workspace_id = $1 and connection_id = $2;

-- The connection whose renewal somebody holds, or held last.
-- name: FindRenewal :one
select connection_id, outcome
from credential_renewals
where workspace_id = @workspace_id and renewal_id = @renewal_id and run_id = @run_id and epoch = @epoch and token_hash = @token_hash;

-- name: PutRenewal :exec
insert into credential_renewals (workspace_id, connection_id, renewal_id, run_id, epoch, token_hash, lease_until, unsure_since)
values (@workspace_id, @connection_id, @renewal_id, @run_id, @epoch, @token_hash, clock_timestamp() + @lease_for::interval, sqlc.narg(unsure_since))
on conflict (workspace_id, connection_id) do update
set renewal_id = excluded.renewal_id, run_id = excluded.run_id, epoch = excluded.epoch, token_hash = excluded.token_hash,
  begun_at = clock_timestamp(), lease_until = excluded.lease_until, unsure_since = excluded.unsure_since, outcome = null, ended_at = null;

-- name: EndRenewal :execrows
update credential_renewals set outcome = @outcome::text, ended_at = clock_timestamp()
where workspace_id = @workspace_id and connection_id = @connection_id and renewal_id = @renewal_id and outcome is null;

-- What somebody stored by hand is none of what was exchanged.
-- name: ForgetRenewal :exec
delete from credential_renewals where workspace_id = $1 and connection_id = $2;

-- No row when the credential was replaced since it was read.
-- name: NoteCredentialVersion :execrows
update connections set credential_version = @credential_version
where workspace_id = @workspace_id and connection_id = @connection_id and deleted_at is null and credential_version = @was;

-- name: NoteCredentialRefused :exec
update connections
set lifecycle = case when lifecycle = 'active' then 'needs_consent' else lifecycle end,
    status = 'degraded', last_error_reason_code = 'credential_expired', last_error_message = @message::text
where workspace_id = @workspace_id and connection_id = @connection_id and deleted_at is null;
