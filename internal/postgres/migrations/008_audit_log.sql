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

-- On which server a log was continued last. Numbers of transactions count within
-- a server: those that came with a logical dump say nothing of the order of what
-- is recorded here, nor whether all of it is in the log. A row of this server says
-- that all that came is, as of that checkpoint, and from which transaction on the
-- server's own events have to be looked for; later checkpoints say so themselves.
-- A row that is missing, or of another server, has all events compared with the
-- log once.
create table audit_log_arrivals (
  workspace_id bigint primary key references workspaces,
  system_identifier bigint not null,
  checkpoint bigint not null,
  horizon xid8 not null,
  arrived_at timestamptz not null default now(),
  constraint audit_log_arrivals_checkpoint_counts check (checkpoint >= 0)
);
call isolate_by_workspace('audit_log_arrivals');
grant select (workspace_id, system_identifier, checkpoint, horizon), insert (workspace_id, system_identifier, checkpoint, horizon),
  update (system_identifier, checkpoint, horizon, arrived_at) on audit_log_arrivals to svc_workspace;

-- Looking across workspaces: only inside these functions, and only at what says
-- where there is work.
create policy dispatch on workspaces for select to gatehouse_dispatcher using (true);
create policy dispatch on audit_events for select to gatehouse_dispatcher using (true);
create policy dispatch on audit_log_entries for select to gatehouse_dispatcher using (true);
create policy dispatch on audit_checkpoints for select to gatehouse_dispatcher using (true);
create policy dispatch on audit_log_arrivals for select to gatehouse_dispatcher using (true);
create policy dispatch on audit_sink_positions for select to gatehouse_dispatcher using (true);
grant select (workspace_id) on workspaces to gatehouse_dispatcher;
grant select (workspace_id, event_id, transaction, created_at) on audit_events to gatehouse_dispatcher;
grant select (workspace_id, event_id) on audit_log_entries to gatehouse_dispatcher;
grant select (workspace_id, number, size, horizon, sealed_at) on audit_checkpoints to gatehouse_dispatcher;
grant select (workspace_id, system_identifier, checkpoint, horizon) on audit_log_arrivals to gatehouse_dispatcher;
grant select (workspace_id, sink, next_entry) on audit_sink_positions to gatehouse_dispatcher;

-- Which server this is; the same through restarts, upgrades in place aside, and
-- through physical copies, which count on where the original was.
create function this_server() returns bigint
  language sql stable set search_path = pg_catalog, pg_temp
begin atomic
  select system_identifier from pg_control_system();
end;

-- From which transaction on the log has to be looked at, null when all of it has
-- to be because it came from elsewhere. It begins anew where checkpoints that were
-- there are gone.
create function audit_log_starts()
  returns table (workspace_id bigint, since xid8)
  language sql stable set search_path = public, pg_temp
begin atomic
  select w.workspace_id,
    case
      when a.system_identifier is distinct from s.identifier then null
      when latest.number is null or latest.number < a.checkpoint then '0'::xid8
      when latest.number > a.checkpoint then latest.horizon
      else a.horizon
    end
  from (select this_server() as identifier) s
  cross join workspaces w
  left join audit_log_arrivals a on a.workspace_id = w.workspace_id
  left join lateral (
    select c.number, c.horizon from audit_checkpoints c where c.workspace_id = w.workspace_id order by c.number desc limit 1
  ) latest on true;
end;

-- Workspaces with events that can be sealed, those that waited longest first, and
-- behind them those whose events have to be compared with the log.
create function sealable_workspaces(most integer)
  returns table (workspace_id bigint)
  language sql stable security definer set search_path = public, pg_temp
begin atomic
  select l.workspace_id
  from audit_log_starts() l
  left join lateral (
    select e.created_at
    from audit_events e
    where e.workspace_id = l.workspace_id and e.transaction >= l.since and e.transaction < pg_snapshot_xmin(pg_current_snapshot())
      and not exists (select from audit_log_entries s where s.workspace_id = e.workspace_id and s.event_id = e.event_id)
    order by e.transaction
    limit 1
  ) e on true
  where l.since is null or e.created_at is not null
  order by e.created_at nulls last, l.workspace_id
  limit most;
end;

-- When the oldest event was recorded that is not sealed, whether it can be or an
-- older transaction still runs; null when all are.
create function oldest_unsealed_event()
  returns timestamptz
  language sql stable security definer set search_path = public, pg_temp
begin atomic
  select min(e.created_at)
  from audit_log_starts() l
  cross join lateral (
    select e.created_at
    from audit_events e
    where e.workspace_id = l.workspace_id and e.transaction >= coalesce(l.since, '0'::xid8)
      and not exists (select from audit_log_entries s where s.workspace_id = e.workspace_id and s.event_id = e.event_id)
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
alter function this_server() owner to gatehouse_dispatcher;
alter function audit_log_starts() owner to gatehouse_dispatcher;
alter function sealable_workspaces(integer) owner to gatehouse_dispatcher;
alter function oldest_unsealed_event() owner to gatehouse_dispatcher;
alter function undelivered_workspaces(text, integer) owner to gatehouse_dispatcher;
revoke create on schema public from gatehouse_dispatcher;
revoke all on function this_server(), audit_log_starts(), sealable_workspaces(integer), oldest_unsealed_event(),
  undelivered_workspaces(text, integer) from public;
grant execute on function this_server(), sealable_workspaces(integer), oldest_unsealed_event(), undelivered_workspaces(text, integer) to
  svc_workspace;

---- create above / drop below ----

drop function undelivered_workspaces(text, integer), oldest_unsealed_event(), sealable_workspaces(integer), audit_log_starts(), this_server();
drop policy dispatch on workspaces;
drop policy dispatch on audit_events;
revoke all on workspaces, audit_events from gatehouse_dispatcher;
drop trigger audit_events_are_final on audit_events;
drop table audit_log_arrivals, audit_sink_positions, audit_signer, audit_checkpoints, audit_log_entries;
drop function refuse_change();
