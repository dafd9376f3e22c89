-- name: GetLicenceRecord :one
-- The time is that of the answer, not that of the transaction's beginning: it may have waited.
-- A data plane that has not been set up yet has the built-in licence, too.
select coalesce(p.tenant_id, 0)::bigint as tenant_id, clock_timestamp()::timestamptz as checked_at,
  array(select k.verifier from licence_keys k order by k.verifier)::text[] as keys,
  coalesce(l.document, '')::text as document, coalesce(l.installed_by, '')::text as installed_by,
  coalesce(l.installed_at, 'epoch')::timestamptz as installed_at
from (select 1) always
left join data_plane p on true
left join (select document, installed_by, installed_at from licences order by installation_id desc limit 1) l on true;

-- name: InsertLicence :exec
insert into licences (document, installed_by) values ($1, $2);
