package cyberark_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connectors/cyberark"
)

// TestCallsAreBulk holds the requests of each stream at what CyberArk's best paging
// takes: 10,000 rows a page, and what it tells of one role or application at a time,
// once each.
func TestCallsAreBulk(t *testing.T) {
	t.Parallel()
	const many = 11_000 // two pages of users
	c := newTenant(t, many, seed)
	e, session := c.Estate(), open(t, cyberark.New(), c.settings(t, map[string]any{"include_mfa": nil}))
	_, err := session.Plan(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]int{"token": 1, "Security/whoami": 1}, c.Requests())
	for _, test := range []struct {
		stream string
		most   map[string]int
	}{
		{"tenant", map[string]int{"Core/GetDirectoryServices": 1}},
		{"users", map[string]int{"UserMgmt/GetUsersRolesAndAdministrativeRights": 1, "Redrock/query": 4}},
		{"groups", map[string]int{"Redrock/query": 1}},
		{"roles", map[string]int{"Redrock/query": 1, "Roles/GetRoleMembers": len(e.Roles) - 2}}, // not of Everybody, nor of what a script finds
		{"everybody", map[string]int{"Redrock/query": 3}},
		{"administrative_rights", map[string]int{"UserMgmt/DirectoryServiceQuery": 1}},
		{"applications", map[string]int{"Redrock/query": 1, "Acl/GetRowAces": len(e.Applications)}},
	} {
		c.ResetRequests()
		require.NoError(t, session.Read(t.Context(), connector.Partition{Stream: test.stream}, "", newRead()))
		require.Equal(t, test.most, c.Requests(), test.stream)
	}
}

// TestMFATakesACallForEachUser holds the requests for MFA state.
func TestMFATakesACallForEachUser(t *testing.T) {
	t.Parallel()
	c := newTenant(t, people, seed)
	session := open(t, cyberark.New(), c.settings(t, nil))
	require.NoError(t, session.Read(t.Context(), connector.Partition{Stream: "users"}, "", newRead()))
	require.Equal(t, people+1, c.Requests()["UserMgmt/IsUserLockedOutByPolicy"], "the service user is one")
	require.Equal(t, 2, c.Requests()["Redrock/query"])
}

// noted is a budget that allows everything and notes of what.
type noted struct {
	connector.Unlimited
	mu    sync.Mutex
	taken map[string]int
}

// Take notes what is taken.
func (n *noted) Take(ctx context.Context, uses ...connector.Use) (release func(), err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, u := range uses {
		n.taken[u.Scope+" "+strings.Join(u.Key, " ")] += u.Cost()
	}
	return n.Unlimited.Take(ctx, uses...)
}

// TestBudgetIsTheTenants reaches the tenant by its own host, and by a name that
// somebody gave it: the budget is the tenant's either way.
func TestBudgetIsTheTenants(t *testing.T) {
	t.Parallel()
	c := newTenant(t, 8, seed)
	to, err := url.Parse(c.url)
	require.NoError(t, err)
	for _, address := range []string{c.TenantURL(), "https://contoso.id.cyberark.cloud"} {
		s := c.settings(t, map[string]any{"endpoint_url": nil, "tenant_url": address})
		budget := &noted{taken: map[string]int{}}
		s.Budget = budget
		s.HTTPClient = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			require.Equal(t, address, "https://"+r.URL.Host)
			r = r.Clone(r.Context())
			r.URL.Scheme, r.URL.Host = to.Scheme, to.Host
			return http.DefaultTransport.RoundTrip(r)
		})}
		g := discover(t, s)
		require.Empty(t, g.gaps)
		require.Len(t, budget.taken, 1)
		require.Positive(t, budget.taken["tenant "+c.Estate().TenantID])
	}
}
