set role gatehouse_owner;

-- One log per workspace: which event is which entry, counted from 0, and the
-- hashes of the Merkle tree that the entry completes, 32 bytes each, the leaf's
-- first.
create table audit_log_entries (
  workspace_id bigint not null references workspaces,
  entry bigint not null,
  event_id bigint not null,
  hashes bytea not null,
  primary key (workspace_id, entry),
  foreign key (workspace_id, event_id) references audit_events,
  constraint audit_log_entries_event_unique unique (workspace_id, event_id),
  constraint audit_log_entries_entry_counts check (entry >= 0),
  constraint audit_log_entries_hashes_whole check (octet_length(hashes) between 32 and 2048 and octet_length(hashes) % 32 = 0)
);
call isolate_by_workspace('audit_log_entries');

-- What was signed. The note is the truth; size and horizon are in it, too, and
-- stand beside it to be searched for.
create table audit_checkpoints (
  workspace_id bigint not null references workspaces,
  number bigint not null,
  size bigint not null,
  horizon xid8 not null,
  note text not null,
  sealed_at timestamptz not null default now(),
  primary key (workspace_id, number),
  constraint audit_checkpoints_size_unique unique (workspace_id, size),
  constraint audit_checkpoints_number_counts check (number >= 1),
  constraint audit_checkpoints_size_counts check (size >= 1)
);
call isolate_by_workspace('audit_checkpoints');

-- One row: whose signature the checkpoints carry. With it here, no other key is
-- taken and none is made.
create table audit_signer (
  singleton boolean primary key default true,
  public_key text not null,
  created_at timestamptz not null default now(),
  constraint audit_signer_is_one check (singleton)
);

-- How far each sink has received each workspace's log. This one moves.
create table audit_sink_positions (
  workspace_id bigint not null references workspaces,
  sink text not null,
  next_entry bigint not null,
  delivered_at timestamptz not null default now(),
  primary key (workspace_id, sink),
  constraint audit_sink_positions_sink_length check (char_length(sink) between 1 and 64),
  constraint audit_sink_positions_next_entry_counts check (next_entry >= 0)
);
call isolate_by_workspace('audit_sink_positions');

-- Beside the missing grants, this stops whoever owns the tables.
create function refuse_change() returns trigger
  language plpgsql as $$
begin
  raise exception 'rows of % are only ever added', tg_table_name using errcode = 'insufficient_privilege';
end $$;
create trigger audit_events_are_final before update or delete or truncate on audit_events
  for each statement execute function refuse_change();
create trigger audit_log_entries_are_final before update or delete or truncate on audit_log_entries
  for each statement execute function refuse_change();
create trigger audit_checkpoints_are_final before update or delete or truncate on audit_checkpoints
  for each statement execute function refuse_change();
create trigger audit_signer_is_final before update or delete or truncate on audit_signer
  for each statement execute function refuse_change();

grant select, insert on audit_log_entries, audit_checkpoints, audit_signer to svc_workspace;
grant select, insert, update (next_entry, delivered_at) on audit_sink_positions to svc_workspace;

-- Looking across workspaces: only inside these functions, and only at what says
-- where there is work.
create policy dispatch on workspaces for select to gatehouse_dispatcher using (true);
create policy dispatch on audit_events for select to gatehouse_dispatcher using (true);
create policy dispatch on audit_log_entries for select to gatehouse_dispatcher using (true);
create policy dispatch on audit_checkpoints for select to gatehouse_dispatcher using (true);
create policy dispatch on audit_sink_positions for select to gatehouse_dispatcher using (true);
grant select (workspace_id) on workspaces to gatehouse_dispatcher;
grant select (workspace_id, event_id, transaction, created_at) on audit_events to gatehouse_dispatcher;
grant select (workspace_id, event_id) on audit_log_entries to gatehouse_dispatcher;
grant select (workspace_id, number, size, horizon, sealed_at) on audit_checkpoints to gatehouse_dispatcher;
grant select (workspace_id, sink, next_entry) on audit_sink_positions to gatehouse_dispatcher;

