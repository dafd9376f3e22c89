set role gatehouse_owner;

-- What a run holds of its target until it ends: a range over the target's parts,
-- shared with others or alone. A run that holds nothing of it has no parts.
alter table runs
  add column held_parts int4range,
  add column held_shared boolean not null default false,
  add constraint runs_hold_parts_of_a_target check (held_parts is null or (target_id is not null and not isempty(held_parts)));

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
alter table runs drop column held_shared, drop column held_parts;
