set role gatehouse_owner;

create type run_status as enum ('queued', 'running', 'completed');
create type run_outcome as enum ('pending', 'succeeded', 'partially_succeeded', 'failed', 'cancelled', 'blocked');
create type run_phase as enum ('executing', 'publishing');

create table runs (
  run_id bigint generated always as identity,
  -- No foreign keys to the workspace and to whoever started it, of which many
  -- starts would lock the same row: nobody may delete either, and row-level
  -- security confines a run to the workspace of its transaction.
  workspace_id bigint not null,
  operation_type text not null,
  integration_id text,
  connection_id bigint,
  target_id bigint,
  queue text not null,
  input jsonb not null default '{}',
  context jsonb not null default '{}',

  status run_status not null,
  outcome run_outcome not null default 'pending',
  phase run_phase not null default 'executing',
  phase_since timestamptz not null default clock_timestamp(),
  reason_code text,
  failure_summary jsonb,
  summary_counts jsonb not null default '{}',
  progress jsonb not null default '{}',

  initiator text not null,
  initiated_by bigint,
  dedupe_key text,
  scope_key text,
  rerun_requested_by bigint,
  rerun_requested boolean not null default false,

  attempt integer not null default 0,
  epoch bigint not null default 0,
  lease_id uuid,
  lease_until timestamptz,
  token_hash bytea,
  worker text,
  deadline_at timestamptz,
  cancel_requested_at timestamptz,

  created_at timestamptz not null default now(),
  started_at timestamptz,
  completed_at timestamptz,

  primary key (workspace_id, run_id),
  foreign key (workspace_id, connection_id) references connections,
  foreign key (workspace_id, target_id) references targets,
  constraint runs_initiator check (initiator in ('user', 'schedule', 'system')),
  constraint runs_completed_has_outcome check ((status = 'completed') = (outcome <> 'pending')),
  constraint runs_completed_has_time check ((status = 'completed') = (completed_at is not null)),
  constraint runs_lease_whole check ((lease_id is null) = (lease_until is null)),
  constraint runs_completed_holds_nothing check (status <> 'completed' or lease_id is null)
);
call isolate_by_workspace('runs');

-- These two decide dedupe and scope; no check in code is trusted for it.
create unique index runs_one_per_dedupe_key on runs (workspace_id, dedupe_key) where status <> 'completed';
create unique index runs_one_per_scope on runs (workspace_id, scope_key) where status <> 'completed';
create index runs_claimable on runs (queue, run_id) where status <> 'completed' and phase = 'executing';
create index runs_unfinished on runs (run_id) where status <> 'completed';
create index runs_by_connection on runs (workspace_id, connection_id, run_id);

create table connection_tests (
  test_id bigint generated always as identity,
  tenant_id bigint not null,
  workspace_id bigint not null,
  connection_id bigint not null,
  run_id bigint not null,
  status text not null,
  reason_code text,
  checked_at timestamptz not null,
  remediation jsonb not null,
  outlook jsonb not null,
  created_at timestamptz not null default now(),
  primary key (workspace_id, test_id),
  foreign key (workspace_id, connection_id) references connections,
  foreign key (workspace_id, run_id) references runs,
  constraint connection_tests_status check (status in ('success', 'failure')),
  constraint connection_tests_once_per_run unique (workspace_id, run_id)
);
call isolate_by_workspace('connection_tests');
create index connection_tests_by_connection on connection_tests (workspace_id, connection_id, test_id);

-- One row per disclosure of a configuration: at most one for each epoch of a run.
create table credential_disclosures (
  workspace_id bigint not null,
  run_id bigint not null,
  epoch bigint not null,
  connection_id bigint not null,
  disclosed_at timestamptz not null default now(),
  primary key (workspace_id, run_id, epoch),
  foreign key (workspace_id, run_id) references runs,
  foreign key (workspace_id, connection_id) references connections
);
call isolate_by_workspace('credential_disclosures');

-- Progress of an ingest. Unlogged like the staging tables it describes, so that
-- a crash of the server empties both or neither.
create unlogged table run_ingest (
  workspace_id bigint not null,
  run_id bigint not null,
  next_batch bigint not null default 0,
  last_digest bytea,
  staged_entities bigint not null default 0,
  staged_relationships bigint not null default 0,
  plan_complete boolean not null default false,
  primary key (workspace_id, run_id),
  foreign key (workspace_id, run_id) references runs
);
call isolate_by_workspace('run_ingest');

create unlogged table run_partitions (
  workspace_id bigint not null,
  run_id bigint not null,
  partition_id bigint not null,
  stream text not null,
  partition_key text not null,
  next_cursor text not null default '',
  coverage text,
  category text,
  message text,
  gap_count bigint not null default 0,
  gaps jsonb not null default '[]',
  records bigint not null default 0,
  primary key (workspace_id, run_id, partition_id),
  foreign key (workspace_id, run_id) references runs,
  constraint run_partitions_coverage check (coverage in ('complete', 'partial', 'skipped'))
);
call isolate_by_workspace('run_partitions');

grant select, insert, update on runs to svc_discovery;
grant select (run_id, workspace_id, operation_type, connection_id, status, phase, epoch, lease_id, lease_until, token_hash, cancel_requested_at)
  on runs to svc_integration;
