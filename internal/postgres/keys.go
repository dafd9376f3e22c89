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

// FindKey returns the caller that a key stands for. It is asked before every
// other thing, so it takes one exchange with the server, and two once a minute.
func (s *Workspaces) FindKey(ctx context.Context, w id.Workspace, hash workspace.KeyHash) (workspace.Caller, error) {
	row, err := s.read(w).FindKey(ctx, dbsqlc.FindKeyParams{WorkspaceID: int64(w), KeyHash: hash[:]})
	if err != nil {
		return workspace.Caller{}, notFound(err, "there is no such key")
	}
	caller := workspace.Caller{
		Scope:  id.Scope{Tenant: id.Tenant(row.TenantID), Workspace: w},
		Member: id.Member(row.MemberID), Name: row.Name, Role: workspace.Role(row.Role),
		Archived: row.Archived,
	}
	if row.Ended != "" {
		return workspace.Caller{}, ended(caller, row.Ended)
	}
	if row.NoteUse {
		err := s.InWorkspace(ctx, w, func(tx pgx.Tx) error {
			return dbsqlc.New(tx).NoteKeyUse(ctx, dbsqlc.NoteKeyUseParams{WorkspaceID: int64(w), MemberID: row.MemberID})
		})
		if err != nil {
			return workspace.Caller{}, fmt.Errorf("note the use of a key: %w", err)
		}
	}
	return caller, nil
}

// ended is the error for credentials that were good once.
func ended(was workspace.Caller, why string) error {
	return fault.Wrap(fault.NotFound, &workspace.EndedError{Was: was, Why: why}, "there is no such credential any more")
}

// ListKeys returns keys in order of id, also those that were revoked.
func (s *Workspaces) ListKeys(ctx context.Context, scope id.Scope, after id.Member, limit int) (keys []workspace.Key, err error) {
	err = s.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		rows, err := dbsqlc.New(tx).ListKeys(ctx, dbsqlc.ListKeysParams{
			WorkspaceID: int64(scope.Workspace), After: int64(after), Most: int32(limit),
		})
		if err != nil {
			return fmt.Errorf("list keys: %w", err)
		}
		for _, r := range rows {
			keys = append(keys, workspace.Key{
				Member: workspace.Member{
					ID: id.Member(r.MemberID), Workspace: scope.Workspace, Kind: workspace.APIKey, Name: r.Name,
					Role: workspace.Role(r.Role), Source: workspace.Direct, CreatedAt: r.CreatedAt, RemovedAt: r.RemovedAt,
				},
				Hint: r.Hint, MadeBy: id.Member(orZero(r.MadeBy)), ExpiresAt: r.ExpiresAt, LastUsedAt: r.LastUsedAt, RevokedAt: r.RevokedAt,
			})
		}
		return nil
	})
	return keys, err
}

// CreateKey makes a member of kind APIKey with this key.
func (s *Workspaces) CreateKey(ctx context.Context, scope id.Scope, k workspace.NewKeyRow, e audit.Event) (key workspace.Key, err error) {
	err = s.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		ends, err := lockAsGiver(ctx, tx, scope, e.Actor, k.Role)
		if err != nil {
			return err
		}
		if ends != nil && (k.ExpiresAt == nil || k.ExpiresAt.After(*ends)) {
			k.ExpiresAt = ends // no key outlives the one that made it
		}
		key, err = insertKey(ctx, tx, scope, k, e)
		return err
	})
	if err != nil {
		return workspace.Key{}, err
	}
	return key, nil
}

// insertKey stores a key in the workspace that the transaction is in.
func insertKey(ctx context.Context, tx pgx.Tx, scope id.Scope, k workspace.NewKeyRow, e audit.Event) (workspace.Key, error) {
	q := dbsqlc.New(tx)
	member, err := q.InsertKeyMember(ctx, dbsqlc.InsertKeyMemberParams{WorkspaceID: int64(scope.Workspace), Name: k.Name, Role: string(k.Role)})
	if err != nil {
		return workspace.Key{}, fmt.Errorf("make the key's member: %w", err)
	}
	err = q.InsertKey(ctx, dbsqlc.InsertKeyParams{
		WorkspaceID: int64(scope.Workspace), MemberID: member.MemberID, KeyHash: k.Hash[:], Hint: k.Hint, ExpiresAt: k.ExpiresAt,
		MadeBy: numberOrNull(k.MadeBy),
	})
	if err != nil {
		return workspace.Key{}, fmt.Errorf("store the key's hash: %w", err)
	}
	key := workspace.Key{
		Member: workspace.Member{
			ID: id.Member(member.MemberID), Workspace: scope.Workspace, Kind: workspace.APIKey, Name: k.Name, Role: k.Role,
			Source: workspace.Direct, CreatedAt: member.CreatedAt,
		},
		Hint: k.Hint, MadeBy: k.MadeBy, ExpiresAt: k.ExpiresAt,
	}
	e.TargetID = key.ID.String()
	return key, record(ctx, tx, scope, e)
}

// RevokeKey ends a key at once. Revoking twice changes and records nothing.
func (s *Workspaces) RevokeKey(ctx context.Context, scope id.Scope, m id.Member, e audit.Event) error {
	return s.InWorkspace(ctx, scope.Workspace, func(tx pgx.Tx) error {
		q := dbsqlc.New(tx)
		leaving, err := lockForLeaving(ctx, tx, scope, m)
		if err != nil || leaving.removed && leaving.member.Kind == workspace.APIKey {
			return err
		}
		if leaving.member.Kind != workspace.APIKey {
			return fault.New(fault.NotFound, "there is no API key %s", m)
		}
		if leaving.lastAdmin {
			return fault.New(fault.Conflict, "%s is the last admin of the workspace; make another admin, or another admin key without an end, before you revoke this one", m)
		}
		revoked, err := q.RevokeKey(ctx, dbsqlc.RevokeKeyParams{WorkspaceID: int64(scope.Workspace), MemberID: int64(m)})
		if err != nil {
			return fmt.Errorf("revoke a key: %w", err)
		}
		if revoked == 0 {
			return nil
		}
		return removeMember(ctx, tx, scope, m, e)
	})
}
