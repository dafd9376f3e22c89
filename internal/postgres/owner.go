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

// becomeOwner makes a member the owner of the workspace that the transaction is
// in, and an admin by that and not by claims, with the event of it.
func becomeOwner(ctx context.Context, tx pgx.Tx, scope id.Scope, m workspace.Member, e audit.Event) error {
	if m.Role != workspace.Admin || m.Source != workspace.Direct {
		m.Source = workspace.Direct
		err := setRole(ctx, tx, scope, &m, workspace.Admin, audit.Event{Actor: e.Actor, Action: audit.MemberRoleChanged, Outcome: audit.Succeeded, TargetType: "member"})
		if err != nil {
			return err
		}
	}
	owner := int64(m.ID)
	if err := dbsqlc.New(tx).SetOwner(ctx, dbsqlc.SetOwnerParams{WorkspaceID: int64(scope.Workspace), OwnerID: &owner}); err != nil {
		return fmt.Errorf("set the owner: %w", err)
	}
	return record(ctx, tx, scope, e)
}

// endOwnerInvitations ends the invitations that make an owner: who was named last
// is to own the workspace, not who signs in last.
func endOwnerInvitations(ctx context.Context, tx pgx.Tx, scope id.Scope, by audit.Actor) error {
	ended, err := dbsqlc.New(tx).EndOwnerInvitations(ctx, int64(scope.Workspace))
	if err != nil {
		return fmt.Errorf("end invitations of owners: %w", err)
	}
	return recordEnded(ctx, tx, scope, by, ended)
}

// personOf returns an active person of the workspace that the transaction is in.
func personOf(ctx context.Context, tx pgx.Tx, scope id.Scope, m id.Member) (workspace.Member, error) {
	member, err := getMember(ctx, tx, scope, m)
	switch {
	case err != nil:
		return workspace.Member{}, err
	case member.Kind != workspace.Person:
		return workspace.Member{}, fault.New(fault.Conflict, "%s is an API key; a workspace is owned by a person", m)
	case member.RemovedAt != nil:
		return workspace.Member{}, fault.New(fault.Conflict, "%s is no member any more; name somebody who is", m)
	}
	return member, nil
}
