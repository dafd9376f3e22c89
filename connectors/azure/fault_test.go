package azure_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connectors/azure"
	"github.com/gatehouse-project/gatehouse/internal/egress"
	simulator "github.com/gatehouse-project/gatehouse/simulator/azure"
)

// TestCheckNamesWhatIsWrong goes through what makes a check end early.
func TestCheckNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	c := newTenant(t, simulator.Options{})
	answering := func(status int, body string) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}))
		t.Cleanup(server.Close)
		return server.URL
	}
	refusing := func(code int) connector.Settings {
		return faulty(t, simulator.Fault{Kind: simulator.FaultSignIn, Service: "login", Code: code}).settings(t, nil)
	}
	const stranger = "11111111-2222-3333-4444-555555555555"
	for name, test := range map[string]struct {
		settings connector.Settings
		category connector.Category
		says     string
	}{
		"wrong secret":       {c.settings(t, map[string]any{"client_secret": "no-such-secret"}), connector.CredentialInvalid, "not its id"},
		"expired secret":     {refusing(7000222), connector.CredentialExpired, "expired"},
		"no consent":         {refusing(65001), connector.ConsentRequired, "consent"},
		"another cloud":      {refusing(90038), connector.ScopeInvalid, "cloud"},
		"an unknown refusal": {refusing(123456), connector.CredentialInvalid, "AADSTS123456"},
		"throttled sign-in":  {refusing(90055), connector.Throttled, "rate"},
		"unknown app":        {c.settings(t, map[string]any{"client_id": stranger}), connector.ScopeInvalid, "client_id"},
		"unknown tenant":     {c.settings(t, map[string]any{"tenant_id": stranger}), connector.ScopeInvalid, "tenant_id"},
		"dead endpoint":      {c.settings(t, map[string]any{"endpoint_url": deadEndpoint(t)}), connector.NetworkUnreachable, "127.0.0.1"},
		"not Microsoft":      {c.settings(t, map[string]any{"endpoint_url": answering(http.StatusNotFound, "<html>no</html>")}), connector.ProviderUnavailable, "endpoint_url"},
		"broken Microsoft":   {c.settings(t, map[string]any{"endpoint_url": answering(http.StatusInternalServerError, "oops")}), connector.ProviderUnavailable, "500"},
		"empty answer":       {c.settings(t, map[string]any{"endpoint_url": answering(http.StatusOK, "{}")}), connector.ProviderUnavailable, "Microsoft"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := open(t, azure.New(), test.settings).Check(t.Context())
			var e *connector.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, test.category, e.Category, "%v: %v", e, e.Cause)
			require.Contains(t, e.Message, test.says)
			require.NotContains(t, e.Message, "no-such-secret")
		})
	}
}

// deadEndpoint is an address nobody listens on.
func deadEndpoint(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return "http://" + l.Addr().String()
}

// TestForbiddenAddressIsNamedAsSuch calls an address that the worker's operator
// does not allow: the token endpoint is guarded as well.
func TestForbiddenAddressIsNamedAsSuch(t *testing.T) {
	t.Parallel()
	s := newTenant(t, simulator.Options{People: 2}).settings(t, nil)
	s.HTTPClient = egress.NewClient(egress.NewTransport(egress.Policy{}))
	_, err := open(t, azure.New(), s).Check(t.Context())
	var e *connector.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, connector.NetworkUnreachable, e.Category)
	require.Contains(t, e.Message, "--allow-private-networks")
}

// TestReadEndsInACategory requires that a fault in mid-read ends the read in the
// contract's terms and not in a page of half of it.
func TestReadEndsInACategory(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault simulator.Fault
		want  connector.Category
	}{
		"throttled":   {simulator.Fault{Kind: simulator.FaultThrottle, Service: "graph", Operation: "groups/members", RetryAfterSeconds: 30}, connector.Throttled},
		"broken":      {simulator.Fault{Kind: simulator.FaultBroken, Service: "graph", Operation: "groups"}, connector.ProviderUnavailable},
		"cut batch":   {simulator.Fault{Kind: simulator.FaultBroken, Service: "graph", Operation: "groups/owners"}, connector.ProviderUnavailable},
		"unavailable": {simulator.Fault{Kind: simulator.FaultUnavailable, Service: "graph", Operation: "groups"}, connector.ProviderUnavailable},
		"expired":     {simulator.Fault{Kind: simulator.FaultExpire, Service: "graph", Operation: "groups"}, connector.CredentialExpired},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, g := faulty(t, test.fault), newRead()
			err := open(t, azure.New(), c.settings(t, nil)).Read(t.Context(), connector.Partition{Stream: "groups"}, "", g)
			var e *connector.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, test.want, e.Category, "%v: %v", e, e.Cause)
			require.Empty(t, g.entities)
			if name == "throttled" {
				require.Equal(t, 30*time.Second, e.RetryAfter)
			}
		})
	}
}