-- Workspaces with events that can be sealed, those that waited longest first.
-- A horizon ahead of the server's own counter comes from another server, by a
-- logical dump. Then, and in a log that has none yet, events of transactions that
-- this server has not begun are committed, too.
create function sealable_workspaces(most integer)
  returns table (workspace_id bigint)
  language sql stable security definer set search_path = public, pg_temp
begin atomic
  select w.workspace_id
  from workspaces w
  left join lateral (
    select c.horizon from audit_checkpoints c where c.workspace_id = w.workspace_id order by c.number desc limit 1
  ) latest on true
  cross join lateral (
    select coalesce(latest.horizon > pg_snapshot_xmax(pg_current_snapshot()), true) as foreign_numbers
  ) log
  cross join lateral (
    select e.created_at
    from audit_events e
    where e.workspace_id = w.workspace_id
      and e.transaction >= case when log.foreign_numbers then '0'::xid8 else latest.horizon end
      and (e.transaction < pg_snapshot_xmin(pg_current_snapshot())
        or log.foreign_numbers and e.transaction >= pg_snapshot_xmax(pg_current_snapshot()))
      and not exists (select from audit_log_entries l where l.workspace_id = e.workspace_id and l.event_id = e.event_id)
    order by e.transaction
    limit 1
  ) e
  order by e.created_at
  limit most;
end;

-- When the oldest event was recorded that is not sealed, whether it can be or an
-- older transaction still runs; null when all are.
create function oldest_unsealed_event()
  returns timestamptz
  language sql stable security definer set search_path = public, pg_temp
begin atomic
  select min(e.created_at)
  from workspaces w
  left join lateral (
    select c.horizon from audit_checkpoints c where c.workspace_id = w.workspace_id order by c.number desc limit 1
  ) latest on true
  cross join lateral (
    select e.created_at
    from audit_events e
    where e.workspace_id = w.workspace_id
      and e.transaction >= case when latest.horizon > pg_snapshot_xmax(pg_current_snapshot()) then '0'::xid8 else coalesce(latest.horizon, '0'::xid8) end
      and not exists (select from audit_log_entries l where l.workspace_id = e.workspace_id and l.event_id = e.event_id)
    order by e.transaction
    limit 1
  ) e;
end;

-- Workspaces whose log a sink has not received whole, the entries it lacks, and
-- since when.
create function undelivered_workspaces(sink_name text, most integer)
  returns table (workspace_id bigint, next_entry bigint, size bigint, waiting_since timestamptz)
  language sql stable security definer set search_path = public, pg_temp
begin atomic
  select w.workspace_id, coalesce(p.next_entry, 0), latest.size, oldest.sealed_at
  from workspaces w
  left join audit_sink_positions p on p.workspace_id = w.workspace_id and p.sink = sink_name
  cross join lateral (
    select c.size from audit_checkpoints c where c.workspace_id = w.workspace_id order by c.number desc limit 1
  ) latest
  cross join lateral (
    select c.sealed_at from audit_checkpoints c
    where c.workspace_id = w.workspace_id and c.size > coalesce(p.next_entry, 0)
    order by c.size limit 1
  ) oldest
  where latest.size > coalesce(p.next_entry, 0)
  order by oldest.sealed_at
  limit most;
end;

reset role;

grant create on schema public to gatehouse_dispatcher;
alter function sealable_workspaces(integer) owner to gatehouse_dispatcher;
alter function oldest_unsealed_event() owner to gatehouse_dispatcher;
alter function undelivered_workspaces(text, integer) owner to gatehouse_dispatcher;
revoke create on schema public from gatehouse_dispatcher;
revoke all on function sealable_workspaces(integer), oldest_unsealed_event(), undelivered_workspaces(text, integer) from public;
grant execute on function sealable_workspaces(integer), oldest_unsealed_event(), undelivered_workspaces(text, integer) to svc_workspace;

---- create above / drop below ----

drop function undelivered_workspaces(text, integer), oldest_unsealed_event(), sealable_workspaces(integer);
drop policy dispatch on workspaces;
drop policy dispatch on audit_events;
revoke all on workspaces, audit_events from gatehouse_dispatcher;
drop trigger audit_events_are_final on audit_events;
drop table audit_sink_positions, audit_signer, audit_checkpoints, audit_log_entries;
drop function refuse_change();
