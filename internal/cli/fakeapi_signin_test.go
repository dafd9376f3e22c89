package cli_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// fakeSignIn is the sign-in of the fake server, and a provider that gives ID
// tokens for refresh tokens, as "rt_1", and nothing else.
type fakeSignIn struct {
	provider string

	mu sync.Mutex
	// named is what the server names; nil where sign-in is not set up.
	named map[string]any
	// refreshed is the refresh tokens that the provider was sent.
	refreshed []string
}

// newFakeSignIn returns one whose provider ends with the test.
func newFakeSignIn(t testing.TB) *fakeSignIn {
	t.Helper()
	f := &fakeSignIn{}
	mux := http.NewServeMux()
	// Two issuers, so that the one can stand in for the other.
	for _, issuer := range []string{"/acme", "/evil"} {
		mux.HandleFunc("GET "+issuer+"/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
			at := f.provider + issuer
			answer(w, http.StatusOK, map[string]any{
				"issuer": at, "authorization_endpoint": at + "/authorize", "token_endpoint": at + "/token", "jwks_uri": at + "/keys",
			})
		})
		mux.HandleFunc("POST "+issuer+"/token", f.token)
	}
	mux.HandleFunc("GET /script/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		at := f.provider + "/script"
		answer(w, http.StatusOK, map[string]any{"issuer": at, "authorization_endpoint": "javascript:alert(1)", "token_endpoint": at + "/token"})
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	f.provider = server.URL
	return f
}

func (f *fakeSignIn) token(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	token := r.PostFormValue("refresh_token")
	f.refreshed = append(f.refreshed, token)
	if token != "rt_1" {
		answer(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant"})
		return
	}
	answer(w, http.StatusOK, map[string]any{"access_token": "at", "token_type": "Bearer", "id_token": "idt", "refresh_token": "rt_2"})
}

func (f *fakeSignIn) getSignIn(w http.ResponseWriter, _ *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.named == nil {
		refuse(w, http.StatusNotFound, "sign-in is not set up on this server; use an API key")
		return
	}
	answer(w, http.StatusOK, f.named)
}

func (f *fakeSignIn) createSession(w http.ResponseWriter, r *http.Request) {
	var draft struct {
		IDToken string `json:"id_token"`
	}
	if err := json.NewDecoder(r.Body).Decode(&draft); err != nil || draft.IDToken != "idt" {
		refuse(w, http.StatusUnauthorized, "the identity provider's token is not accepted; sign in again")
		return
	}
	answer(w, http.StatusCreated, map[string]any{
		"session_id": "ses_8", "created_at": "2026-02-06T10:12:00Z", "expires_at": "2026-02-06T22:12:00Z", "idle_seconds": 3600,
		"token": sessionToken, "person": alice(), "workspaces": memberships(),
	})
}

// serverNames is a command of scripts: server-names ISSUER CLIENT says what the
// server names, as a path of the provider or a whole URL; server-names nothing
// takes sign-in away.
func serverNames(ts *testscript.TestScript, neg bool, args []string) {
	f := ts.Value(signInKey{}).(*fakeSignIn)
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case !neg && slices.Equal(args, []string{"nothing"}):
		f.named = nil
	case !neg && len(args) == 2:
		issuer := args[0]
		if issuer[0] == '/' {
			issuer = f.provider + issuer
		}
		f.named = map[string]any{"issuer": issuer, "client_id": args[1], "scopes": []string{"openid"}}
	default:
		ts.Fatalf("usage: server-names ISSUER CLIENT, or server-names nothing")
	}
}

// providerSaw is a command of scripts: provider-saw TOKEN... demands that these
// refresh tokens were sent to the provider, and no other ones.
func providerSaw(ts *testscript.TestScript, neg bool, args []string) {
	f := ts.Value(signInKey{}).(*fakeSignIn)
	f.mu.Lock()
	defer f.mu.Unlock()
	if neg || !slices.Equal(f.refreshed, args) {
		ts.Fatalf("the provider was sent %q, want %q", f.refreshed, args)
	}
}

// signInKey is where a script keeps its fakeSignIn.
type signInKey struct{}