// TestTokensThatEndAreRenewed ends every token after some calls; each part of a
// batch is one.
func TestTokensThatEndAreRenewed(t *testing.T) {
	t.Parallel()
	whole := discover(t, newTenant(t, simulator.Options{}).settings(t, nil))
	c := faulty(t, simulator.Fault{Kind: simulator.FaultExpire, After: 60})
	g := discover(t, c.settings(t, nil))
	require.Empty(t, g.gaps)
	require.Equal(t, whole.entities, g.entities)
	require.Greater(t, c.Requests()["login:token"], 2)
}

// TestThrottledPartsAreAskedAlone refuses parts of batches.
func TestThrottledPartsAreAskedAlone(t *testing.T) {
	t.Parallel()
	plain := newTenant(t, simulator.Options{})
	whole := discover(t, plain.settings(t, nil))
	c := faulty(t, simulator.Fault{Kind: simulator.FaultThrottle, Service: "graph", Operation: "groups/members", Every: 9})
	s := c.settings(t, nil)
	s.Budget = connector.Unlimited{}
	g := discover(t, s)
	require.Equal(t, whole.entities, g.entities)
	hits := c.Faults()[0].Hits
	require.Positive(t, hits)
	const members = "graph-batched:groups/members"
	require.Equal(t, plain.Requests()[members]+hits, c.Requests()[members], "only what was refused is asked again")
}

// TestPagesThatExpireAreReadAgain takes next links away while a list is read.
func TestPagesThatExpireAreReadAgain(t *testing.T) {
	t.Parallel()
	whole := discover(t, newTenant(t, simulator.Options{People: 1200}).settings(t, map[string]any{"azure_enabled": false}))
	c := newTenant(t, simulator.Options{People: 1200, Faults: []simulator.Fault{{Kind: simulator.FaultStale, Service: "graph", Operation: "users", Times: 1}}})
	g := discover(t, c.settings(t, map[string]any{"azure_enabled": false}))
	require.Equal(t, whole.entities, g.entities)
	require.Equal(t, 1, c.Faults()[0].Hits)
}

// TestSlowAnswersEnd requires that a call ends when its time is up.
func TestSlowAnswersEnd(t *testing.T) {
	t.Parallel()
	c := faulty(t, simulator.Fault{Kind: simulator.FaultSlow, Service: "graph", Operation: "organization", DelayMilliseconds: 60_000})
	session := open(t, azure.NewImpatient(50*time.Millisecond), c.settings(t, nil))
	_, err := session.Check(t.Context())
	require.Equal(t, connector.ProviderUnavailable, connector.AsError(err).Category, "%v", err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = session.Check(ctx)
	require.ErrorIs(t, err, context.Canceled)
}

// TestNextLinksStayWithTheirHost requires that an access token goes nowhere else.
func TestNextLinksStayWithTheirHost(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 1)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked <- struct{}{} }))
	t.Cleanup(elsewhere.Close)
	c := newTenant(t, simulator.Options{})
	session := open(t, azure.New(), c.settings(t, nil))
	from := connector.Cursor(`{"step":"list","marker":"` + elsewhere.URL + `/v1.0/users"}`)
	err := session.Read(t.Context(), connector.Partition{Stream: "users"}, from, newRead())
	require.Equal(t, connector.ProviderUnavailable, connector.AsError(err).Category, "%v", err)
	require.Empty(t, asked)
}

