package postgres_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/secret"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// directory is an identity provider whose ID tokens are the names of identities.
type directory struct {
	mu    sync.Mutex
	known map[string]workspace.Identity
}

func (*directory) Settings() workspace.SignInSettings { return workspace.SignInSettings{} }

func (d *directory) Verify(_ context.Context, token, _ string) (workspace.Identity, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	who, ok := d.known[token]
	if !ok {
		return who, fault.New(fault.Unauthenticated, "the token is not accepted")
	}
	return who, nil
}

// issue makes an ID token for a person with claims.
func (d *directory) issue(subject, email string, claims ...workspace.Claim) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	token := fmt.Sprintf("%s %d", subject, len(d.known))
	d.known[token] = workspace.Identity{
		Issuer: "https://login.example.com", Subject: subject, Email: email, EmailVerified: true, Name: subject, Claims: claims,
		TokenHash: sha256.Sum256([]byte(token)), TokenExpires: time.Now().Add(time.Hour),
	}
	return token
}

// people is a plane whose people can sign in, and its administrators.
type people struct {
	*plane
	directory *directory
	service   *workspace.Service
	// admin and other administer workspaces a and b, tenant the tenant.
	admin, other, tenant workspace.Caller
}

func newPeople(t *testing.T) *people {
	t.Helper()
	p := &people{plane: newPlane(t), directory: &directory{known: map[string]workspace.Identity{}}}
	p.service = &workspace.Service{
		Store: p.workspaces, Provider: p.directory, Sessions: workspace.SessionLimits{Idle: time.Hour, Lifetime: 12 * time.Hour},
	}
	of := func(issue func() (secret.Secret, error)) workspace.Caller {
		key, err := issue()
		require.NoError(t, err)
		c, err := workspace.Authenticate(t.Context(), p.workspaces, workspace.Credentials{Token: key.RevealString()})
		require.NoError(t, err)
		return c
	}
	p.admin = of(func() (secret.Secret, error) { return workspace.IssueAdminKey(t.Context(), p.workspaces, p.a, "a") })
	p.other = of(func() (secret.Secret, error) { return workspace.IssueAdminKey(t.Context(), p.workspaces, p.b, "b") })
	p.tenant = of(func() (secret.Secret, error) { return workspace.IssueTenantKey(t.Context(), p.workspaces, "t") })
	return p
}

func (p *people) invite(t *testing.T, by workspace.Caller, email string, role workspace.Role) workspace.Invitation {
	t.Helper()
	i, err := p.service.Invite(t.Context(), by, email, role, time.Time{})
	require.NoError(t, err)
	return i
}

// signIn signs a person in and returns the session's token.
func (p *people) signIn(t *testing.T, subject, email string, claims ...workspace.Claim) workspace.SignIn {
	t.Helper()
	made, err := p.service.SignIn(t.Context(), p.directory.issue(subject, email, claims...), "")
	require.NoError(t, err)
	return made
}

// as returns the caller that a session is in a workspace.
func (p *people) as(t *testing.T, s workspace.SignIn, in string) (workspace.Caller, error) {
	t.Helper()
	return workspace.Authenticate(t.Context(), p.workspaces, workspace.Credentials{Token: s.Token.RevealString(), Workspace: in})
}

func (p *people) mustBe(t *testing.T, s workspace.SignIn, in string) workspace.Caller {
	t.Helper()
	c, err := p.as(t, s, in)
	require.NoError(t, err)
	return c
}

func TestInvitationsMakeMembersWhereTheyInviteTo(t *testing.T) {
	t.Parallel()
	p := newPeople(t)
	p.invite(t, p.admin, "Alice@Example.com", workspace.ConnectorBuilder)
	p.invite(t, p.other, "alice@example.com", workspace.Viewer)
	p.invite(t, p.tenant, "alice@example.com", workspace.TenantAdmin)
	_, err := p.service.Invite(t.Context(), p.admin, "alice@example.com", workspace.Viewer, time.Time{})
	require.Equal(t, fault.Conflict, fault.KindOf(err), "one open invitation")

	s := p.signIn(t, "alice", "alice@example.com")
	require.Len(t, s.Memberships, 3)
	for in, role := range map[string]workspace.Role{
		p.a.Workspace.String(): workspace.ConnectorBuilder, p.b.Workspace.String(): workspace.Viewer, "tenant": workspace.TenantAdmin,
	} {
		c := p.mustBe(t, s, in)
		require.Equal(t, role, c.Role, in)
		require.Equal(t, s.Session.Person.ID, c.Person)
	}
	c := p.mustBe(t, s, "")
	require.Zero(t, c.Member)
	require.Error(t, c.Require(workspace.ReadWorkspace), "nowhere, there is no capability")
	_, err = p.service.Invite(t.Context(), p.admin, "alice@example.com", workspace.Admin, time.Time{})
	require.Equal(t, fault.Conflict, fault.KindOf(err), "a member is not invited")
	require.Contains(t, p.actions(t, p.a), audit.MemberJoined)
	require.Equal(t, 1, p.count(t, "audit_events where action = 'signed_in'"))

	again := p.signIn(t, "alice", "alice@example.com")
	require.NotEqual(t, s.Token.RevealString(), again.Token.RevealString(), "every sign-in has its own session")
	require.Equal(t, 3, p.count(t, "members where kind = 'person'"), "and the same memberships")
}

