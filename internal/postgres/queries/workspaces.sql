-- name: GetDataPlane :one
select tenant_id, name, first_workspace_id, tenant_workspace_id from data_plane;

-- name: DrawWorkspaceID :one
select nextval('workspaces_workspace_id_seq')::bigint;

-- name: InsertDataPlane :execrows
insert into data_plane (tenant_id, name, first_workspace_id, tenant_workspace_id) values ($1, $2, $3, $4)
on conflict (singleton) do nothing;

-- name: InsertWorkspace :exec
insert into workspaces (workspace_id, name, level) values (@workspace_id, @name, (@level::text)::workspace_level);

-- name: GetWorkspace :one
select workspace_id, name, level::text as level, owner_id, archived_at, created_at from workspaces where workspace_id = $1;

-- Changes of members and of the workspace itself follow one another; other work
-- in the workspace goes on.
-- name: LockWorkspaceMembers :one
select level::text as level, owner_id, archived_at from workspaces where workspace_id = $1 for no key update;

-- Waits for every transaction that began to change something in the workspace.
-- name: LockWorkspaceWhole :one
select level::text as level, archived_at from workspaces where workspace_id = $1 for update;

-- name: SetArchived :exec
update workspaces set archived_at = case when @archived::boolean then now() end, updated_at = now() where workspace_id = @workspace_id;

-- name: SetOwner :exec
update workspaces set owner_id = sqlc.narg(owner_id), updated_at = now() where workspace_id = @workspace_id;
