-- name: NextWebhookID :one
select nextval('webhook_endpoints_endpoint_id_seq')::bigint;

-- Held while endpoints of a workspace are counted and made.
-- name: LockWebhookCount :exec
select pg_advisory_xact_lock(hashtextextended('gatehouse webhooks', @workspace_id::bigint));

-- name: CountWebhooks :one
select count(*) from webhook_endpoints where workspace_id = $1;

-- name: InsertWebhook :one
insert into webhook_endpoints (workspace_id, endpoint_id, url, description, event_types, created_by)
values ($1, $2, $3, $4, $5, $6)
returning *;

-- name: GetWebhook :one
select * from webhook_endpoints where workspace_id = $1 and endpoint_id = $2;

-- name: LockWebhook :one
select * from webhook_endpoints where workspace_id = $1 and endpoint_id = $2 for no key update;

-- name: ListWebhooks :many
select * from webhook_endpoints
where workspace_id = @workspace_id and endpoint_id > @after
order by endpoint_id
limit @most;

-- name: UpdateWebhook :one
update webhook_endpoints
set url = @url, description = @description, event_types = @event_types, disabled_at = sqlc.narg('disabled_at'), disabled_reason = sqlc.narg('disabled_reason'),
  failing_since = sqlc.narg('failing_since'), failures = @failures, updated_at = now()
where workspace_id = @workspace_id and endpoint_id = @endpoint_id
returning *;

-- name: DeleteWebhook :execrows
delete from webhook_endpoints where workspace_id = $1 and endpoint_id = $2;

-- name: RaiseWebhookSecretVersion :one
update webhook_endpoints set secret_version = secret_version + 1, updated_at = now()
where workspace_id = @workspace_id and endpoint_id = @endpoint_id and secret_version = @former_version
returning *;

-- name: InsertWebhookSecret :exec
insert into webhook_secrets (workspace_id, endpoint_id, version, algorithm, wrapper, kms_key_id, wrapped_key, nonce, ciphertext, schema_version)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: ExpireWebhookSecret :exec
update webhook_secrets set expires_at = clock_timestamp() + @good_for::interval
where workspace_id = @workspace_id and endpoint_id = @endpoint_id and version = @version;

-- name: DeleteFormerWebhookSecrets :exec
delete from webhook_secrets where workspace_id = @workspace_id and endpoint_id = @endpoint_id and version < @version;

-- name: ListGoodWebhookSecrets :many
select * from webhook_secrets
where workspace_id = $1 and endpoint_id = $2 and (expires_at is null or expires_at > clock_timestamp())
order by version desc
limit 2;

-- name: InsertWebhookPing :one
insert into webhook_events (workspace_id, event_type, data) values ($1, $2, $3) returning event_id;

-- name: InsertDelivery :one
insert into webhook_deliveries (workspace_id, endpoint_id, event_id) values ($1, $2, $3) returning delivery_id;

-- name: ListDeliveries :many
select sqlc.embed(d), e.event_type, e.data, e.occurred_at
from webhook_deliveries d
join webhook_events e on e.workspace_id = d.workspace_id and e.event_id = d.event_id
where d.workspace_id = @workspace_id and d.endpoint_id = @endpoint_id
  and (@status::text = '' or d.status::text = @status)
  and (@before::bigint = 0 or d.delivery_id < @before)
  and (@this::bigint = 0 or d.delivery_id = @this)
order by d.delivery_id desc
limit @most;

-- One that is in hand stays there, and is due again when it has failed.
-- name: ReplayDelivery :execrows
update webhook_deliveries
set status = 'pending', step = 0, next_attempt_at = clock_timestamp(), completed_at = null
where workspace_id = @workspace_id and endpoint_id = @endpoint_id and delivery_id = @delivery_id;

-- name: ReplayDeliveries :execrows
with chosen as (
  select d.delivery_id
  from webhook_deliveries d
  join webhook_events e on e.workspace_id = d.workspace_id and e.event_id = d.event_id
  where d.workspace_id = @workspace_id and d.endpoint_id = @endpoint_id and e.occurred_at >= @since
    and (d.status = 'failed' or (@also_succeeded::boolean and d.status = 'succeeded'))
  order by d.delivery_id
  limit @most
  for no key update of d
)
update webhook_deliveries d
set status = 'pending', step = 0, next_attempt_at = clock_timestamp(), completed_at = null
from chosen c
where d.workspace_id = @workspace_id and d.delivery_id = c.delivery_id;

