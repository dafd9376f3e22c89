package aws_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connectors/aws"
	simulator "github.com/gatehouse-project/gatehouse/simulator/aws"
)

// rerouted brings requests for AWS's own hosts to the simulator.
type rerouted struct{ to *url.URL }

func (r rerouted) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(request.Context())
	request.Host = request.URL.Host
	request.URL.Scheme, request.URL.Host = r.to.Scheme, r.to.Host
	return http.DefaultTransport.RoundTrip(request)
}

// noted is a budget that allows everything and notes of what.
type noted struct {
	connector.Unlimited
	mu      sync.Mutex
	taken   map[string]int
	refused map[string]int
}

func (n *noted) Take(ctx context.Context, uses ...connector.Use) (release func(), err error) {
	n.add(&n.taken, uses)
	return n.Unlimited.Take(ctx, uses...)
}

func (n *noted) Throttled(_ context.Context, _ time.Duration, uses ...connector.Use) {
	n.add(&n.refused, uses)
}

func (n *noted) add(to *map[string]int, uses []connector.Use) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if *to == nil {
		*to = map[string]int{}
	}
	for _, u := range uses {
		(*to)[u.Scope+" "+strings.Join(u.Key, " ")]++
	}
}

// Calls of AWS's own hosts take from the budget of the account that makes them, of
// the service and, where it is regional, of the region.
func TestBudgetScopes(t *testing.T) {
	t.Parallel()
	c := newCloud(t, people)
	to, err := url.Parse(c.url)
	require.NoError(t, err)
	s, budget := c.settings(t, map[string]any{"endpoint_url": nil}), &noted{}
	s.HTTPClient, s.Budget = &http.Client{Transport: rerouted{to}}, budget
	session, err := aws.New().Open(t.Context(), s)
	require.NoError(t, err)
	defer session.Close()
	result, err := session.Check(t.Context())
	require.NoError(t, err)
	own, region := result.ActsAs, c.Summary().Region
	for _, account := range c.Estate().Organization.Accounts {
		if account.Suspended {
			continue
		}
		require.NotEmpty(t, own)
		require.Positive(t, budget.taken["iam "+account.ID], "%v", budget.taken)
		require.Positive(t, budget.taken["s3 "+account.ID+" "+region], "%v", budget.taken)
		require.Positive(t, budget.taken["lambda "+account.ID+" "+region], "%v", budget.taken)
	}
	for _, scope := range []string{"sts", "identity_center", "organizations"} {
		found := 0
		for name := range budget.taken {
			if strings.HasPrefix(name, scope+" ") {
				found++
			}
		}
		require.Equal(t, 1, found, "%s is counted by the account of the credentials alone: %v", scope, budget.taken)
	}
	require.Empty(t, budget.refused)
}

// Every refusal of AWS is told, also those that the SDK's second attempt outlives.
func TestBudgetHearsOfEveryRefusal(t *testing.T) {
	t.Parallel()
	c := newCloud(t, people, simulator.Fault{Kind: simulator.FaultThrottle, Service: "iam", Every: 3})
	s, budget := c.settings(t, nil), &noted{}
	s.Budget = budget
	g := discover(t, s)
	require.Empty(t, g.gaps)
	told := 0
	for name, n := range budget.refused {
		require.True(t, strings.HasSuffix(name, " iam"), name)
		told += n
	}
	require.Positive(t, told)
	require.Equal(t, c.Faults()[0].Hits, told)
}
