package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Workspaces keeps workspaces, people, members and keys. Services other than
// workspaces may use it to find callers and to record events; their roles allow
// no more.
type Workspaces struct {
	*DB

	// tenant is the tenant level's scope, which never changes, once it is known.
	tenant atomic.Pointer[id.Scope]
}

var _ workspace.Store = (*Workspaces)(nil)

// NewWorkspaces returns the store on a pool.
func NewWorkspaces(db *DB) *Workspaces { return &Workspaces{DB: db} }

// Bootstrap makes the tenant row, a first workspace and the tenant level, once. A
// database that belongs to another tenant gives a Conflict.
func (s *Workspaces) Bootstrap(ctx context.Context, tenant id.Tenant, tenantName, workspaceName string, e audit.Event) (scope id.Scope, fresh bool, err error) {
	err = translate(pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		q := dbsqlc.New(tx)
		drawn, err := q.DrawWorkspaceID(ctx)
		if err != nil {
			return fmt.Errorf("draw a workspace id: %w", err)
		}
		above, err := q.DrawWorkspaceID(ctx)
		if err != nil {
			return fmt.Errorf("draw the id of the tenant level: %w", err)
		}
		// Two processes that start at once wait for each other here.
		made, err := q.InsertDataPlane(ctx, dbsqlc.InsertDataPlaneParams{
			TenantID: int64(tenant), Name: tenantName, FirstWorkspaceID: drawn, TenantWorkspaceID: above,
		})
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
		if err := insertWorkspace(ctx, tx, id.Workspace(above), tenantName, workspace.TenantLevel); err != nil {
			return err
		}
		if err := insertWorkspace(ctx, tx, scope.Workspace, workspaceName, workspace.WorkspaceLevel); err != nil {
			return err
		}
		e.TargetID = scope.Workspace.String()
		return record(ctx, tx, scope, e)
	}))
	if err != nil {
		return id.Scope{}, false, err
	}
	return scope, fresh, nil
}

// insertWorkspace makes a workspace in itself, and leaves the transaction there.
func insertWorkspace(ctx context.Context, tx pgx.Tx, w id.Workspace, name string, level workspace.Level) error {
	if err := enterWorkspace(ctx, tx, w); err != nil {
		return err
	}
	err := dbsqlc.New(tx).InsertWorkspace(ctx, dbsqlc.InsertWorkspaceParams{WorkspaceID: int64(w), Name: name, Level: string(level)})
	if err != nil {
		return fmt.Errorf("make workspace %s: %w", w, err)
	}
	return nil
}

// TenantScope returns the scope of the tenant level.
func (s *Workspaces) TenantScope(ctx context.Context) (id.Scope, error) {
	if known := s.tenant.Load(); known != nil {
		return *known, nil
	}
	plane, err := s.plain().GetDataPlane(ctx)
	if errors.Is(err, pgx.ErrNoRows) {
		return id.Scope{}, fault.New(fault.Unavailable, "the data plane has not been set up; start the workspaces service first")
	}
	if err != nil {
		return id.Scope{}, translate(fmt.Errorf("read the data plane: %w", err))
	}
	scope := id.Scope{Tenant: id.Tenant(plane.TenantID), Workspace: id.Workspace(plane.TenantWorkspaceID)}
	s.tenant.Store(&scope)
	return scope, nil
}

// Get returns a workspace.
func (s *Workspaces) Get(ctx context.Context, scope id.Scope) (w workspace.Workspace, err error) {
	err = s.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		w, err = getWorkspace(ctx, tx, scope)
		return err
	})
	return w, err
}

// getWorkspace reads the workspace that the transaction is in.
func getWorkspace(ctx context.Context, tx pgx.Tx, scope id.Scope) (workspace.Workspace, error) {
	row, err := dbsqlc.New(tx).GetWorkspace(ctx, int64(scope.Workspace))
	if err != nil {
		return workspace.Workspace{}, notFound(err, "there is no workspace %s", scope.Workspace)
	}
	return workspace.Workspace{
		ID: scope.Workspace, Tenant: scope.Tenant, Level: workspace.Level(row.Level), Name: row.Name, Owner: id.Member(orZero(row.OwnerID)),
		ArchivedAt: row.ArchivedAt, CreatedAt: row.CreatedAt,
	}, nil
}
