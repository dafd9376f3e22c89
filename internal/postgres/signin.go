package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
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

// invitations returns what is open for the person's address, if the provider
// vouches for it: one in a workspace at most.
func (j *joining) invitations(ctx context.Context) (map[id.Workspace]id.Invitation, error) {
	address := j.email()
	if address == nil {
		return nil, nil
	}
	rows, err := j.tx.Query(ctx, "select workspace_id, invitation_id from open_invitations($1)", *address)
	if err != nil {
		return nil, fmt.Errorf("find invitations: %w", err)
	}
	open := map[id.Workspace]id.Invitation{}
	var w id.Workspace
	var i id.Invitation
	_, err = pgx.ForEachRow(rows, []any{&w, &i}, func() error {
		open[w] = i
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find invitations: %w", err)
	}
	return open, nil
}

// accept makes the person a member by an invitation. Of several people with one
// address, one is invited: the invitation's row is locked and looked at again.
func (j *joining) accept(ctx context.Context, scope id.Scope, i id.Invitation) error {
	w := scope.Workspace
	row, err := j.q.LockInvitation(ctx, dbsqlc.LockInvitationParams{WorkspaceID: int64(w), InvitationID: int64(i)})
	if err != nil || row.AcceptedAt != nil || row.RevokedAt != nil {
		return err
	}
	m, is, err := j.member(ctx, scope)
	if err != nil {
		return err
	}
	why := map[string]any{"invitation_id": i.String(), "makes_owner": row.MakesOwner}
	if is {
		err = record(ctx, j.tx, scope, audit.Event{
			Actor: audit.Member(m.ID), Action: audit.InvitationAccepted, Outcome: audit.Succeeded, TargetType: "invitation", TargetID: i.String(), Payload: why,
		})
	} else {
		m, err = j.join(ctx, scope, workspace.Role(row.Role), workspace.Direct, why)
	}
	if err != nil {
		return err
	}
	if row.MakesOwner {
		err := becomeOwner(ctx, j.tx, scope, m, audit.Event{
			Actor: audit.Member(m.ID), Action: audit.WorkspaceTransferred, Outcome: audit.Succeeded, TargetType: "workspace", TargetID: w.String(),
			Payload: map[string]any{"to": m.ID.String(), "invitation_id": i.String()},
		})
		if err != nil {
			return err
		}
	}
	accepted := int64(m.ID)
	return j.q.AcceptInvitation(ctx, dbsqlc.AcceptInvitationParams{WorkspaceID: int64(w), InvitationID: int64(i), AcceptedBy: &accepted})
}

// claimed returns every workspace that the claims have a word in: those whose
// mappings name one of the person's claims, and those where they are a member.
func (j *joining) claimed(ctx context.Context) ([]id.Workspace, error) {
	names, values := make([]string, len(j.who.Claims)), make([]string, len(j.who.Claims))
	for i, c := range j.who.Claims {
		names[i], values[i] = c.Name, c.Value
	}
	mapped, err := workspacesOf(ctx, j.tx, "select workspace_id from workspaces_for_claims($1, $2)", names, values)
	if err != nil {
		return nil, fmt.Errorf("find claim mappings: %w", err)
	}
	joined, err := workspacesOf(ctx, j.tx, "select workspace_id from workspaces_of_person($1)", j.person)
	if err != nil {
		return nil, fmt.Errorf("find the workspaces of a person: %w", err)
	}
	return slices.Concat(mapped, joined), nil
}

// applyClaimsIn does what the claims say in one workspace. An archived one gives
// nobody access, but ends it.
func (j *joining) applyClaimsIn(ctx context.Context, scope id.Scope, archived bool) error {
	w := scope.Workspace
	rows, err := j.q.AllMappings(ctx, int64(w))
	if err != nil {
		return fmt.Errorf("read claim mappings: %w", err)
	}
	mappings := make([]workspace.ClaimMapping, len(rows))
	for i, r := range rows {
		mappings[i] = mappingFromRow(w, r)
	}
	role, mapped := workspace.ClaimedRole(mappings, j.who.Claims)
	m, is, err := j.member(ctx, scope)
	if err != nil {
		return err
	}
	by := audit.System("sign-in")
	switch {
	case !is && mapped && !archived:
		_, err := j.join(ctx, scope, role, workspace.FromClaims, map[string]any{"by": "claims"})
		return err
	case !is:
		return nil
	case m.Source == workspace.FromClaims && !mapped:
		return j.leave(ctx, scope, m, by)
	case m.Source == workspace.FromClaims && m.Role != role && !archived:
		err := setRole(ctx, j.tx, scope, &m, role, audit.Event{Actor: by, Action: audit.MemberRoleChanged, Outcome: audit.Succeeded, TargetType: "member"})
		if err != nil {
			return err
		}
	}
	err = j.q.SetMemberProfile(ctx, dbsqlc.SetMemberProfileParams{WorkspaceID: int64(w), MemberID: int64(m.ID), Name: j.who.Name, Email: j.email()})
	if err != nil {
		return fmt.Errorf("store the name of a member: %w", err)
	}
	return nil
}

// leave ends a membership that no claim gives any more. The provider's word
// holds even for an owner or a last admin: a tenant administrator finds another.
func (j *joining) leave(ctx context.Context, scope id.Scope, m workspace.Member, by audit.Actor) error {
	j.left = true
	row, err := j.q.GetWorkspace(ctx, int64(scope.Workspace))
	if err != nil {
		return fmt.Errorf("read the owner: %w", err)
	}
	e := audit.Event{Actor: by, Action: audit.MemberRemoved, Outcome: audit.Succeeded, TargetType: "member", Payload: map[string]any{}}
	if id.Member(orZero(row.OwnerID)) == m.ID {
		e.Payload["was_owner"] = true
		if err := j.q.SetOwner(ctx, dbsqlc.SetOwnerParams{WorkspaceID: int64(scope.Workspace)}); err != nil {
			return fmt.Errorf("end an ownership: %w", err)
		}
	}
	return removeMember(ctx, j.tx, scope, m.ID, e)
}

// becomeOwner makes a member the owner of the workspace that the transaction is
// in, and an admin by that and not by claims, with the event of it.
func becomeOwner(ctx context.Context, tx pgx.Tx, scope id.Scope, m workspace.Member, e audit.Event) error {
	if m.Role != workspace.Admin || m.Source != workspace.Direct {
		m.Source = workspace.Direct
		err := setRole(ctx, tx, scope, &m, workspace.Admin, audit.Event{Actor: e.Actor, Action: audit.MemberRoleChanged, Outcome: audit.Succeeded, TargetType: "member"})
		if err != nil {
			return err
		}
	}
	owner := int64(m.ID)
	if err := dbsqlc.New(tx).SetOwner(ctx, dbsqlc.SetOwnerParams{WorkspaceID: int64(scope.Workspace), OwnerID: &owner}); err != nil {
		return fmt.Errorf("set the owner: %w", err)
	}
	return record(ctx, tx, scope, e)
}

// personOf returns an active person of the workspace that the transaction is in.
func personOf(ctx context.Context, tx pgx.Tx, scope id.Scope, m id.Member) (workspace.Member, error) {
	member, err := getMember(ctx, tx, scope, m)
	switch {
	case err != nil:
		return workspace.Member{}, err
	case member.Kind != workspace.Person:
		return workspace.Member{}, fault.New(fault.Conflict, "%s is an API key; a workspace is owned by a person", m)
	case member.RemovedAt != nil:
		return workspace.Member{}, fault.New(fault.Conflict, "%s is no member any more; name somebody who is", m)
	}
	return member, nil
}
