package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/postgres/dbsqlc"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

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
