set role gatehouse_owner;

-- People as the identity provider names them. They belong to the tenant level,
-- so that a workspace cannot see who works in another one.
create table people (
  workspace_id bigint not null references workspaces,
  person_id bigint generated always as identity,
  issuer text not null,
  subject text not null,
  email text not null,
  email_verified boolean not null,
  name text not null,
  created_at timestamptz not null default now(),
  last_sign_in_at timestamptz not null default now(),
  primary key (workspace_id, person_id),
  constraint people_subject_unique unique (workspace_id, issuer, subject),
  constraint people_name_length check (char_length(name) between 1 and 200)
);
call isolate_by_workspace('people');

-- Of a session's token, too, only the SHA-256 is stored.
create table sessions (
  workspace_id bigint not null,
  session_id bigint generated always as identity,
  person_id bigint not null,
  token_hash bytea not null,
  created_at timestamptz not null default now(),
  last_used_at timestamptz not null default now(),
  idle_for interval not null,
  expires_at timestamptz not null,
  ended_at timestamptz,
  primary key (workspace_id, session_id),
  foreign key (workspace_id, person_id) references people,
  constraint sessions_token_unique unique (workspace_id, token_hash),
  constraint sessions_token_hash_length check (octet_length(token_hash) = 32)
);
call isolate_by_workspace('sessions');
create index sessions_by_person on sessions (workspace_id, person_id) where ended_at is null;
create index sessions_by_expiry on sessions (workspace_id, expires_at);

-- An ID token is good for one session; it is remembered until it expires.
create table spent_id_tokens (
  workspace_id bigint not null references workspaces,
  token_hash bytea not null,
  expires_at timestamptz not null,
  primary key (workspace_id, token_hash),
  constraint spent_id_tokens_hash_length check (octet_length(token_hash) = 32)
);
call isolate_by_workspace('spent_id_tokens');
create index spent_id_tokens_by_expiry on spent_id_tokens (workspace_id, expires_at);

create table invitations (
  workspace_id bigint not null,
  invitation_id bigint generated always as identity,
  level workspace_level not null,
  email text not null,
  role member_role not null,
  makes_owner boolean not null default false,
  invited_by bigint,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  accepted_at timestamptz,
  accepted_by bigint,
  revoked_at timestamptz,
  primary key (workspace_id, invitation_id),
  foreign key (workspace_id, level) references workspaces (workspace_id, level),
  foreign key (workspace_id, accepted_by) references members (workspace_id, member_id),
  constraint invitations_tenant_role check ((level = 'tenant') = (role = 'tenant_admin')),
  constraint invitations_email_form check (email = lower(email) and char_length(email) between 3 and 254),
  constraint invitations_accepted_whole check ((accepted_at is null) = (accepted_by is null)),
  constraint invitations_ends_once check (accepted_at is null or revoked_at is null)
);
call isolate_by_workspace('invitations');
create unique index invitations_one_open on invitations (workspace_id, email) where accepted_at is null and revoked_at is null;
create index invitations_by_email on invitations (email) where accepted_at is null and revoked_at is null;

create table claim_mappings (
  workspace_id bigint not null,
  mapping_id bigint generated always as identity,
  level workspace_level not null,
  claim text not null,
  value text not null,
  role member_role not null,
  created_at timestamptz not null default now(),
  primary key (workspace_id, mapping_id),
  foreign key (workspace_id, level) references workspaces (workspace_id, level),
  constraint claim_mappings_unique unique (workspace_id, claim, value),
  constraint claim_mappings_tenant_role check ((level = 'tenant') = (role = 'tenant_admin')),
  constraint claim_mappings_claim_length check (char_length(claim) between 1 and 100),
  constraint claim_mappings_value_length check (char_length(value) between 1 and 500)
);
call isolate_by_workspace('claim_mappings');
create index claim_mappings_by_claim on claim_mappings (claim, value);

grant update (last_used_at) on sessions to svc_integration, svc_discovery;
grant select (workspace_id, session_id, person_id, token_hash, last_used_at, idle_for, expires_at, ended_at) on sessions to svc_integration, svc_discovery;
grant select (workspace_id, person_id, name) on people to svc_integration, svc_discovery;
grant select, insert, update on people, sessions, invitations to svc_workspace;
grant select, insert, delete on claim_mappings, spent_id_tokens to svc_workspace;
grant delete on sessions to svc_workspace;

-- Refuses changes in an archived workspace. The lock keeps it open until the
-- transaction ends: archiving waits for what has begun, and what begins later sees
-- that it is archived. Its own error code, so that callers can be told what to do
-- about it. Outside the workspace nothing is known, and row-level security refuses
-- the row. The statement stands here and not in a function of its own, since a
-- session keeps its plan from one transaction to the next only here.
create function refuse_when_archived() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  open boolean;
begin
  select archived_at is null into open from workspaces where workspace_id = new.workspace_id for key share;
  if not coalesce(open, true) then
    raise 'workspace % is archived', new.workspace_id using errcode = 'GH001';
  end if;
  return new;
end $$;
revoke all on function refuse_when_archived() from public;

create trigger open_workspace before insert or update of name, config, scope, schedule, metadata, deleted_at on connections
  for each row execute function refuse_when_archived();

-- The same for statements that start many runs of one workspace. A blocked start
-- is no change: it records that nothing was done.
create function refuse_starts_when_archived() returns trigger
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  began bigint;
  open boolean;
begin
  for began in select distinct r.workspace_id from added r where r.status <> 'completed' loop
    select archived_at is null into open from workspaces where workspace_id = began for key share;
    if not coalesce(open, true) then
      raise 'workspace % is archived', began using errcode = 'GH001';
    end if;
  end loop;
  return null;
