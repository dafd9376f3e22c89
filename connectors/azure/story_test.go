package azure_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	simulator "github.com/gatehouse-project/gatehouse/simulator/azure"
	"github.com/gatehouse-project/gatehouse/simulator/azure/estate"
)

// TestDirectoryIsTheEstate compares what was read of the directory with the truth
// that the simulator serves.
func TestDirectoryIsTheEstate(t *testing.T) {
	t.Parallel()
	c := newTenant(t, simulator.Options{People: 300})
	e, g := c.Estate(), discover(t, c.settings(t, nil))
	require.Empty(t, g.gaps)
	require.True(t, g.complete)
	for i := range e.Company.People() {
		u := e.User(i)
		account, ok := g.entities[connector.Ref{Kind: connector.Account, ID: u.ID}]
		require.True(t, ok, u.UPN)
		require.Equal(t, u.Guest, account.Type == "entra_guest")
		require.Equal(t, !u.Enabled, strings.Contains(string(account.Attributes), `"disabled":true`), string(account.Attributes))
		person := g.entities[connector.Ref{Kind: connector.Principal, ID: u.ID}]
		mail := connector.Identifier{Type: connector.Email, Value: u.Mail}
		if u.Guest {
			require.NotContains(t, person.Identifiers, mail, "a guest's address is no proof")
		} else {
			require.Contains(t, person.Identifiers, mail)
		}
	}
	for i := range e.Groups {
		group := &e.Groups[i]
		for n := range e.Members(group) {
			switch m := e.Member(group, n); m.Type {
			case estate.TypeUser, estate.TypeServicePrincipal:
				require.Len(t, g.edges(connector.AccountAssignedEntitlement, m.ID, group.ID), 1, "%s in %s", m.Type, group.Name)
			case estate.TypeGroup:
				require.Len(t, g.edges(connector.EntitlementIncludesEntitlement, m.ID, group.ID), 1, "nested in %s", group.Name)
			case estate.TypeDevice:
				require.Empty(t, g.edges(connector.AccountAssignedEntitlement, m.ID, group.ID))
			}
		}
		for _, o := range group.Owners {
			require.Len(t, g.edges(connector.AccountAssignedEntitlement, o.ID, group.ID+"/owners"), 1)
			require.NotEmpty(t, g.edges(connector.EntitlementGrantsResource, group.ID+"/owners", group.ID))
		}
	}
	for _, a := range e.AppRoles {
		kind := connector.AccountAssignedEntitlement
		if a.Principal.Type == estate.TypeGroup {
			kind = connector.EntitlementIncludesEntitlement
		}
		require.NotEmpty(t, g.edges(kind, a.Principal.ID, a.Resource+"/approles/"+a.RoleID))
	}
	for _, a := range e.EligibleRoles {
		kind := connector.AccountAssignedEntitlement
		if a.Principal.Type == estate.TypeGroup {
			kind = connector.EntitlementIncludesEntitlement
		}
		var eligible bool
		for _, r := range g.edges(kind, a.Principal.ID, "directoryroles/"+a.RoleID) {
			eligible = eligible || r.Terms != nil && r.Terms.Given == connector.Eligible && (a.End == nil) == (r.Terms.ExpiresAt == nil)
		}
		require.True(t, eligible)
	}
	for _, a := range e.Applications {
		for _, o := range a.Owners {
			for _, sp := range e.ServicePrincipals {
				if sp.AppID == a.AppID {
					require.Len(t, g.edges(connector.AccountAssumesAccount, o.ID, sp.ID), 1, "an owner may act as the application")
				}
			}
		}
	}
}

// TestAzureIsTheEstate compares role assignments, and what is inherited.
func TestAzureIsTheEstate(t *testing.T) {
	t.Parallel()
	c := newTenant(t, simulator.Options{})
	e, g := c.Estate(), discover(t, c.settings(t, nil))
	role := func(scope, id string) string {
		return strings.TrimSuffix(strings.ToLower(scope), "/") + "/providers/microsoft.authorization/roledefinitions/" + id
	}
	for _, a := range e.Assignments {
		kind := connector.AccountAssignedEntitlement
		if a.Principal.Type == estate.TypeGroup {
			kind = connector.EntitlementIncludesEntitlement
		}
		found := g.edges(kind, a.Principal.ID, role(a.Scope, a.RoleID))
		require.Len(t, found, 1, "once, though every subscription beneath lists it: %s", a.Scope)
		require.Equal(t, a.Condition != "", len(found[0].Terms.Conditions) > 0)
		require.NotEmpty(t, g.edges(connector.EntitlementGrantsResource, role(a.Scope, a.RoleID), strings.ToLower(a.Scope)), a.Scope)
	}
	// Of the platform's management group, in its subscriptions and their resource groups.
	for _, s := range e.Subscriptions {
		for _, at := range append([]string{s.Path()}, paths(s)...) {
			reached := g.edges(connector.EntitlementGrantsResource, role(e.ManagementGroups[1].Path(), "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"), strings.ToLower(at))
			if s.Group != 1 {
				require.Empty(t, reached)
				continue
			}
			require.Len(t, reached, 1)
			require.Equal(t, connector.Inherited, reached[0].Terms.Given)
			require.Equal(t, []string{"*"}, reached[0].Terms.Actions)
		}
	}
	payroll := strings.ToLower(e.PayrollGroup())
	deny := payroll + "/providers/microsoft.authorization/denyassignments/" + e.Denies[0].Name
	denied := g.edges(connector.EntitlementGrantsResource, deny, payroll)
	require.Len(t, denied, 1)
	require.Equal(t, connector.Deny, denied[0].Terms.Effect)
	require.Equal(t, e.Denies[0].NotActions, denied[0].Terms.NotActions)
	require.Len(t, g.edges(connector.AccountAssignedEntitlement, "00000000-0000-0000-0000-000000000000", deny), 1)
}

func paths(s estate.Subscription) (all []string) {
	for _, name := range s.ResourceGroups {
		all = append(all, s.Path()+"/resourceGroups/"+name)
	}
	return all
}

// TestNoSecretIsRead looks for Microsoft's hints of secrets in what is emitted.
func TestNoSecretIsRead(t *testing.T) {
	t.Parallel()
	c := newTenant(t, simulator.Options{})
	g := discover(t, c.settings(t, nil))
	seen := false
	for _, e := range g.entities {
		require.NotContains(t, string(e.Attributes), "hint")
		require.NotContains(t, string(e.Attributes), c.Estate().Auditor.Secret[:3]+`"`)
		seen = seen || strings.Contains(string(e.Attributes), "ends_at")
	}
	require.True(t, seen, "credentials are shown with their end")
}
