set role gatehouse_owner;

-- What ended long ago is looked for by when it ended.
create index identity_members_ended on identity_members (workspace_id, valid_to) where valid_to is not null;
create index identity_splits_ended on identity_splits (workspace_id, valid_to) where valid_to is not null;
create index principal_identifiers_ended on principal_identifiers (workspace_id, connection_id, valid_to) where valid_to is not null;

-- As in 026, and identities with it: who was one with whom, and what principals
-- were known by, is shown of a moment as the graph is. Members and splits are of
-- the workspace's own clock, and what had ended by the horizon is not shown.
create or replace function forget_history(older_than interval, most integer, out removed bigint, out begins timestamptz)
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

reset role;

---- create above / drop below ----

set role gatehouse_owner;
drop index principal_identifiers_ended, identity_splits_ended, identity_members_ended;
reset role;
