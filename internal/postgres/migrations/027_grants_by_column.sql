set role gatehouse_owner;

-- Of the rows that a service may change, it may change what it does change: not
-- whose they are, what they are about, nor when they were made.
revoke update on runs, run_ingest, run_partitions, stream_partitions, targets, throttle_limits from svc_discovery;
grant update (target_id, status, outcome, reason_code, failure_summary, summary_counts, progress, phase, phase_since, attempt, epoch, reached_epoch,
  lease_id, lease_until, token_hash, started_at, completed_at, cancel_requested_at, rerun_requested, rerun_requested_by) on runs to svc_discovery;
grant update (plan_complete, next_batch, last_digest, staged_entities, staged_relationships) on run_ingest to svc_discovery;
grant update (next_cursor, records, gap_count, gaps, coverage, category, message) on run_partitions to svc_discovery;
grant update (coverage, reason_code, message, records, last_run_id, last_observed_at, last_complete_at, retired_at) on stream_partitions to
  svc_discovery;
grant update (name, target_type, updated_at) on targets to svc_discovery;
grant update (calls, per_seconds, burst, concurrent, set_by, set_at) on throttle_limits to svc_discovery;
revoke update on connections, credentials, integrations, webhook_deliveries, webhook_endpoints from svc_integration;
grant update (name, config, scope, metadata, credential_type, secret_fields, config_refs, target_id, acts_as, configured_at_version, is_default,
  lifecycle, schedule, next_run_at, schedule_failures, schedule_paused_at, schedule_pause_reason_code, last_used_at, version, updated_at, deleted_at) on
  connections to svc_integration;
grant update (version, type, algorithm, wrapper, kms_key_id, wrapped_key, nonce, ciphertext, schema_version, updated_at) on credentials to
  svc_integration;
grant update (name, connector_id, connector_version, connector_type, provider_system, required_permissions, emits_entities, emits_relationships,
  limits_blind_spots, supports_test, manifest, updated_at) on integrations to svc_integration;
grant update (status, step, next_attempt_at, claimed_until, completed_at, last_status, last_error) on webhook_deliveries to svc_integration;
grant update (url, description, event_types, secret_version, disabled_at, disabled_reason, failing_since, failures, updated_at) on webhook_endpoints
  to svc_integration;
revoke update on api_keys, invitations, members, people, sessions, workspaces from svc_workspace;
grant update (last_used_at, revoked_at) on api_keys to svc_workspace;
grant update (accepted_at, accepted_by, revoked_at) on invitations to svc_workspace;
grant update (role, source, name, email, removed_at) on members to svc_workspace;
grant update (email, email_verified, name, last_sign_in_at) on people to svc_workspace;
grant update (last_used_at, ended_at) on sessions to svc_workspace;
grant update (owner_id, archived_at, updated_at) on workspaces to svc_workspace;
revoke update on throttle_budgets, throttle_holders from gatehouse_dispatcher;
grant update (tokens, refilled_at, pace, throttled_at, paused_until, served) on throttle_budgets to gatehouse_dispatcher;
grant update (served, chunk, unsettled, waiting_until, wanted, slot_until, asked_at) on throttle_holders to gatehouse_dispatcher;

reset role;


---- create above / drop below ----

grant update on throttle_budgets, throttle_holders to gatehouse_dispatcher;
grant update on runs, run_ingest, run_partitions, stream_partitions, targets, throttle_limits to svc_discovery;
grant update on connections, credentials, integrations, webhook_deliveries, webhook_endpoints to svc_integration;
grant update on api_keys, invitations, members, people, sessions, workspaces to svc_workspace;