func TestWhoIsNotInvitedGetsNothing(t *testing.T) {
	t.Parallel()
	p := newPeople(t)
	expired := p.invite(t, p.admin, "bob@example.com", workspace.Admin)
	_, err := p.super.Exec(t.Context(), "update invitations set expires_at = now() where invitation_id = $1", int64(expired.ID))
	require.NoError(t, err)
	revoked := p.invite(t, p.other, "bob@example.com", workspace.Admin)
	require.NoError(t, p.service.RevokeInvitation(t.Context(), p.other, revoked.ID))
	require.NoError(t, p.service.RevokeInvitation(t.Context(), p.other, revoked.ID), "twice changes nothing")
	p.invite(t, p.admin, "carol@example.com", workspace.Admin)

	unverified := p.directory.issue("carol", "carol@example.com")
	p.directory.mu.Lock()
	who := p.directory.known[unverified]
	who.EmailVerified = false
	p.directory.known[unverified] = who
	p.directory.mu.Unlock()
	for _, token := range []string{p.directory.issue("bob", "bob@example.com"), p.directory.issue("eve", ""), unverified} {
		_, err := p.service.SignIn(t.Context(), token, "")
		require.Equal(t, fault.Forbidden, fault.KindOf(err))
		require.ErrorIs(t, err, workspace.ErrNoWorkspace)
	}
	require.Zero(t, p.count(t, "people"), "nothing is kept of them")
	require.Zero(t, p.count(t, "sessions"))
	require.Equal(t, 3, p.count(t, "audit_events where action = 'sign_in_refused'"))
	p.invite(t, p.admin, "bob@example.com", workspace.Viewer)
	require.Equal(t, workspace.Viewer, p.mustBe(t, p.signIn(t, "bob", "bob@example.com"), p.a.Workspace.String()).Role, "an expired one makes way")
}

// Of many people with one address, whoever comes first is invited.
func TestInvitationIsAcceptedOnce(t *testing.T) {
	t.Parallel()
	p := newPeople(t)
	p.invite(t, p.admin, "alice@example.com", workspace.Admin)
	const many = 8
	var all sync.WaitGroup
	in := make([]bool, many)
	for i := range many {
		token := p.directory.issue(fmt.Sprintf("alice-%d", i), "alice@example.com")
		all.Go(func() {
			_, err := p.service.SignIn(t.Context(), token, "")
			in[i] = err == nil
			if err != nil && fault.KindOf(err) != fault.Forbidden {
				t.Error(err)
			}
		})
	}
	all.Wait()
	got := 0
	for _, ok := range in {
		if ok {
			got++
		}
	}
	require.Equal(t, 1, got)
	require.Equal(t, 1, p.count(t, "members where kind = 'person'"))
	require.Equal(t, 1, p.count(t, "audit_events where action = 'member_joined'"))
}

func TestTokenIsGoodForOneSession(t *testing.T) {
	t.Parallel()
	p := newPeople(t)
	p.invite(t, p.admin, "alice@example.com", workspace.Viewer)
	token := p.directory.issue("alice", "alice@example.com")
	const many = 6
	var all sync.WaitGroup
	errs := make([]error, many)
	for i := range many {
		all.Go(func() { _, errs[i] = p.service.SignIn(t.Context(), token, "") })
	}
	all.Wait()
	refused := 0
	for _, err := range errs {
		if err != nil {
			require.Equal(t, fault.Unauthenticated, fault.KindOf(err))
			refused++
		}
	}
	require.Equal(t, many-1, refused)
	require.Equal(t, 1, p.count(t, "sessions"))
	require.Equal(t, many-1, p.count(t, "audit_events where payload->>'reason' = 'token_spent'"))
	require.Zero(t, p.count(t, "sessions where encode(token_hash, 'escape') like 'gs%'"), "only hashes are stored")
}

