package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/graph"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/identity"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// correction is one correction at work, which has the workspace's identities in
// hand.
type correction struct {
	*identityView
	tx     pgx.Tx
	q      *dbsqlc.Queries
	caller workspace.Caller
	at     time.Time
	id     int64
}

// correct runs a correction. fn returns false when there is nothing to correct;
// then nothing is written or recorded.
func (s *Identities) correct(ctx context.Context, c workspace.Caller, e audit.Event, fn func(k *correction) (bool, error)) error {
	return s.db.InWorkspace(ctx, c.Scope.Workspace, func(tx pgx.Tx) error {
		v := &graphView{tx: tx, workspace: c.Scope.Workspace, integrations: map[id.Connection]integration.ID{}}
		var names []string
		if err := tx.QueryRow(ctx, viewConnections, v.workspace).Scan(&v.moment, &v.connections, &names); err != nil {
			return fmt.Errorf("list the graph's connections: %w", err)
		}
		for i, name := range names {
			v.integrations[id.Connection(v.connections[i])] = integration.ID(name)
		}
		at, err := lockIdentities(ctx, tx, int64(c.Scope.Workspace))
		if err != nil {
			return err
		}
		done, err := fn(&correction{identityView: &identityView{v}, tx: tx, q: dbsqlc.New(tx), caller: c, at: at})
		if err != nil || !done {
			return err
		}
		return record(ctx, tx, c.Scope, e)
	})
}

// begin writes down who decides what.
func (k *correction) begin(ctx context.Context, kind identity.Kind, reason string) (err error) {
	k.id, err = k.q.InsertIdentityCorrection(ctx, dbsqlc.InsertIdentityCorrectionParams{
		WorkspaceID: int64(k.workspace), Kind: string(kind), Reason: reason, MadeBy: int64(k.caller.Member), MadeAt: k.at,
	})
	if err != nil {
		return fmt.Errorf("insert the correction: %w", err)
	}
	return createResolution(ctx, k.tx)
}

// resolve finds anew who is the same around principals.
func (k *correction) resolve(ctx context.Context, principals []identityMember) error {
	_, err := k.tx.Exec(ctx, `
		insert into identity_nodes (principal_id, connection_id, round)
		select e.entity_id, e.connection_id, 0 from entities e
		where e.workspace_id = $1 and e.connection_id = any ($2) and e.entity_id = any ($3) and e.valid_to is null`, k.workspace, k.connections, uuids(idsOf(principals)))
	if err != nil {
		return fmt.Errorf("seed identities: %w", err)
	}
	return k.resolution().resolve(ctx)
}

func (k *correction) resolution() *resolution {
	return &resolution{tx: k.tx, workspace: int64(k.workspace), at: k.at, correction: &k.id}
}

// Join makes identities one.
func (s *Identities) Join(ctx context.Context, c workspace.Caller, all []graph.IdentityID, reason string, e audit.Event) (joined identity.Detail, err error) {
	err = s.correct(ctx, c, e, func(k *correction) (bool, error) {
		var members []identityMember
		different := map[graph.IdentityID]bool{}
		for _, i := range all {
			now, of, err := k.members(ctx, i, identity.MaxJoined+1)
			if err != nil {
				return false, err
			}
			if !different[now] {
				different[now] = true
				members = append(members, of...)
			}
		}
		if len(members) > identity.MaxJoined {
			return false, fault.InvalidField("identity_ids", "have more than %d principals together; nothing was joined", identity.MaxJoined)
		}
		if len(different) > 1 {
			if err := k.join(ctx, members, reason); err != nil {
				return false, err
			}
		}
		joined, err = k.showOf(ctx, members[0].principal)
		return len(different) > 1, err
	})
	return joined, err
}

func (k *correction) join(ctx context.Context, members []identityMember, reason string) error {
	if err := k.begin(ctx, identity.Join, reason); err != nil {
		return err
	}
	ids := idsOf(members)
	_, err := k.tx.Exec(ctx, `
		insert into identity_joins (workspace_id, correction_id, principal_id, connection_id)
		select $1, $4, e.entity_id, e.connection_id from entities e
		where e.workspace_id = $1 and e.connection_id = any ($2) and e.entity_id = any ($3) and e.valid_to is null`, k.workspace, k.connections, uuids(ids), k.id)
	if err != nil {
		return fmt.Errorf("write the join: %w", err)
	}
	err = k.q.EndIdentitySplits(ctx, dbsqlc.EndIdentitySplitsParams{WorkspaceID: int64(k.workspace), Principals: rowIDs(ids), At: &k.at, CorrectionID: &k.id})
	if err != nil {
		return fmt.Errorf("end splits: %w", err)
	}
	return k.resolve(ctx, members)
}

