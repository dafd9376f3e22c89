package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/identity"
)

// ListChanges reads the versions of an identity's members as comings and
// leavings.
func (s *Identities) ListChanges(ctx context.Context, w id.Workspace, i graph.IdentityID, after *identity.ChangePosition, limit int) ([]identity.Change, error) {
	var found []identity.Change
	err := s.view(ctx, w, graph.Moment{}, func(v *identityView) (err error) {
		if found, err = v.changes(ctx, i, after, limit); err != nil || len(found) > 0 || after != nil {
			return err
		}
		return v.mustHaveBeen(ctx, i)
	})
	return found, err
}

func (v *identityView) changes(ctx context.Context, i graph.IdentityID, after *identity.ChangePosition, limit int) ([]identity.Change, error) {
	from, behind := identity.ChangePosition{At: time.Unix(0, 0)}, after != nil
	if behind {
		from = *after
	}
	rows, err := v.tx.Query(ctx, `
		select h.at, h.principal_id, h.joined, h.connection_id, coalesce(h.run_id, 0), coalesce(h.correction_id, 0), coalesce(e.name, ''),
		  case when h.joined then coalesce(p.identity_id, nullif(h.principal_id, $2)) else coalesce(n.identity_id, case when e.entity_id is not null then nullif(h.principal_id, $2) end) end,
		  c.kind, c.reason, c.made_by, c.made_at
		from (
		  select valid_from as at, principal_id, true as joined, connection_id, run_id, correction_id
		  from identity_members where workspace_id = $1 and identity_id = $2 and connection_id = any ($3)
		  union all
		  select valid_to, principal_id, false, connection_id, ended_run_id, ended_correction_id
		  from identity_members where workspace_id = $1 and identity_id = $2 and connection_id = any ($3) and valid_to is not null) h
		left join identity_members p on p.workspace_id = $1 and p.principal_id = h.principal_id and p.valid_to = h.at
		left join identity_members n on n.workspace_id = $1 and n.principal_id = h.principal_id and n.valid_from = h.at
		left join entities e on e.workspace_id = $1 and e.`+v.partitions(0)+` and e.connection_id = h.connection_id and e.entity_id = h.principal_id and e.valid_to is null
		left join identity_corrections c on c.workspace_id = $1 and c.correction_id = h.correction_id
		where not $4 or (h.at, h.principal_id, h.joined) < ($5, $6, $7)
		order by h.at desc, h.principal_id desc, h.joined desc
		limit $8`, v.workspace, [16]byte(i), v.connections, behind, from.At, [16]byte(from.Principal), from.Joined, limit)
	if err != nil {
		return nil, fmt.Errorf("read the history of an identity: %w", err)
	}
	found, err := pgx.CollectRows(rows, scanChange)
	if err != nil {
		return nil, fmt.Errorf("read the history of an identity: %w", err)
	}
	return found, nil
}

func scanChange(row pgx.CollectableRow) (c identity.Change, err error) {
	var other *[16]byte
	var kind, reason *string
	var by *int64
	var at *time.Time
	err = row.Scan(&c.At, (*[16]byte)(&c.Principal), &c.Joined, &c.Connection, &c.Cause.Run, &c.Cause.Correction, &c.Name, &other, &kind, &reason, &by, &at)
	if other != nil {
		c.Other = *other
	}
	if kind != nil {
		c.Correction = &identity.Correction{ID: c.Cause.Correction, Kind: identity.Kind(*kind), Reason: orZero(reason), By: id.Member(orZero(by)), At: orZero(at)}
	}
	return c, err
}

// mustHaveBeen returns NotFound unless the number is that of a principal, which
// has always been by itself.
func (v *identityView) mustHaveBeen(ctx context.Context, i graph.IdentityID) error {
	_, _, err := v.members(ctx, i, 1)
	if fault.KindOf(err) == fault.NotFound {
		return fault.New(fault.NotFound, "there has been no identity %s", i)
	}
	return err
}
