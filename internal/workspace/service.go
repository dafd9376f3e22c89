package workspace

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// Authenticate returns the caller whose key this is. Every failure to find one
// is the same Unauthenticated error.
func Authenticate(ctx context.Context, keys KeyFinder, key string) (Caller, error) {
	w, hash, err := ParseKey(key)
	if err != nil {
		return Caller{}, err
	}
	c, err := keys.FindKey(ctx, w, hash)
	if fault.KindOf(err) == fault.NotFound {
		return Caller{}, fault.New(fault.Unauthenticated, "the API key is not known, has expired or was revoked")
	}
	return c, err
}

// Service is the use cases on a workspace itself.
type Service struct {
	Store Store
}

// Current returns the caller's workspace.
func (s *Service) Current(ctx context.Context, c Caller) (Workspace, error) {
	if err := c.Require(ReadAdministration); err != nil {
		return Workspace{}, err
	}
	return s.Store.Get(ctx, c.Scope)
}

// Members lists the members of the caller's workspace.
func (s *Service) Members(ctx context.Context, c Caller, after id.Member, limit int) ([]Member, error) {
	if err := c.Require(ReadAdministration); err != nil {
		return nil, err
	}
	return s.Store.ListMembers(ctx, c.Scope, after, limit)
}

// Keys lists the API keys of the caller's workspace, without the keys.
func (s *Service) Keys(ctx context.Context, c Caller, after id.Member, limit int) ([]Key, error) {
	if err := c.Require(ReadAdministration); err != nil {
		return nil, err
	}
	return s.Store.ListKeys(ctx, c.Scope, after, limit)
}

// CreateKey makes an API key with a role. The key is returned once and cannot
// be read again.
func (s *Service) CreateKey(ctx context.Context, c Caller, name string, role Role, expires *time.Time) (Key, secret.Secret, error) {
	if err := c.Require(ManageMembers); err != nil {
		return Key{}, secret.Secret{}, err
	}
	name = strings.TrimSpace(name)
	var wrong []fault.Field
	if n := utf8.RuneCountInString(name); n < 1 || n > 200 {
		wrong = append(wrong, fault.Field{Path: "name", Message: "must be 1 to 200 characters long"})
	}
	if !role.Known() || role == TenantAdmin {
		wrong = append(wrong, fault.Field{Path: "role", Message: "must be viewer, connector_builder or admin"})
	}
	if expires != nil && !expires.After(time.Now()) {
		wrong = append(wrong, fault.Field{Path: "expires_at", Message: "must be in the future"})
	}
	if len(wrong) > 0 {
		return Key{}, secret.Secret{}, fault.InvalidFields(wrong...)
	}
	return issueKey(ctx, s.Store, c.Scope, c.Actor(), NewKeyRow{Name: name, Role: role, ExpiresAt: expires})
}

// RevokeKey ends a key at once.
func (s *Service) RevokeKey(ctx context.Context, c Caller, m id.Member) error {
	if err := c.Require(ManageMembers); err != nil {
		return err
	}
	return s.Store.RevokeKey(ctx, c.Scope, m, audit.Event{
		Actor: c.Actor(), Action: audit.APIKeyRevoked, Outcome: audit.Succeeded, TargetType: "member", TargetID: m.String(),
	})
}

// Bootstrap prepares an empty data plane: its tenant, a first workspace, and an
// admin key for it. When a workspace exists already, no key is made and the
// returned secret is empty.
func Bootstrap(ctx context.Context, store Store, tenant id.Tenant, tenantName, workspaceName string) (id.Scope, secret.Secret, error) {
	system := audit.System("bootstrap")
	scope, fresh, err := store.Bootstrap(ctx, tenant, tenantName, workspaceName, audit.Event{
		Actor: system, Action: audit.WorkspaceCreated, Outcome: audit.Succeeded, TargetType: "workspace",
		Payload: map[string]any{"name": workspaceName},
	})
	if err != nil || !fresh {
		return scope, secret.Secret{}, err
	}
	_, key, err := issueKey(ctx, store, scope, system, NewKeyRow{Name: "first admin key", Role: Admin})
	return scope, key, err
}

// IssueAdminKey makes another admin key without a caller, for an operator who
// has the machine but lost the key.
func IssueAdminKey(ctx context.Context, store Store, scope id.Scope, name string) (secret.Secret, error) {
	_, key, err := issueKey(ctx, store, scope, audit.System("operator"), NewKeyRow{Name: name, Role: Admin})
	return key, err
}

func issueKey(ctx context.Context, store Store, scope id.Scope, by audit.Actor, row NewKeyRow) (Key, secret.Secret, error) {
	plain, hash, hint := NewKey(scope.Workspace)
	row.Hash, row.Hint = hash, hint
	k, err := store.CreateKey(ctx, scope, row, audit.Event{
		Actor: by, Action: audit.APIKeyCreated, Outcome: audit.Succeeded, TargetType: "member",
		Payload: map[string]any{"name": row.Name, "role": string(row.Role)},
	})
	if err != nil {
		return Key{}, secret.Secret{}, err
	}
	return k, plain, nil
}
