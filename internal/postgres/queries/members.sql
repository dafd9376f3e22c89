-- name: ListMembers :many
select member_id, kind::text as kind, name, coalesce(email, '') as email, role::text as role, source::text as source, created_at, removed_at
from members
where workspace_id = @workspace_id and member_id > @after
order by member_id
limit @most;

-- name: GetMember :one
select member_id, kind::text as kind, name, coalesce(email, '') as email, role::text as role, source::text as source, created_at, removed_at
from members
where workspace_id = $1 and member_id = $2;

-- name: FindMemberOfPerson :one
select member_id, role::text as role, source::text as source from members
where workspace_id = @workspace_id and person_id = @person_id and removed_at is null;

-- Addresses of members are verified ones; several people may have one.
-- name: FindMembersByEmail :many
select member_id, role::text as role, source::text as source from members
where workspace_id = @workspace_id and email = @email and kind = 'person' and removed_at is null
order by member_id
limit 2;

-- name: InsertPersonMember :one
insert into members (workspace_id, level, kind, name, email, role, person_id, source)
select w.workspace_id, w.level, 'person', @name, @email, (@role::text)::member_role, @person_id, (@source::text)::member_source
from workspaces w where w.workspace_id = @workspace_id
returning member_id;

-- name: InsertKeyMember :one
insert into members (workspace_id, level, kind, name, role)
select w.workspace_id, w.level, 'api_key', @name, (@role::text)::member_role
from workspaces w where w.workspace_id = @workspace_id
returning member_id, created_at;

-- name: SetMemberRole :exec
update members set role = (@role::text)::member_role, source = (@source::text)::member_source
where workspace_id = @workspace_id and member_id = @member_id;

-- name: SetMemberProfile :exec
update members set name = @name, email = @email where workspace_id = @workspace_id and member_id = @member_id;

-- name: RemoveMember :exec
update members set removed_at = coalesce(removed_at, now())
where workspace_id = $1 and member_id = $2;

-- The keys that a member made, and those made with them: each with one of these
-- roles, and whatever was made with it.
-- name: KeysMadeBy :many
with recursive made (member_id, revoked_at, ends) as (
  select k.member_id, k.revoked_at, m.role::text = any (@roles::text[])
  from api_keys k join members m on m.workspace_id = k.workspace_id and m.member_id = k.member_id
  where k.workspace_id = @workspace_id and k.made_by = @made_by
  union all
  select k.member_id, k.revoked_at, made.ends or m.role::text = any (@roles::text[])
  from made
  join api_keys k on k.workspace_id = @workspace_id and k.made_by = made.member_id
  join members m on m.workspace_id = k.workspace_id and m.member_id = k.member_id
)
select member_id::bigint as member_id from made where ends and revoked_at is null;

-- name: EndInvitationsBy :many
update invitations set revoked_at = now()
where workspace_id = @workspace_id and accepted_at is null and revoked_at is null
  and (invited_by = any (@ended::bigint[]) or invited_by = @invited_by and role::text = any (@roles::text[]))
returning invitation_id;

-- Whoever is about to give somebody access, as they are now.
-- name: GetGiver :one
select m.role::text as role, k.expires_at
from members m
left join api_keys k on k.workspace_id = m.workspace_id and k.member_id = m.member_id
where m.workspace_id = @workspace_id and m.member_id = @member_id and m.removed_at is null
  and k.revoked_at is null and (k.expires_at is null or k.expires_at > clock_timestamp());

-- An admin that stays one when the member leaves: a person, or a key without an
-- end that does not end with the member.
-- name: CountOtherAdmins :one
with recursive leaving (member_id) as (
  select @member_id::bigint
  union
  select k.member_id from leaving l join api_keys k on k.workspace_id = @workspace_id and k.made_by = l.member_id
)
select count(*)
from members m
left join api_keys k on k.workspace_id = m.workspace_id and k.member_id = m.member_id
where m.workspace_id = @workspace_id and m.role in ('admin', 'tenant_admin') and m.removed_at is null
  and m.member_id not in (select l.member_id from leaving l)
  and (m.kind = 'person' or (k.revoked_at is null and k.expires_at is null));

-- name: ListInvitations :many
select invitation_id, email, role::text as role, makes_owner, invited_by, created_at, expires_at, accepted_at, accepted_by, revoked_at
from invitations
where workspace_id = @workspace_id and invitation_id > @after
order by invitation_id
limit @most;

-- name: LockInvitation :one
select invitation_id, email, role::text as role, makes_owner, invited_by, created_at, expires_at, accepted_at, accepted_by, revoked_at
from invitations
where workspace_id = $1 and invitation_id = $2
for update;

-- name: InsertInvitation :one
insert into invitations (workspace_id, level, email, role, makes_owner, invited_by, expires_at)
select w.workspace_id, w.level, @email, (@role::text)::member_role, @makes_owner, sqlc.narg(invited_by), @expires_at
from workspaces w where w.workspace_id = @workspace_id
returning invitation_id, created_at;

-- name: EndExpiredInvitation :many
update invitations set revoked_at = now()
where workspace_id = @workspace_id and email = @email and accepted_at is null and revoked_at is null and expires_at <= now()
returning invitation_id;

-- name: EndOpenInvitation :many
update invitations set revoked_at = now()
where workspace_id = @workspace_id and email = @email and accepted_at is null and revoked_at is null
returning invitation_id;

-- name: EndOwnerInvitations :many
update invitations set revoked_at = now()
where workspace_id = @workspace_id and makes_owner and accepted_at is null and revoked_at is null
returning invitation_id;

-- name: PendingOwner :one
select email, expires_at from invitations
where workspace_id = @workspace_id and makes_owner and accepted_at is null and revoked_at is null and expires_at > now()
order by invitation_id desc
limit 1;

-- name: RevokeInvitation :exec
update invitations set revoked_at = now() where workspace_id = $1 and invitation_id = $2;

-- name: AcceptInvitation :exec
update invitations set accepted_at = now(), accepted_by = @accepted_by
where workspace_id = @workspace_id and invitation_id = @invitation_id;

-- name: ListMappings :many
select mapping_id, claim, value, role::text as role, created_at
from claim_mappings
where workspace_id = @workspace_id and mapping_id > @after
order by mapping_id
limit @most;

-- name: InsertMapping :one
insert into claim_mappings (workspace_id, level, claim, value, role)
select w.workspace_id, w.level, @claim, @value, (@role::text)::member_role
from workspaces w where w.workspace_id = @workspace_id
returning mapping_id, created_at;

-- name: DeleteMapping :execrows
delete from claim_mappings where workspace_id = $1 and mapping_id = $2;

-- name: AllMappings :many
select mapping_id, claim, value, role::text as role, created_at
from claim_mappings
where workspace_id = @workspace_id
order by mapping_id;
