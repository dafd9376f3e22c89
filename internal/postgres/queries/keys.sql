-- Also a key that has ended: whoever uses it is told nothing, and the attempt is theirs.
-- name: FindKey :one
select m.member_id, m.name, m.role::text as role, d.tenant_id, (w.archived_at is not null)::boolean as archived,
  (k.last_used_at is null or k.last_used_at < now() - interval '1 minute')::boolean as note_use,
  (case when k.revoked_at is not null or m.removed_at is not null then 'the API key was revoked'
    when k.expires_at <= now() then 'the API key has expired' else '' end)::text as ended
from api_keys k
join members m on m.workspace_id = k.workspace_id and m.member_id = k.member_id
join workspaces w on w.workspace_id = k.workspace_id
cross join data_plane d
where k.workspace_id = @workspace_id and k.key_hash = @key_hash;

-- Whoever notes the use of the same key at the same moment noted it well enough.
-- name: NoteKeyUse :exec
update api_keys k set last_used_at = now()
where (k.workspace_id, k.member_id) in (
  select u.workspace_id, u.member_id from api_keys u
  where u.workspace_id = @workspace_id and u.member_id = @member_id
  for no key update skip locked
);

-- name: InsertKey :exec
insert into api_keys (workspace_id, member_id, key_hash, hint, expires_at, made_by)
values ($1, $2, $3, $4, $5, $6);

-- name: ListKeys :many
select m.member_id, m.name, m.role::text as role, m.created_at, m.removed_at, k.hint, k.made_by, k.expires_at, k.last_used_at, k.revoked_at
from api_keys k
join members m on m.workspace_id = k.workspace_id and m.member_id = k.member_id
where k.workspace_id = @workspace_id and k.member_id > @after
order by k.member_id
limit @most;

-- name: RevokeKey :execrows
update api_keys set revoked_at = now()
where workspace_id = $1 and member_id = $2 and revoked_at is null;

-- name: KeyExists :one
select exists (select from api_keys where workspace_id = $1 and member_id = $2);
