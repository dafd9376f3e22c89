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

// ListWorkspaces returns the workspaces of the tenant, in order of id.
func (s *Workspaces) ListWorkspaces(ctx context.Context, tenant id.Scope, after id.Workspace, limit int, e audit.Event) (found []workspace.Workspace, err error) {
	err = s.InWorkspace(ctx, tenant.Workspace, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, "select workspace_id, name, owner_id, archived_at, created_at, pending_email, pending_until from list_workspaces($1, $2)", int64(after), limit)
		if err != nil {
			return fmt.Errorf("list workspaces: %w", err)
		}
		found, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (workspace.Workspace, error) {
			w := workspace.Workspace{Tenant: tenant.Tenant, Level: workspace.WorkspaceLevel}
			var owner *int64
			var archived, until *time.Time
			var email *string
			err := row.Scan(&w.ID, &w.Name, &owner, &archived, &w.CreatedAt, &email, &until)
			w.Owner, w.ArchivedAt = id.Member(orZero(owner)), archived
			if email != nil && until != nil {
				w.PendingOwner = &workspace.PendingOwner{Email: *email, ExpiresAt: *until}
			}
			return w, err
		})
		if err != nil {
			return fmt.Errorf("list workspaces: %w", err)
		}
		return record(ctx, tx, tenant, e)
	})
	return found, err
}

// DrawWorkspace returns an id that no workspace has.
func (s *Workspaces) DrawWorkspace(ctx context.Context) (id.Workspace, error) {
	drawn, err := s.plain().DrawWorkspaceID(ctx)
	if err != nil {
		return 0, translate(fmt.Errorf("draw a workspace id: %w", err))
	}
	return id.Workspace(drawn), nil
}

// CreateWorkspace makes a workspace and the way into it.
func (s *Workspaces) CreateWorkspace(ctx context.Context, row workspace.NewWorkspaceRow, events []audit.Event) (w workspace.Workspace, err error) {
	err = s.InWorkspace(ctx, row.Scope.Workspace, func(tx pgx.Tx) error {
		if err := admitWorkspace(ctx, tx); err != nil {
			return err
		}
		if err := insertWorkspace(ctx, tx, row.Scope.Workspace, row.Name, workspace.WorkspaceLevel); err != nil {
			return err
		}
		if err := record(ctx, tx, row.Scope, events[0]); err != nil {
			return err
		}
		if row.Owner != nil {
			_, err = insertInvitation(ctx, tx, row.Scope, *row.Owner, events[1])
		} else {
			_, err = insertKey(ctx, tx, row.Scope, *row.Key, events[1])
		}
		if err != nil {
			return err
		}
		w, err = administered(ctx, tx, row.Scope)
		return err
	})
	return w, err
}

// SetArchived archives or opens a workspace. Its row is locked whole: that waits
// for every transaction that began to change something in the workspace, and
// those that begin later find it archived.
func (s *Workspaces) SetArchived(ctx context.Context, scope id.Scope, archived bool, e audit.Event) (workspace.Workspace, error) {
	return s.onWorkspace(ctx, scope, func(tx pgx.Tx, was *time.Time) error {
		if (was != nil) == archived {
			return nil
		}
		if !archived {
			if err := admitWorkspace(ctx, tx); err != nil {
				return err
			}
		}
		err := dbsqlc.New(tx).SetArchived(ctx, dbsqlc.SetArchivedParams{WorkspaceID: int64(scope.Workspace), Archived: archived})
		if err != nil {
			return fmt.Errorf("archive or open workspace %s: %w", scope.Workspace, err)
		}
		return record(ctx, tx, scope, e)
	})
}

// TransferTo makes a person of the workspace its owner and an admin.
func (s *Workspaces) TransferTo(ctx context.Context, scope id.Scope, m id.Member, e audit.Event) (workspace.Workspace, error) {
	return s.onWorkspace(ctx, scope, func(tx pgx.Tx, archived *time.Time) error {
		if archived != nil {
			return workspace.Archived(scope.Workspace)
		}
		member, err := personOf(ctx, tx, scope, m)
		if err != nil {
			return err
		}
		if err := endOwnerInvitations(ctx, tx, scope, e.Actor); err != nil {
			return err
		}
		return becomeOwner(ctx, tx, scope, member, e)
	})
}

// TransferToEmail makes the person with an address the owner, or invites them in
// place of an open invitation; then the workspace keeps its owner until they come.
// Whoever was to own it before is not any more.
func (s *Workspaces) TransferToEmail(ctx context.Context, scope id.Scope, row workspace.NewInvitationRow, e audit.Event) (workspace.Workspace, error) {
	return s.onWorkspace(ctx, scope, func(tx pgx.Tx, archived *time.Time) error {
		if archived != nil {
			return workspace.Archived(scope.Workspace)
		}
		q := dbsqlc.New(tx)
		found, err := q.FindMembersByEmail(ctx, dbsqlc.FindMembersByEmailParams{WorkspaceID: int64(scope.Workspace), Email: &row.Email})
		if err != nil {
			return fmt.Errorf("look for a member by e-mail: %w", err)
		}
		if len(found) <= 1 {
			if err := endOwnerInvitations(ctx, tx, scope, e.Actor); err != nil {
				return err
			}
		}
		switch len(found) {
		case 0:
			ended, err := q.EndOpenInvitation(ctx, dbsqlc.EndOpenInvitationParams{WorkspaceID: int64(scope.Workspace), Email: row.Email})
			if err != nil {
				return fmt.Errorf("end an open invitation: %w", err)
			}
			if err := recordEnded(ctx, tx, scope, e.Actor, ended); err != nil {
				return err
			}
			_, err = insertInvitation(ctx, tx, scope, row, workspace.Invited(e.Actor, row))
			return err
		case 1:
			m := workspace.Member{ID: id.Member(found[0].MemberID), Role: workspace.Role(found[0].Role), Source: workspace.Source(found[0].Source)}
			return becomeOwner(ctx, tx, scope, m, e)
		}
		return fault.New(fault.Conflict, "several members have the address %s; name the new owner by their member id", row.Email)
	})
}

// onWorkspace changes a workspace as a whole and returns it as it is then. The
// tenant level is none.
func (s *Workspaces) onWorkspace(ctx context.Context, scope id.Scope, change func(tx pgx.Tx, archived *time.Time) error) (w workspace.Workspace, err error) {
	err = s.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		row, err := dbsqlc.New(tx).LockWorkspaceWhole(ctx, int64(scope.Workspace))
		if err == nil && row.Level != string(workspace.WorkspaceLevel) {
			err = pgx.ErrNoRows
		}
		if err != nil {
			return notFound(err, "there is no workspace %s", scope.Workspace)
		}
		if err := change(tx, row.ArchivedAt); err != nil {
			return err
		}
		w, err = administered(ctx, tx, scope)
		return err
	})
	return w, err
}

// administered returns a workspace as tenant administrators see it: with who is to
// own it.
func administered(ctx context.Context, tx pgx.Tx, scope id.Scope) (workspace.Workspace, error) {
	w, err := getWorkspace(ctx, tx, scope)
	if err != nil {
		return w, err
	}
	row, err := dbsqlc.New(tx).PendingOwner(ctx, int64(scope.Workspace))
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return w, nil
	case err != nil:
		return w, fmt.Errorf("look for a pending owner: %w", err)
	}
	w.PendingOwner = &workspace.PendingOwner{Email: row.Email, ExpiresAt: row.ExpiresAt}
	return w, nil
}
