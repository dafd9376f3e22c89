package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// SignIn stores a person and a session, and gives the person the places that
// invitations and claims say they have. Everything commits together; the
// transaction enters one workspace after the other, in order of id.
func (s *Workspaces) SignIn(ctx context.Context, who workspace.Identity, row workspace.NewSessionRow) (info workspace.SessionInfo, places []workspace.Membership, err error) {
	tenant, err := s.TenantScope(ctx)
	if err != nil {
		return info, nil, err
	}
	err = s.InWorkspace(ctx, tenant.Workspace, func(tx pgx.Tx) error {
		if err := spendToken(ctx, tx, tenant, who); err != nil {
			return err
		}
		person, err := dbsqlc.New(tx).UpsertPerson(ctx, dbsqlc.UpsertPersonParams{
			WorkspaceID: int64(tenant.Workspace), Issuer: who.Issuer, Subject: who.Subject, Email: who.Email, EmailVerified: who.EmailVerified, Name: who.Name,
		})
		if err != nil {
			return fmt.Errorf("store a person: %w", err)
		}
		j := joining{tx: tx, q: dbsqlc.New(tx), tenant: tenant.Tenant, who: who, person: person}
		if err := j.joinAndLeave(ctx); err != nil {
			return err
		}
		if places, err = memberships(ctx, tx, tenant.Tenant, id.Person(person)); err != nil {
			return err
		}
		switch {
		case len(places) == 0 && j.left:
			return nil // what ended here has to have ended
		case len(places) == 0:
			return workspace.ErrNoWorkspace
		}
		info, err = insertSession(ctx, tx, tenant, person, who, row)
		return err
	})
	if err == nil && len(places) == 0 {
		err = workspace.ErrNoWorkspace
	}
	return info, places, err
}

// spendToken remembers an ID token, or finds that it has been used before.
func spendToken(ctx context.Context, tx pgx.Tx, tenant id.Scope, who workspace.Identity) error {
	q := dbsqlc.New(tx)
	fresh, err := q.SpendIDToken(ctx, dbsqlc.SpendIDTokenParams{
		WorkspaceID: int64(tenant.Workspace), TokenHash: who.TokenHash[:], ExpiresAt: who.TokenExpires,
	})
	if err != nil {
		return fmt.Errorf("remember an ID token: %w", err)
	}
	if fresh == 0 {
		return workspace.ErrTokenSpent
	}
	// Each sign-in takes out what earlier ones left, so that nothing piles up.
	if err := q.ForgetSpentIDTokens(ctx, int64(tenant.Workspace)); err != nil {
		return fmt.Errorf("forget expired ID tokens: %w", err)
	}
	if err := q.ForgetSessions(ctx, int64(tenant.Workspace)); err != nil {
		return fmt.Errorf("forget old sessions: %w", err)
	}
	return nil
}

func insertSession(ctx context.Context, tx pgx.Tx, tenant id.Scope, person int64, who workspace.Identity, row workspace.NewSessionRow) (workspace.SessionInfo, error) {
	if err := enterWorkspace(ctx, tx, tenant.Workspace); err != nil {
		return workspace.SessionInfo{}, err
	}
	made, err := dbsqlc.New(tx).InsertSession(ctx, dbsqlc.InsertSessionParams{
		WorkspaceID: int64(tenant.Workspace), PersonID: person, TokenHash: row.Hash[:], IdleFor: row.Limits.Idle, Lifetime: row.Limits.Lifetime,
	})
	if err != nil {
		return workspace.SessionInfo{}, fmt.Errorf("store a session: %w", err)
	}
	p := id.Person(person)
	err = record(ctx, tx, tenant, audit.Event{
		Actor: audit.Person(p), Action: audit.SignedIn, Outcome: audit.Succeeded, TargetType: "person", TargetID: p.String(),
		Payload: map[string]any{"session_id": id.Session(made.SessionID).String(), "email": who.Email},
	})
	if err != nil {
		return workspace.SessionInfo{}, err
	}
	return workspace.SessionInfo{
		ID: id.Session(made.SessionID), Person: workspace.PersonProfile{ID: p, Name: who.Name, Email: who.Email},
		CreatedAt: made.CreatedAt, ExpiresAt: made.ExpiresAt, IdleFor: row.Limits.Idle,
	}, nil
}