func TestSessionWorksUntilItEnds(t *testing.T) {
	t.Parallel()
	p := newPeople(t)
	p.invite(t, p.admin, "alice@example.com", workspace.Viewer)
	s, second := p.signIn(t, "alice", "alice@example.com"), p.signIn(t, "alice", "alice@example.com")
	a := p.a.Workspace.String()
	p.mustBe(t, s, a)
	for why, sql := range map[string][2]string{
		"expired": {"update sessions set expires_at = now()", "update sessions set expires_at = now() + interval '1 hour'"},
		"idle":    {"update sessions set last_used_at = now() - interval '61 minutes'", "update sessions set last_used_at = now()"},
		"ended":   {"update sessions set ended_at = now()", "update sessions set ended_at = null"},
	} {
		_, err := p.super.Exec(t.Context(), sql[0])
		require.NoError(t, err)
		_, err = p.as(t, s, a)
		require.Equal(t, fault.Unauthenticated, fault.KindOf(err), why)
		_, err = p.super.Exec(t.Context(), sql[1])
		require.NoError(t, err)
	}
	caller := p.mustBe(t, s, "")
	require.NoError(t, p.service.SignOut(t.Context(), caller, false))
	_, err := p.as(t, s, a)
	require.Equal(t, fault.Unauthenticated, fault.KindOf(err))
	p.mustBe(t, second, a)
	third := p.signIn(t, "alice", "alice@example.com")
	require.NoError(t, p.service.SignOut(t.Context(), p.mustBe(t, third, ""), true))
	for _, ended := range []workspace.SignIn{second, third} {
		_, err := p.as(t, ended, a)
		require.Equal(t, fault.Unauthenticated, fault.KindOf(err), "everywhere")
	}
	require.Equal(t, fault.NotFound, fault.KindOf(p.service.SignOut(t.Context(), p.admin, false)), "a key is no session")
}

// Every way of being wrong about a session has one answer, and a workspace that
// is somebody else's has that of one which does not exist.
func TestSessionsAndKeysStayWhereTheyBelong(t *testing.T) {
	t.Parallel()
	p := newPeople(t)
	p.invite(t, p.admin, "alice@example.com", workspace.Admin)
	s := p.signIn(t, "alice", "alice@example.com")
	for _, in := range []string{p.b.Workspace.String(), "w_999999", "w_9223372036854775807"} {
		_, err := p.as(t, s, in)
		require.Equal(t, fault.NotFound, fault.KindOf(err), in)
		require.EqualError(t, err, "there is no workspace "+in+" that you are a member of")
	}
	for _, in := range []string{"tenant", "1", "w_0", "conn_1", "' or true --"} {
		_, err := p.as(t, s, in)
		require.Equal(t, fault.NotFound, fault.KindOf(err), in)
	}
	text := s.Token.RevealString()
	for _, guess := range []string{"", "gs_", text[:len(text)-1], text + "a", text[:len(text)-1] + "!", "gs_" + text, "GS_" + text[3:], text[3:]} {
		_, err := workspace.Authenticate(t.Context(), p.workspaces, workspace.Credentials{Token: guess, Workspace: p.a.Workspace.String()})
		require.Equal(t, fault.Unauthenticated, fault.KindOf(err), guess)
	}
	key, plain, err := p.service.CreateKey(t.Context(), p.admin, "ci", workspace.Viewer, nil)
	require.NoError(t, err)
	for in, want := range map[string]fault.Kind{"": 0, p.a.Workspace.String(): 0, p.b.Workspace.String(): fault.NotFound, "tenant": fault.NotFound, "x": fault.NotFound} {
		c, err := workspace.Authenticate(t.Context(), p.workspaces, workspace.Credentials{Token: plain.RevealString(), Workspace: in})
		if want == 0 {
			require.NoError(t, err, in)
			require.Equal(t, key.ID, c.Member)
			continue
		}
		require.Equal(t, want, fault.KindOf(err), in)
	}
}

func TestRemovedMemberIsOutAtOnce(t *testing.T) {
	t.Parallel()
	p := newPeople(t)
	ctx := t.Context()
	p.invite(t, p.admin, "alice@example.com", workspace.Admin)
	p.invite(t, p.other, "alice@example.com", workspace.Viewer)
	s := p.signIn(t, "alice", "alice@example.com")
	alice := p.mustBe(t, s, p.a.Workspace.String())
	made, plain, err := p.service.CreateKey(ctx, alice, "hers", workspace.Admin, nil)
	require.NoError(t, err)
	require.Equal(t, alice.Member, made.MadeBy)
	hers, err := workspace.Authenticate(ctx, p.workspaces, workspace.Credentials{Token: plain.RevealString()})
	require.NoError(t, err)
	_, deeper, err := p.service.CreateKey(ctx, hers, "its own", workspace.Viewer, nil)
	require.NoError(t, err)

	require.Equal(t, fault.NotFound, fault.KindOf(p.service.RemoveMember(ctx, p.other, alice.Member)), "from another workspace")
	require.Equal(t, fault.Conflict, fault.KindOf(p.service.RemoveMember(ctx, p.admin, made.ID)), "a key is revoked")
	require.NoError(t, p.service.RemoveMember(ctx, p.admin, alice.Member))
	require.NoError(t, p.service.RemoveMember(ctx, p.admin, alice.Member), "twice changes nothing")
	_, err = p.as(t, s, p.a.Workspace.String())
	require.Equal(t, fault.NotFound, fault.KindOf(err), "mid-session")
	for _, ended := range []secret.Secret{plain, deeper} {
		_, err = workspace.Authenticate(ctx, p.workspaces, workspace.Credentials{Token: ended.RevealString()})
		require.Equal(t, fault.Unauthenticated, fault.KindOf(err))
	}
	p.mustBe(t, s, p.b.Workspace.String())
	require.Equal(t, 1, p.count(t, "audit_events where action = 'member_removed' and jsonb_array_length(payload->'keys_revoked') = 2"))
}

