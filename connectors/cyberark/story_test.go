package cyberark_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/simulator/cyberark/estate"
)

// TestUsersAreTheEstates compares users with the truth that the simulator serves.
func TestUsersAreTheEstates(t *testing.T) {
	t.Parallel()
	c := newTenant(t, 300, seed)
	e, g := c.Estate(), discover(t, c.settings(t, nil))
	require.Empty(t, g.gaps)
	kinds := []string{"cloud_user", "active_directory_user", "federated_user"}
	never := 0
	for i := range e.Company.People() {
		u := e.User(i)
		account, ok := g.entities[connector.Ref{Kind: connector.Account, ID: u.ID}]
		require.True(t, ok, u.Login)
		require.Equal(t, kinds[u.Directory], account.Type)
		said := string(account.Attributes)
		require.Equal(t, !u.Enabled, strings.Contains(said, `"disabled":true`), said)
		require.Equal(t, u.Locked, strings.Contains(said, `"locked":true`), said)
		require.Equal(t, !u.Known, strings.Contains(said, `"used":false`), said)
		require.Equal(t, u.Known && u.LastLogin != nil, strings.Contains(said, `"last_sign_in_at"`), said)
		if u.LastLogin != nil && u.Known {
			require.Contains(t, said, u.LastLogin.UTC().Format("2006-01-02T15:04:05Z"))
		}
		require.Equal(t, u.Stuck, strings.Contains(said, `"mfa_blocked":true`), said)
		person := g.entities[connector.Ref{Kind: connector.Principal, ID: u.ID}]
		typed := u.Directory != estate.DirectoryActive
		require.Contains(t, person.Identifiers, connector.Identifier{Type: connector.Email, Value: u.Mail, Unverified: typed})
		require.Contains(t, person.Identifiers, connector.Identifier{Type: connector.UserPrincipalName, Value: u.Login, Unverified: typed})
		require.Len(t, g.edges(connector.BoundaryContains, strings.ToLower(e.Directories[u.Directory].ID), u.ID), 1)
		if !u.Known {
			never++
		}
	}
	require.Positive(t, never, "users who never signed in are read as well")
	service := g.entities[connector.Ref{Kind: connector.Account, ID: e.Auditor.UserID}]
	require.Equal(t, "cloud_user", service.Type)
}

// TestRolesAndRightsAreTheEstates compares members, nested roles and rights.
func TestRolesAndRightsAreTheEstates(t *testing.T) {
	t.Parallel()
	c := newTenant(t, 120, seed)
	e, g := c.Estate(), discover(t, c.settings(t, map[string]any{"include_mfa": nil}))
	require.Empty(t, g.gaps)
	nested := 0
	for i := range e.Roles {
		r := &e.Roles[i]
		require.Equal(t, r.Name, g.entities[connector.Ref{Kind: connector.Entitlement, ID: r.ID}].Name)
		for n := range e.Members(r) {
			m := e.Member(r, n)
			kind := connector.EntitlementIncludesEntitlement
			if m.Kind == estate.MemberUser {
				kind = connector.AccountAssignedEntitlement
			}
			if m.Kind == estate.MemberRole {
				nested++
			}
			require.Len(t, g.edges(kind, m.ID, r.ID), 1, "%s %s in %s", m.Kind, m.Name, r.Name)
		}
		for _, right := range r.Rights {
			path := strings.ToLower(right)
			require.Len(t, g.edges(connector.EntitlementIncludesEntitlement, r.ID, "rights/"+path), 1)
			granted := g.edges(connector.EntitlementGrantsResource, "rights/"+path, e.TenantID)
			require.Len(t, granted, 1)
			require.Equal(t, []string{path}, granted[0].Terms.Actions)
		}
	}
	require.Positive(t, nested)
	require.Len(t, g.edges(connector.EntitlementGrantsResource, "sysadmin", e.TenantID), 1)
	require.Equal(t, "User Management", g.entities[connector.Ref{Kind: connector.Entitlement, ID: "rights" + "/" + estate.RightUsers}].Name)
	// Who may unlock MFA: the helpdesk and nobody else.
	helpdesk := map[string]bool{}
	for n := range e.Members(&e.Roles[estate.RoleHelpdesk]) {
		helpdesk[e.Member(&e.Roles[estate.RoleHelpdesk], n).ID] = true
	}
	require.Equal(t, helpdesk, g.reaching(e.TenantID, estate.RightUnlockMFA))
	everybody := e.Roles[estate.RoleOfEverybody].ID
	for i := range e.Company.People() {
		require.Len(t, g.edges(connector.AccountAssignedEntitlement, e.UserID(i), everybody), 1)
	}
}

// TestLaunchersAreTheEstates asks the graph who may launch each application, and
// compares the answer with what the estate was made of.
func TestLaunchersAreTheEstates(t *testing.T) {
	t.Parallel()
	c := newTenant(t, 120, seed)
	e, g := c.Estate(), discover(t, c.settings(t, map[string]any{"include_mfa": nil}))
	for i := range e.Applications {
		a := &e.Applications[i]
		want := map[string]bool{}
		for _, person := range e.Launchers(a) {
			want[e.UserID(person)] = true
		}
		got := g.reaching(a.ID, "Run")
		delete(got, e.Auditor.UserID)
		require.Equal(t, want, got, a.Name)
	}
	// What comes from a right over all applications is said to.
	payroll := e.Applications[estate.AppPayroll].ID
	inherited := g.edges(connector.EntitlementGrantsResource, e.Roles[estate.RoleApplicationOwners].ID, payroll)
	require.Len(t, inherited, 1)
	require.Equal(t, connector.Inherited, inherited[0].Terms.Given)
	own := g.edges(connector.EntitlementGrantsResource, e.Roles[estate.RolePayroll].ID, payroll)
	require.Len(t, own, 1)
	require.Equal(t, []string{"Read", "Run", "Automatic"}, own[0].Terms.Actions, "the grant's bits are signed")
}
