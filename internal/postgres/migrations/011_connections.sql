set role gatehouse_owner;

-- A connection's graph is its target's. Another organisation needs another
-- connection.
create function refuse_another_target() returns trigger
  language plpgsql as $$
begin
  raise exception 'connection % keeps the target it has', old.connection_id
    using errcode = 'check_violation', constraint = 'connections_keep_their_target', table = 'connections';
end $$;
create trigger connections_keep_their_target before update of target_id on connections
  for each row when (old.target_id is not null and new.target_id is distinct from old.target_id)
  execute function refuse_another_target();

-- Lists and their totals. Names are looked up by prefix, which an index serves
-- only in the order of bytes.
create index connections_listed on connections (workspace_id, connection_id) where deleted_at is null;
create index connections_by_integration on connections (workspace_id, integration_id, connection_id) where deleted_at is null;
create index connections_by_target on connections (workspace_id, target_id, connection_id) where deleted_at is null;
create index connections_by_name_prefix on connections (workspace_id, name collate "C") where deleted_at is null;

-- Requests that make something and may be repeated. Neither the key nor the
-- request is here: one is hashed, the other is hashed under the key.
create table idempotent_requests (
  workspace_id bigint not null references workspaces,
  member_id bigint not null,
  operation text not null,
  key_hash bytea not null,
  request_hash bytea not null,
  made text not null,
  created_at timestamptz not null default now(),
  primary key (workspace_id, member_id, operation, key_hash),
  foreign key (workspace_id, member_id) references members,
  constraint idempotent_requests_key_hash_length check (octet_length(key_hash) = 32),
  constraint idempotent_requests_request_hash_length check (octet_length(request_hash) = 32)
);
call isolate_by_workspace('idempotent_requests');
create index idempotent_requests_by_age on idempotent_requests (workspace_id, created_at);
grant select, insert, delete on idempotent_requests to svc_integration, svc_discovery;

reset role;

---- create above / drop below ----

drop table idempotent_requests;
drop index connections_by_name_prefix, connections_by_target, connections_by_integration, connections_listed;
drop trigger connections_keep_their_target on connections;
drop function refuse_another_target();
