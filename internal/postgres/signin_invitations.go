package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// invitations returns what is open for the person's address, if the provider
// vouches for it: one in a workspace at most.
func (j *joining) invitations(ctx context.Context) (map[id.Workspace]id.Invitation, error) {
	address := j.email()
	if address == nil {
		return nil, nil
	}
	rows, err := j.tx.Query(ctx, "select workspace_id, invitation_id from open_invitations($1)", *address)
	if err != nil {
		return nil, fmt.Errorf("find invitations: %w", err)
	}
	open := map[id.Workspace]id.Invitation{}
	var w id.Workspace
	var i id.Invitation
	_, err = pgx.ForEachRow(rows, []any{&w, &i}, func() error {
		open[w] = i
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find invitations: %w", err)
	}
	return open, nil
}

// accept makes the person a member by an invitation. Of several people with one
// address, one is invited: the invitation's row is locked and looked at again.
func (j *joining) accept(ctx context.Context, scope id.Scope, i id.Invitation) error {
	w := scope.Workspace
	row, err := j.q.LockInvitation(ctx, dbsqlc.LockInvitationParams{WorkspaceID: int64(w), InvitationID: int64(i)})
	if err != nil || row.AcceptedAt != nil || row.RevokedAt != nil {
		return err
	}
	m, is, err := j.member(ctx, scope)
	if err != nil {
		return err
	}
	why := map[string]any{"invitation_id": i.String(), "makes_owner": row.MakesOwner}
	if is {
		err = record(ctx, j.tx, scope, audit.Event{
			Actor: audit.Member(m.ID), Action: audit.InvitationAccepted, Outcome: audit.Succeeded, TargetType: "invitation", TargetID: i.String(), Payload: why,
		})
	} else {
		m, err = j.join(ctx, scope, workspace.Role(row.Role), workspace.Direct, why)
	}
	if err != nil {
		return err
	}
	if row.MakesOwner {
		err := becomeOwner(ctx, j.tx, scope, m, audit.Event{
			Actor: audit.Member(m.ID), Action: audit.WorkspaceTransferred, Outcome: audit.Succeeded, TargetType: "workspace", TargetID: w.String(),
			Payload: map[string]any{"to": m.ID.String(), "invitation_id": i.String()},
		})
		if err != nil {
			return err
		}
	}
	accepted := int64(m.ID)
	return j.q.AcceptInvitation(ctx, dbsqlc.AcceptInvitationParams{WorkspaceID: int64(w), InvitationID: int64(i), AcceptedBy: &accepted})
}
