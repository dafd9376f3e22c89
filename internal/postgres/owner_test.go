package postgres_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Who was named last is to own a workspace, and not who signs in last; tenant
// administrators are told who that is, members are not.
func TestLastNamedOwnerIsTheOneWhoComes(t *testing.T) {
	t.Parallel()
	p := newPeople(t)
	ctx := t.Context()
	made, _, err := p.service.CreateWorkspace(ctx, p.tenant, "Payments", "alice@example.com")
	require.NoError(t, err)
	require.Zero(t, made.Owner)
	require.Equal(t, "alice@example.com", made.PendingOwner.Email)
	require.Greater(t, made.PendingOwner.ExpiresAt, time.Now())

	moved, err := p.service.Transfer(ctx, p.tenant, made.ID, 0, "Bob@example.com")
	require.NoError(t, err)
	require.Equal(t, "bob@example.com", moved.PendingOwner.Email)
	listed, err := p.service.Workspaces(ctx, p.tenant, made.ID-1, 10)
	require.NoError(t, err)
	require.Equal(t, []workspace.Workspace{moved}, listed, "in the list of all workspaces, too")
	archived, err := p.service.Archive(ctx, p.tenant, made.ID)
	require.NoError(t, err)
	require.Equal(t, "bob@example.com", archived.PendingOwner.Email, "other answers tell it too")
	_, err = p.service.Unarchive(ctx, p.tenant, made.ID)
	require.NoError(t, err)

	s := p.signIn(t, "bob", "bob@example.com")
	bob := p.mustBe(t, s, made.ID.String())
	seen, err := p.service.Current(ctx, bob)
	require.NoError(t, err)
	require.Equal(t, bob.Member, seen.Owner)
	_, err = p.service.SignIn(ctx, p.directory.issue("alice", "alice@example.com"), "")
	require.ErrorIs(t, err, workspace.ErrNoWorkspace, "who was named before has no invitation any more")

	// Somebody who is a member needs no invitation, and ends the one that waits.
	_, err = p.service.Transfer(ctx, p.tenant, made.ID, 0, "carol@example.com")
	require.NoError(t, err)
	seen, err = p.service.Current(ctx, bob)
	require.NoError(t, err)
	require.Equal(t, bob.Member, seen.Owner, "until she comes")
	require.Nil(t, seen.PendingOwner, "which members are not told")
	back, err := p.service.Transfer(ctx, p.tenant, made.ID, bob.Member, "")
	require.NoError(t, err)
	require.Nil(t, back.PendingOwner)
	listed, err = p.service.Workspaces(ctx, p.tenant, made.ID-1, 10)
	require.NoError(t, err)
	require.Equal(t, []workspace.Workspace{back}, listed)
	_, err = p.service.SignIn(ctx, p.directory.issue("carol", "carol@example.com"), "")
	require.ErrorIs(t, err, workspace.ErrNoWorkspace)
	require.Contains(t, p.actions(t, bob.Scope), audit.InvitationRevoked)
}
