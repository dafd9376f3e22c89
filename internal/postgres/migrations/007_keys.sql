set role gatehouse_owner;

-- The key-encryption keys that services of this data plane have been set up to
-- write with: names, no key. A credential refers to its key, so that a key in use
-- cannot be retired and nothing more can be written under one that was. A plane
-- has a handful; they carry no workspace.
create table encryption_keys (
  wrapper text not null,
  key_id text not null,
  -- For a key from a file: what tells that a file holds another key.
  check_value bytea,
  registered_at timestamptz not null default now(),
  primary key (wrapper, key_id),
  constraint encryption_keys_wrapper_length check (octet_length(wrapper) between 1 and 64),
  constraint encryption_keys_key_id_length check (octet_length(key_id) between 1 and 2048)
);

-- Keys that were retired, so that none is registered again.
create table retired_encryption_keys (
  wrapper text not null,
  key_id text not null,
  retired_at timestamptz not null default now(),
  primary key (wrapper, key_id)
);

alter table credentials add constraint credentials_key_registered
  foreign key (wrapper, kms_key_id) references encryption_keys (wrapper, key_id);
grant select, insert, delete on encryption_keys to svc_integration;
grant select, insert on retired_encryption_keys to svc_integration;

-- Whoever counts or rewraps credentials does not know their workspaces. Which key
-- a credential is under is all that may be seen across them.
create policy dispatch on credentials for select to gatehouse_dispatcher using (true);
grant select (workspace_id, connection_id, wrapper, kms_key_id) on credentials to gatehouse_dispatcher;

-- Credentials behind the given one, in order of their primary key, that are not
-- under the given key.
create function credentials_to_rewrap(under_wrapper text, under_key text, after_workspace bigint, after_connection bigint, most integer)
  returns table (workspace_id bigint, connection_id bigint)
  language sql stable security definer set search_path = public, pg_temp
begin atomic
  select c.workspace_id, c.connection_id
  from credentials c
  where (c.workspace_id, c.connection_id) > (after_workspace, after_connection)
    and (c.wrapper, c.kms_key_id) <> (under_wrapper, under_key)
  order by c.workspace_id, c.connection_id
  limit most;
end;

reset role;

-- As in 005: the function's owner needs CREATE on its schema, briefly.
grant create on schema public to gatehouse_dispatcher;
alter function credentials_to_rewrap(text, text, bigint, bigint, integer) owner to gatehouse_dispatcher;
revoke create on schema public from gatehouse_dispatcher;
revoke all on function credentials_to_rewrap(text, text, bigint, bigint, integer) from public;
grant execute on function credentials_to_rewrap(text, text, bigint, bigint, integer) to svc_integration;

---- create above / drop below ----

drop function credentials_to_rewrap(text, text, bigint, bigint, integer);
revoke select (workspace_id, connection_id, wrapper, kms_key_id) on credentials from gatehouse_dispatcher;
drop policy dispatch on credentials;
alter table credentials drop constraint credentials_key_registered;
drop table retired_encryption_keys, encryption_keys;
