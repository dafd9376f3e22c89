package cyberark_test

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
	"github.com/gatehouse-project/gatehouse/connectors/cyberark"
	simulator "github.com/gatehouse-project/gatehouse/simulator/cyberark"
)

const (
	people = 60
	seed   = 7
)

// tenant is a simulated tenant with its own server.
type tenant struct {
	*simulator.Simulator
	url string
}

func newTenant(t testing.TB, people int, seed int64, faults ...simulator.Fault) *tenant {
	t.Helper()
	s, err := simulator.New(simulator.Options{People: people, Seed: seed, Faults: faults})
	require.NoError(t, err)
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	return &tenant{Simulator: s, url: server.URL}
}

// settings reach everything as the auditor; edit changes fields.
func (c *tenant) settings(t testing.TB, edit map[string]any) connector.Settings {
	t.Helper()
	a := c.Estate().Auditor
	fields := map[string]any{
		"tenant_url": c.TenantURL(), "application_id": a.ApplicationID, "scope": a.Scope, "client_id": a.Login, "client_secret": a.Password,
		"include_mfa": true, "endpoint_url": c.url,
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

// without is the tenant without a permission. The right to manage users shows them as
// well, and goes with the right to see them.
func without(t testing.TB, people int, permission string, status int) *tenant {
	t.Helper()
	faults := []simulator.Fault{{Kind: simulator.FaultDeny, Permission: permission, Status: status}}
	if permission == "Read Only User Management" {
		faults = append(faults, simulator.Fault{Kind: simulator.FaultDeny, Permission: "User Management"})
	}
	return newTenant(t, people, seed, faults...)
}

func subject(t *testing.T, c connector.Connector, people int) connectortest.Subject {
	t.Helper()
	whole := newTenant(t, people, seed)
	return connectortest.Subject{
		Connector: c,
		Settings:  func(t testing.TB) connector.Settings { return whole.settings(t, nil) },
		Deny: func(t testing.TB, permission string) (connector.Settings, bool) {
			return without(t, people, permission, 0).settings(t, nil), true
		},
		Throttle: func(t testing.TB) connector.Settings {
			return newTenant(t, people, seed, simulator.Fault{Kind: simulator.FaultThrottle, Every: 25}).settings(t, nil)
		},
		// The simulator is a custom endpoint; TestBudgetIsTheTenants meets the other.
		UnmetScopes: []string{"tenant"},
		// The token, and whose it is.
		Unmetered:  2,
		MaxResumes: 6,
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, subject(t, cyberark.New(), people))
}

// TestConformanceOnManyPages runs the suite where tables have many pages.
func TestConformanceOnManyPages(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, subject(t, cyberark.NewForSmallPages(7), 24))
}
