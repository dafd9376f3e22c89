package login_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/cli/login"
)

// provider is one whose discovery document the test writes. It keeps what it was
// asked for.
type provider struct {
	url string

	mu       sync.Mutex
	document map[string]any
	asked    []string
	forms    []map[string][]string
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	p := &provider{}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, p.document) })
	mux.HandleFunc("GET /moved/.well-known/openid-configuration", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://192.0.2.1/.well-known/openid-configuration", http.StatusFound)
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]any{"access_token": "at", "token_type": "Bearer", "id_token": "idt", "refresh_token": "rt_2"})
	})
	mux.HandleFunc("POST /elsewhere", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/token", http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("POST /down", func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusServiceUnavailable, nil) })
	mux.HandleFunc("POST /refuses", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant", "error_description": "expired"})
	})
	mux.HandleFunc("POST /revoke", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /device", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]any{"device_code": "d", "user_code": "AB-CD", "verification_uri": "javascript:alert(1)", "interval": 1, "expires_in": 60})
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		_ = r.ParseForm() // a form that is none is kept as empty
		p.asked, p.forms = append(p.asked, r.URL.Path), append(p.forms, r.PostForm)
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	p.url = server.URL
	p.document = map[string]any{
		"issuer": p.url, "authorization_endpoint": p.url + "/authorize", "token_endpoint": p.url + "/token",
		"device_authorization_endpoint": p.url + "/device", "jwks_uri": p.url + "/keys",
	}
	return p
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The test sees an answer that did not come through.
	_ = json.NewEncoder(w).Encode(body)
}

// with changes the discovery document.
func (p *provider) with(changes map[string]any) *provider {
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.Copy(p.document, changes)
	return p
}

func (p *provider) at(issuer string) login.Provider {
	return login.Provider{Issuer: issuer, ClientID: "gatehouse", Scopes: []string{"openid"}}
}

// A server that was taken over names a provider, and that a discovery document, of
// its choice. Nothing is shown to anybody then, no browser opened, no code or
// refresh token sent.
func TestNobodyIsSentToWhatIsNotTrusted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		// issuer goes before the test's own provider.
		issuer  string
		changes map[string]any
		want    string
	}{
		"no https":                {issuer: "http://login.example.com", want: "is not https"},
		"no provider":             {issuer: "javascript:alert(1)", want: "is not the address of a server"},
		"a file":                  {issuer: "file:///etc/passwd", want: "is not the address of a server"},
		"a file of a host":        {issuer: "file://localhost/etc/passwd", want: "is not https"},
		"a user":                  {issuer: "https://login.example.com@evil.example", want: "is not the address of a server"},
		"loopback only by name":   {issuer: "http://127.0.0.1.evil.example", want: "is not https"},
		"authorization by script": {changes: map[string]any{"authorization_endpoint": "javascript:alert(1)"}, want: "authorization_endpoint of the identity provider is not used"},
		"authorization by file":   {changes: map[string]any{"authorization_endpoint": "file:///bin/sh"}, want: "authorization_endpoint of the identity provider is not used"},
		"authorization in clear":  {changes: map[string]any{"authorization_endpoint": "http://login.example.com/auth"}, want: `"http://login.example.com/auth" is not https`},
		"token in clear":          {changes: map[string]any{"token_endpoint": "http://192.0.2.1/token"}, want: "token_endpoint of the identity provider is not used"},
		"no token":                {changes: map[string]any{"token_endpoint": ""}, want: "names no token_endpoint"},
		"device in clear":         {changes: map[string]any{"device_authorization_endpoint": "http://192.0.2.1/"}, want: "device_authorization_endpoint of the identity provider is not used"},
		"revocation in clear":     {changes: map[string]any{"revocation_endpoint": "ftp://192.0.2.1/"}, want: "revocation_endpoint of the identity provider is not used"},
		"another issuer":          {changes: map[string]any{"issuer": "https://login.example.com"}, want: "did not match"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := newProvider(t).with(c.changes)
			provider := fake.at(fake.url)
			if c.issuer != "" {
				provider.Issuer = c.issuer
			}
			_, err := provider.Loopback(t.Context(), 0, func(address string) { t.Errorf("somebody is sent to %s", address) })
			require.ErrorContains(t, err, c.want)
			_, err = provider.Device(t.Context(), func(p login.Prompt) { t.Errorf("somebody is sent to %s", p.URL) })
			require.ErrorContains(t, err, c.want)
			_, err = provider.Refresh(t.Context(), login.Tokens{Refresh: "rt_1"})
			require.ErrorContains(t, err, c.want)
			for _, path := range fake.asked {
				require.Equal(t, "/.well-known/openid-configuration", path, "nothing else is asked for")
			}
		})
	}
}

