package workspace

import (
	"time"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

// Caller is the member a request acts for.
type Caller struct {
	Scope  id.Scope
	Member id.Member
	Name   string
	Role   Role
}

// Actor returns the caller as audit events name it.
func (c Caller) Actor() audit.Actor { return audit.Member(c.Member) }

// Workspace is the product boundary inside a tenant.
type Workspace struct {
	ID         id.Workspace
	Tenant     id.Tenant
	Name       string
	ArchivedAt *time.Time
	CreatedAt  time.Time
}

// MemberKind says whether a member is a person or an API key.
type MemberKind string

// The member kinds.
const (
	Person MemberKind = "person"
	APIKey MemberKind = "api_key"
)

// Member is a person or an API key with one role in one workspace.
type Member struct {
	ID        id.Member
	Workspace id.Workspace
	Kind      MemberKind
	Name      string
	Role      Role
	CreatedAt time.Time
	RemovedAt *time.Time
}

// Key is what may be shown of an API key.
type Key struct {
	Member
	// Hint is the key's first characters, enough to recognise it.
	Hint       string
	ExpiresAt  *time.Time
	LastUsedAt *time.Time
	RevokedAt  *time.Time
}
