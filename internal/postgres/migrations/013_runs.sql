set role gatehouse_owner;

-- A run's line, while it waits for a worker or is with one, and its turn in it:
-- the time it came, and for a scheduled one ten minutes later, so that people do
-- not wait behind schedules. Because a turn is a time and not a class, nothing is
-- overtaken for ever. Both are columns of their own because under row-level
-- security an index is chosen by what is known of leakproof comparisons alone,
-- and those of enums are none.
alter table runs
  add column line text generated always as (case when status <> 'completed' and phase = 'executing' then queue end) stored,
  add column turn timestamp not null generated always as (
    (created_at at time zone 'UTC') + case initiator when 'schedule' then interval '10 minutes' else interval '0' end) stored;

drop index runs_claimable;
create index runs_in_line on runs (line, workspace_id, turn, run_id) where line is not null;
-- Those that workers hold, to be counted. By the lease's id, which heartbeats
-- leave alone.
create index runs_held on runs (line, workspace_id) where lease_id is not null;
-- What retention looks at.
create index runs_ended on runs (workspace_id, completed_at) where completed_at is not null;

-- Whether the publication made, or ended, a version of anything.
alter table publications add column wrote boolean not null generated always as (
  coalesce((counts->>'entities_new')::bigint, 0) + coalesce((counts->>'entities_changed')::bigint, 0) + coalesce((counts->>'entities_closed')::bigint, 0)
  + coalesce((counts->>'relationships_new')::bigint, 0) + coalesce((counts->>'relationships_changed')::bigint, 0)
  + coalesce((counts->>'relationships_closed')::bigint, 0) > 0) stored;

-- Removes runs of the caller's workspace that ended longer ago than this, and
-- what is kept of them, at most that many. Nothing of the last day is removed,
-- whoever asks. The newest run of each operation on a connection stays as it is.
-- Of those that the graph refers to, because they wrote a version of something,
-- read a partition last or were published last, the run stays, and the details
-- of what it read go.
create function forget_runs(older_than interval, most integer, out removed integer, out thinned integer)
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  before timestamptz := clock_timestamp() - greatest(older_than, interval '1 day');
  old bigint[];
  gone bigint[];
begin
  select coalesce(array_agg(f.run_id), '{}'), coalesce(array_agg(f.run_id) filter (where not f.referred), '{}') into old, gone
  from (
    select o.run_id, o.referred
    from (
      select r.run_id, r.completed_at,
        to_regclass('public.entities_' || r.connection_id) is not null and (
          exists (select from stream_partitions s
            where s.workspace_id = r.workspace_id and s.connection_id = r.connection_id and s.last_run_id = r.run_id)
          or exists (select from publications p
            where p.workspace_id = r.workspace_id and p.run_id = r.run_id and (p.wrote or not exists (
              select from publications l
              where l.workspace_id = p.workspace_id and l.connection_id = p.connection_id and l.published_at > p.published_at)))) as referred,
        exists (select from run_coverage v where v.workspace_id = r.workspace_id and v.run_id = r.run_id)
          or exists (select from credential_disclosures d where d.workspace_id = r.workspace_id and d.run_id = r.run_id) as detailed
      from runs r left join connections c on c.workspace_id = r.workspace_id and c.connection_id = r.connection_id
      where r.workspace_id = current_workspace() and r.completed_at < before
        and (c.connection_id is null or c.deleted_at is not null or exists (
          select from runs n
          where n.workspace_id = r.workspace_id and n.connection_id = r.connection_id and n.operation_type = r.operation_type
            and n.run_id > r.run_id and n.completed_at is not null))) o
    where not o.referred or o.detailed
    order by o.completed_at
    limit most) f;
  delete from run_coverage v where v.workspace_id = current_workspace() and v.run_id = any (old);
  delete from credential_disclosures d where d.workspace_id = current_workspace() and d.run_id = any (old);
  delete from connection_tests t where t.workspace_id = current_workspace() and t.run_id = any (gone);
  delete from publications p where p.workspace_id = current_workspace() and p.run_id = any (gone);
  delete from runs r where r.workspace_id = current_workspace() and r.run_id = any (gone);
  removed := cardinality(gone);
  thinned := cardinality(old) - cardinality(gone);
