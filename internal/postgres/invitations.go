package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// ListInvitations returns invitations in order of id, the ended ones too.
func (s *Workspaces) ListInvitations(ctx context.Context, scope id.Scope, after id.Invitation, limit int) (found []workspace.Invitation, err error) {
	err = s.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		rows, err := dbsqlc.New(tx).ListInvitations(ctx, dbsqlc.ListInvitationsParams{
			WorkspaceID: int64(scope.Workspace), After: int64(after), Most: int32(limit),
		})
		if err != nil {
			return fmt.Errorf("list invitations: %w", err)
		}
		for _, r := range rows {
			found = append(found, workspace.Invitation{
				ID: id.Invitation(r.InvitationID), Workspace: scope.Workspace, Email: r.Email, Role: workspace.Role(r.Role),
				MakesOwner: r.MakesOwner, InvitedBy: id.Member(orZero(r.InvitedBy)), CreatedAt: r.CreatedAt, ExpiresAt: r.ExpiresAt,
				AcceptedAt: r.AcceptedAt, AcceptedBy: id.Member(orZero(r.AcceptedBy)), RevokedAt: r.RevokedAt,
			})
		}
		return nil
	})
	return found, err
}

// Invite makes an invitation. One to the same address that has expired makes way.
func (s *Workspaces) Invite(ctx context.Context, scope id.Scope, row workspace.NewInvitationRow, e audit.Event) (i workspace.Invitation, err error) {
	err = s.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		if _, err := lockAsGiver(ctx, tx, scope, e.Actor, row.Role); err != nil {
			return err
		}
		q := dbsqlc.New(tx)
		members, err := q.FindMembersByEmail(ctx, dbsqlc.FindMembersByEmailParams{WorkspaceID: int64(scope.Workspace), Email: &row.Email})
		if err != nil {
			return fmt.Errorf("look for a member by e-mail: %w", err)
		}
		if len(members) > 0 {
			return fault.New(fault.Conflict, "%s is a member already: %s; set their role instead", row.Email, id.Member(members[0].MemberID))
		}
		ended, err := q.EndExpiredInvitation(ctx, dbsqlc.EndExpiredInvitationParams{WorkspaceID: int64(scope.Workspace), Email: row.Email})
		if err != nil {
			return fmt.Errorf("end an expired invitation: %w", err)
		}
		if err := recordEnded(ctx, tx, scope, e.Actor, ended); err != nil {
			return err
		}
		i, err = insertInvitation(ctx, tx, scope, row, e)
		if violates(err, "invitations_one_open") {
			return fault.Wrap(fault.Conflict, err, "%s has an open invitation to this workspace; revoke it before you make another one", row.Email)
		}
		return err
	})
	if err != nil {
		return workspace.Invitation{}, err
	}
	return i, nil
}

