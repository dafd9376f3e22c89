package azure_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/connectortest"
	"github.com/gatehouse-project/gatehouse/connectors/azure"
	simulator "github.com/gatehouse-project/gatehouse/simulator/azure"
)

// roundTripper lets a function make requests.
type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip makes the request.
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestFaultMatrix has Microsoft go wrong in every way that connectors have to bear.
func TestFaultMatrix(t *testing.T) {
	t.Parallel()
	// Users with their sign-ins come by 120: there is more than one page.
	const several = 150
	made := func(t testing.TB, people int, seed int64, faults ...simulator.Fault) *tenant {
		t.Helper()
		s, err := simulator.New(simulator.Options{People: people, Seed: seed, Faults: faults})
		require.NoError(t, err)
		return serve(t, s)
	}
	faulty := func(t testing.TB, f simulator.Fault) connector.Settings {
		return made(t, several, 7, f).settings(t, nil)
	}
	whole := made(t, several, 7)
	faults := connectortest.Faults{
		Storm: func(t testing.TB) connector.Settings {
			return faulty(t, simulator.Fault{Kind: simulator.FaultThrottle, Every: 7, RetryAfterSeconds: 2})
		},
		Wait: 2 * time.Second,
		// A batch of which a part is refused is asked for again.
		Repeats: 1,
		Expired: func(t testing.TB) connector.Settings {
			return faulty(t, simulator.Fault{Kind: simulator.FaultExpire, After: 60})
		},
		Changing: func(t testing.TB) connector.Settings {
			c := made(t, several, 7)
			s := c.settings(t, nil)
			var left atomic.Bool
			s.HTTPClient = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
				// Between the first page of users and the second.
				if r.URL.Query().Has("$skiptoken") && !left.Swap(true) {
					c.Leave(5)
				}
				return http.DefaultTransport.RoundTrip(r)
			})}
			return s
		},
		Elsewhere: func(t testing.TB) connector.Settings { return made(t, several, 8).settings(t, nil) },
		Slow: func(t testing.TB) (connector.Connector, connector.Settings) {
			return azure.NewImpatient(50 * time.Millisecond), faulty(t, simulator.Fault{Kind: simulator.FaultSlow, DelayMilliseconds: 60_000})
		},
		Broken: func(t testing.TB) connector.Settings {
			return faulty(t, simulator.Fault{Kind: simulator.FaultBroken, Every: 25})
		},
	}
	subject := connectortest.Subject{
		Connector: azure.New(),
		Settings:  func(t testing.TB) connector.Settings { return whole.settings(t, nil) },
		Deny: func(t testing.TB, permission string) (connector.Settings, bool) {
			return faulty(t, simulator.Fault{Kind: simulator.FaultDeny, Permission: permission}), true
		},
	}
	connectortest.RunFaults(t, subject, faults)
}
