package workspace

import (
	"time"

	"github.com/gatehouse-project/gatehouse/internal/api"

	"github.com/gatehouse-project/gatehouse/internal/id"
	domain "github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Workspace is the product boundary inside a tenant.
type Workspace struct {
	WorkspaceID id.Workspace `json:"workspace_id" example:"w_123"`
	TenantID    id.Tenant    `json:"tenant_id" example:"t_123"`
	Name        string       `json:"name"`
	OwnerID     *id.Member   `json:"owner_id" nullable:"true" example:"mem_123" doc:"Null until an owner has been named and has come."`
	ArchivedAt  *time.Time   `json:"archived_at"`
	CreatedAt   time.Time    `json:"created_at"`

	PendingOwner *PendingOwner `json:"pending_owner,omitempty" doc:"Who becomes the owner when they sign in. Only in answers to tenant administrators, and left out where there is none."`
}

// PendingOwner is somebody who was named as the owner and has not come yet.
type PendingOwner struct {
	Email     string    `json:"email" example:"alice@example.com"`
	ExpiresAt time.Time `json:"expires_at"`
}

// Member is a person or an API key with one role.
type Member struct {
	MemberID    id.Member    `json:"member_id" example:"mem_123"`
	WorkspaceID id.Workspace `json:"workspace_id" example:"w_123"`
	Kind        string       `json:"kind" enum:"person,api_key"`
	Name        string       `json:"name"`
	Email       string       `json:"email" doc:"Empty for an API key."`
	Source      string       `json:"source" enum:"direct,claims" doc:"claims: the identity provider decides the role, at each sign-in."`
	Role        string       `json:"role" enum:"viewer,connector_builder,admin,tenant_admin"`
	CreatedAt   time.Time    `json:"created_at"`
	RemovedAt   *time.Time   `json:"removed_at"`
}

// APIKey is what may be shown of an API key.
type APIKey struct {
	MemberID   id.Member  `json:"member_id" example:"mem_123"`
	Name       string     `json:"name"`
	Role       string     `json:"role" enum:"viewer,connector_builder,admin,tenant_admin"`
	Hint       string     `json:"hint" doc:"The key's first characters, to recognise it by."`
	MadeBy     *id.Member `json:"made_by" nullable:"true" example:"mem_123" doc:"With whose membership the key ends; null for one that the system made."`
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  *time.Time `json:"expires_at"`
	LastUsedAt *time.Time `json:"last_used_at" doc:"To the minute."`
	RevokedAt  *time.Time `json:"revoked_at"`
}

// CreatedAPIKey is a new key, shown this once.
type CreatedAPIKey struct {
	APIKey
	Key string `json:"key" doc:"The key itself. It cannot be read again." readOnly:"true"`
}

func fromDomain(w domain.Workspace) Workspace {
	dto := Workspace{WorkspaceID: w.ID, TenantID: w.Tenant, Name: w.Name, OwnerID: memberOrNull(w.Owner), ArchivedAt: api.UTC(w.ArchivedAt), CreatedAt: w.CreatedAt.UTC()}
	if p := w.PendingOwner; p != nil {
		dto.PendingOwner = &PendingOwner{Email: p.Email, ExpiresAt: p.ExpiresAt.UTC()}
	}
	return dto
}

func memberFromDomain(m domain.Member) Member {
	return Member{
		MemberID: m.ID, WorkspaceID: m.Workspace, Kind: string(m.Kind), Name: m.Name, Email: m.Email,
		Source: string(m.Source), Role: string(m.Role),
		CreatedAt: m.CreatedAt.UTC(), RemovedAt: api.UTC(m.RemovedAt),
	}
}

func keyFromDomain(k domain.Key) APIKey {
	return APIKey{
		MemberID: k.ID, Name: k.Name, Role: string(k.Role), Hint: k.Hint, MadeBy: memberOrNull(k.MadeBy), CreatedAt: k.CreatedAt.UTC(),
		ExpiresAt: api.UTC(k.ExpiresAt), LastUsedAt: api.UTC(k.LastUsedAt), RevokedAt: api.UTC(k.RevokedAt),
	}
}

func memberOrNull(m id.Member) *id.Member {
	if m == 0 {
		return nil
	}
	return &m
}
