package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// lockAsGiver locks the membership of the workspace and looks again at a member
// who is about to give a role to somebody: they may have been removed or demoted
// since the request began. It returns when their own access ends, if it does. An
// actor that is no member, such as the operator, has nothing to look at.
func lockAsGiver(ctx context.Context, tx pgx.Tx, scope id.Scope, by audit.Actor, role workspace.Role) (ends *time.Time, err error) {
	if by.Kind != audit.MemberActor {
		return nil, nil
	}
	var m id.Member
	if err := m.UnmarshalText([]byte(by.ID)); err != nil {
		return nil, fmt.Errorf("read the actor of a change: %w", err)
	}
	q := dbsqlc.New(tx)
	w, err := q.LockWorkspaceMembers(ctx, int64(scope.Workspace))
	if err != nil {
		return nil, notFound(err, "there is no workspace %s", scope.Workspace)
	}
	giver, err := q.GetGiver(ctx, dbsqlc.GetGiverParams{WorkspaceID: int64(scope.Workspace), MemberID: int64(m)})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, fault.New(fault.Forbidden, "your access to this workspace has ended; ask an admin of the workspace for it")
	}
	if err != nil {
		return nil, fmt.Errorf("look again at whoever gives access: %w", err)
	}
	c := workspace.Caller{Scope: scope, Member: m, Role: workspace.Role(giver.Role), Archived: w.ArchivedAt != nil}
	if err := c.Require(workspace.ManageMembers); err != nil {
		return nil, err
	}
	return giver.ExpiresAt, c.MayGrant(role)
}

// endGiven ends what a member gave with one of the roles, and what was given with
// that: keys, named in the event, and open invitations, with events of their own.
func endGiven(ctx context.Context, tx pgx.Tx, scope id.Scope, m id.Member, roles []workspace.Role, e *audit.Event) error {
	q, w, maker := dbsqlc.New(tx), int64(scope.Workspace), int64(m)
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = string(r)
	}
	keys, err := q.KeysMadeBy(ctx, dbsqlc.KeysMadeByParams{WorkspaceID: w, MadeBy: &maker, Roles: names})
	if err != nil {
		return fmt.Errorf("find the keys of a member: %w", err)
	}
	named := make([]string, len(keys))
	for i, key := range keys {
		if _, err := q.RevokeKey(ctx, dbsqlc.RevokeKeyParams{WorkspaceID: w, MemberID: key}); err != nil {
			return fmt.Errorf("revoke a key of a member: %w", err)
		}
		if err := q.RemoveMember(ctx, dbsqlc.RemoveMemberParams{WorkspaceID: w, MemberID: key}); err != nil {
			return fmt.Errorf("end the member of a key: %w", err)
		}
		named[i] = id.Member(key).String()
	}
	if len(keys) > 0 {
		if e.Payload == nil {
			e.Payload = map[string]any{}
		}
		e.Payload["keys_revoked"] = named
	}
	ended, err := q.EndInvitationsBy(ctx, dbsqlc.EndInvitationsByParams{WorkspaceID: w, InvitedBy: &maker, Roles: names, Ended: keys})
	if err != nil {
		return fmt.Errorf("end the invitations of a member: %w", err)
	}
	return recordEnded(ctx, tx, scope, e.Actor, ended)
}
