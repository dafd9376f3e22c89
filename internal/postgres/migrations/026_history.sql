set role gatehouse_owner;

-- From when on the workspace's history is kept. No row: from its beginning on.
create table graph_histories (
  workspace_id bigint not null primary key references workspaces,
  begins_at timestamptz not null
);
call isolate_by_workspace('graph_histories');
grant select on graph_histories to svc_discovery;

-- Removes versions of the caller's workspace that no moment shows which is younger
-- than this, at most that many, and from then on history begins there. Nothing of
-- the last day is removed, whoever asks. Of a moment, a connection shows its last
-- publication that was visible then, so that what had ended by that is not shown.
-- Identities go with it: who was one with whom, and what principals were known by, is
-- shown of a moment as the graph is. Members and splits are of the workspace's own
-- clock, and what had ended by the horizon is not shown.
create function forget_history(older_than interval, most integer, out removed bigint, out begins timestamptz)
  language plpgsql security definer set search_path = public, pg_temp as $$
declare
  horizon timestamptz := clock_timestamp() - greatest(older_than, interval '1 day');
  last record;
  part text;
  n bigint;
begin
  removed := 0;
  for last in
    select c.connection_id, p.published_at
    from connections c
    cross join lateral (
      select q.published_at from publications q
      where q.workspace_id = c.workspace_id and q.connection_id = c.connection_id and q.visible_at <= horizon
      order by q.visible_at desc
      limit 1) p
    where c.workspace_id = current_workspace() and c.deleted_at is null and to_regclass('public.entities_' || c.connection_id) is not null
    order by c.connection_id
  loop
    foreach part in array array['relationships', 'entities'] loop
      exit when removed >= most;
      execute format('delete from public.%1$s_%2$s where ctid = any (array(
        select ctid from public.%1$s_%2$s where valid_to <= $1 order by valid_to limit $2))', part, last.connection_id)
        using last.published_at, most - removed;
      get diagnostics n = row_count;
      removed := removed + n;
    end loop;
    delete from principal_identifiers where ctid = any (array(
      select i.ctid from principal_identifiers i
      where i.workspace_id = current_workspace() and i.connection_id = last.connection_id and i.valid_to <= last.published_at
      order by i.valid_to
      limit most - removed));
    get diagnostics n = row_count;
    removed := removed + n;
  end loop;
  delete from identity_members where ctid = any (array(
    select m.ctid from identity_members m
    where m.workspace_id = current_workspace() and m.valid_to <= horizon
    order by m.valid_to
    limit most - removed));
  get diagnostics n = row_count;
  removed := removed + n;
  delete from identity_splits where ctid = any (array(
    select s.ctid from identity_splits s
    where s.workspace_id = current_workspace() and s.valid_to <= horizon
    order by s.valid_to
    limit most - removed));
  get diagnostics n = row_count;
  removed := removed + n;
  if removed > 0 then
    insert into graph_histories as h (workspace_id, begins_at) values (current_workspace(), horizon)
    on conflict (workspace_id) do update set begins_at = greatest(h.begins_at, excluded.begins_at)
    returning h.begins_at into begins;
  end if;
end $$;
revoke all on function forget_history(interval, integer) from public;
grant execute on function forget_history(interval, integer) to svc_discovery;

grant select (workspace_id, visible_at) on publications to gatehouse_dispatcher;
create policy dispatch on publications for select to gatehouse_dispatcher using (true);

reset role;

-- As in 005: the function's owner needs CREATE on its schema, briefly.
grant create on schema public to gatehouse_dispatcher;

set role gatehouse_dispatcher;

-- Workspaces with publications that are older.
create function workspaces_with_history(older_than interval)
  returns table (workspace_id bigint)
  language sql stable security definer set search_path = public, pg_temp
begin atomic
  select w.workspace_id
  from workspaces w
  where exists (
    select from publications p
    where p.workspace_id = w.workspace_id and p.visible_at <= clock_timestamp() - greatest(older_than, interval '1 day'))
  order by w.workspace_id;
end;
revoke all on function workspaces_with_history(interval) from public;
grant execute on function workspaces_with_history(interval) to svc_discovery;

reset role;

revoke create on schema public from gatehouse_dispatcher;

---- create above / drop below ----

drop function workspaces_with_history(interval), forget_history(interval, integer);
drop policy dispatch on publications;
revoke select (workspace_id, visible_at) on publications from gatehouse_dispatcher;
drop table graph_histories;
