package aws_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/connectortest"
	"github.com/gatehouse-project/gatehouse/connectors/aws"
	simulator "github.com/gatehouse-project/gatehouse/simulator/aws"
)

// cloud is a simulated organisation with its own server.
type cloud struct {
	*simulator.Simulator
	url string
}

func newCloud(t testing.TB, people int, faults ...simulator.Fault) *cloud {
	t.Helper()
	s, err := simulator.New(simulator.Options{People: people, Seed: 7, Faults: faults})
	require.NoError(t, err)
	return serve(t, s)
}

// serve gives a simulated organisation a server of its own.
func serve(t testing.TB, s *simulator.Simulator) *cloud {
	t.Helper()
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	return &cloud{Simulator: s, url: server.URL}
}

// settings reach the whole organisation as its auditor; edit changes fields.
func (c *cloud) settings(t testing.TB, edit map[string]any) connector.Settings {
	t.Helper()
	summary := c.Summary()
	fields := map[string]any{
		"access_key_id": summary.Auditor.AccessKeyID, "secret_access_key": summary.Auditor.SecretAccessKey,
		"region": summary.Region, "endpoint_url": c.url,
		"organizations_enabled": true, "identity_center_enabled": true,
		"member_role_name": summary.AuditRole, "external_id": summary.ExternalID,
	}
	for k, v := range edit {
		if v == nil {
			delete(fields, k)
		} else {
			fields[k] = v
		}
	}
	return settings(t, fields)
}

func settings(t testing.TB, fields map[string]any) connector.Settings {
	t.Helper()
	raw, err := json.Marshal(fields)
	require.NoError(t, err)
	return connector.Settings{
		Configuration: raw,
		HTTPClient:    &http.Client{Transport: http.DefaultTransport},
		Logger:        slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
}

// operation names the simulator's service and operation of a permission.
func operation(permission string) (service, op string) {
	service, op, _ = strings.Cut(permission, ":")
	if op == "ListAllMyBuckets" {
		op = "ListBuckets"
	}
	return service, op
}

const people = 60

func TestConformance(t *testing.T) {
	t.Parallel()
	whole := newCloud(t, people)
	connectortest.Run(t, connectortest.Subject{
		Connector: aws.New(),
		Settings:  func(t testing.TB) connector.Settings { return whole.settings(t, nil) },
		Deny: func(t testing.TB, permission string) (connector.Settings, bool) {
			service, op := operation(permission)
			denied := newCloud(t, people, simulator.Fault{Kind: simulator.FaultDeny, Service: service, Operation: op})
			return denied.settings(t, nil), true
		},
		Throttle: func(t testing.TB) connector.Settings {
			limited := newCloud(t, people, simulator.Fault{Kind: simulator.FaultThrottle, Every: 40})
			return limited.settings(t, nil)
		},
		// The simulator is a custom endpoint; TestBudgetScopes meets the others.
		UnmetScopes: []string{"iam", "sts", "organizations", "identity_center", "s3", "lambda"},
		Unmetered:   1,
		MaxResumes:  6,
	})
}

// TestConformanceOnLargeAccounts runs the suite where accounts take many pages.
func TestConformanceOnLargeAccounts(t *testing.T) {
	t.Parallel()
	c := newCloud(t, people)
	connectortest.Run(t, connectortest.Subject{
		Connector:   aws.NewForLargeAccounts(),
		Settings:    func(t testing.TB) connector.Settings { return c.settings(t, nil) },
		UnmetScopes: []string{"iam", "sts", "organizations", "identity_center", "s3", "lambda"},
		Unmetered:   1,
		MaxResumes:  8,
	})
}

// TestLargeAccountsReadTheSame compares reading with and without snapshots.
func TestLargeAccountsReadTheSame(t *testing.T) {
	t.Parallel()
	c := newCloud(t, people)
	small := discover(t, c.settings(t, nil))
	large := discoverWith(t, aws.NewForLargeAccounts(), c.settings(t, nil))
	require.Greater(t, len(large.pages), len(small.pages))
	require.Equal(t, small.content(), large.content())
}
