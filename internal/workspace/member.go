package workspace

import (
	"errors"
	"time"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// Caller is the member a request acts for. A person who named no workspace is a
// caller without Member and Role, who has no capability.
type Caller struct {
	Scope  id.Scope
	Member id.Member
	Name   string
	Role   Role
	// Person and Session are those of a signed-in person, and 0 for an API key.
	Person  id.Person
	Session id.Session
	// Archived says that the workspace can only be read.
	Archived bool
}

// Actor returns the caller as audit events of its own workspace name it.
func (c Caller) Actor() audit.Actor {
	if c.Member == 0 && c.Person != 0 {
		return audit.Person(c.Person)
	}
	return audit.Member(c.Member)
}

// Level says what a workspace row stands for.
type Level string

// The levels.
const (
	// WorkspaceLevel is an ordinary workspace.
	WorkspaceLevel Level = "workspace"
	// TenantLevel is the one that stands for the tenant itself: nothing is
	// connected in it, and its members are the tenant's administrators.
	TenantLevel Level = "tenant"
)

// Level returns the level that the caller acts at.
func (c Caller) Level() Level {
	if c.Role == TenantAdmin {
		return TenantLevel
	}
	return WorkspaceLevel
}

// Workspace is the product boundary inside a tenant.
type Workspace struct {
	ID     id.Workspace
	Tenant id.Tenant
	Level  Level
	Name   string
	// Owner answers for the workspace; 0 when nobody has been named yet.
	Owner id.Member
	// PendingOwner becomes the owner when they sign in. It is nil where nobody has
	// been invited to, and wherever it is no tenant administrator who asks.
	PendingOwner *PendingOwner
	ArchivedAt   *time.Time
	CreatedAt    time.Time
}

// PendingOwner is somebody who was named as an owner and has not come yet.
type PendingOwner struct {
	Email string
	// ExpiresAt is until when they can come.
	ExpiresAt time.Time
}

// ErrArchived is the cause of errors about a change in an archived workspace.
var ErrArchived = errors.New("the workspace is archived")

// Archived returns the Conflict for a change in an archived workspace.
func Archived(w id.Workspace) error {
	return fault.Wrap(fault.Conflict, ErrArchived, "workspace %s is archived and can only be read; a tenant administrator can unarchive it", w)
}

// MemberKind says whether a member is a person or an API key.
type MemberKind string

// The member kinds.
const (
	Person MemberKind = "person"
	APIKey MemberKind = "api_key"
)

// Source says whose word a membership is.
type Source string

// The sources.
const (
	// Direct is a person's word: an invitation, or a key.
	Direct Source = "direct"
	// FromClaims is the identity provider's; it is asked again at each sign-in.
	FromClaims Source = "claims"
)

// Member is a person or an API key with one role in one workspace.
type Member struct {
	ID        id.Member
	Workspace id.Workspace
	Kind      MemberKind
	Name      string
	// Email is a person's, and empty for a key.
	Email     string
	Role      Role
	Source    Source
	CreatedAt time.Time
	RemovedAt *time.Time
}

// Key is what may be shown of an API key.
type Key struct {
	Member
	// Hint is the key's first characters, enough to recognise it.
	Hint string
	// MadeBy is the member that made it, with whose membership it ends; 0 for a
	// key that the system made.
	MadeBy     id.Member
	ExpiresAt  *time.Time
	LastUsedAt *time.Time
	RevokedAt  *time.Time
}

// Invitation lets whoever signs in with a verified e-mail address become a
// member, once.
type Invitation struct {
	ID        id.Invitation
	Workspace id.Workspace
	Email     string
	Role      Role
	// MakesOwner says that whoever accepts becomes the workspace's owner.
	MakesOwner bool
	InvitedBy  id.Member
	CreatedAt  time.Time
	ExpiresAt  time.Time
	AcceptedAt *time.Time
	AcceptedBy id.Member
	RevokedAt  *time.Time
}

// ClaimMapping gives a role to whoever signs in with a claim that has a value,
// or, for a claim that is a list, holds it.
type ClaimMapping struct {
	ID        id.ClaimMapping
	Workspace id.Workspace
	Claim     string
	Value     string
	Role      Role
	CreatedAt time.Time
}