// recordEnded records invitations that something else ended.
func recordEnded(ctx context.Context, tx pgx.Tx, scope id.Scope, by audit.Actor, ended []int64) error {
	for _, i := range ended {
		err := record(ctx, tx, scope, audit.Event{
			Actor: by, Action: audit.InvitationRevoked, Outcome: audit.Succeeded, TargetType: "invitation", TargetID: id.Invitation(i).String(),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// insertInvitation stores an invitation to the workspace that the transaction is in.
func insertInvitation(ctx context.Context, tx pgx.Tx, scope id.Scope, row workspace.NewInvitationRow, e audit.Event) (workspace.Invitation, error) {
	made, err := dbsqlc.New(tx).InsertInvitation(ctx, dbsqlc.InsertInvitationParams{
		WorkspaceID: int64(scope.Workspace), Email: row.Email, Role: string(row.Role), MakesOwner: row.MakesOwner,
		InvitedBy: numberOrNull(row.InvitedBy), ExpiresAt: row.ExpiresAt,
	})
	if err != nil {
		return workspace.Invitation{}, fmt.Errorf("store an invitation: %w", err)
	}
	e.TargetID = id.Invitation(made.InvitationID).String()
	return workspace.Invitation{
		ID: id.Invitation(made.InvitationID), Workspace: scope.Workspace, Email: row.Email, Role: row.Role, MakesOwner: row.MakesOwner,
		InvitedBy: row.InvitedBy, CreatedAt: made.CreatedAt, ExpiresAt: row.ExpiresAt,
	}, record(ctx, tx, scope, e)
}

// RevokeInvitation ends an open invitation. Revoking twice changes and records
// nothing.
func (s *Workspaces) RevokeInvitation(ctx context.Context, scope id.Scope, i id.Invitation, e audit.Event) error {
	return s.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		q := dbsqlc.New(tx)
		row, err := q.LockInvitation(ctx, dbsqlc.LockInvitationParams{WorkspaceID: int64(scope.Workspace), InvitationID: int64(i)})
		if err != nil {
			return notFound(err, "there is no invitation %s", i)
		}
		if row.AcceptedBy != nil {
			return fault.New(fault.Conflict, "invitation %s has been accepted; remove the member %s instead", i, id.Member(*row.AcceptedBy))
		}
		if row.RevokedAt != nil {
			return nil
		}
		if err := q.RevokeInvitation(ctx, dbsqlc.RevokeInvitationParams{WorkspaceID: int64(scope.Workspace), InvitationID: int64(i)}); err != nil {
			return fmt.Errorf("revoke an invitation: %w", err)
		}
		return record(ctx, tx, scope, e)
	})
}

// ListMappings returns claim mappings in order of id.
func (s *Workspaces) ListMappings(ctx context.Context, scope id.Scope, after id.ClaimMapping, limit int) (found []workspace.ClaimMapping, err error) {
	err = s.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		rows, err := dbsqlc.New(tx).ListMappings(ctx, dbsqlc.ListMappingsParams{
			WorkspaceID: int64(scope.Workspace), After: int64(after), Most: int32(limit),
		})
		if err != nil {
			return fmt.Errorf("list claim mappings: %w", err)
		}
		for _, r := range rows {
			found = append(found, mappingFromRow(scope.Workspace, dbsqlc.AllMappingsRow(r)))
		}
		return nil
	})
	return found, err
}

func mappingFromRow(w id.Workspace, r dbsqlc.AllMappingsRow) workspace.ClaimMapping {
	return workspace.ClaimMapping{
		ID: id.ClaimMapping(r.MappingID), Workspace: w, Claim: r.Claim, Value: r.Value, Role: workspace.Role(r.Role), CreatedAt: r.CreatedAt,
	}
}

// CreateMapping makes a claim mapping.
func (s *Workspaces) CreateMapping(ctx context.Context, scope id.Scope, m workspace.ClaimMapping, e audit.Event) (workspace.ClaimMapping, error) {
	err := s.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		if _, err := lockAsGiver(ctx, tx, scope, e.Actor, m.Role); err != nil {
			return err
		}
		row, err := dbsqlc.New(tx).InsertMapping(ctx, dbsqlc.InsertMappingParams{
			WorkspaceID: int64(scope.Workspace), Claim: m.Claim, Value: m.Value, Role: string(m.Role),
		})
		if violates(err, "claim_mappings_unique") {
			return fault.Wrap(fault.Conflict, err, "the claim %s with this value has a mapping already; delete it before you make another one", m.Claim)
		}
		if err != nil {
			return fmt.Errorf("store a claim mapping: %w", err)
		}
		m.ID, m.CreatedAt = id.ClaimMapping(row.MappingID), row.CreatedAt
		e.TargetID = m.ID.String()
		return record(ctx, tx, scope, e)
	})
	return m, err
}

// DeleteMapping takes a claim mapping away.
func (s *Workspaces) DeleteMapping(ctx context.Context, scope id.Scope, m id.ClaimMapping, e audit.Event) error {
	return s.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		deleted, err := dbsqlc.New(tx).DeleteMapping(ctx, dbsqlc.DeleteMappingParams{WorkspaceID: int64(scope.Workspace), MappingID: int64(m)})
		if err != nil {
			return fmt.Errorf("delete a claim mapping: %w", err)
		}
		if deleted == 0 {
			return fault.New(fault.NotFound, "there is no claim mapping %s", m)
		}
		return record(ctx, tx, scope, e)
	})
}
