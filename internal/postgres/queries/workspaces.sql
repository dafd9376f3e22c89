-- name: GetDataPlane :one
select tenant_id, name, first_workspace_id from data_plane;

-- name: DrawWorkspaceID :one
select nextval('workspaces_workspace_id_seq')::bigint;

-- name: InsertDataPlane :execrows
insert into data_plane (tenant_id, name, first_workspace_id) values ($1, $2, $3)
on conflict (singleton) do nothing;

-- name: InsertWorkspace :exec
insert into workspaces (workspace_id, name) values ($1, $2);

-- name: GetWorkspace :one
select workspace_id, name, archived_at, created_at from workspaces where workspace_id = $1;

-- name: ListMembers :many
select member_id, kind::text as kind, name, role::text as role, created_at, removed_at
from members
where workspace_id = @workspace_id and member_id > @after
order by member_id
limit @most;
