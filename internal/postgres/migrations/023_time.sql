set role gatehouse_owner;

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
