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

// Workspaces keeps workspaces, members and keys. Services other than workspaces
// may use it to find keys and to record events; their roles allow no more.
type Workspaces struct {
	*DB
}

var _ workspace.Store = (*Workspaces)(nil)

// NewWorkspaces returns the store on a pool.
func NewWorkspaces(db *DB) *Workspaces { return &Workspaces{DB: db} }

// Bootstrap makes the tenant row and a first workspace, once. A database that
// belongs to another tenant gives a Conflict.
func (s *Workspaces) Bootstrap(ctx context.Context, tenant id.Tenant, tenantName, workspaceName string, e audit.Event) (scope id.Scope, fresh bool, err error) {
	err = translate(pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		q := dbsqlc.New(tx)
		drawn, err := q.DrawWorkspaceID(ctx)
		if err != nil {
			return fmt.Errorf("draw a workspace id: %w", err)
		}
		// Two processes that start at once wait for each other here.
		made, err := q.InsertDataPlane(ctx, dbsqlc.InsertDataPlaneParams{TenantID: int64(tenant), Name: tenantName, FirstWorkspaceID: drawn})
		if err != nil {
			return fmt.Errorf("set up the data plane: %w", err)
		}
		plane, err := q.GetDataPlane(ctx)
		if err != nil {
			return fmt.Errorf("read the data plane: %w", err)
		}
		scope = id.Scope{Tenant: id.Tenant(plane.TenantID), Workspace: id.Workspace(plane.FirstWorkspaceID)}
		if scope.Tenant != tenant {
			return fault.New(fault.Conflict, "this database belongs to tenant %s, not to %s", scope.Tenant, tenant)
		}
		if fresh = made == 1; !fresh {
			return nil
		}
		if err := enterWorkspace(ctx, tx, scope.Workspace); err != nil {
			return err
		}
		if err := q.InsertWorkspace(ctx, dbsqlc.InsertWorkspaceParams{WorkspaceID: drawn, Name: workspaceName}); err != nil {
			return fmt.Errorf("make the first workspace: %w", err)
		}
		e.TargetID = scope.Workspace.String()
		return record(ctx, tx, scope, e)
	}))
	if err != nil {
		return id.Scope{}, false, err
	}
	return scope, fresh, nil
}

// Get returns a workspace.
func (s *Workspaces) Get(ctx context.Context, scope id.Scope) (w workspace.Workspace, err error) {
	err = s.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		row, err := dbsqlc.New(tx).GetWorkspace(ctx, int64(scope.Workspace))
		if err != nil {
			return notFound(err, "there is no workspace %s", scope.Workspace)
		}
		w = workspace.Workspace{
			ID: id.Workspace(row.WorkspaceID), Tenant: scope.Tenant, Name: row.Name, ArchivedAt: row.ArchivedAt, CreatedAt: row.CreatedAt,
		}
		return nil
	})
	return w, err
}

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
			members = append(members, workspace.Member{
				ID: id.Member(r.MemberID), Workspace: scope.Workspace, Kind: workspace.MemberKind(r.Kind), Name: r.Name,
				Role: workspace.Role(r.Role), CreatedAt: r.CreatedAt, RemovedAt: r.RemovedAt,
			})
		}
		return nil
	})
	return members, err
}