-- A disclosure locks its run's row so that it cannot end in between; a row lock needs UPDATE of one column.
grant update (worker) on runs to svc_integration;
grant select, insert on connection_tests to svc_discovery;
grant select on connection_tests to svc_integration;
grant select, insert on credential_disclosures to svc_integration;
grant select, insert, update, delete on run_ingest, run_partitions to svc_discovery;

-- Looking across workspaces: only inside these functions, whose owner nobody
-- logs in as, and only at what dispatching needs.
create policy dispatch on runs to gatehouse_dispatcher using (true) with check (true);
grant select (run_id, workspace_id, connection_id, queue, status, phase, phase_since, attempt, epoch, lease_id, lease_until, deadline_at, cancel_requested_at, started_at),
  update (status, attempt, epoch, lease_id, lease_until, token_hash, worker, started_at)
  on runs to gatehouse_dispatcher;
create policy dispatch on connections for select to gatehouse_dispatcher using (true);
grant select (workspace_id, connection_id, next_run_at, lifecycle, deleted_at) on connections to gatehouse_dispatcher;

-- Hands the oldest claimable run of the queues to a worker: fences off whoever
-- held it before by raising the epoch. All times are the database's.
create function claim_run(queues text[], worker_name text, new_lease uuid, new_token_hash bytea, lease_for interval, most_attempts integer)
  returns table (workspace_id bigint, run_id bigint, epoch bigint)
  language sql volatile security definer set search_path = public, pg_temp
begin atomic
  with candidate as (
    select r.workspace_id, r.run_id
    from runs r
    where r.status <> 'completed' and r.phase = 'executing' and r.queue = any (queues)
      and (r.lease_until is null or r.lease_until < clock_timestamp())
      and r.attempt < most_attempts
      and r.cancel_requested_at is null
      and (r.deadline_at is null or r.deadline_at > clock_timestamp())
    order by r.run_id
    limit 1
    for update skip locked
  )
  update runs r
  set status = 'running', attempt = r.attempt + 1, epoch = r.epoch + 1, lease_id = new_lease, token_hash = new_token_hash,
      lease_until = clock_timestamp() + lease_for, worker = worker_name, started_at = coalesce(r.started_at, clock_timestamp())
  from candidate c
  where r.workspace_id = c.workspace_id and r.run_id = c.run_id
  returning r.workspace_id, r.run_id, r.epoch;
end;

-- Runs that the sweeper should look at: deadline passed, cancelled without a
-- live lease, out of attempts, left unpublished for a while, or of a connection
-- that has been deleted and not yet told to stop. At most that many for each
-- reason, so that those which only wait to be published, and stay, are in
-- nobody's way.
create function sweepable_runs(most_attempts integer, most integer)
  returns table (workspace_id bigint, run_id bigint)
  language sql stable security definer set search_path = public, pg_temp
begin atomic
  (select r.workspace_id, r.run_id
    from runs r
    where r.status <> 'completed' and r.deadline_at <= clock_timestamp()
    order by r.run_id
    limit most)
  union
  (select r.workspace_id, r.run_id
    from runs r
    where r.status <> 'completed' and r.cancel_requested_at is not null and (r.lease_until is null or r.lease_until < clock_timestamp())
    order by r.run_id
    limit most)
  union
  (select r.workspace_id, r.run_id
    from runs r
    where r.status <> 'completed' and r.attempt >= most_attempts and r.lease_until < clock_timestamp()
    order by r.run_id
    limit most)
  union
  (select r.workspace_id, r.run_id
    from runs r
    join connections c on c.workspace_id = r.workspace_id and c.connection_id = r.connection_id
    where r.status <> 'completed' and r.phase = 'executing' and r.cancel_requested_at is null and c.deleted_at is not null
    order by r.run_id
    limit most)
  union
  (select r.workspace_id, r.run_id
    from runs r
    where r.status <> 'completed' and r.phase = 'publishing' and r.phase_since < clock_timestamp() - interval '15 seconds'
    order by r.run_id
    limit most)
  order by run_id;
end;

create function due_connections(most integer)
  returns table (workspace_id bigint, connection_id bigint)
  language sql stable security definer set search_path = public, pg_temp
begin atomic
  select c.workspace_id, c.connection_id
  from connections c
  where c.next_run_at <= clock_timestamp() and c.deleted_at is null and c.lifecycle = 'active'
  order by c.next_run_at
  limit most;
end;

reset role;

-- Giving a function away needs CREATE on its schema for the receiver, briefly.
grant create on schema public to gatehouse_dispatcher;
alter function claim_run(text[], text, uuid, bytea, interval, integer) owner to gatehouse_dispatcher;
alter function sweepable_runs(integer, integer) owner to gatehouse_dispatcher;
alter function due_connections(integer) owner to gatehouse_dispatcher;
revoke create on schema public from gatehouse_dispatcher;
revoke all on function claim_run(text[], text, uuid, bytea, interval, integer), sweepable_runs(integer, integer), due_connections(integer) from public;
grant execute on function claim_run(text[], text, uuid, bytea, interval, integer), sweepable_runs(integer, integer), due_connections(integer) to svc_discovery;

---- create above / drop below ----

drop function due_connections(integer), sweepable_runs(integer, integer), claim_run(text[], text, uuid, bytea, interval, integer);
drop table run_partitions, run_ingest, credential_disclosures, connection_tests, runs;
drop type run_phase, run_outcome, run_status;
