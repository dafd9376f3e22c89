set role gatehouse_owner;

-- Ways through connecting a provider, which can be left and taken up again. No
-- configuration is here: the connection has it.
create table onboarding_sessions (
  session_id bigint generated always as identity,
  workspace_id bigint not null references workspaces,
  integration_id text not null references integrations,
  connection_id bigint,
  status text not null default 'open',
  verify_run_id bigint,
  surface text not null default '',
  reason_code text,
  version bigint not null default 1,
  started_by bigint not null,
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp(),
  primary key (workspace_id, session_id),
  foreign key (workspace_id, connection_id) references connections,
  foreign key (workspace_id, verify_run_id) references runs on delete set null (verify_run_id),
  foreign key (workspace_id, started_by) references members,
  constraint onboarding_sessions_status check (status in ('open', 'bootstrapping', 'stopped', 'completed', 'abandoned')),
  constraint onboarding_sessions_surface_length check (char_length(surface) <= 100),
  constraint onboarding_sessions_version_positive check (version > 0),
  constraint onboarding_sessions_bootstrap_has_connection check (status not in ('bootstrapping', 'stopped', 'completed') or connection_id is not null),
  constraint onboarding_sessions_verified_has_connection check (verify_run_id is null or connection_id is not null)
);
call isolate_by_workspace('onboarding_sessions');
create index onboarding_sessions_unfinished on onboarding_sessions (status, updated_at) where status in ('open', 'bootstrapping', 'stopped');
create index onboarding_sessions_by_verification on onboarding_sessions (workspace_id, verify_run_id) where verify_run_id is not null;

-- Which steps of a session were taken, by whom and when.
create table onboarding_steps (
  workspace_id bigint not null,
  session_id bigint not null,
  step text not null,
  taken_by bigint not null,
  taken_at timestamptz not null default clock_timestamp(),
  primary key (workspace_id, session_id, step),
  foreign key (workspace_id, session_id) references onboarding_sessions on delete cascade,
  foreign key (workspace_id, taken_by) references members,
  constraint onboarding_steps_step check (step in ('integration', 'connection', 'verify', 'bootstrap'))
);
call isolate_by_workspace('onboarding_steps');

-- The operations of a bootstrap, in the order in which they start.
create table onboarding_operations (
  workspace_id bigint not null,
  session_id bigint not null,
  position integer not null,
  operation_type text not null,
  state text not null default 'pending',
  run_id bigint,
  waits_for bigint,
  outcome run_outcome,
  reason_code text,
  started_at timestamptz,
  ended_at timestamptz,
  primary key (workspace_id, session_id, position),
  foreign key (workspace_id, session_id) references onboarding_sessions on delete cascade,
  foreign key (workspace_id, run_id) references runs on delete set null (run_id),
  foreign key (workspace_id, waits_for) references runs on delete set null (waits_for),
  constraint onboarding_operations_once unique (workspace_id, session_id, operation_type),
  constraint onboarding_operations_state check (state in ('pending', 'waiting', 'started', 'ended')),
  constraint onboarding_operations_ended_has_outcome check ((state = 'ended') = (outcome is not null)),
  constraint onboarding_operations_ended_has_time check ((state = 'ended') = (ended_at is not null)),
  constraint onboarding_operations_runs_once_started check (run_id is null or state in ('started', 'ended')),
  constraint onboarding_operations_waits_for_somebody check (waits_for is null or state = 'waiting')
);
call isolate_by_workspace('onboarding_operations');
create index onboarding_operations_by_run on onboarding_operations (workspace_id, run_id) where run_id is not null;
create index onboarding_operations_by_holder on onboarding_operations (workspace_id, waits_for) where waits_for is not null;

-- One after the other: no two operations of a session are under way at once.
create unique index onboarding_operations_one_started on onboarding_operations (workspace_id, session_id) where state = 'started';

create trigger open_workspace before insert on onboarding_sessions
  for each row execute function refuse_when_archived();

grant select, insert on onboarding_sessions to svc_discovery;
grant update (connection_id, status, verify_run_id, surface, reason_code, version, updated_at) on onboarding_sessions to svc_discovery;
grant select, insert, delete on onboarding_steps, onboarding_operations to svc_discovery;
grant update (taken_by, taken_at) on onboarding_steps to svc_discovery;
grant update (operation_type, state, run_id, waits_for, outcome, reason_code, started_at, ended_at) on onboarding_operations to svc_discovery;

create policy dispatch on onboarding_sessions for select to gatehouse_dispatcher using (true);
create policy dispatch on onboarding_operations for select to gatehouse_dispatcher using (true);
grant select (workspace_id, session_id, status, updated_at) on onboarding_sessions to gatehouse_dispatcher;
grant select (workspace_id, session_id, state, run_id, waits_for) on onboarding_operations to gatehouse_dispatcher;

-- Sessions that could go on and do not: nothing of theirs is under way. In no
-- order, so that those which cannot go on keep no others from being found.
create function onboarding_to_advance(most integer)
  returns table (workspace_id bigint, session_id bigint)
  language sql volatile security definer set search_path = public, pg_temp
begin atomic
  select s.workspace_id, s.session_id
  from onboarding_sessions s
  where s.status = 'bootstrapping' and not exists (
    select from onboarding_operations o
    join runs r on r.workspace_id = o.workspace_id and r.run_id = coalesce(o.run_id, o.waits_for)
    where o.workspace_id = s.workspace_id and o.session_id = s.session_id and o.state in ('started', 'waiting') and r.status <> 'completed')
  order by random()
  limit most;
end;

-- Sessions that wait for somebody and have waited too long.
create function onboarding_to_abandon(untouched_for interval, most integer)
  returns table (workspace_id bigint, session_id bigint)
  language sql volatile security definer set search_path = public, pg_temp
begin atomic
  select s.workspace_id, s.session_id
  from onboarding_sessions s
  where s.status in ('open', 'stopped') and s.updated_at < clock_timestamp() - untouched_for
  order by random()
  limit most;
end;

reset role;

-- Giving a function away needs CREATE on its schema for the receiver, briefly.
grant create on schema public to gatehouse_dispatcher;
alter function onboarding_to_advance(integer) owner to gatehouse_dispatcher;
alter function onboarding_to_abandon(interval, integer) owner to gatehouse_dispatcher;
revoke create on schema public from gatehouse_dispatcher;
revoke all on function onboarding_to_advance(integer), onboarding_to_abandon(interval, integer) from public;
grant execute on function onboarding_to_advance(integer), onboarding_to_abandon(interval, integer) to svc_discovery;

---- create above / drop below ----

drop function onboarding_to_abandon(interval, integer), onboarding_to_advance(integer);
drop table onboarding_operations, onboarding_steps, onboarding_sessions;
