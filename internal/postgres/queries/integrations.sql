-- name: UpsertIntegration :exec
insert into integrations (integration_id, name, connector_id, connector_version, connector_type, provider_system,
  required_permissions, emits_entities, emits_relationships, limits_blind_spots, supports_test, manifest)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
on conflict (integration_id) do update
set name = excluded.name, connector_id = excluded.connector_id, connector_version = excluded.connector_version,
  connector_type = excluded.connector_type, provider_system = excluded.provider_system,
  required_permissions = excluded.required_permissions, emits_entities = excluded.emits_entities,
  emits_relationships = excluded.emits_relationships, limits_blind_spots = excluded.limits_blind_spots,
  supports_test = excluded.supports_test, manifest = excluded.manifest, updated_at = now()
where integrations.manifest <> excluded.manifest;
