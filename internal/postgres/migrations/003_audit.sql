set role gatehouse_owner;

-- Append-only: no role is granted UPDATE, DELETE or TRUNCATE.
create table audit_events (
  event_id bigint generated always as identity,
  tenant_id bigint not null,
  -- No foreign key: every action would lock the row of its workspace, all of them
  -- the same one. No role may delete a workspace, and row-level security confines
  -- an event to that of its transaction.
  workspace_id bigint not null,
  actor_kind text not null,
  actor_id text not null,
  action text not null,
  outcome text not null,
  target_type text not null,
  target_id text not null,
  payload jsonb not null default '{}',
  created_at timestamptz not null default now(),
  -- The transaction that wrote an event. Identity values commit out of order; by
  -- this the sealer tells which events can have no older one behind them any more.
  transaction xid8 not null default pg_current_xact_id(),
  primary key (workspace_id, event_id),
  -- Whoever acts at the tenant level, or as a person and in no workspace, is no
  -- member that the workspace could look up.
  constraint audit_events_actor_kind check (actor_kind in ('member', 'tenant', 'person', 'worker', 'system')),
  constraint audit_events_outcome check (outcome in ('succeeded', 'failed', 'denied'))
);
call isolate_by_workspace('audit_events');
create index audit_events_by_transaction on audit_events (workspace_id, transaction);
-- An id says by its prefix what sort of thing it names.
create index audit_events_by_target on audit_events (workspace_id, target_id, event_id);
create index audit_events_by_actor on audit_events (workspace_id, actor_id, event_id);
create index audit_events_by_action on audit_events (workspace_id, action, event_id);
-- Rows come in the order of time, so a summary of blocks finds them, and costs an
-- action next to nothing.
create index audit_events_by_time on audit_events using brin (workspace_id, created_at);
-- Refusals and failures are few, and what an investigation looks for.
create index audit_events_unsuccessful on audit_events (workspace_id, outcome, event_id) where outcome <> 'succeeded';

-- A service chooses neither an event's number nor its time nor its transaction.
grant insert (tenant_id, workspace_id, actor_kind, actor_id, action, outcome, target_type, target_id, payload)
  on audit_events to svc_integration, svc_discovery, svc_workspace;
grant select on audit_events to svc_workspace;

reset role;

---- create above / drop below ----

drop table audit_events;
