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
  -- The epoch whose holder said which organisation it reaches, and was right:
  -- nothing that was read by anybody else is published.
  reached_epoch bigint not null default 0,

  -- What a run holds of its target until it ends: a range over the target's parts,
  -- shared with others or alone. A run that holds nothing of it has no parts.
  held_parts int4range,
  held_shared boolean not null default false,

  created_at timestamptz not null default now(),
  started_at timestamptz,
  completed_at timestamptz,

  -- A run's line, while it waits for a worker or is with one, and its turn in it:
  -- the time it came, and for a scheduled one ten minutes later, so that people do
  -- not wait behind schedules. Because a turn is a time and not a class, nothing is
  -- overtaken for ever. Both are columns of their own because under row-level
  -- security an index is chosen by what is known of leakproof comparisons alone,
  -- and those of enums are none.
  line text generated always as (case when status <> 'completed' and phase = 'executing' then queue end) stored,
  turn timestamp not null generated always as (
    (created_at at time zone 'UTC') + case initiator when 'schedule' then interval '10 minutes' else interval '0' end) stored,

  primary key (workspace_id, run_id),
  foreign key (workspace_id, connection_id) references connections,
  foreign key (workspace_id, target_id) references targets,
  constraint runs_initiator check (initiator in ('user', 'schedule', 'system')),
  constraint runs_completed_has_outcome check ((status = 'completed') = (outcome <> 'pending')),
  constraint runs_completed_has_time check ((status = 'completed') = (completed_at is not null)),
  constraint runs_lease_whole check ((lease_id is null) = (lease_until is null)),
  constraint runs_completed_holds_nothing check (status <> 'completed' or lease_id is null),
  constraint runs_publishing_reached_their_target check (phase = 'executing' or reached_epoch = epoch),
  constraint runs_hold_parts_of_a_target check (held_parts is null or (target_id is not null and not isempty(held_parts)))
);
call isolate_by_workspace('runs');

-- These two decide dedupe and scope; no check in code is trusted for it.
create unique index runs_one_per_dedupe_key on runs (workspace_id, dedupe_key) where status <> 'completed';
create unique index runs_one_per_scope on runs (workspace_id, scope_key) where status <> 'completed';
create index runs_in_line on runs (line, workspace_id, turn, run_id) where line is not null;
-- Those that workers hold, to be counted. By the lease's id, which heartbeats
-- leave alone.
create index runs_held on runs (line, workspace_id) where lease_id is not null;
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
  -- Which configuration the holder was given. What it finds with one that has been
  -- replaced since says nothing of the connection.
  configured_at_version bigint not null,
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
grant select (workspace_id, run_id, epoch, configured_at_version) on credential_disclosures to svc_discovery;
grant select, insert, update, delete on run_ingest, run_partitions to svc_discovery;

-- Looking across workspaces: only inside these functions, whose owner nobody
-- logs in as, and only at what dispatching needs.
create policy dispatch on runs to gatehouse_dispatcher using (true) with check (true);
grant select (run_id, workspace_id, connection_id, queue, status, phase, phase_since, attempt, epoch, lease_id, lease_until, deadline_at, cancel_requested_at,
    created_at, started_at, completed_at, line, turn),
  update (status, attempt, epoch, lease_id, lease_until, token_hash, worker, started_at)
  on runs to gatehouse_dispatcher;
create policy dispatch on connections for select to gatehouse_dispatcher using (true);
grant select (workspace_id, connection_id, next_run_at, lifecycle, schedule_paused_at, deleted_at) on connections to gatehouse_dispatcher;

-- Hands a claimable run of the queues to a worker: fences off whoever held it
-- before by raising the epoch. All times are the database's. It is fair: of each
-- queue and workspace the first runs by their turn, in which a workspace waits a
-- minute longer for every run that it has in workers' hands. Whoever is the first
-- of all these, and free, is handed out, and nothing of an archived workspace.
create function claim_run(queues text[], worker_name text, new_lease uuid, new_token_hash bytea, lease_for interval, most_attempts integer)
  returns table (workspace_id bigint, run_id bigint, epoch bigint)
  language sql volatile security definer set search_path = public, pg_temp
begin atomic
  with recursive lines (line, workspace_id) as (
    -- From one workspace to the next that has something in the queue.
    select q.queue, (
      select r.workspace_id from runs r
      where r.line = q.queue
      order by r.workspace_id, r.turn, r.run_id limit 1)
    from unnest(queues) q (queue)
    union
    select l.line, (
      select r.workspace_id from runs r
      where r.line = l.line and r.workspace_id > l.workspace_id
      order by r.workspace_id, r.turn, r.run_id limit 1)
    from lines l
    where l.workspace_id is not null
  ), heads as (
    select h.workspace_id, h.run_id, h.turn + b.executing * interval '1 minute' as turn
    from lines l
    cross join lateral (
      select count(*) as executing
      from runs r
      where r.line = l.line and r.workspace_id = l.workspace_id and r.lease_id is not null and r.lease_until >= clock_timestamp()) b
    cross join lateral (
      select r.workspace_id, r.run_id, r.turn
      from runs r
      where r.line = l.line and r.workspace_id = l.workspace_id
        and (r.lease_until is null or r.lease_until < clock_timestamp()) and r.attempt < most_attempts
        and r.cancel_requested_at is null and (r.deadline_at is null or r.deadline_at > clock_timestamp())
      -- More than one: others may be taking the first of them at this moment.
      order by r.turn, r.run_id limit 64) h
    where not exists (select from workspaces w where w.workspace_id = l.workspace_id and w.archived_at is not null)
    order by turn, h.run_id
    limit 64
  ), candidate as (
    select r.workspace_id, r.run_id
    from heads h join runs r on r.workspace_id = h.workspace_id and r.run_id = h.run_id
    where r.line is not null and (r.lease_until is null or r.lease_until < clock_timestamp())
      and r.attempt < most_attempts and r.cancel_requested_at is null
    order by h.turn, h.run_id
    limit 1
    for update of r skip locked
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

reset role;

-- Giving a function away needs CREATE on its schema for the receiver, briefly.
grant create on schema public to gatehouse_dispatcher;
alter function claim_run(text[], text, uuid, bytea, interval, integer) owner to gatehouse_dispatcher;
alter function sweepable_runs(integer, integer) owner to gatehouse_dispatcher;
revoke create on schema public from gatehouse_dispatcher;
revoke all on function claim_run(text[], text, uuid, bytea, interval, integer), sweepable_runs(integer, integer) from public;
grant execute on function claim_run(text[], text, uuid, bytea, interval, integer), sweepable_runs(integer, integer) to svc_discovery;

---- create above / drop below ----

drop function sweepable_runs(integer, integer), claim_run(text[], text, uuid, bytea, interval, integer);
drop table run_partitions, run_ingest, credential_disclosures, connection_tests, runs;
drop type run_phase, run_outcome, run_status;
