package aws_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connectors/aws"
	"github.com/gatehouse-project/gatehouse/internal/egress"
	simulator "github.com/gatehouse-project/gatehouse/simulator/aws"
)

// check opens a session and checks it.
func check(t *testing.T, s connector.Settings) (connector.CheckResult, error) {
	t.Helper()
	session, err := aws.New().Open(t.Context(), s)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, session.Close()) })
	return session.Check(t.Context())
}

// TestCheckNamesWhatIsWrong goes through what makes a check end early.
func TestCheckNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	c := newCloud(t, people)
	garbage := func(status int, body string) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}))
		t.Cleanup(server.Close)
		return server.URL
	}
	throttled := newCloud(t, people, simulator.Fault{Kind: simulator.FaultThrottle})
	expired := newCloud(t, people, simulator.Fault{Kind: simulator.FaultExpire, Service: "iam"})
	for name, test := range map[string]struct {
		settings connector.Settings
		category connector.Category
		says     string
	}{
		"unknown key":   {c.settings(t, map[string]any{"access_key_id": "AKIAIOSFODNN7EXAMPLE"}), connector.CredentialInvalid, "access key"},
		"wrong secret":  {c.settings(t, map[string]any{"secret_access_key": "no-such-secret"}), connector.CredentialInvalid, "secret access key"},
		"dead endpoint": {c.settings(t, map[string]any{"endpoint_url": deadEndpoint(t)}), connector.NetworkUnreachable, "127.0.0.1"},
		"not AWS":       {c.settings(t, map[string]any{"endpoint_url": garbage(http.StatusNotFound, "<html>nothing here</html>")}), connector.ProviderUnavailable, "404"},
		"broken AWS":    {c.settings(t, map[string]any{"endpoint_url": garbage(http.StatusInternalServerError, "oops")}), connector.ProviderUnavailable, "500"},
		"empty answer":  {c.settings(t, map[string]any{"endpoint_url": garbage(http.StatusOK, "{}")}), connector.ProviderUnavailable, "AWS"},
		"throttled":     {throttled.settings(t, nil), connector.Throttled, "rate"},
		"expired":       {expired.settings(t, map[string]any{"auth_mode": "assume_role", "role_arn": expired.Summary().AuditRoleARN}), connector.CredentialExpired, "expired"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := check(t, test.settings)
			var e *connector.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, test.category, e.Category, "%v: %v", e, e.Cause)
			require.Contains(t, e.Message, test.says)
			require.NotContains(t, e.Message, "no-such-secret")
		})
	}
}

// TestForbiddenAddressIsNamedAsSuch calls an address that the worker's operator
// does not allow: once, with the way out in the message.
func TestForbiddenAddressIsNamedAsSuch(t *testing.T) {
	t.Parallel()
	c := newCloud(t, 2)
	s := c.settings(t, nil)
	asked := 0
	guarded := egress.NewTransport(egress.Policy{})
	s.HTTPClient = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		asked++
		return guarded.RoundTrip(r)
	})}
	_, err := check(t, s)
	var e *connector.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, connector.NetworkUnreachable, e.Category)
	require.Contains(t, e.Message, "--allow-private-networks")
	require.Equal(t, 1, asked)
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// deadEndpoint is an address nobody listens on.
func deadEndpoint(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return "http://" + l.Addr().String()
}

// TestServiceControlPolicyIsToldApart requires a remedy that does not send
// people to the role's own policies.
func TestServiceControlPolicyIsToldApart(t *testing.T) {
	t.Parallel()
	c := newCloud(t, people, simulator.Fault{Kind: simulator.FaultDeny, Service: "lambda", Operation: "ListFunctions", ControlPolicy: true})
	result, err := check(t, c.settings(t, nil))
	require.NoError(t, err)
	require.NotEmpty(t, result.Remediation)
	for _, r := range result.Remediation {
		require.Contains(t, r.Message, "lambda:ListFunctions")
		require.Contains(t, r.Message, "service control policy")
	}
}

// TestUnreachableAccountLeavesTheOthers takes an account into the scope that
// does not exist.
func TestUnreachableAccountLeavesTheOthers(t *testing.T) {
	t.Parallel()
	c := newCloud(t, people)
	s := c.settings(t, map[string]any{"organizations_enabled": nil, "identity_center_enabled": nil})
	s.Scope = []byte(`{"aws_accounts":["999999999999","` + c.Summary().Sensitive.AccountID + `"]}`)
	g := discover(t, s)
	require.NotEmpty(t, g.skipped)
	for _, p := range g.skipped {
		require.Equal(t, "999999999999", p.Key)
		require.Equal(t, connector.PermissionDenied, p.Skip.Category)
		require.Equal(t, "sts:AssumeRole", p.Skip.Permission)
	}
	require.Contains(t, g.entities, connector.Ref{Kind: connector.Resource, ID: "arn:aws:s3:::" + c.Summary().Sensitive.Name})

	result, err := check(t, s)
	require.NoError(t, err)
	require.Len(t, result.Remediation, 1)
	require.Contains(t, result.Remediation[0].Message, "999999999999")
}

// TestReadEndsInACategory requires that a fault in mid-read ends the read in
// the contract's terms and not in a page of half of it.
func TestReadEndsInACategory(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		fault simulator.Fault
		want  connector.Category
	}{
		{"throttled", simulator.Fault{Kind: simulator.FaultThrottle, Service: "iam"}, connector.Throttled},
		{"broken", simulator.Fault{Kind: simulator.FaultBroken, Service: "iam"}, connector.ProviderUnavailable},
		{"unavailable", simulator.Fault{Kind: simulator.FaultUnavailable, Service: "iam"}, connector.ProviderUnavailable},
		{"expired", simulator.Fault{Kind: simulator.FaultExpire, Service: "iam"}, connector.CredentialExpired},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t, people, test.fault)
			s := c.settings(t, map[string]any{"auth_mode": "assume_role", "role_arn": c.Summary().AuditRoleARN})
			session, err := aws.New().Open(t.Context(), s)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, session.Close()) })
			g := newGraph()
			err = session.Read(t.Context(), connector.Partition{Stream: "iam", Key: c.Summary().ManagementID}, "", g)
			var e *connector.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, test.want, e.Category, "%v: %v", e, e.Cause)
			require.Empty(t, g.entities)
		})
	}
}

// TestNoSecretInErrors puts a canary in each secret field and looks for it in
// what comes back.
func TestNoSecretInErrors(t *testing.T) {
	t.Parallel()
	c := newCloud(t, people)
	const canary = "canary-9f2c"
	_, err := check(t, c.settings(t, map[string]any{"secret_access_key": canary, "session_token": canary}))
	require.Error(t, err)
	require.NotContains(t, err.Error(), canary)
}
