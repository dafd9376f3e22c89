package azure_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	simulator "github.com/gatehouse-project/gatehouse/simulator/azure"
)

// pages is how many pages n things take, with the empty page that the simulator
// puts into every list of several.
func pages(n, size int) int {
	p := max(1, (n+size-1)/size)
	if p > 1 {
		p++
	}
	return p
}

// TestCallsAreBulk holds the requests of each stream at Microsoft's best paging:
// 999 objects a page, and what Graph offers only one by one twenty a request.
func TestCallsAreBulk(t *testing.T) {
	t.Parallel()
	c := newTenant(t, simulator.Options{People: 3000})
	g := discover(t, c.settings(t, map[string]any{"include_sign_in_activity": nil}))
	require.Empty(t, g.gaps)
	e, made := c.Estate(), c.Requests()
	t.Logf("%v", made)
	require.LessOrEqual(t, made["graph:users"], pages(3000, 999))
	require.LessOrEqual(t, made["graph:groups"], pages(len(e.Groups), 999))
	require.LessOrEqual(t, made["graph:applications"], pages(len(e.Applications), 999))
	require.LessOrEqual(t, made["graph:servicePrincipals"], pages(len(e.ServicePrincipals), 999))
	require.Equal(t, len(e.Groups), made["graph-batched:groups/members"])
	chunks := func(n, size int) int { return (n + size - 1) / size }
	most := chunks(len(e.Groups), 10) + chunks(len(e.ServicePrincipals), 10) + 2*chunks(len(e.Applications), 20) + chunks(len(e.Units), 20)
	require.LessOrEqual(t, made["graph:$batch"], most)
	require.LessOrEqual(t, made["arm:resourceGroups"], len(e.Subscriptions), "listed once for all streams of a subscription")
	require.Equal(t, 1, made["arm:subscriptions"])
	require.LessOrEqual(t, made["login:token"], 2)
}

// noted is a budget that allows everything and notes of what.
type noted struct {
	connector.Unlimited
	mu    sync.Mutex
	taken map[string]int
}

func (n *noted) Take(ctx context.Context, uses ...connector.Use) (release func(), err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, u := range uses {
		n.taken[u.Scope+" "+strings.Join(u.Key, " ")] += u.Cost()
	}
	return n.Unlimited.Take(ctx, uses...)
}

// rerouted brings requests for Microsoft's own hosts to the simulator.
type rerouted struct{ to *url.URL }

func (r rerouted) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(request.Context())
	request.Host = request.URL.Host
	request.URL.Scheme, request.URL.Host = r.to.Scheme, r.to.Host
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	// The simulator writes links by the host that was meant, with http.
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if err := response.Body.Close(); err != nil {
		return nil, err
	}
	body = bytes.ReplaceAll(body, []byte("http://"+request.Host), []byte("https://"+request.Host))
	response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return response, nil
}

// Calls of Microsoft's own hosts take from the budgets of the tenant and of its
// subscriptions, by ids that Microsoft told.
func TestBudgetScopes(t *testing.T) {
	t.Parallel()
	c := newTenant(t, simulator.Options{})
	to, err := url.Parse(c.url)
	require.NoError(t, err)
	// By the tenant's domain: the key is its id all the same.
	s := c.settings(t, map[string]any{"endpoint_url": nil, "tenant_id": c.Estate().Company.Domain})
	budget := &noted{taken: map[string]int{}}
	s.Budget, s.HTTPClient = budget, &http.Client{Transport: rerouted{to}}
	g := discover(t, s)
	require.Empty(t, g.gaps)
	id := c.Estate().TenantID
	require.Positive(t, budget.taken["graph "+id], "%v", budget.taken)
	require.Positive(t, budget.taken["arm_tenant "+id], "%v", budget.taken)
	for _, sub := range c.Estate().Subscriptions {
		require.Positive(t, budget.taken["arm_subscription "+id+" "+sub.ID], "%v", budget.taken)
	}
	require.Len(t, budget.taken, 2+len(c.Estate().Subscriptions))
}
