package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Workspace is a workspace of the tenant.
type Workspace struct {
	WorkspaceID string     `json:"workspace_id"`
	Name        string     `json:"name"`
	OwnerID     *string    `json:"owner_id"`
	ArchivedAt  *time.Time `json:"archived_at"`
	CreatedAt   time.Time  `json:"created_at"`
	// PendingOwner is nil where nobody is expected.
	PendingOwner *PendingOwner `json:"pending_owner"`
}

// PendingOwner becomes the owner of a workspace when they sign in.
type PendingOwner struct {
	Email     string    `json:"email"`
	ExpiresAt time.Time `json:"expires_at"`
}

// CreatedWorkspace is a new workspace. The server shows AdminKey this once.
type CreatedWorkspace struct {
	Workspace
	AdminKey string `json:"admin_key"`
}

// WorkspaceDraft is a workspace to create.
type WorkspaceDraft struct {
	Name       string `json:"name"`
	OwnerEmail string `json:"owner_email,omitempty"`
}

// Transfer names a new owner by one of its fields.
type Transfer struct {
	MemberID   string `json:"member_id,omitempty"`
	OwnerEmail string `json:"owner_email,omitempty"`
}

// Workspaces lists the workspaces of the caller.
func (c *Client) Workspaces(ctx context.Context, pages Pages) (List[Membership], error) {
	return list[Membership](ctx, c, "/v1/workspaces", "workspaces", nil, pages)
}

// TenantWorkspaces lists all workspaces; for tenant administrators.
func (c *Client) TenantWorkspaces(ctx context.Context, pages Pages) (List[Workspace], error) {
	return list[Workspace](ctx, c, "/v1/tenant/workspaces", "workspaces", nil, pages)
}

// CreateWorkspace makes a workspace.
func (c *Client) CreateWorkspace(ctx context.Context, d WorkspaceDraft) (Answer[CreatedWorkspace], error) {
	return send[CreatedWorkspace](ctx, c, call{method: http.MethodPost, path: "/v1/tenant/workspaces", body: d})
}

// ArchiveWorkspace makes a workspace read-only.
func (c *Client) ArchiveWorkspace(ctx context.Context, id string) (Answer[Workspace], error) {
	return send[Workspace](ctx, c, call{method: http.MethodPost, path: "/v1/tenant/workspaces/" + url.PathEscape(id) + "/archive"})
}

// UnarchiveWorkspace opens an archived workspace.
func (c *Client) UnarchiveWorkspace(ctx context.Context, id string) (Answer[Workspace], error) {
	return send[Workspace](ctx, c, call{method: http.MethodPost, path: "/v1/tenant/workspaces/" + url.PathEscape(id) + "/unarchive"})
}

// TransferWorkspace makes somebody the owner of a workspace.
func (c *Client) TransferWorkspace(ctx context.Context, id string, to Transfer) (Answer[Workspace], error) {
	return send[Workspace](ctx, c, call{method: http.MethodPost, path: "/v1/tenant/workspaces/" + url.PathEscape(id) + "/transfer", body: to})
}
