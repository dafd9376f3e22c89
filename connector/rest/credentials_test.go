package rest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/rest"
)

func tokens(t *testing.T, handle http.HandlerFunc) *rest.ClientCredentials {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	return &rest.ClientCredentials{API: doors(), HTTP: server.Client(), TokenURL: server.URL, ClientID: "id", ClientSecret: "secret", Scopes: []string{"a", "b"}}
}

func TestTokensAreHeldUntilTheyEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lifetime string
		calls    int
	}{
		"an hour":         {`,"expires_in":3600`, 2},
		"no end":          {"", 2},
		"about to end":    {`,"expires_in":60`, 3},
		"written as text": {`,"expires_in":"3600"`, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			source := tokens(t, func(w http.ResponseWriter, _ *http.Request) {
				calls++
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprintf(w, `{"access_token":"t%d","token_type":"Bearer","instance_url":"https://own.example"%s}`, calls, c.lifetime)
			})
			require.Empty(t, source.Field("instance_url"))
			for range 2 {
				_, err := source.Token(t.Context(), false)
				require.NoError(t, err)
			}
			require.Equal(t, "https://own.example", source.Field("instance_url"))
			require.Empty(t, source.Field("other"))
			got, err := source.Token(t.Context(), true)
			require.NoError(t, err)
			require.Equal(t, fmt.Sprintf("t%d", c.calls), got, "fresh is asked for anew")
			require.Equal(t, c.calls, calls)
		})
	}
}

func TestWhatIsSentForAToken(t *testing.T) {
	t.Parallel()
	for _, inHeader := range []bool{false, true} {
		var form url.Values
		var user, password string
		source := tokens(t, func(w http.ResponseWriter, r *http.Request) {
			_ = r.ParseForm()
			form = r.PostForm
			user, password, _ = r.BasicAuth()
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"access_token":"t","token_type":"Bearer"}`)
		})
		source.InHeader, source.Parameters = inHeader, url.Values{"audience": {"doors"}}
		_, err := source.Token(t.Context(), false)
		require.NoError(t, err)
		want := url.Values{"grant_type": {"client_credentials"}, "scope": {"a b"}, "audience": {"doors"}}
		if inHeader {
			require.Equal(t, []string{"id", "secret"}, []string{user, password})
		} else {
			want.Set("client_id", "id")
			want.Set("client_secret", "secret")
		}
		require.Equal(t, want, form)
	}
}

func TestRefusalsOfTheTokenEndpoint(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status   int
		body     string
		category connector.Category
	}{
		"invalid client":  {401, `{"error":"invalid_client","error_description":"secret"}`, connector.CredentialInvalid},
		"another code":    {400, `{"error":"locked_out"}`, connector.CredentialInvalid},
		"invalid scope":   {400, `{"error":"invalid_scope"}`, connector.ScopeInvalid},
		"not for this":    {400, `{"error":"unauthorized_client"}`, connector.ScopeInvalid},
		"unavailable":     {400, `{"error":"temporarily_unavailable"}`, connector.ProviderUnavailable},
		"server":          {500, `{"error":"invalid_client"}`, connector.ProviderUnavailable},
		"too many":        {429, `{"error":"slow_down"}`, connector.Throttled},
		"too many, text":  {429, `secret`, connector.Throttled},
		"a proxy's page":  {502, `<html>secret</html>`, connector.ProviderUnavailable},
		"no token":        {200, `{"token_type":"Bearer"}`, connector.ProviderUnavailable},
		"no JSON":         {200, `secret`, connector.ProviderUnavailable},
		"no JSON's error": {404, `{"message":"secret"}`, connector.ProviderUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source := tokens(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(c.status)
				fmt.Fprint(w, c.body)
			})
			_, err := source.Token(t.Context(), false)
			requireError(t, err, c.category, "")
		})
	}
}

func TestATokenEndpointThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	source := tokens(t, nil)
	source.TokenURL = "http://127.0.0.1:1/token"
	_, err := source.Token(t.Context(), false)
	requireError(t, err, connector.NetworkUnreachable, "cannot reach 127.0.0.1:1")
}
