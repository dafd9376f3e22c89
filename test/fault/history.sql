-- What became of each run and each batch, written down by the database in the
-- transactions that did it. Of the suite; the product knows nothing of it.
create schema fault_history;

create table fault_history.runs (
  seq bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  run_id bigint not null,
  connection_id bigint,
  created boolean not null,
  status text not null,
  outcome text not null,
  phase text not null,
  epoch bigint not null,
  was text,
  -- How many other unfinished runs held the same scope.
  beside bigint not null
);
create index on fault_history.runs (run_id, seq);

create table fault_history.batches (
  seq bigint generated always as identity primary key,
  run_id bigint not null,
  epoch bigint not null,
  next_batch bigint not null,
  was bigint,
  -- That the run was being read then, and nobody had cancelled it.
  allowed boolean not null
);

-- Which state of the provider a connection's runs read, from a run on.
create table fault_history.states (
  connection_id bigint not null,
  after_run_id bigint not null,
  state integer not null
);

create function fault_history.note_run() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
  insert into fault_history.runs (run_id, connection_id, created, status, outcome, phase, epoch, was, beside)
  values (new.run_id, new.connection_id, tg_op = 'INSERT', new.status, new.outcome, new.phase, new.epoch, case when tg_op = 'UPDATE' then old.status end,
    case when new.status = 'completed' or new.scope_key is null then 0 else (
      select count(*) from runs r
      where r.workspace_id = new.workspace_id and r.scope_key = new.scope_key and r.status <> 'completed' and r.run_id <> new.run_id) end);
  return null;
end $$;

create trigger fault_history_insert after insert on public.runs for each row execute function fault_history.note_run();
create trigger fault_history_update after update on public.runs for each row
  when (old.status is distinct from new.status or old.epoch is distinct from new.epoch or old.phase is distinct from new.phase or old.status = 'completed')
  execute function fault_history.note_run();

create function fault_history.note_batch() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
  insert into fault_history.batches (run_id, epoch, next_batch, was, allowed)
  select new.run_id, r.epoch, new.next_batch, case when tg_op = 'UPDATE' then old.next_batch end,
    r.status = 'running' and r.phase = 'executing' and r.lease_id is not null and r.cancel_requested_at is null
  from runs r where r.workspace_id = new.workspace_id and r.run_id = new.run_id;
  return null;
end $$;

create trigger fault_history after insert or update of next_batch on public.run_ingest for each row execute function fault_history.note_batch();

-- What the graph of a connection is: of each node and edge that is valid now, what
-- it is called and a hash over what is known of it.
create function fault_history.digest(which bigint) returns text language sql stable as $$
  select md5(coalesce((select string_agg(format('%s %s %s %s', kind, provider_id, name, content_hash), ',' order by kind, provider_id)
      from entities where connection_id = which and valid_to is null), '')
    || '/' || coalesce((select string_agg(format('%s %s %s %s %s', kind, from_id, to_id, key, content_hash), ',' order by kind, from_id, to_id, key)
      from relationships where connection_id = which and valid_to is null), ''))
$$;
