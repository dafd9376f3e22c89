set role gatehouse_owner;

-- The newest version that a credential of the connection was sealed to; zero when
-- none has been replaced yet. The connection's own version counts what people change,
-- and a renewal is none of that.
alter table connections add column credential_version bigint not null default 0;
alter table connections add constraint connections_credential_version_not_negative check (credential_version >= 0);

-- The last exchange of a connection's renewable secret. While it has no outcome and
-- its lease lasts, nobody else is given the secret.
create table credential_renewals (
  workspace_id bigint not null,
  connection_id bigint not null,
  -- Drawn by the session that exchanges.
  renewal_id uuid not null,
  -- Whose session that is. The run may be removed before this.
  run_id bigint not null,
  epoch bigint not null,
  token_hash bytea not null,
  begun_at timestamptz not null default clock_timestamp(),
  lease_until timestamptz not null,
  -- When the first exchange of the present secret began of which nobody told how it
  -- ended: the provider may count the secret as used since.
  unsure_since timestamptz,
  outcome text,
  ended_at timestamptz,
  primary key (workspace_id, connection_id),
  foreign key (workspace_id, connection_id) references credentials on delete cascade,
  constraint credential_renewals_outcome_known check (outcome in ('renewed', 'kept', 'refused', 'unknown')),
  constraint credential_renewals_end_whole check ((outcome is null) = (ended_at is null))
);
call isolate_by_workspace('credential_renewals');

grant select, insert, delete on credential_renewals to svc_integration;
grant update (renewal_id, run_id, epoch, token_hash, begun_at, lease_until, unsure_since, outcome, ended_at) on credential_renewals to svc_integration;
grant update (credential_version, status, last_error_reason_code, last_error_message) on connections to svc_integration;

reset role;

---- create above / drop below ----

set role gatehouse_owner;
revoke update (credential_version, status, last_error_reason_code, last_error_message) on connections from svc_integration;
drop table credential_renewals;
alter table connections drop column credential_version;
reset role;
