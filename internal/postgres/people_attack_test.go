package postgres_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Somebody in the workspace claims another's address, for which nobody vouches.
func TestUnverifiedAddressTakesNothingOver(t *testing.T) {
	t.Parallel()
	p := newPeople(t)
	ctx := t.Context()
	_, err := p.service.CreateMapping(ctx, p.admin, "groups", "all", workspace.Viewer)
	require.NoError(t, err)
	token := p.directory.issue("mallory", "boss@example.com", workspace.Claim{Name: "groups", Value: "all"})
	p.directory.mu.Lock()
	who := p.directory.known[token]
	who.EmailVerified = false
	p.directory.known[token] = who
	p.directory.mu.Unlock()
	mallory, err := p.service.SignIn(ctx, token, "")
	require.NoError(t, err)
	w, err := p.service.Transfer(ctx, p.tenant, p.a.Workspace, 0, "boss@example.com")
	require.NoError(t, err)
	require.Zero(t, w.Owner)
	require.NotContains(t, p.actions(t, p.a), audit.WorkspaceTransferred, "nobody owns it yet")
	require.Equal(t, workspace.Viewer, p.mustBe(t, mallory, p.a.Workspace.String()).Role)

	boss := p.mustBe(t, p.signIn(t, "boss", "boss@example.com"), p.a.Workspace.String())
	w, err = p.service.Current(ctx, boss)
	require.NoError(t, err)
	require.Equal(t, boss.Member, w.Owner)
	require.Contains(t, p.actions(t, p.a), audit.WorkspaceTransferred)
}

func TestSignInsDoNotWaitInACircle(t *testing.T) {
	t.Parallel()
	p := newPeople(t)
	const many = 24
	tokens := make([]string, many)
	for _, by := range []workspace.Caller{p.admin, p.other} {
		_, err := p.service.CreateMapping(t.Context(), by, "groups", "all", workspace.Viewer)
		require.NoError(t, err)
	}
	for i := range many {
		address := fmt.Sprintf("p%d@example.com", i)
		p.invite(t, p.other, address, workspace.Viewer)
		tokens[i] = p.directory.issue(fmt.Sprint(i), address, workspace.Claim{Name: "groups", Value: "all"})
	}
	var all sync.WaitGroup
	errs := make([]error, many)
	for i := range many {
		all.Go(func() { _, errs[i] = p.service.SignIn(t.Context(), tokens[i], "") })
	}
	all.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
}

// What an admin gave ends with their role, whoever they are by now.
func TestAdminWhoIsNoneGivesNothing(t *testing.T) {
	t.Parallel()
	p := newPeople(t)
	ctx := t.Context()
	p.invite(t, p.admin, "alice@example.com", workspace.Admin)
	alice := p.mustBe(t, p.signIn(t, "alice", "alice@example.com"), p.a.Workspace.String())
	_, plain, err := p.service.CreateKey(ctx, alice, "hers", workspace.Admin, nil)
	require.NoError(t, err)
	hers, err := workspace.Authenticate(ctx, p.workspaces, workspace.Credentials{Token: plain.RevealString()})
	require.NoError(t, err)
	p.invite(t, alice, "friend@example.com", workspace.Admin)
	_, err = p.service.SetRole(ctx, p.admin, alice.Member, workspace.Viewer)
	require.NoError(t, err)

	// Both were looked up before the demotion.
	for _, by := range []workspace.Caller{alice, hers} {
		_, _, err = p.service.CreateKey(ctx, by, "late", workspace.Viewer, nil)
		require.Equal(t, fault.Forbidden, fault.KindOf(err))
		_, err = p.service.Invite(ctx, by, "eve@example.com", workspace.Viewer, time.Time{})
		require.Equal(t, fault.Forbidden, fault.KindOf(err))
		_, err = p.service.CreateMapping(ctx, by, "groups", "x", workspace.Viewer)
		require.Equal(t, fault.Forbidden, fault.KindOf(err))
		_, err = p.service.SetRole(ctx, by, alice.Member, workspace.Admin)
		require.Equal(t, fault.Forbidden, fault.KindOf(err))
	}
	_, err = workspace.Authenticate(ctx, p.workspaces, workspace.Credentials{Token: plain.RevealString()})
	require.Equal(t, fault.Unauthenticated, fault.KindOf(err))
	_, err = p.service.SignIn(ctx, p.directory.issue("friend", "friend@example.com"), "")
	require.ErrorIs(t, err, workspace.ErrNoWorkspace)
	require.Contains(t, p.actions(t, p.a), audit.InvitationRevoked)
}

func TestKeyDoesNotOutliveItsMaker(t *testing.T) {
	t.Parallel()
	p := newPeople(t)
	ctx := t.Context()
	by := func(c workspace.Caller, ends *time.Time) (workspace.Key, workspace.Caller) {
		key, plain, err := p.service.CreateKey(ctx, c, "k", workspace.Admin, ends)
		require.NoError(t, err)
		found, err := workspace.Authenticate(ctx, p.workspaces, workspace.Credentials{Token: plain.RevealString()})
		require.NoError(t, err)
		return key, found
	}
	soon := time.Now().Add(time.Hour)
	_, brief := by(p.admin, &soon)
	long, _ := by(brief, nil)
	require.NotNil(t, long.ExpiresAt)
	require.WithinDuration(t, soon, *long.ExpiresAt, time.Second)

	_, err := p.super.Exec(ctx, "update api_keys set revoked_at = now() where workspace_id = $1 and member_id <> $2", int64(p.a.Workspace), int64(p.admin.Member))
	require.NoError(t, err)
	_, first := by(p.admin, nil)
	by(first, nil)
	require.Equal(t, fault.Conflict, fault.KindOf(p.service.RevokeKey(ctx, p.admin, p.admin.Member)), "nobody would be left")
}
