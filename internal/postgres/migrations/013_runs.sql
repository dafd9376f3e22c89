set role gatehouse_owner;

-- What retention looks at.
create index runs_ended on runs (workspace_id, completed_at) where completed_at is not null;

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

reset role;

-- As in 005: the functions' owner needs CREATE on its schema, briefly.
grant create on schema public to gatehouse_dispatcher;

set role gatehouse_dispatcher;

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

-- Workspaces with runs that ended longer ago than this. The oldest run of each
-- decides, which is one entry of an index; asked whether there is any, the planner
-- read the whole table.
create function workspaces_with_old_runs(older_than interval)
  returns table (workspace_id bigint)
  language sql stable security definer set search_path = public, pg_temp
begin atomic
  select w.workspace_id
  from workspaces w
  where (
    select r.completed_at from runs r
    where r.workspace_id = w.workspace_id and r.completed_at is not null
    order by r.completed_at limit 1) < clock_timestamp() - greatest(older_than, interval '1 day')
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
drop index runs_ended;
