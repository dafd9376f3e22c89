package cyberark_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connectors/cyberark"
	"github.com/gatehouse-project/gatehouse/internal/egress"
	simulator "github.com/gatehouse-project/gatehouse/simulator/cyberark"
)

// TestCheckNamesWhatIsWrong goes through what makes a check end early.
func TestCheckNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	c := newTenant(t, 4, seed)
	answering := func(status int, body string) map[string]any {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}))
		t.Cleanup(server.Close)
		return map[string]any{"endpoint_url": server.URL}
	}
	with := func(f simulator.Fault) connector.Settings { return newTenant(t, 4, seed, f).settings(t, nil) }
	for name, test := range map[string]struct {
		settings connector.Settings
		category connector.Category
		says     string
	}{
		"wrong password":    {c.settings(t, map[string]any{"client_secret": "no-such-secret"}), connector.CredentialInvalid, "suffix"},
		"unknown app":       {c.settings(t, map[string]any{"application_id": "other"}), connector.ScopeInvalid, "application_id"},
		"unknown scope":     {c.settings(t, map[string]any{"scope": "other"}), connector.ScopeInvalid, "scope"},
		"ended password":    {with(simulator.Fault{Kind: simulator.FaultSignIn, Code: "access_denied", Text: "Your password has expired"}), connector.CredentialExpired, "password"},
		"busy sign-in":      {with(simulator.Fault{Kind: simulator.FaultThrottle, Operation: "token"}), connector.Throttled, "sign-ins"},
		"sign-in is down":   {with(simulator.Fault{Kind: simulator.FaultUnavailable, Operation: "token"}), connector.ProviderUnavailable, "503"},
		"sign-in is cut":    {with(simulator.Fault{Kind: simulator.FaultBroken, Operation: "token"}), connector.ProviderUnavailable, "token"},
		"sign-in page":      {with(simulator.Fault{Kind: simulator.FaultPage, Operation: "token"}), connector.ScopeInvalid, "web page"},
		"page for an API":   {with(simulator.Fault{Kind: simulator.FaultPage}), connector.ScopeInvalid, "web page"},
		"no whoami":         {with(simulator.Fault{Kind: simulator.FaultDeny, Permission: "Security/whoami.*"}), connector.ScopeInvalid, "Security/whoami.*"},
		"tokens are void":   {with(simulator.Fault{Kind: simulator.FaultExpire}), connector.CredentialExpired, "token"},
		"dead endpoint":     {c.settings(t, map[string]any{"endpoint_url": "http://127.0.0.1:1"}), connector.NetworkUnreachable, "127.0.0.1"},
		"not CyberArk":      {c.settings(t, answering(http.StatusNotFound, "<html>no</html>")), connector.ScopeInvalid, "tenant_url"},
		"broken CyberArk":   {c.settings(t, answering(http.StatusInternalServerError, "oops")), connector.ProviderUnavailable, "500"},
		"empty answer":      {c.settings(t, answering(http.StatusOK, "{}")), connector.ProviderUnavailable, "CyberArk"},
		"empty but a token": {c.settings(t, answering(http.StatusOK, `{"access_token":"t","success":true,"Result":{}}`)), connector.ProviderUnavailable, "tenant"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := open(t, cyberark.New(), test.settings).Check(t.Context())
			var e *connector.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, test.category, e.Category, "%v: %v", e, e.Cause)
			require.Contains(t, e.Message, test.says)
			require.NotContains(t, e.Error(), "no-such-secret")
		})
	}
}

// TestForbiddenAddressIsNamedAsSuch calls an address that the worker's operator
// does not allow: the token endpoint is guarded as well.
func TestForbiddenAddressIsNamedAsSuch(t *testing.T) {
	t.Parallel()
	s := newTenant(t, 2, seed).settings(t, nil)
	s.HTTPClient = egress.NewClient(egress.NewTransport(egress.Policy{}))
	_, err := open(t, cyberark.New(), s).Check(t.Context())
	require.Equal(t, connector.NetworkUnreachable, connector.AsError(err).Category, "%v", err)
	require.ErrorContains(t, err, "--allow-private-networks")
}

// TestPathsOutsideTheScopeAreToldFromTokensThatEnded has a path refused as CyberArk
// may do it, either way.
func TestPathsOutsideTheScopeAreToldFromTokensThatEnded(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden} {
		c := without(t, 8, "Roles/GetRoleMembers.*", status)
		result, err := open(t, cyberark.New(), c.settings(t, nil)).Check(t.Context())
		require.NoError(t, err)
		require.Len(t, result.Remediation, 1)
		require.Contains(t, result.Remediation[0].Message, "Roles/GetRoleMembers.*")
		require.Contains(t, result.Remediation[0].Action, "scope")
		g := discover(t, c.settings(t, nil))
		require.Len(t, g.gaps, 1)
		require.Equal(t, "Roles/GetRoleMembers.*", g.gaps[0].Permission)
		require.Contains(t, g.entities, connector.Ref{Kind: connector.Entitlement, ID: "sysadmin"}, "the roles themselves are read")
	}
}

