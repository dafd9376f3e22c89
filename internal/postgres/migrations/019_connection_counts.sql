set role gatehouse_owner;

-- How many connections a workspace has: each page of them tells, and counting
-- took as long as reading the page.
create table connection_counts (
  workspace_id bigint primary key references workspaces,
  live bigint not null,
  constraint connection_counts_not_negative check (live >= 0)
);
call isolate_by_workspace('connection_counts');
grant select, insert on connection_counts to svc_integration;
grant update (live) on connection_counts to svc_integration;

create function count_connection() returns trigger
  language plpgsql as $$
begin
  insert into connection_counts as c (workspace_id, live) values (new.workspace_id, case when new.deleted_at is null then 1 else 0 end)
  on conflict (workspace_id) do update set live = c.live + case when new.deleted_at is null then 1 else -1 end;
  return null;
end $$;
revoke all on function count_connection() from public;

-- At the end of the transaction: the row is locked briefly, and after every other.
create constraint trigger connections_are_counted after insert on connections
  deferrable initially deferred for each row when (new.deleted_at is null)
  execute function count_connection();
create constraint trigger deleted_connections_are_counted after update of deleted_at on connections
  deferrable initially deferred for each row when ((old.deleted_at is null) <> (new.deleted_at is null))
  execute function count_connection();

reset role;

---- create above / drop below ----

drop trigger connections_are_counted on connections;
drop trigger deleted_connections_are_counted on connections;
drop function count_connection();
drop table connection_counts;
