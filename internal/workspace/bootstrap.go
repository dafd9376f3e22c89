package workspace

import (
	"context"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

// Bootstrap prepares an empty data plane: its tenant, the tenant level, a first
// workspace, and an admin key for it. When a workspace exists already, no key is
// made and the returned secret is empty.
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

// IssueTenantKey is [IssueAdminKey] for the tenant level.
func IssueTenantKey(ctx context.Context, store Store, name string) (secret.Secret, error) {
	scope, err := store.TenantScope(ctx)
	if err != nil {
		return secret.Secret{}, err
	}
	_, key, err := issueKey(ctx, store, scope, audit.System("operator"), NewKeyRow{Name: name, Role: TenantAdmin})
	return key, err
}

func issueKey(ctx context.Context, store Store, scope id.Scope, by audit.Actor, row NewKeyRow) (Key, secret.Secret, error) {
	plain, hash, hint := NewKey(scope.Workspace)
	row.Hash, row.Hint = hash, hint
	k, err := store.CreateKey(ctx, scope, row, keyCreated(by, row))
	if err != nil {
		return Key{}, secret.Secret{}, err
	}
	return k, plain, nil
}

func keyCreated(by audit.Actor, row NewKeyRow) audit.Event {
	return audit.Event{
		Actor: by, Action: audit.APIKeyCreated, Outcome: audit.Succeeded, TargetType: "member",
		Payload: map[string]any{"name": row.Name, "role": string(row.Role)},
	}
}
