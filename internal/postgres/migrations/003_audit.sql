set role gatehouse_owner;

-- Append-only: no role is granted UPDATE, DELETE or TRUNCATE.
create table audit_events (
  event_id bigint generated always as identity,
  tenant_id bigint not null,
  workspace_id bigint not null references workspaces,
  actor_kind text not null,
  actor_id text not null,
  action text not null,
  outcome text not null,
  target_type text not null,
  target_id text not null,
  payload jsonb not null default '{}',
  created_at timestamptz not null default now(),
  primary key (workspace_id, event_id),
  constraint audit_events_actor_kind check (actor_kind in ('member', 'worker', 'system')),
  constraint audit_events_outcome check (outcome in ('succeeded', 'failed', 'denied'))
);
call isolate_by_workspace('audit_events');
create index audit_events_by_target on audit_events (workspace_id, target_type, target_id, event_id);
create index audit_events_by_action on audit_events (workspace_id, action, event_id);

grant insert on audit_events to svc_integration, svc_discovery, svc_workspace;
grant select on audit_events to svc_workspace;

reset role;

---- create above / drop below ----

drop table audit_events;
