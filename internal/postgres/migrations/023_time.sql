set role gatehouse_owner;

-- When readers began to see a publication: the end of its transaction, where
-- published_at, which its versions carry, is the beginning. A question about an
-- earlier moment is answered from what was visible then. Of one connection both
-- only grow. coverage is what answers said of the connection's coverage from
-- then on; retired is the partitions that it found out of scope.
alter table publications
  add column visible_at timestamptz,
  add column coverage jsonb,
  add column retired bigint[] not null default '{}';
-- Reading rows would be held to row-level security; rewriting the table is not.
alter table publications
  alter column visible_at type timestamptz using published_at,
  alter column coverage type jsonb using '{}';
alter table publications
  alter column visible_at set not null,
  alter column coverage set not null,
  add constraint publications_visible_in_order unique (workspace_id, connection_id, visible_at) include (published_at);

-- When a part of a stream became known: from then on it counts as skipped, until
-- a run that read it is published.
alter table stream_partitions add column known_at timestamptz not null default now();

-- Whether the version's partition had been read completely before: then what is
-- new was not there before, and else it may only not have been seen. Null in a
-- connection's first load, of which no change is told.
alter table entities add column observed_before boolean;
alter table relationships add column observed_before boolean;

-- Versions that have ended, for questions about an earlier moment. Those of now
-- read the indexes of current versions alone, and these grow with what changes.
-- Attaching a connection's tables makes them.
create index entities_ended on entities (entity_id, valid_to) include (workspace_id) where valid_to is not null;
create index entities_ended_by_name on entities (name collate "C", entity_id, valid_to) include (workspace_id) where valid_to is not null;
create index relationships_ended_from on relationships (from_id, kind_code, to_id, valid_to)
  include (workspace_id, connection_id, valid_from) where valid_to is not null;
create index relationships_ended_to on relationships (to_id, kind_code, from_id, valid_to)
  include (workspace_id, connection_id, valid_from) where valid_to is not null;
-- What a publication began and what it ended, in the order in which changes are
-- listed. Retention looks at what ended, too.
create index entities_changes_begun on entities (valid_from, entity_id) where observed_before is not null;
create index entities_changes_ended on entities (valid_to, entity_id) where valid_to is not null;
create index relationships_changes_begun on relationships (valid_from, relationship_id) where observed_before is not null;
create index relationships_changes_ended on relationships (valid_to, relationship_id) where valid_to is not null;

reset role;

---- create above / drop below ----

drop index relationships_changes_ended, relationships_changes_begun, entities_changes_ended, entities_changes_begun,
  relationships_ended_to, relationships_ended_from, entities_ended_by_name, entities_ended;
alter table relationships drop column observed_before;
alter table entities drop column observed_before;
alter table stream_partitions drop column known_at;
alter table publications drop column retired, drop column coverage, drop column visible_at;