func TestClaimsDecideAtEachSignIn(t *testing.T) {
	t.Parallel()
	p := newPeople(t)
	ctx := t.Context()
	mapped := func(by workspace.Caller, value string, role workspace.Role) workspace.ClaimMapping {
		m, err := p.service.CreateMapping(ctx, by, "groups", value, role)
		require.NoError(t, err)
		return m
	}
	readers := mapped(p.admin, "readers", workspace.Viewer)
	mapped(p.admin, "platform", workspace.Admin)
	mapped(p.other, "readers", workspace.Viewer)
	_, err := p.service.CreateMapping(ctx, p.admin, "groups", "readers", workspace.Admin)
	require.Equal(t, fault.Conflict, fault.KindOf(err))
	group := func(values ...string) (claims []workspace.Claim) {
		for _, v := range values {
			claims = append(claims, workspace.Claim{Name: "groups", Value: v})
		}
		return claims
	}
	a, b := p.a.Workspace.String(), p.b.Workspace.String()

	s := p.signIn(t, "alice", "", group("readers", "platform")...)
	alice := p.mustBe(t, s, a)
	require.Equal(t, workspace.Admin, alice.Role, "the strongest holds")
	require.Equal(t, workspace.Viewer, p.mustBe(t, s, b).Role)
	_, err = p.service.SetRole(ctx, p.admin, alice.Member, workspace.Viewer)
	require.Equal(t, fault.Conflict, fault.KindOf(err), "claims decide")

	s = p.signIn(t, "alice", "", group("readers")...)
	require.Equal(t, workspace.Viewer, p.mustBe(t, s, a).Role)
	require.Equal(t, alice.Member, p.mustBe(t, s, a).Member, "the same member")
	require.NoError(t, p.service.DeleteMapping(ctx, p.admin, readers.ID))
	require.Equal(t, fault.NotFound, fault.KindOf(p.service.DeleteMapping(ctx, p.admin, readers.ID)))
	p.mustBe(t, s, a)
	s = p.signIn(t, "alice", "", group("readers")...)
	_, err = p.as(t, s, a)
	require.Equal(t, fault.NotFound, fault.KindOf(err), "no mapping fits any more")
	p.mustBe(t, s, b)
	_, err = p.service.SignIn(ctx, p.directory.issue("alice", ""), "")
	require.ErrorIs(t, err, workspace.ErrNoWorkspace)
	_, err = p.as(t, s, b)
	require.Equal(t, fault.NotFound, fault.KindOf(err), "what the claims ended has ended, for older sessions too")

	// Who was invited stays, whatever the claims say.
	p.invite(t, p.admin, "bob@example.com", workspace.ConnectorBuilder)
	bob := p.signIn(t, "bob", "bob@example.com", group("platform")...)
	require.Equal(t, workspace.ConnectorBuilder, p.mustBe(t, bob, a).Role)
	require.Equal(t, workspace.ConnectorBuilder, p.mustBe(t, p.signIn(t, "bob", "bob@example.com"), a).Role)
}

func TestNobodyGivesMoreThanTheyHave(t *testing.T) {
	t.Parallel()
	p := newPeople(t)
	ctx := t.Context()
	for _, by := range []workspace.Caller{p.admin, p.tenant} {
		for _, role := range append(workspace.Roles(), "root", "") {
			allowed := (role == workspace.TenantAdmin) == (by.Role == workspace.TenantAdmin) && role.Known()
			_, _, keyErr := p.service.CreateKey(ctx, by, "k", role, nil)
			_, inviteErr := p.service.Invite(ctx, by, fmt.Sprintf("%s-%d@example.com", role, by.Member), role, time.Time{})
			_, mapErr := p.service.CreateMapping(ctx, by, "groups", "for "+string(role), role)
			for _, err := range []error{keyErr, inviteErr, mapErr} {
				require.Equal(t, allowed, err == nil, "%s by %s: %v", role, by.Role, err)
			}
		}
	}
}