end $$;
revoke all on function refuse_starts_when_archived() from public;
create trigger open_workspace after insert on runs
  referencing new table as added for each statement execute function refuse_starts_when_archived();
-- Access may be ended in an archived workspace, and never given.
create trigger open_workspace before insert or update of role on members
  for each row execute function refuse_when_archived();
create trigger open_workspace before insert on api_keys
  for each row execute function refuse_when_archived();
create trigger open_workspace before insert or update of accepted_at on invitations
  for each row execute function refuse_when_archived();
create trigger open_workspace before insert on claim_mappings
  for each row execute function refuse_when_archived();

-- Looking across workspaces, as decision 0007 has it: of people and of the
-- tenant's administration, ids and what a list of workspaces shows.
create policy people on workspaces for select to gatehouse_dispatcher using (true);
create policy people on members for select to gatehouse_dispatcher using (true);
create policy people on invitations for select to gatehouse_dispatcher using (true);
create policy people on claim_mappings for select to gatehouse_dispatcher using (true);
grant select (workspace_id, name, level, owner_id, archived_at, created_at) on workspaces to gatehouse_dispatcher;
grant select (workspace_id, person_id, removed_at) on members to gatehouse_dispatcher;
grant select (workspace_id, invitation_id, email, makes_owner, accepted_at, revoked_at, expires_at) on invitations to gatehouse_dispatcher;
grant select (workspace_id, mapping_id, claim, value) on claim_mappings to gatehouse_dispatcher;

create function list_workspaces(after_id bigint, most integer)
  returns table (workspace_id bigint, name text, owner_id bigint, archived_at timestamptz, created_at timestamptz, pending_email text, pending_until timestamptz)
  language sql stable security definer set search_path = public, pg_temp
begin atomic
  select w.workspace_id, w.name, w.owner_id, w.archived_at, w.created_at, pending.email, pending.expires_at
  from workspaces w
  left join lateral (
    select i.email, i.expires_at
    from invitations i
    where i.workspace_id = w.workspace_id and i.makes_owner and i.accepted_at is null and i.revoked_at is null and i.expires_at > now()
    order by i.invitation_id desc
    limit 1
  ) pending on true
  where w.level = 'workspace' and w.workspace_id > after_id
  order by w.workspace_id
  limit most;
end;

-- The workspaces that a person is a member of, the tenant level included.
create function workspaces_of_person(person bigint)
  returns table (workspace_id bigint)
  language sql stable security definer set search_path = public, pg_temp
begin atomic
  select m.workspace_id from members m
  where m.person_id = person and m.removed_at is null
  order by m.workspace_id;
end;

create function open_invitations(address text)
  returns table (workspace_id bigint, invitation_id bigint)
  language sql stable security definer set search_path = public, pg_temp
begin atomic
  select i.workspace_id, i.invitation_id
  from invitations i join workspaces w on w.workspace_id = i.workspace_id
  where i.email = address and i.accepted_at is null and i.revoked_at is null and i.expires_at > clock_timestamp()
    and w.archived_at is null
  order by i.workspace_id;
end;

-- The workspaces of which a mapping names one of these claims; claims and
-- values are pairs.
create function workspaces_for_claims(claims text[], claim_values text[])
  returns table (workspace_id bigint)
  language sql stable security definer set search_path = public, pg_temp
begin atomic
  select distinct m.workspace_id
  from unnest(claims, claim_values) as held(claim, value)
  join claim_mappings m on m.claim = held.claim and m.value = held.value
  order by m.workspace_id;
end;

-- Unfinished runs of archived workspaces, which the sweeper cancels.
create function runs_of_archived_workspaces(most integer)
  returns table (workspace_id bigint, run_id bigint)
  language sql stable security definer set search_path = public, pg_temp
begin atomic
  select r.workspace_id, r.run_id
  from runs r join workspaces w on w.workspace_id = r.workspace_id
  where r.status <> 'completed' and r.phase = 'executing' and w.archived_at is not null
    and (r.cancel_requested_at is null or r.lease_until is null or r.lease_until < clock_timestamp())
  order by r.run_id
  limit most;
end;

reset role;

-- As in 005: the functions' owner needs CREATE on its schema, briefly.
grant create on schema public to gatehouse_dispatcher;
alter function list_workspaces(bigint, integer) owner to gatehouse_dispatcher;
alter function workspaces_of_person(bigint) owner to gatehouse_dispatcher;
alter function open_invitations(text) owner to gatehouse_dispatcher;
alter function workspaces_for_claims(text[], text[]) owner to gatehouse_dispatcher;
alter function runs_of_archived_workspaces(integer) owner to gatehouse_dispatcher;

revoke create on schema public from gatehouse_dispatcher;
revoke all on function list_workspaces(bigint, integer), workspaces_of_person(bigint), open_invitations(text),
  workspaces_for_claims(text[], text[]), runs_of_archived_workspaces(integer) from public;
grant execute on function list_workspaces(bigint, integer), workspaces_of_person(bigint), open_invitations(text),
  workspaces_for_claims(text[], text[]) to svc_workspace;
grant execute on function runs_of_archived_workspaces(integer) to svc_discovery;

---- create above / drop below ----

drop function list_workspaces(bigint, integer), workspaces_of_person(bigint), open_invitations(text), workspaces_for_claims(text[], text[]),
  runs_of_archived_workspaces(integer);
drop policy people on workspaces;
drop policy people on members;
drop trigger open_workspace on connections;
drop trigger open_workspace on runs;
drop trigger open_workspace on members;
drop trigger open_workspace on api_keys;
drop table claim_mappings, invitations, spent_id_tokens, sessions, people;
drop function refuse_when_archived(), refuse_starts_when_archived();