// Split keeps principals apart from the others of their identity.
func (s *Identities) Split(ctx context.Context, c workspace.Caller, i graph.IdentityID, principals []graph.EntityID, reason string, e audit.Event) (parts identity.Parts, err error) {
	err = s.correct(ctx, c, e, func(k *correction) (bool, error) {
		_, members, err := k.members(ctx, i, identity.MaxPairs+2)
		if err != nil {
			return false, err
		}
		named := map[graph.EntityID]bool{}
		for _, p := range principals {
			named[p] = true
		}
		var leave, stay []identityMember
		for _, m := range members {
			if named[m.principal] {
				leave = append(leave, m)
				delete(named, m.principal)
			} else {
				stay = append(stay, m)
			}
		}
		if len(stay) == 0 {
			return false, fault.InvalidField("principal_ids", "name all principals of the identity; leave out at least one, which stays")
		}
		apart, err := k.apart(ctx, named, stay)
		if err != nil {
			return false, err
		}
		if len(leave) > 0 {
			if err := k.split(ctx, leave, stay, reason); err != nil {
				return false, err
			}
		}
		parts, err = k.showParts(ctx, stay, append(leave, apart...))
		return len(leave) > 0, err
	})
	return parts, err
}

// apart returns principals that were split from the identity before, so that
// the same request may come twice. Others are Invalid.
func (k *correction) apart(ctx context.Context, named map[graph.EntityID]bool, stay []identityMember) (apart []identityMember, err error) {
	for p := range named {
		known, err := k.q.IsSplit(ctx, dbsqlc.IsSplitParams{WorkspaceID: int64(k.workspace), PrincipalID: uuid.UUID(p), Others: rowIDs(idsOf(stay))})
		if err != nil {
			return nil, fmt.Errorf("look for a split: %w", err)
		}
		if !known {
			return nil, fault.InvalidField("principal_ids", "%s is no principal of the identity; its own list names them", p)
		}
		apart = append(apart, identityMember{principal: p})
	}
	return apart, nil
}

func idsOf(members []identityMember) []graph.EntityID {
	ids := make([]graph.EntityID, len(members))
	for i, m := range members {
		ids[i] = m.principal
	}
	return ids
}

func (k *correction) split(ctx context.Context, leave, stay []identityMember, reason string) error {
	if len(leave)*len(stay) > identity.MaxPairs {
		return fault.InvalidField("principal_ids", "make more than %d pairs with those that stay; name fewer", identity.MaxPairs)
	}
	if err := k.begin(ctx, identity.Split, reason); err != nil {
		return err
	}
	err := k.q.InsertIdentitySplits(ctx, dbsqlc.InsertIdentitySplitsParams{
		WorkspaceID: int64(k.workspace), CorrectionID: k.id, Ones: rowIDs(idsOf(leave)), Others: rowIDs(idsOf(stay)), At: k.at,
	})
	if err != nil {
		return fmt.Errorf("write the split: %w", err)
	}
	return k.resolve(ctx, append(append([]identityMember{}, leave...), stay...))
}

// rowIDs gives ids the type that sqlc uses for uuid.
func rowIDs(ids []graph.EntityID) []uuid.UUID {
	plain := make([]uuid.UUID, len(ids))
	for i, e := range ids {
		plain[i] = uuid.UUID(e)
	}
	return plain
}

// showOf shows the identity that a principal belongs to.
func (k *correction) showOf(ctx context.Context, p graph.EntityID) (identity.Detail, error) {
	i, err := k.identityOf(ctx, p)
	if err != nil {
		return identity.Detail{}, err
	}
	return k.show(ctx, i)
}

// showParts shows what a split left.
func (k *correction) showParts(ctx context.Context, stay, left []identityMember) (parts identity.Parts, err error) {
	if parts.Kept, err = k.showOf(ctx, stay[0].principal); err != nil {
		return parts, err
	}
	shown := map[graph.IdentityID]bool{parts.Kept.ID: true}
	for _, m := range left {
		d, err := k.showOf(ctx, m.principal)
		if err != nil {
			return parts, err
		}
		if !shown[d.ID] {
			shown[d.ID] = true
			parts.Split = append(parts.Split, d)
		}
	}
	return parts, nil
}

// Sources lists the trusted connections.
func (s *Identities) Sources(ctx context.Context, w id.Workspace) ([]identity.Source, error) {
	rows, err := s.db.read(w).ListIdentitySources(ctx, int64(w))
	if err != nil {
		return nil, fmt.Errorf("list trusted connections: %w", err)
	}
	found := make([]identity.Source, len(rows))
	for i, r := range rows {
		found[i] = identity.Source{Connection: id.Connection(r.ConnectionID), Correction: identity.Correction{
			ID: id.Correction(r.CorrectionID), Kind: identity.Trust, Reason: r.Reason, By: id.Member(r.MadeBy), At: r.MadeAt,
		}}
	}
	return found, nil
}
