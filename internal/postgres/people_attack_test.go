package postgres_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/audit"
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
