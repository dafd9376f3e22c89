package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// ListMembers returns members in order of id, also those that were removed:
// audit events name them.
func (s *Workspaces) ListMembers(ctx context.Context, scope id.Scope, after id.Member, limit int) (members []workspace.Member, err error) {
	err = s.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		rows, err := dbsqlc.New(tx).ListMembers(ctx, dbsqlc.ListMembersParams{
			WorkspaceID: int64(scope.Workspace), After: int64(after), Most: int32(limit),
		})
		if err != nil {
			return fmt.Errorf("list members: %w", err)
		}
		for _, r := range rows {
			members = append(members, memberFromRow(scope, dbsqlc.GetMemberRow(r)))
		}
		return nil
	})
	return members, err
}

func memberFromRow(scope id.Scope, r dbsqlc.GetMemberRow) workspace.Member {
	return workspace.Member{
		ID: id.Member(r.MemberID), Workspace: scope.Workspace, Kind: workspace.MemberKind(r.Kind), Name: r.Name, Email: r.Email,
		Role: workspace.Role(r.Role), Source: workspace.Source(r.Source), CreatedAt: r.CreatedAt, RemovedAt: r.RemovedAt,
	}
}

func getMember(ctx context.Context, tx pgx.Tx, scope id.Scope, m id.Member) (workspace.Member, error) {
	row, err := dbsqlc.New(tx).GetMember(ctx, dbsqlc.GetMemberParams{WorkspaceID: int64(scope.Workspace), MemberID: int64(m)})
	if err != nil {
		return workspace.Member{}, notFound(err, "there is no member %s", m)
	}
	return memberFromRow(scope, row), nil
}

// leaving is a member who is about to leave, or to lose their role.
type leaving struct {
	member workspace.Member
	// removed says that they have left already.
	removed bool
	owner   bool
	// lastAdmin says that nobody else could make another admin. In an archived
	// workspace nobody needs to.
	lastAdmin bool
}

// lockForLeaving looks at a member with all membership of the workspace locked,
// so that two last admins cannot leave at once.
func lockForLeaving(ctx context.Context, tx pgx.Tx, scope id.Scope, m id.Member) (l leaving, err error) {
	q := dbsqlc.New(tx)
	w, err := q.LockWorkspaceMembers(ctx, int64(scope.Workspace))
	if err != nil {
		return l, notFound(err, "there is no workspace %s", scope.Workspace)
	}
	if l.member, err = getMember(ctx, tx, scope, m); err != nil {
		return l, err
	}
	l.removed = l.member.RemovedAt != nil
	l.owner = w.OwnerID != nil && id.Member(*w.OwnerID) == m
	if l.removed || w.ArchivedAt != nil || !l.member.Role.Has(workspace.ManageMembers) {
		return l, nil
	}
	others, err := q.CountOtherAdmins(ctx, dbsqlc.CountOtherAdminsParams{WorkspaceID: int64(scope.Workspace), MemberID: int64(m)})
	if err != nil {
		return l, fmt.Errorf("count admins: %w", err)
	}
	l.lastAdmin = others == 0
	return l, nil
}

// check returns a Conflict when the member has to stay what they are.
func (l leaving) check() error {
	m := l.member.ID
	switch {
	case l.member.Kind == workspace.APIKey:
		return fault.New(fault.Conflict, "%s is an API key; revoke it, and make another one for another role", m)
	case l.owner:
		return fault.New(fault.Conflict, "%s is the owner of the workspace; a tenant administrator can transfer it to somebody else first", m)
	case l.lastAdmin:
		return fault.New(fault.Conflict, "%s is the last admin of the workspace; make somebody else an admin first, or ask a tenant administrator to transfer the workspace", m)
	}
	return nil
}

// SetRole changes a person's role.
func (s *Workspaces) SetRole(ctx context.Context, scope id.Scope, m id.Member, role workspace.Role, e audit.Event) (member workspace.Member, err error) {
	err = s.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		if _, err := lockAsGiver(ctx, tx, scope, e.Actor, role); err != nil {
			return err
		}
		l, err := lockForLeaving(ctx, tx, scope, m)
		if err != nil {
			return err
		}
		member = l.member
		switch {
		case l.removed:
			return fault.New(fault.Conflict, "%s is no member any more; invite them again", m)
		case l.member.Source == workspace.FromClaims:
			return fault.New(fault.Conflict, "the role of %s follows the identity provider's claims; change the claim mapping", m)
		case l.member.Role == role:
			return nil
		}
		if role.Has(workspace.ManageMembers) {
			l.owner, l.lastAdmin = false, false // nothing is taken away
		}
		if err := l.check(); err != nil {
			return err
		}
		return setRole(ctx, tx, scope, &member, role, e)
	})
	return member, err
}

// setRole changes a member's role, with the event of it.
func setRole(ctx context.Context, tx pgx.Tx, scope id.Scope, member *workspace.Member, role workspace.Role, e audit.Event) error {
	err := dbsqlc.New(tx).SetMemberRole(ctx, dbsqlc.SetMemberRoleParams{
		WorkspaceID: int64(scope.Workspace), MemberID: int64(member.ID), Role: string(role), Source: string(member.Source),
	})
	if err != nil {
		return fmt.Errorf("set a role: %w", err)
	}
	e.TargetID = member.ID.String()
	e.Payload = map[string]any{"role": string(role), "was": string(member.Role)}
	member.Role = role
	beyond := slices.DeleteFunc(workspace.Roles(), role.Covers)
	if err := endGiven(ctx, tx, scope, member.ID, beyond, &e); err != nil {
		return err
	}
	return record(ctx, tx, scope, e)
}

// RemoveMember ends a membership and the keys that its holder made.
func (s *Workspaces) RemoveMember(ctx context.Context, scope id.Scope, m id.Member, e audit.Event) error {
	return s.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		l, err := lockForLeaving(ctx, tx, scope, m)
		if err != nil {
			return err
		}
		if l.removed && l.member.Kind == workspace.Person {
			return nil
		}
		if err := l.check(); err != nil {
			return err
		}
		return removeMember(ctx, tx, scope, m, e)
	})
}

// removeMember ends a membership and what its holder gave, with the event of it.
func removeMember(ctx context.Context, tx pgx.Tx, scope id.Scope, m id.Member, e audit.Event) error {
	err := dbsqlc.New(tx).RemoveMember(ctx, dbsqlc.RemoveMemberParams{WorkspaceID: int64(scope.Workspace), MemberID: int64(m)})
	if err != nil {
		return fmt.Errorf("remove a member: %w", err)
	}
	if err := endGiven(ctx, tx, scope, m, workspace.Roles(), &e); err != nil {
		return err
	}
	e.TargetID = m.String()
	return record(ctx, tx, scope, e)
}