// TestUnlicensedTenant is read without what needs a licence, and says so.
func TestUnlicensedTenant(t *testing.T) {
	t.Parallel()
	c := newTenant(t, simulator.Options{Unlicensed: true})
	result, err := open(t, azure.New(), c.settings(t, nil)).Check(t.Context())
	require.NoError(t, err)
	require.False(t, result.Sufficient)
	require.NotEmpty(t, result.Remediation)
	for _, r := range result.Remediation {
		require.Equal(t, connector.RemedyConfiguration, r.Category, r.Message)
		require.Contains(t, r.Message, "licence")
	}
	g := discover(t, c.settings(t, nil))
	require.NotEmpty(t, g.gaps)
	require.Contains(t, g.entities, connector.Ref{Kind: connector.Account, ID: c.Estate().UserID(0)})

	result, err = open(t, azure.New(), c.settings(t, map[string]any{"include_pim": nil, "include_sign_in_activity": nil})).Check(t.Context())
	require.NoError(t, err)
	require.True(t, result.Sufficient, "%v", result.Remediation)
}

// TestSubscriptionsOfTheScope reads those, and skips one that is not there.
func TestSubscriptionsOfTheScope(t *testing.T) {
	t.Parallel()
	c := newTenant(t, simulator.Options{})
	s := c.settings(t, nil)
	wanted, absent := c.Estate().Subscriptions[1].ID, "11111111-2222-3333-4444-555555555555"
	s.Scope = []byte(`{"subscription_ids":["` + wanted + `","` + absent + `"]}`)
	g := discover(t, s)
	require.True(t, g.complete)
	skipped := 0
	for _, p := range g.partitions {
		if p.Skip != nil {
			skipped++
			require.Equal(t, "/subscriptions/"+absent, p.Key)
			require.Equal(t, connector.PermissionDenied, p.Skip.Category)
		}
	}
	require.Positive(t, skipped)
	require.Contains(t, g.entities, connector.Ref{Kind: connector.CloudAccountBoundary, ID: "/subscriptions/" + wanted})
	require.NotContains(t, g.entities, connector.Ref{Kind: connector.CloudAccountBoundary, ID: "/subscriptions/" + c.Estate().Subscriptions[0].ID})
}

// TestCertificate signs in with one, and is refused with another.
func TestCertificate(t *testing.T) {
	t.Parallel()
	certificate, text, key := newCertificate(t)
	_, otherText, otherKey := newCertificate(t)
	c := newTenant(t, simulator.Options{Certificates: []*x509.Certificate{certificate}})
	settings := func(certificate, key string) connector.Settings {
		return c.settings(t, map[string]any{"auth_mode": "certificate", "client_secret": nil, "certificate": certificate, "private_key": key})
	}
	result, err := open(t, azure.New(), settings(text, key)).Check(t.Context())
	require.NoError(t, err)
	require.Equal(t, c.Estate().TenantID, result.Target.ID)
	require.Equal(t, c.Estate().Auditor.ObjectID, result.ActsAs)
	_, err = open(t, azure.New(), settings(otherText, otherKey)).Check(t.Context())
	require.Equal(t, connector.CredentialInvalid, connector.AsError(err).Category, "%v", err)
	_, err = azure.New().Open(t.Context(), settings("nothing", "of it"))
	require.Equal(t, connector.CredentialInvalid, connector.AsError(err).Category)
}

func newCertificate(t *testing.T) (certificate *x509.Certificate, text, key string) {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "gatehouse"}, NotAfter: time.Now().Add(time.Hour)}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	require.NoError(t, err)
	certificate, err = x509.ParseCertificate(raw)
	require.NoError(t, err)
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	return certificate, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}))
}

// TestOwnIdentityIsShownToMicrosoftAlone refuses an address for the worker's own
// tokens.
func TestOwnIdentityIsShownToMicrosoftAlone(t *testing.T) {
	t.Parallel()
	c := newTenant(t, simulator.Options{People: 2})
	for _, mode := range []string{"managed_identity", "workload_identity"} {
		_, err := azure.New().Open(t.Context(), c.settings(t, map[string]any{"auth_mode": mode}))
		require.Equal(t, connector.CredentialInvalid, connector.AsError(err).Category)
		require.ErrorContains(t, err, "endpoint_url")
	}
	require.Empty(t, c.Requests())
}