-- name: GiveUpDeliveries :exec
update webhook_deliveries
set status = 'failed', next_attempt_at = null, claimed_until = null, completed_at = clock_timestamp(), last_error = @problem
where workspace_id = @workspace_id and endpoint_id = @endpoint_id and status = 'pending';

-- name: ClaimDeliveries :many
select workspace_id::bigint as workspace_id, delivery_id::bigint as delivery_id, attempt::integer as attempt
from claim_webhook_deliveries(@most, @most_per_endpoint, @most_per_workspace, @claim_for::interval);

-- None when another attempt has been begun since.
-- The endpoint stays until its secrets are read.
-- name: GetDeliveryJob :one
select sqlc.embed(d), sqlc.embed(p), e.event_type, e.data, e.occurred_at
from webhook_deliveries d
join webhook_endpoints p on p.workspace_id = d.workspace_id and p.endpoint_id = d.endpoint_id
join webhook_events e on e.workspace_id = d.workspace_id and e.event_id = d.event_id
where d.workspace_id = @workspace_id and d.delivery_id = @delivery_id and d.attempts = @attempt and d.status = 'pending'
  and d.claimed_until is not null and p.disabled_at is null
for key share of p;

-- An attempt counts only while no other has been begun since.
-- name: CompleteDelivery :execrows
update webhook_deliveries
set status = @status, next_attempt_at = null, claimed_until = null, completed_at = clock_timestamp(),
  last_status = sqlc.narg('last_status'), last_error = sqlc.narg('last_error')
where workspace_id = @workspace_id and delivery_id = @delivery_id and attempts = @attempt and status = 'pending';

-- name: PostponeDelivery :execrows
update webhook_deliveries
set step = step + 1, next_attempt_at = clock_timestamp() + @pause::interval, claimed_until = null,
  last_status = sqlc.narg('last_status'), last_error = sqlc.narg('last_error')
where workspace_id = @workspace_id and delivery_id = @delivery_id and attempts = @attempt and status = 'pending';

-- name: NoteWebhookSuccess :exec
update webhook_endpoints set failing_since = null, failures = 0
where workspace_id = @workspace_id and endpoint_id = @endpoint_id and failures > 0;

-- name: NoteWebhookFailure :one
update webhook_endpoints set failing_since = coalesce(failing_since, clock_timestamp()), failures = failures + 1
where workspace_id = @workspace_id and endpoint_id = @endpoint_id
returning failures, (failing_since <= clock_timestamp() - @long::interval)::boolean as for_long;

-- name: DisableWebhook :execrows
update webhook_endpoints set disabled_at = clock_timestamp(), disabled_reason = @reason, updated_at = clock_timestamp()
where workspace_id = @workspace_id and endpoint_id = @endpoint_id and disabled_at is null;

-- name: NotifyAdmins :exec
insert into notifications (workspace_id, member_id, kind, endpoint_id)
select m.workspace_id, m.member_id, 'webhook_disabled', @endpoint_id::bigint
from members m
where m.workspace_id = @workspace_id and m.role = 'admin' and m.removed_at is null;

-- name: ForgetWebhookEvents :one
select forget_webhook_events(@kept::interval, @most::integer)::bigint;

-- name: FindWebhookSecretsToRewrap :many
select workspace_id::bigint as workspace_id, endpoint_id::bigint as endpoint_id, version::bigint as version
from webhook_secrets_to_rewrap(@wrapper, @key_id, @after_workspace, @after_endpoint, @after_version, @most);

-- name: GetWebhookSecret :one
select * from webhook_secrets where workspace_id = $1 and endpoint_id = $2 and version = $3;

-- No two wrapped keys are alike, so the old one tells whether the row is still
-- what was read.
-- name: RewrapWebhookSecret :execrows
update webhook_secrets set wrapper = @wrapper, kms_key_id = @key_id, wrapped_key = @wrapped
where workspace_id = @workspace_id and endpoint_id = @endpoint_id and version = @version and wrapped_key = @was;
