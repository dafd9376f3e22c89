package aws_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/connectortest"
	"github.com/gatehouse-project/gatehouse/connectors/aws"
	simulator "github.com/gatehouse-project/gatehouse/simulator/aws"
)

// TestFaultMatrix has AWS go wrong in every way that connectors have to bear.
func TestFaultMatrix(t *testing.T) {
	t.Parallel()
	const few = 24
	whole := newCloud(t, few)
	faulty := func(t testing.TB, f simulator.Fault) connector.Settings { return newCloud(t, few, f).settings(t, nil) }
	connectortest.RunFaults(t, connectortest.Subject{
		Connector: aws.New(),
		Settings:  func(t testing.TB) connector.Settings { return whole.settings(t, nil) },
		Deny: func(t testing.TB, permission string) (connector.Settings, bool) {
			service, op := operation(permission)
			return faulty(t, simulator.Fault{Kind: simulator.FaultDeny, Service: service, Operation: op}), true
		},
	}, connectortest.Faults{
		Storm: func(t testing.TB) connector.Settings {
			return faulty(t, simulator.Fault{Kind: simulator.FaultThrottle, Every: 12})
		},
		// AWS does not say how long to wait.
		Repeats: 12,
		Expired: func(t testing.TB) connector.Settings {
			return faulty(t, simulator.Fault{Kind: simulator.FaultExpire, After: 12})
		},
		Changing: func(t testing.TB) connector.Settings {
			c := newCloud(t, few)
			s := c.settings(t, nil)
			var calls atomic.Int32
			s.HTTPClient = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
				if calls.Add(1) == 40 {
					require.NoError(t, c.Turn(60))
				}
				return http.DefaultTransport.RoundTrip(r)
			})}
			return s
		},
		Elsewhere: func(t testing.TB) connector.Settings {
			other, err := simulator.New(simulator.Options{People: few, Seed: 8})
			require.NoError(t, err)
			return serve(t, other).settings(t, nil)
		},
		Slow: func(t testing.TB) (connector.Connector, connector.Settings) {
			s := faulty(t, simulator.Fault{Kind: simulator.FaultSlow, DelayMilliseconds: 60_000})
			s.HTTPClient.Timeout = 50 * time.Millisecond
			return aws.New(), s
		},
		Broken: func(t testing.TB) connector.Settings {
			return faulty(t, simulator.Fault{Kind: simulator.FaultBroken, Every: 60})
		},
	})
}
