-- name: InsertIdentityCorrection :one
insert into identity_corrections (workspace_id, kind, reason, made_by, made_at)
values (@workspace_id, @kind, @reason, @made_by, @made_at)
returning correction_id;

-- name: EndIdentitySplits :exec
update identity_splits set valid_to = @at, ended_correction_id = @correction_id
where workspace_id = @workspace_id and valid_to is null and one_id = any (@principals::uuid[]) and other_id = any (@principals::uuid[]);

-- name: InsertIdentitySplits :exec
insert into identity_splits (workspace_id, correction_id, one_id, other_id, valid_from)
select @workspace_id, @correction_id, least(a.id, b.id), greatest(a.id, b.id), @at
from unnest(@ones::uuid[]) as a (id)
cross join unnest(@others::uuid[]) as b (id)
on conflict (workspace_id, one_id, other_id) where valid_to is null do nothing;

-- name: IsSplit :one
select exists (
  select from identity_splits
  where workspace_id = @workspace_id and valid_to is null and (
    one_id = @principal_id and other_id = any (@others::uuid[]) or other_id = @principal_id and one_id = any (@others::uuid[])))::boolean;

-- name: ListIdentitySources :many
select s.connection_id, c.correction_id, c.reason, c.made_by, c.made_at
from identity_sources s
join identity_corrections c on c.workspace_id = s.workspace_id and c.correction_id = s.correction_id
join connections n on n.workspace_id = s.workspace_id and n.connection_id = s.connection_id
where s.workspace_id = @workspace_id and n.deleted_at is null
order by s.connection_id;

-- name: IsIdentitySource :one
select exists (select from identity_sources where workspace_id = @workspace_id and connection_id = @connection_id)::boolean;

-- name: InsertIdentitySource :exec
insert into identity_sources (workspace_id, connection_id, correction_id) values (@workspace_id, @connection_id, @correction_id);

-- name: DeleteIdentitySource :exec
delete from identity_sources where workspace_id = @workspace_id and connection_id = @connection_id;
