package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/identifier"
	"github.com/gatehouse-project/gatehouse/internal/identity"
)

// candidatesEach is how many others are looked at for each identifier.
const candidatesEach = 10

// addCandidates reads who else holds the identity's identifiers, and so why they
// did not join.
func (v *identityView) addCandidates(ctx context.Context, d *identity.Detail) error {
	ids, at := principalsOf(d)
	rows, err := v.ask(ctx, `
		select i.principal_id, i.type, i.value, i.standing, o.principal_id, o.standing, o.trusted,
		  coalesce(m.identity_id, o.principal_id), e.name, coalesce(s.correction_id, 0),
		  (select count(*) from {members} c where c.workspace_id = $1 and c.identity_id = m.identity_id and c.connection_id = any ($2))
		from {identifiers} i
		cross join lateral (
		  select o.principal_id, o.connection_id, o.standing, t.connection_id is not null as trusted
		  from {identifiers} o
		  left join identity_sources t on t.workspace_id = o.workspace_id and t.connection_id = o.connection_id
		  where o.workspace_id = $1 and o.type = i.type and o.value = i.value and o.connection_id = any ($2) and o.principal_id <> all ($3)
		  limit $5) o
		join {entities} e on e.workspace_id = $1 and e.connection_id = any ($2) and e.connection_id = o.connection_id and e.entity_id = o.principal_id
		left join {members} m on m.workspace_id = $1 and m.principal_id = o.principal_id
		left join {splits} s on s.workspace_id = $1
		  and s.one_id = least(i.principal_id, o.principal_id) and s.other_id = greatest(i.principal_id, o.principal_id)
		where i.workspace_id = $1 and i.principal_id = any ($3) and m.identity_id is distinct from $4
		order by i.principal_id, i.type, i.value, o.principal_id
		limit $6`, v.workspace, v.connections, ids, [16]byte(d.ID), candidatesEach, identity.MaxCandidates+1)
	if err != nil {
		return fmt.Errorf("read candidates: %w", err)
	}
	d.Candidates, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (c identity.Candidate, err error) {
		var ours, theirs identifier.Standing
		var trusted bool
		err = row.Scan((*[16]byte)(&c.Own), (*string)(&c.Type), &c.Value, (*string)(&ours), (*[16]byte)(&c.Principal), (*string)(&theirs), &trusted,
			(*[16]byte)(&c.ID), &c.Name, &c.Split, &c.Principals)
		c.Principals = max(c.Principals, 1)
		c.Obstacle = obstacle(knownAs(at[c.Own], c), theirs, trusted)
		return c, err
	})
	if err != nil {
		return fmt.Errorf("read candidates: %w", err)
	}
	if len(d.Candidates) > identity.MaxCandidates {
		d.Candidates, d.MoreCandidates = d.Candidates[:identity.MaxCandidates], true
	}
	return nil
}

// knownAs returns the identifier of a principal that a candidate holds, too.
func knownAs(p *identity.Principal, c identity.Candidate) identity.Known {
	for _, k := range p.Known {
		if k.Type == c.Type && k.Value == c.Value {
			return k
		}
	}
	return identity.Known{}
}

// obstacle says why an identifier did not join whoever holds it.
func obstacle(ours identity.Known, theirs identifier.Standing, trusted bool) identity.Obstacle {
	switch {
	case ours.Standing == identifier.Weak || theirs == identifier.Weak:
		return identity.NamesAPost
	case ours.Shared:
		return identity.HeldByTooMany
	case !ours.Joins() || theirs == identifier.Unverified && !trusted:
		return identity.NotVerified
	}
	return identity.KeptApart
}
