set role gatehouse_owner;

-- Two holds of a target are in each other's way where their parts overlap, unless
-- both are shared. A shared hold takes one place beside the others, its run's own;
-- one that is not shared takes all places. Like the unique indexes, this decides;
-- no check in code is trusted for it. Ranges of one number stand for equality,
-- which for numbers would need an extension.
alter table runs add constraint runs_holds_of_a_target exclude using gist (
  int8range(workspace_id, workspace_id, '[]') with &&,
  int8range(target_id, target_id, '[]') with &&,
  held_parts with &&,
  (case when held_shared then int8range(run_id, run_id, '[]') else int8range(null, null) end) with &&
) where (status <> 'completed' and held_parts is not null);

-- To name the holder: the constraint's own index cannot be asked under row-level
-- security.
create index runs_holding on runs (workspace_id, target_id) where status <> 'completed' and held_parts is not null;

reset role;

---- create above / drop below ----

drop index runs_holding;
alter table runs drop constraint runs_holds_of_a_target;
