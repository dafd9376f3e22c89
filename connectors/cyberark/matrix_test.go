package cyberark_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/connectortest"
	"github.com/gatehouse-project/gatehouse/connectors/cyberark"
	simulator "github.com/gatehouse-project/gatehouse/simulator/cyberark"
)

// roundTripper lets a function make requests.
type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip makes the request.
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestFaultMatrix has CyberArk go wrong in every way that connectors have to bear.
func TestFaultMatrix(t *testing.T) {
	t.Parallel()
	const few = 30
	small := cyberark.NewForSmallPages(8)
	with := func(t testing.TB, f simulator.Fault) connector.Settings {
		return newTenant(t, few, seed, f).settings(t, nil)
	}
	connectortest.RunFaults(t, subject(t, small, few), connectortest.Faults{
		Storm: func(t testing.TB) connector.Settings {
			return with(t, simulator.Fault{Kind: simulator.FaultThrottle, Every: 5, RetryAfterSeconds: 3})
		},
		Wait: 3 * time.Second,
		// The page of rows that was being taken apart.
		Repeats: 2,
		Expired: func(t testing.TB) connector.Settings {
			return with(t, simulator.Fault{Kind: simulator.FaultExpire, After: 9})
		},
		Changing: func(t testing.TB) connector.Settings {
			c := newTenant(t, few, seed)
			s := c.settings(t, map[string]any{"include_mfa": nil})
			var calls atomic.Int32
			s.HTTPClient = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
				// After the first page of users: those who were on it move up.
				if calls.Add(1) == 7 {
					for i := range 5 {
						c.Leave(c.Estate().UserAt(i))
					}
				}
				return http.DefaultTransport.RoundTrip(r)
			})}
			return s
		},
		Elsewhere: func(t testing.TB) connector.Settings { return newTenant(t, few, seed+1).settings(t, nil) },
		Slow: func(t testing.TB) (connector.Connector, connector.Settings) {
			return cyberark.NewImpatient(50 * time.Millisecond), with(t, simulator.Fault{Kind: simulator.FaultSlow, DelayMilliseconds: 60_000})
		},
		Broken: func(t testing.TB) connector.Settings {
			return with(t, simulator.Fault{Kind: simulator.FaultBroken, Every: 11})
		},
	})
}