end $$;
revoke all on function forget_runs(interval, integer) from public;
grant execute on function forget_runs(interval, integer) to svc_discovery;

grant select (created_at, completed_at, line, turn) on runs to gatehouse_dispatcher;

reset role;

-- As in 005: the functions' owner needs CREATE on its schema, briefly.
grant create on schema public to gatehouse_dispatcher;

set role gatehouse_dispatcher;

-- As in 009, and fair: of each queue and workspace the first runs by their turn,
-- in which a workspace waits a minute longer for every run that it has in
-- workers' hands. Whoever is the first of all these, and free, is handed out.
create or replace function claim_run(queues text[], worker_name text, new_lease uuid, new_token_hash bytea, lease_for interval, most_attempts integer)
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

-- Takes a lease back from a worker whose claim was never answered, as when it
-- hands the run back.
create function abandon_claim(lease uuid)
  returns table (workspace_id bigint, run_id bigint)
  language sql volatile security definer set search_path = public, pg_temp
begin atomic
  update runs r
  set lease_id = null, lease_until = null, token_hash = null, attempt = greatest(r.attempt - 1, 0)
  where r.lease_id = lease and r.status = 'running' and r.phase = 'executing'
  returning r.workspace_id, r.run_id;
end;

-- How many unfinished runs there are by queue and state, and how many seconds the
-- oldest of them has been waiting.
create function run_figures()
  returns table (queue text, state text, runs bigint, oldest double precision)
  language sql stable security definer set search_path = public, pg_temp
begin atomic
  select u.queue, u.state, count(*), coalesce(max(extract(epoch from clock_timestamp() - u.since)), 0)::double precision
  from (
    select r.queue, case
        when r.phase = 'publishing' then 'publishing'
        when r.lease_until >= clock_timestamp() then 'executing'
        else 'waiting' end as state,
      case when r.phase = 'publishing' then r.phase_since when r.lease_until >= clock_timestamp() then r.started_at else r.created_at end as since
    from runs r
    where r.status <> 'completed') u
  group by u.queue, u.state;
end;

-- Workspaces with runs that ended longer ago than this.
create function workspaces_with_old_runs(older_than interval)
  returns table (workspace_id bigint)
  language sql stable security definer set search_path = public, pg_temp
begin atomic
  select w.workspace_id
  from workspaces w
  where exists (
    select from runs r
    where r.workspace_id = w.workspace_id and r.completed_at < clock_timestamp() - greatest(older_than, interval '1 day'))
  order by w.workspace_id;
end;

-- Runs with staging tables that are no longer under way.
create function abandoned_staging(most integer)
  returns table (run_id bigint)
  language sql stable security definer set search_path = public, pg_temp
begin atomic
  select s.run_id
  from (
    select distinct substring(c.relname from '^(?:entities|relationships)_([0-9]+)$')::bigint as run_id
    from pg_class c
    where c.relnamespace = 'staging'::regnamespace and c.relkind = 'r') s
  where s.run_id is not null and not exists (select from runs r where r.run_id = s.run_id and r.status <> 'completed')
  limit most;
end;

revoke all on function abandon_claim(uuid), run_figures(), workspaces_with_old_runs(interval), abandoned_staging(integer) from public;
grant execute on function abandon_claim(uuid), run_figures(), workspaces_with_old_runs(interval), abandoned_staging(integer) to svc_discovery;

reset role;

revoke create on schema public from gatehouse_dispatcher;

---- create above / drop below ----

drop function abandoned_staging(integer), workspaces_with_old_runs(interval), run_figures(), abandon_claim(uuid), forget_runs(interval, integer);
alter table publications drop column wrote;
drop index runs_ended, runs_held, runs_in_line;
create index runs_claimable on runs (queue, run_id) where status <> 'completed' and phase = 'executing';
alter table runs drop column turn cascade, drop column line cascade;