func TestRedirectsLeadNowhereElse(t *testing.T) {
	t.Parallel()
	fake := newProvider(t)
	_, err := fake.at(fake.url+"/moved").Refresh(t.Context(), login.Tokens{Refresh: "rt_1"})
	require.ErrorContains(t, err, "refused a redirect")

	fake.with(map[string]any{"token_endpoint": fake.url + "/elsewhere"})
	_, err = fake.at(fake.url).Refresh(t.Context(), login.Tokens{Refresh: "rt_1"})
	require.ErrorContains(t, err, "answered 307")
	require.NotContains(t, fake.asked, "/token", "a refresh token is not sent on")
}

func TestPageOfTheDeviceFlowIsTrustedToo(t *testing.T) {
	t.Parallel()
	fake := newProvider(t)
	_, err := fake.at(fake.url).Device(t.Context(), func(p login.Prompt) { t.Errorf("somebody is sent to %s", p.URL) })
	require.ErrorContains(t, err, "the page of the device flow is not shown")
}

func TestRefreshTellsRefusalsFromAProviderThatIsDown(t *testing.T) {
	t.Parallel()
	fake := newProvider(t)
	got, err := fake.at(fake.url).Refresh(t.Context(), login.Tokens{Refresh: "rt_1", NonceVerifier: "n"})
	require.NoError(t, err)
	require.Equal(t, login.Tokens{ID: "idt", NonceVerifier: "n", Refresh: "rt_2"}, got)
	last := fake.forms[len(fake.forms)-1]
	require.Equal(t, []string{"rt_1"}, last["refresh_token"])
	require.Equal(t, []string{"gatehouse"}, last["client_id"])

	fake.with(map[string]any{"token_endpoint": fake.url + "/refuses"})
	_, err = fake.at(fake.url).Refresh(t.Context(), login.Tokens{Refresh: "rt_1"})
	require.EqualError(t, err, "refresh the sign-in: the identity provider refused: invalid_grant (expired)")

	var down *login.UnavailableError
	fake.with(map[string]any{"token_endpoint": fake.url + "/down"})
	_, err = fake.at(fake.url).Refresh(t.Context(), login.Tokens{Refresh: "rt_1"})
	require.ErrorAs(t, err, &down)
	_, err = fake.at("http://127.0.0.1:1").Loopback(t.Context(), 0, func(string) {})
	require.ErrorAs(t, err, &down)
	require.ErrorContains(t, err, "no answer from the identity provider http://127.0.0.1:1")
}

func TestRevocationIsAskedForAsTheStandardSays(t *testing.T) {
	t.Parallel()
	fake := newProvider(t)
	require.ErrorIs(t, fake.at(fake.url).Revoke(t.Context(), "rt_1"), login.ErrNoRevocation)

	fake.with(map[string]any{"revocation_endpoint": fake.url + "/revoke"})
	require.NoError(t, fake.at(fake.url).Revoke(t.Context(), "rt_1"))
	last := fake.forms[len(fake.forms)-1]
	require.Equal(t, map[string][]string{"token": {"rt_1"}, "token_type_hint": {"refresh_token"}, "client_id": {"gatehouse"}}, last)

	fake.with(map[string]any{"revocation_endpoint": fake.url + "/refuses"})
	require.EqualError(t, fake.at(fake.url).Revoke(t.Context(), "rt_1"), "revoke the refresh token: the identity provider refused: invalid_grant (expired)")
	var down *login.UnavailableError
	fake.with(map[string]any{"revocation_endpoint": fake.url + "/down"})
	require.ErrorAs(t, fake.at(fake.url).Revoke(t.Context(), "rt_1"), &down)
	// Nothing that carries the token follows a redirect, nor goes out in clear.
	fake.with(map[string]any{"revocation_endpoint": fake.url + "/elsewhere"})
	require.ErrorContains(t, fake.at(fake.url).Revoke(t.Context(), "rt_1"), "answered 307")
	fake.with(map[string]any{"revocation_endpoint": "http://192.0.2.1/revoke"})
	require.ErrorContains(t, fake.at(fake.url).Revoke(t.Context(), "rt_1"), "is not https")
	require.NotContains(t, fake.asked, "/token")
}

// A page that never ends is cut off; what is left is no answer.
func TestHugeDiscoveryDocumentIsCut(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	}))
	t.Cleanup(server.Close)
	_, err := login.Provider{Issuer: server.URL, ClientID: "c"}.Refresh(t.Context(), login.Tokens{Refresh: "r"})
	require.ErrorContains(t, err, "decode")
}
