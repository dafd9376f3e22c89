set role gatehouse_owner;

-- Who a connection's credentials act as, in the provider's own immutable id. A
-- test or a run finds it, together with the target; new credentials make it
-- unknown again.
alter table connections
  add column acts_as text,
  -- The names of the sealed fields, for when they do not open.
  add column secret_fields text[] not null default '{}',
  -- The version that brought the present configuration.
  add column configured_at_version bigint not null default 1,
  add constraint connections_acts_as_length check (octet_length(acts_as) between 1 and 1024),
  add constraint connections_acts_as_has_target check (acts_as is null or target_id is not null),
  add constraint connections_config_is_object check (jsonb_typeof(config) = 'object'),
  add constraint connections_scope_is_object check (jsonb_typeof(scope) = 'object'),
  add constraint connections_schedule_is_object check (jsonb_typeof(schedule) = 'object'),
  add constraint connections_metadata_is_object check (jsonb_typeof(metadata) = 'object'),
  add constraint connections_scopes_granted_is_list check (jsonb_typeof(scopes_granted) = 'array'),
  add constraint connections_version_positive check (version > 0),
  add constraint connections_configured_at_a_version check (configured_at_version between 1 and version),
  add constraint connections_error_message_length check (octet_length(last_error_message) <= 1000),
  add constraint connections_deleted_holds_nothing check
    (deleted_at is null or (config = '{}' and credential_type is null and secret_fields = '{}' and not is_default and next_run_at is null));

-- The same identity in the same organisation, connected twice, would show
-- everything twice.
create unique index connections_acts_as_unique on connections (workspace_id, target_id, integration_id, acts_as)
  where deleted_at is null and acts_as is not null;

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

grant update (acts_as) on connections to svc_discovery;

-- The epoch whose holder said which organisation it reaches, and was right:
-- nothing that was read by anybody else is published.
alter table runs
  add column reached_epoch bigint not null default 0,
  add constraint runs_publishing_reached_their_target check (phase = 'executing' or reached_epoch = epoch);

-- Which configuration the holder was given. What it finds with one that has been
-- replaced since says nothing of the connection.
alter table credential_disclosures add column configured_at_version bigint not null;
grant select (workspace_id, run_id, epoch, configured_at_version) on credential_disclosures to svc_discovery;

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
grant select, insert, delete on idempotent_requests to svc_integration;

reset role;

---- create above / drop below ----

drop table idempotent_requests;
revoke select (workspace_id, run_id, epoch, configured_at_version) on credential_disclosures from svc_discovery;
alter table credential_disclosures drop column configured_at_version;
alter table runs drop constraint runs_publishing_reached_their_target, drop column reached_epoch;
drop index connections_by_name_prefix, connections_by_target, connections_by_integration, connections_listed, connections_acts_as_unique;
drop trigger connections_keep_their_target on connections;
drop function refuse_another_target();
alter table connections
  drop constraint connections_deleted_holds_nothing, drop constraint connections_error_message_length,
  drop constraint connections_configured_at_a_version, drop constraint connections_version_positive, drop constraint connections_scopes_granted_is_list,
  drop constraint connections_metadata_is_object, drop constraint connections_schedule_is_object,
  drop constraint connections_scope_is_object, drop constraint connections_config_is_object,
  drop constraint connections_acts_as_has_target, drop constraint connections_acts_as_length,
  drop column configured_at_version, drop column secret_fields, drop column acts_as;
