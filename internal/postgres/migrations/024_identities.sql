set role gatehouse_owner;

-- What principals are known by, in the normal form that makes two of them the
-- same (internal/identifier). A version for each time that a connection showed it.
-- As in the graph, no foreign key to connections: a publish would hold the rows of
-- those whose principals it joins, and starts would wait for it.
create table principal_identifiers (
  workspace_id bigint not null,
  connection_id bigint not null,
  principal_id uuid not null,
  type text collate "C" not null,
  value text collate "C" not null,
  standing text not null,
  first_run_id bigint not null,
  valid_from timestamptz not null,
  valid_to timestamptz,
  primary key (workspace_id, principal_id, type, value, valid_from),
  constraint principal_identifiers_standing check (standing in ('verified', 'unverified', 'weak'))
);
call isolate_by_workspace('principal_identifiers');
create index principal_identifiers_by_value on principal_identifiers (workspace_id, value, type, connection_id) include (principal_id, standing) where valid_to is null;
create index principal_identifiers_ended on principal_identifiers (workspace_id, connection_id, valid_to) where valid_to is not null;

-- Who is one with others. A principal without a row is by itself, and its
-- identity has its number: nothing is written for what is joined with nothing.
create table identity_members (
  workspace_id bigint not null,
  identity_id uuid not null,
  principal_id uuid not null,
  connection_id bigint not null,
  -- What made the version, and what ended it: a run that was published, or a
  -- correction; neither when a connection was deleted.
  run_id bigint,
  correction_id bigint,
  ended_run_id bigint,
  ended_correction_id bigint,
  valid_from timestamptz not null,
  valid_to timestamptz,
  primary key (workspace_id, principal_id, valid_from),
  constraint identity_members_ends_later check (valid_to > valid_from)
);
call isolate_by_workspace('identity_members');
create unique index identity_members_current on identity_members (workspace_id, principal_id) include (identity_id, connection_id) where valid_to is null;
create index identity_members_by_identity on identity_members (workspace_id, identity_id, principal_id);
create index identity_members_by_connection on identity_members (workspace_id, connection_id);
create index identity_members_ended on identity_members (workspace_id, valid_to) where valid_to is not null;

-- What people decided about who is the same.
create table identity_corrections (
  correction_id bigint generated always as identity,
  workspace_id bigint not null references workspaces,
  kind text not null,
  reason text not null,
  made_by bigint not null,
  made_at timestamptz not null,
  primary key (workspace_id, correction_id),
  foreign key (workspace_id, made_by) references members,
  constraint identity_corrections_kind check (kind in ('join', 'split', 'trust', 'distrust')),
  constraint identity_corrections_reason_length check (char_length(reason) <= 1000)
);
call isolate_by_workspace('identity_corrections');
create trigger open_workspace before insert on identity_corrections
  for each row execute function refuse_when_archived();

-- All principals of one correction are the same, as if they shared an identifier.
create table identity_joins (
  workspace_id bigint not null,
  correction_id bigint not null,
  principal_id uuid not null,
  connection_id bigint not null,
  primary key (workspace_id, correction_id, principal_id),
  foreign key (workspace_id, correction_id) references identity_corrections,
  foreign key (workspace_id, connection_id) references connections
);
call isolate_by_workspace('identity_joins');
create index identity_joins_by_principal on identity_joins (workspace_id, principal_id);

-- Two principals that are not the same, whatever they share, until somebody
-- joins them. The lesser id stands first.
create table identity_splits (
  workspace_id bigint not null,
  correction_id bigint not null,
  one_id uuid not null,
  other_id uuid not null,
  valid_from timestamptz not null,
  valid_to timestamptz,
  ended_correction_id bigint,
  primary key (workspace_id, one_id, other_id, valid_from),
  foreign key (workspace_id, correction_id) references identity_corrections,
  foreign key (workspace_id, ended_correction_id) references identity_corrections (workspace_id, correction_id),
  constraint identity_splits_in_order check (one_id < other_id),
  constraint identity_splits_end_later check (valid_to > valid_from)
);
call isolate_by_workspace('identity_splits');
create unique index identity_splits_current on identity_splits (workspace_id, one_id, other_id) where valid_to is null;
create index identity_splits_by_other on identity_splits (workspace_id, other_id) where valid_to is null;
create index identity_splits_ended on identity_splits (workspace_id, valid_to) where valid_to is not null;

-- Connections whose unverified identifiers are believed.
create table identity_sources (
  workspace_id bigint not null,
  connection_id bigint not null,
  correction_id bigint not null,
  primary key (workspace_id, connection_id),
  foreign key (workspace_id, connection_id) references connections,
  foreign key (workspace_id, correction_id) references identity_corrections
);
call isolate_by_workspace('identity_sources');

-- The last moment at which the identities of a workspace changed. Whoever changes
-- them has this row until the end of its transaction, and so sees what everybody
-- before it has changed.
create table identity_clocks (
  workspace_id bigint primary key references workspaces,
  changed_at timestamptz not null
);
call isolate_by_workspace('identity_clocks');

grant select, insert, update (valid_to), delete on principal_identifiers to svc_discovery;
grant select, insert, update (valid_to, ended_run_id, ended_correction_id), delete on identity_members to svc_discovery;
grant select, insert on identity_corrections to svc_discovery;
grant select, insert, delete on identity_joins, identity_sources to svc_discovery;
grant select, insert, update (valid_to, ended_correction_id) on identity_splits to svc_discovery;
grant select, insert, update (changed_at) on identity_clocks to svc_discovery;

reset role;

---- create above / drop below ----

drop table identity_clocks, identity_sources, identity_splits, identity_joins, identity_corrections, identity_members, principal_identifiers;
