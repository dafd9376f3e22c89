package workspace

import (
	"context"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// Store keeps workspaces, people, members and keys. Every change commits
// together with its audit event. A change in an archived workspace is a Conflict
// caused by [ErrArchived], unless it ends somebody's access.
type Store interface {
	CallerFinder
	MemberStore
	KeyStore
	SessionStore
	TenantStore
	audit.Recorder

	// Bootstrap makes the tenant row, the tenant level, and a workspace when there
	// is none, once. It returns the scope of the first workspace and whether it
	// was made now.
	Bootstrap(ctx context.Context, tenant id.Tenant, tenantName, workspaceName string, e audit.Event) (id.Scope, bool, error)
	// TenantScope returns the scope of the tenant level.
	TenantScope(ctx context.Context) (id.Scope, error)
	// Get returns a workspace, or NotFound. The tenant level is found by its own
	// scope.
	Get(ctx context.Context, scope id.Scope) (Workspace, error)
}

// MemberStore keeps members, invitations and claim mappings. Lists are in order
// of id and begin after the given one.
type MemberStore interface {
	// ListMembers returns members, also those that were removed.
	ListMembers(ctx context.Context, scope id.Scope, after id.Member, limit int) ([]Member, error)
	// SetRole changes a person's role; NotFound where there is no such member. A
	// key, a member by claims, the owner and the last admin are a Conflict.
	SetRole(ctx context.Context, scope id.Scope, m id.Member, role Role, e audit.Event) (Member, error)
	// RemoveMember ends a membership and the keys that its holder made. Removing
	// twice changes nothing; a key, the owner and the last admin are a Conflict.
	RemoveMember(ctx context.Context, scope id.Scope, m id.Member, e audit.Event) error

	ListInvitations(ctx context.Context, scope id.Scope, after id.Invitation, limit int) ([]Invitation, error)
	// Invite makes an invitation; a member's address, and one with an open
	// invitation, is a Conflict.
	Invite(ctx context.Context, scope id.Scope, row NewInvitationRow, e audit.Event) (Invitation, error)
	// RevokeInvitation ends an invitation. Revoking twice changes nothing; an
	// accepted one is a Conflict.
	RevokeInvitation(ctx context.Context, scope id.Scope, i id.Invitation, e audit.Event) error

	ListMappings(ctx context.Context, scope id.Scope, after id.ClaimMapping, limit int) ([]ClaimMapping, error)
	// CreateMapping makes a mapping; a claim and value that has one is a Conflict.
	CreateMapping(ctx context.Context, scope id.Scope, m ClaimMapping, e audit.Event) (ClaimMapping, error)
	DeleteMapping(ctx context.Context, scope id.Scope, m id.ClaimMapping, e audit.Event) error
}

// KeyStore keeps API keys.
type KeyStore interface {
	// ListKeys returns the keys after the given one, in order of id.
	ListKeys(ctx context.Context, scope id.Scope, after id.Member, limit int) ([]Key, error)
	// CreateKey makes a member of kind APIKey with this key.
	CreateKey(ctx context.Context, scope id.Scope, k NewKeyRow, e audit.Event) (Key, error)
	// RevokeKey ends a key at once; NotFound when there is none. Revoking twice
	// changes nothing; the last admin is a Conflict.
	RevokeKey(ctx context.Context, scope id.Scope, m id.Member, e audit.Event) error
}

// SessionStore keeps people and their sessions.
type SessionStore interface {
	// SignIn stores a person and a session in one transaction, in which it also
	// accepts the open invitations to a verified address and applies claim
	// mappings, each with its event. The error is caused by [ErrTokenSpent] for an
	// ID token that was used before, and by [ErrNoWorkspace] for somebody who is a
	// member of nothing; then nothing is stored but the memberships that ended.
	SignIn(ctx context.Context, who Identity, row NewSessionRow) (SessionInfo, []Membership, error)
	// Session returns a session that has not ended, or NotFound.
	Session(ctx context.Context, s id.Session) (SessionInfo, error)
	// EndSessions ends one session of a person, or all of them.
	EndSessions(ctx context.Context, p id.Person, s id.Session, all bool, e audit.Event) error
	// Memberships returns a person's places, in order of workspace, the tenant
	// level included.
	Memberships(ctx context.Context, tenant id.Tenant, p id.Person) ([]Membership, error)
}

// TenantStore is what tenant administrators do to workspaces. Its scopes name
// the workspace acted on; the tenant level is NotFound.
type TenantStore interface {
	// ListWorkspaces returns workspaces in order of id, after the given one; the
	// event is recorded in the tenant's log, whose scope is given.
	ListWorkspaces(ctx context.Context, tenant id.Scope, after id.Workspace, limit int, e audit.Event) ([]Workspace, error)
	// DrawWorkspace returns an id that no workspace has.
	DrawWorkspace(ctx context.Context) (id.Workspace, error)
	// CreateWorkspace makes a workspace and the way into it: an invitation or a
	// key. The events are of the workspace and of that way, in this order.
	CreateWorkspace(ctx context.Context, row NewWorkspaceRow, events []audit.Event) (Workspace, error)
	// SetArchived archives a workspace once everything that began in it has
	// committed, or opens it. When it is so already, nothing changes.
	SetArchived(ctx context.Context, scope id.Scope, archived bool, e audit.Event) (Workspace, error)
	// TransferTo makes a person of the workspace its owner and an admin.
	TransferTo(ctx context.Context, scope id.Scope, m id.Member, e audit.Event) (Workspace, error)
	// TransferToEmail does so for the person with this verified address, or
	// invites them in place of an open invitation.
	TransferToEmail(ctx context.Context, scope id.Scope, row NewInvitationRow, e audit.Event) (Workspace, error)
}

// NewKeyRow is a key about to be stored.
type NewKeyRow struct {
	Name      string
	Role      Role
	Hash      KeyHash
	Hint      string
	ExpiresAt *time.Time
	// MadeBy is 0 for a key that no member made.
	MadeBy id.Member
}

// NewInvitationRow is an invitation about to be stored.
type NewInvitationRow struct {
	Email      string
	Role       Role
	MakesOwner bool
	// InvitedBy is 0 for an invitation from the tenant level.
	InvitedBy id.Member
	ExpiresAt time.Time
}

func ownerInvitation(address string) *NewInvitationRow {
	return &NewInvitationRow{Email: address, Role: Admin, MakesOwner: true, ExpiresAt: time.Now().Add(DefaultInvitation)}
}

// NewWorkspaceRow is a workspace about to be stored, with one of Owner and Key.
type NewWorkspaceRow struct {
	Scope id.Scope
	Name  string
	Owner *NewInvitationRow
	Key   *NewKeyRow
}
