package workspace

import (
	"context"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// KeyFinder looks up API keys; every service has one.
type KeyFinder interface {
	// FindKey returns the caller that the key with this hash stands for. A key
	// that does not exist, was revoked, has expired, or whose workspace is
	// archived gives a NotFound error; the caller must not tell these apart to
	// others. Use of the key is noted, at most once a minute.
	FindKey(ctx context.Context, w id.Workspace, hash KeyHash) (Caller, error)
}

// Store keeps workspaces, members and keys. Every change commits together with
// its audit event.
type Store interface {
	KeyFinder
	audit.Recorder

	// Bootstrap makes the tenant row, and a workspace when there is none, once.
	// It returns the scope of the oldest workspace and whether it was made now.
	Bootstrap(ctx context.Context, tenant id.Tenant, tenantName, workspaceName string, e audit.Event) (id.Scope, bool, error)
	// Get returns a workspace, or NotFound.
	Get(ctx context.Context, scope id.Scope) (Workspace, error)
	// ListMembers returns the members after the given one, in order of id.
	ListMembers(ctx context.Context, scope id.Scope, after id.Member, limit int) ([]Member, error)
	// ListKeys returns the keys after the given one, in order of id.
	ListKeys(ctx context.Context, scope id.Scope, after id.Member, limit int) ([]Key, error)
	// CreateKey makes a member of kind APIKey with this key.
	CreateKey(ctx context.Context, scope id.Scope, k NewKeyRow, e audit.Event) (Key, error)
	// RevokeKey ends a key at once; NotFound when there is none. Revoking twice
	// changes nothing.
	RevokeKey(ctx context.Context, scope id.Scope, m id.Member, e audit.Event) error
}

// NewKeyRow is a key about to be stored.
type NewKeyRow struct {
	Name      string
	Role      Role
	Hash      KeyHash
	Hint      string
	ExpiresAt *time.Time
}