// TestWhatIsLeftOutIsNeverCalledComplete takes rights away: CyberArk shows nothing
// then, with success.
func TestWhatIsLeftOutIsNeverCalledComplete(t *testing.T) {
	t.Parallel()
	for right, stream := range map[string]string{
		"Read Only User Management": "users", "Read Only Role Management": "roles", "Read Only System Administration": "applications",
	} {
		c := without(t, 8, right, 0)
		g := newRead()
		require.NoError(t, open(t, cyberark.New(), c.settings(t, map[string]any{"include_mfa": nil})).Read(t.Context(), connector.Partition{Stream: stream}, "", g))
		require.Len(t, g.gaps, 1)
		require.Equal(t, right, g.gaps[0].Permission)
		require.Empty(t, g.entities)
	}
}

// TestOtherTokens reads with a token of the platform, which no scope bounds.
func TestOtherTokens(t *testing.T) {
	t.Parallel()
	c := newTenant(t, 20, seed)
	platform := map[string]any{"auth_flow": "platform_token", "application_id": nil, "scope": nil}
	require.Equal(t, discover(t, c.settings(t, nil)).entities, discover(t, c.settings(t, platform)).entities)
	packs, err := cyberark.New().PermissionPacks(connector.PermissionSettings{Configuration: json.RawMessage(`{"auth_flow":"platform_token"}`)})
	require.NoError(t, err)
	require.Len(t, packs, 1)
	packs, err = cyberark.New().PermissionPacks(connector.PermissionSettings{})
	require.NoError(t, err)
	require.Len(t, packs, 2)
	require.NotContains(t, packs[0].Content, "\nUser Management")
	require.NotContains(t, packs[1].Content, "IsUserLockedOutByPolicy")
	packs, err = cyberark.New().PermissionPacks(connector.PermissionSettings{Configuration: json.RawMessage(`{"include_mfa":true}`)})
	require.NoError(t, err)
	require.Contains(t, packs[0].Content, "\nUser Management\n")
	require.Contains(t, packs[1].Content, "IsUserLockedOutByPolicy")
}

// TestTenantsAreAddressedInSafeForms refuses whatever is not a tenant of CyberArk's:
// the service user's password goes there.
func TestTenantsAreAddressedInSafeForms(t *testing.T) {
	t.Parallel()
	c := newTenant(t, 2, seed)
	for _, good := range []string{"abc1234", "ABC1234.id.cyberark.cloud", "https://contoso.id.cyberark.cloud/", "https://abc1234.my.idaptive.app", "abc1234.id.cyberarkgov.cloud"} {
		_, err := cyberark.New().Open(t.Context(), c.settings(t, map[string]any{"tenant_url": good}))
		require.NoError(t, err, good)
	}
	for _, bad := range []string{"", "http://abc1234.id.cyberark.cloud", "https://evil.example", "https://abc1234.id.cyberark.cloud.evil.example", "https://abc1234.id.cyberark.cloud@evil.example", "https://abc1234.id.cyberark.cloud/x", "abc.1234.id.cyberark.cloud"} {
		_, err := cyberark.New().Open(t.Context(), c.settings(t, map[string]any{"tenant_url": bad}))
		require.Equal(t, connector.ScopeInvalid, connector.AsError(err).Category, bad)
	}
}

// TestCyberArksTextsAreNotPassedOn has names of users in errors.
func TestCyberArksTextsAreNotPassedOn(t *testing.T) {
	t.Parallel()
	c := newTenant(t, 4, seed)
	s := c.settings(t, nil)
	s.HTTPClient = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		if !strings.HasSuffix(r.URL.Path, "Redrock/query") {
			return http.DefaultTransport.RoundTrip(r)
		}
		recorded := httptest.NewRecorder()
		_, _ = recorded.WriteString(`{"success":false,"Result":null,"Message":"user canary@contoso.example is unknown","MessageID":"_I18N_Canary"}`)
		return recorded.Result(), nil
	})}
	err := open(t, cyberark.New(), s).Read(t.Context(), connector.Partition{Stream: "groups"}, "", newRead())
	require.Equal(t, connector.ProviderUnavailable, connector.AsError(err).Category)
	require.NotContains(t, err.Error(), "canary")
}

// TestRowsOutOfOrderEndTheRead has a table in an order that would leave rows out.
func TestRowsOutOfOrderEndTheRead(t *testing.T) {
	t.Parallel()
	for name, rows := range map[string]string{
		"unordered": `{"Row":{"InternalName":"b"}},{"Row":{"InternalName":"a"}}`,
		"repeated":  `{"Row":{"InternalName":"a"}},{"Row":{"InternalName":"a"}}`,
		"no key":    `{"Row":{"SystemName":"a"}}`,
	} {
		c := newTenant(t, 4, seed)
		s := c.settings(t, nil)
		s.HTTPClient = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			if !strings.HasSuffix(r.URL.Path, "Redrock/query") {
				return http.DefaultTransport.RoundTrip(r)
			}
			recorded := httptest.NewRecorder()
			_, _ = recorded.WriteString(`{"success":true,"Result":{"FullCount":9,"Results":[` + rows + `]}}`)
			return recorded.Result(), nil
		})}
		err := open(t, cyberark.New(), s).Read(t.Context(), connector.Partition{Stream: "groups"}, "", newRead())
		require.Equal(t, connector.ProviderUnavailable, connector.AsError(err).Category, name)
	}
}