// joining gives a person who signs in their places.
type joining struct {
	tx     pgx.Tx
	q      *dbsqlc.Queries
	tenant id.Tenant
	who    workspace.Identity
	person int64
	// left says that a membership ended.
	left bool
}

// enter goes to a workspace and locks its membership.
func (j *joining) enter(ctx context.Context, w id.Workspace) (scope id.Scope, archived bool, err error) {
	scope = id.Scope{Tenant: j.tenant, Workspace: w}
	if err := enterWorkspace(ctx, j.tx, w); err != nil {
		return scope, false, err
	}
	row, err := j.q.LockWorkspaceMembers(ctx, int64(w))
	if err != nil {
		return scope, false, fmt.Errorf("lock the membership of workspace %s: %w", w, err)
	}
	return scope, row.ArchivedAt != nil, nil
}

// member returns the person's membership where the transaction is; ok is false
// where there is none.
func (j *joining) member(ctx context.Context, scope id.Scope) (m workspace.Member, ok bool, err error) {
	row, err := j.q.FindMemberOfPerson(ctx, dbsqlc.FindMemberOfPersonParams{WorkspaceID: int64(scope.Workspace), PersonID: &j.person})
	if errors.Is(err, pgx.ErrNoRows) {
		return m, false, nil
	}
	if err != nil {
		return m, false, fmt.Errorf("find a membership: %w", err)
	}
	return workspace.Member{ID: id.Member(row.MemberID), Role: workspace.Role(row.Role), Source: workspace.Source(row.Source)}, true, nil
}

// join makes the person a member where the transaction is.
func (j *joining) join(ctx context.Context, scope id.Scope, role workspace.Role, source workspace.Source, why map[string]any) (workspace.Member, error) {
	made, err := j.q.InsertPersonMember(ctx, dbsqlc.InsertPersonMemberParams{
		WorkspaceID: int64(scope.Workspace), Name: j.who.Name, Email: j.email(), Role: string(role), PersonID: &j.person, Source: string(source),
	})
	if err != nil {
		return workspace.Member{}, fmt.Errorf("make a member: %w", err)
	}
	m := id.Member(made)
	why["role"] = string(role)
	return workspace.Member{ID: m, Role: role, Source: source}, record(ctx, j.tx, scope, audit.Event{
		Actor: audit.Member(m), Action: audit.MemberJoined, Outcome: audit.Succeeded, TargetType: "member", TargetID: m.String(), Payload: why,
	})
}

// email is the address as members are found by it: one that the provider
// vouches for, or none.
func (j *joining) email() *string {
	if !j.who.EmailVerified {
		return nil
	}
	return orNull(j.who.Email)
}

// joinAndLeave accepts invitations and applies claims. It enters each workspace
// once, in order of id, so that sign-ins wait for one another and never in a
// circle.
func (j *joining) joinAndLeave(ctx context.Context) error {
	invited, err := j.invitations(ctx)
	if err != nil {
		return err
	}
	all, err := j.claimed(ctx)
	if err != nil {
		return err
	}
	all = slices.AppendSeq(all, maps.Keys(invited))
	slices.Sort(all)
	for _, w := range slices.Compact(all) {
		scope, archived, err := j.enter(ctx, w)
		if err != nil {
			return err
		}
		if i, ok := invited[w]; ok && !archived {
			if err := j.accept(ctx, scope, i); err != nil {
				return fmt.Errorf("accept invitation %s: %w", i, err)
			}
		}
		if err := j.applyClaimsIn(ctx, scope, archived); err != nil {
			return fmt.Errorf("apply claims in workspace %s: %w", w, err)
		}
	}
	return nil
}
