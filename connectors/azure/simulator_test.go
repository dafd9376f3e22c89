package azure_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/connectortest"
	"github.com/gatehouse-project/gatehouse/connectors/azure"
	simulator "github.com/gatehouse-project/gatehouse/simulator/azure"
)

const people = 60

// tenant is a simulated tenant with its own server.
type tenant struct {
	*simulator.Simulator
	url string
}

func newTenant(t testing.TB, options simulator.Options) *tenant {
	t.Helper()
	if options.People == 0 {
		options.People = people
	}
	options.Seed = 7
	s, err := simulator.New(options)
	require.NoError(t, err)
	return serve(t, s)
}

// serve gives a simulated tenant a server of its own.
func serve(t testing.TB, s *simulator.Simulator) *tenant {
	t.Helper()
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	return &tenant{Simulator: s, url: server.URL}
}

func faulty(t testing.TB, faults ...simulator.Fault) *tenant {
	t.Helper()
	return newTenant(t, simulator.Options{Faults: faults})
}

// settings reach everything as the auditor; edit changes fields.
func (c *tenant) settings(t testing.TB, edit map[string]any) connector.Settings {
	t.Helper()
	e := c.Estate()
	fields := map[string]any{
		"tenant_id": e.TenantID, "client_id": e.Auditor.ClientID, "client_secret": e.Auditor.Secret, "endpoint_url": c.url,
		"include_pim": true, "include_sign_in_activity": true,
	}
	for k, v := range edit {
		if v == nil {
			delete(fields, k)
		} else {
			fields[k] = v
		}
	}
	raw, err := json.Marshal(fields)
	require.NoError(t, err)
	return connector.Settings{
		Configuration: raw,
		HTTPClient:    &http.Client{Transport: http.DefaultTransport},
		Logger:        slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	whole := newTenant(t, simulator.Options{})
	connectortest.Run(t, connectortest.Subject{
		Connector: azure.New(),
		Settings:  func(t testing.TB) connector.Settings { return whole.settings(t, nil) },
		Deny: func(t testing.TB, permission string) (connector.Settings, bool) {
			return faulty(t, simulator.Fault{Kind: simulator.FaultDeny, Permission: permission}).settings(t, nil), true
		},
		Throttle: func(t testing.TB) connector.Settings {
			return faulty(t, simulator.Fault{Kind: simulator.FaultThrottle, Every: 25}).settings(t, nil)
		},
		// The simulator is a custom endpoint; TestBudgetScopes meets the others.
		UnmetScopes: []string{"graph", "arm_tenant", "arm_subscription"},
		// What it takes to get a token for each API.
		Unmetered:  3,
		MaxResumes: 6,
	})
}
