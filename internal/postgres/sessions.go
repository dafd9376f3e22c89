package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// FindSession returns the person of a session as a member where they want to
// work. The session is looked up at the tenant level, the membership in the
// workspace named; neither place sees the other.
func (s *Workspaces) FindSession(ctx context.Context, hash workspace.SessionHash, where workspace.SessionWorkspace) (workspace.Caller, error) {
	tenant, err := s.TenantScope(ctx)
	if err != nil {
		return workspace.Caller{}, err
	}
	row, err := s.read(tenant.Workspace).FindSession(ctx, dbsqlc.FindSessionParams{WorkspaceID: int64(tenant.Workspace), TokenHash: hash[:]})
	if err != nil {
		return workspace.Caller{}, notFound(err, "there is no such session")
	}
	if row.NoteUse && row.Ended == "" {
		err := s.InWorkspace(ctx, tenant.Workspace, func(tx pgx.Tx) error {
			return dbsqlc.New(tx).NoteSessionUse(ctx, dbsqlc.NoteSessionUseParams{WorkspaceID: int64(tenant.Workspace), SessionID: row.SessionID})
		})
		if err != nil {
			return workspace.Caller{}, fmt.Errorf("note the use of a session: %w", err)
		}
	}
	caller := workspace.Caller{Scope: tenant, Session: id.Session(row.SessionID), Person: id.Person(row.PersonID), Name: row.Name}
	if caller, err = s.enter(ctx, caller, where); err != nil {
		return workspace.Caller{}, err
	}
	if row.Ended != "" {
		return workspace.Caller{}, ended(caller, row.Ended)
	}
	return caller, nil
}

// enter makes a person, who is at the tenant level, a member where they want to
// work, if they are one there.
func (s *Workspaces) enter(ctx context.Context, person workspace.Caller, where workspace.SessionWorkspace) (workspace.Caller, error) {
	w := where.ID
	if where.Tenant {
		w = person.Scope.Workspace
	}
	if w == 0 {
		return person, nil
	}
	who := int64(person.Person)
	member, err := s.read(w).FindCallerMember(ctx, dbsqlc.FindCallerMemberParams{WorkspaceID: int64(w), PersonID: &who})
	if errors.Is(err, pgx.ErrNoRows) {
		return person, nil
	}
	if err != nil {
		return workspace.Caller{}, fmt.Errorf("find the membership of a session: %w", err)
	}
	person.Scope.Workspace, person.Member = w, id.Member(member.MemberID)
	person.Role, person.Archived = workspace.Role(member.Role), member.Archived
	return person, nil
}

// Session returns a session that has not ended.
func (s *Workspaces) Session(ctx context.Context, session id.Session) (info workspace.SessionInfo, err error) {
	tenant, err := s.TenantScope(ctx)
	if err != nil {
		return info, err
	}
	err = s.InWorkspace(ctx, tenant.Workspace, func(tx pgx.Tx) error {
		row, err := dbsqlc.New(tx).GetSession(ctx, dbsqlc.GetSessionParams{WorkspaceID: int64(tenant.Workspace), SessionID: int64(session)})
		if err != nil {
			return notFound(err, "the session has ended")
		}
		info = workspace.SessionInfo{
			ID: session, Person: workspace.PersonProfile{ID: id.Person(row.PersonID), Name: row.Name, Email: row.Email},
			CreatedAt: row.CreatedAt, ExpiresAt: row.ExpiresAt, IdleFor: row.IdleFor,
		}
		return nil
	})
	return info, err
}

// EndSessions ends one session of a person, or all of them.
func (s *Workspaces) EndSessions(ctx context.Context, p id.Person, session id.Session, all bool, e audit.Event) error {
	tenant, err := s.TenantScope(ctx)
	if err != nil {
		return err
	}
	return s.InWorkspace(ctx, tenant.Workspace, func(tx pgx.Tx) error {
		ended, err := dbsqlc.New(tx).EndSession(ctx, dbsqlc.EndSessionParams{
			WorkspaceID: int64(tenant.Workspace), PersonID: int64(p), SessionID: int64(session), Every: all,
		})
		if err != nil || ended == 0 {
			return err
		}
		return record(ctx, tx, tenant, e)
	})
}

// Memberships returns a person's places, in order of workspace.
func (s *Workspaces) Memberships(ctx context.Context, tenant id.Tenant, p id.Person) (places []workspace.Membership, err error) {
	err = translate(pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		places, err = memberships(ctx, tx, tenant, p)
		return err
	}))
	return places, err
}

// memberships enters each workspace of a person in turn.
func memberships(ctx context.Context, tx pgx.Tx, tenant id.Tenant, p id.Person) ([]workspace.Membership, error) {
	found, err := workspacesOf(ctx, tx, "select workspace_id from workspaces_of_person($1)", int64(p))
	if err != nil {
		return nil, fmt.Errorf("find the workspaces of a person: %w", err)
	}
	person := int64(p)
	var places []workspace.Membership
	for _, w := range found {
		scope := id.Scope{Tenant: tenant, Workspace: w}
		if err := enterWorkspace(ctx, tx, w); err != nil {
			return nil, err
		}
		member, err := dbsqlc.New(tx).FindCallerMember(ctx, dbsqlc.FindCallerMemberParams{WorkspaceID: int64(w), PersonID: &person})
		if errors.Is(err, pgx.ErrNoRows) {
			continue // ended since the look
		}
		if err != nil {
			return nil, fmt.Errorf("read a membership: %w", err)
		}
		of, err := getWorkspace(ctx, tx, scope)
		if err != nil {
			return nil, err
		}
		places = append(places, workspace.Membership{Workspace: of, Member: id.Member(member.MemberID), Role: workspace.Role(member.Role)})
	}
	return places, nil
}

// workspacesOf calls a function that looks across workspaces for ids of them.
func workspacesOf(ctx context.Context, tx pgx.Tx, sql string, args ...any) ([]id.Workspace, error) {
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[id.Workspace])
}
