package postgres

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/export"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// EachIdentified reads all principals, since an identity is called after that one
// with the least id, whatever connection that is of. The server sorts them once,
// on disk when there are many.
func (r graphReading) EachIdentified(ctx context.Context, c id.Connection, fn func(p export.Identified) error) error {
	sql, args := r.identityVersions(`
		select `+entityFields+`, identifiers, attributes, identity_id, lead, principals, since, run_id, correction_id
		from (
		  select e.*, i.identity_id, i.since, i.run_id, i.correction_id,
		    first_value(e.name) over (partition by i.identity_id order by e.entity_id) as lead,
		    count(*) over (partition by i.identity_id) as principals
		  from {entities} e
		  left join {members} m on m.workspace_id = $1 and m.principal_id = e.entity_id
		  cross join lateral (select coalesce(m.identity_id, e.entity_id) as identity_id, m.valid_from as since,
		    coalesce(m.run_id, 0) as run_id, coalesce(m.correction_id, 0) as correction_id) i
		  where e.workspace_id = $1 and e.connection_id = any ($2) and e.kind = 'Principal') e
		where $3::bigint = 0 or connection_id = $3
		order by identity_id, entity_id`, []any{r.workspace, r.connections, int64(c)})
	return r.stream(ctx, "exported_identities", sql, args, func(row pgx.Rows) error {
		var p export.Identified
		var identifiers, attributes json.RawMessage
		err := row.Scan((*[16]byte)(&p.ID), (*string)(&p.Kind), &p.Type, &p.Name, &p.ProviderID, &p.Connection, &p.FirstRun, &p.ValidFrom,
			&identifiers, &attributes, (*[16]byte)(&p.Identity.ID), &p.Identity.Name, &p.Identity.Principals, &p.Since, &p.Run, &p.Correction)
		if err != nil {
			return fmt.Errorf("read a principal: %w", err)
		}
		if identifiers != nil {
			if err := json.Unmarshal(identifiers, &p.Identifiers); err != nil {
				return fmt.Errorf("decode identifiers: %w", err)
			}
		}
		p.Attributes, p.Integration = attributes, r.integrations[p.Connection]
		return fn(p)
	})
}
