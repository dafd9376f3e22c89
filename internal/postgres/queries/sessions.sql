-- Also a session that has ended, as FindKey.
-- name: FindSession :one
select s.session_id, s.person_id, p.name, (s.last_used_at < now() - interval '1 minute')::boolean as note_use,
  (case when s.ended_at is not null then 'the session was ended'
    when s.expires_at <= now() then 'the session has expired'
    when s.last_used_at + s.idle_for <= now() then 'the session ended because it was not used' else '' end)::text as ended
from sessions s
join people p on p.workspace_id = s.workspace_id and p.person_id = s.person_id
where s.workspace_id = @workspace_id and s.token_hash = @token_hash;

-- name: NoteSessionUse :exec
update sessions s set last_used_at = now()
where (s.workspace_id, s.session_id) in (
  select u.workspace_id, u.session_id from sessions u
  where u.workspace_id = @workspace_id and u.session_id = @session_id
  for no key update skip locked
);

-- name: FindCallerMember :one
select m.member_id, m.role::text as role, (w.archived_at is not null)::boolean as archived
from members m
join workspaces w on w.workspace_id = m.workspace_id
where m.workspace_id = @workspace_id and m.person_id = @person_id and m.removed_at is null;

-- name: GetSession :one
select s.session_id, s.created_at, s.expires_at, s.idle_for, p.person_id, p.name, p.email
from sessions s
join people p on p.workspace_id = s.workspace_id and p.person_id = s.person_id
where s.workspace_id = @workspace_id and s.session_id = @session_id and s.ended_at is null;

-- name: UpsertPerson :one
insert into people (workspace_id, issuer, subject, email, email_verified, name) values ($1, $2, $3, $4, $5, $6)
on conflict (workspace_id, issuer, subject)
  do update set email = excluded.email, email_verified = excluded.email_verified, name = excluded.name, last_sign_in_at = now()
returning person_id;

-- name: InsertSession :one
insert into sessions (workspace_id, person_id, token_hash, idle_for, expires_at)
values (@workspace_id, @person_id, @token_hash, @idle_for::interval, now() + @lifetime::interval)
returning session_id, created_at, expires_at;

-- name: EndSession :execrows
update sessions set ended_at = now()
where workspace_id = @workspace_id and person_id = @person_id and ended_at is null and (@every::boolean or session_id = @session_id);

-- name: SpendIDToken :execrows
insert into spent_id_tokens (workspace_id, token_hash, expires_at) values ($1, $2, $3)
on conflict (workspace_id, token_hash) do nothing;

-- name: ForgetSpentIDTokens :exec
delete from spent_id_tokens where workspace_id = $1 and expires_at < now() - interval '1 hour';

-- name: ForgetSessions :exec
delete from sessions where workspace_id = $1 and expires_at < now() - interval '30 days';
