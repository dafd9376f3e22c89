package oidc_test

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc/oidctest"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/oidc"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

const clientID = "gatehouse"

// issuer is a provider whose tokens the test signs, and which can be down.
type issuer struct {
	url  string
	key  *ecdsa.PrivateKey
	down atomic.Bool
	// fetched counts what was asked of it.
	fetched atomic.Int64
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	i := &issuer{key: key}
	served := &oidctest.Server{PublicKeys: []oidctest.PublicKey{{PublicKey: key.Public(), KeyID: "k1", Algorithm: "ES256"}}, Algorithms: []string{"ES256", "HS256", "none"}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.fetched.Add(1)
		if i.down.Load() {
			http.Error(w, "canary-down", http.StatusBadGateway)
			return
		}
		served.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	served.SetIssuer(server.URL)
	i.url = server.URL
	return i
}

// claims are those of a good token; changes are on top, and a nil takes one away.
func (i *issuer) claims(changes map[string]any) map[string]any {
	now := time.Now()
	c := map[string]any{
		"iss": i.url, "aud": clientID, "sub": "alice", "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(),
		"email": "Alice@Example.com", "email_verified": true, "name": "Alice", "nonce": oidc.Nonce("verifier"),
	}
	maps.Copy(c, changes)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

func (i *issuer) sign(t *testing.T, claims map[string]any) string {
	t.Helper()
	text, err := json.Marshal(claims)
	require.NoError(t, err)
	return oidctest.SignIDToken(i.key, "k1", "ES256", string(text))
}

func newProvider(t *testing.T, c oidc.Config) *oidc.Provider {
	t.Helper()
	c.ClientID, c.AllowPrivate = clientID, true
	p, err := oidc.New(c, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return p
}

func TestGoodTokenTellsWhoItIs(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	p := newProvider(t, oidc.Config{Issuer: i.url})
	token := i.sign(t, i.claims(map[string]any{
		"groups": []string{"a", "b"}, "level": 12345678901234567, "staff": true, "realm_access": map[string]any{"roles": []string{"r"}}, "bad": "x\x00",
	}))
	who, err := p.Verify(t.Context(), token, "verifier")
	require.NoError(t, err)
	require.Equal(t, i.url, who.Issuer)
	require.Equal(t, "alice", who.Subject)
	require.Equal(t, "Alice", who.Name)
	require.Equal(t, "alice@example.com", who.Email)
	require.True(t, who.EmailVerified)
	for _, c := range []workspace.Claim{
		{Name: "groups", Value: "a"},
		{Name: "groups", Value: "b"},
		{Name: "level", Value: "12345678901234567"},
		{Name: "staff", Value: "true"},
		{Name: "realm_access.roles", Value: "r"},
	} {
		require.Contains(t, who.Claims, c)
	}
	for _, c := range who.Claims {
		require.NotEqual(t, "bad", c.Name, "what no database stores is left out")
	}
	before := i.fetched.Load()
	_, err = p.Verify(t.Context(), i.sign(t, i.claims(map[string]any{"sub": "bob"})), "verifier")
	require.NoError(t, err)
	require.Equal(t, before, i.fetched.Load(), "document and keys are kept")
}

// Every token that is not good gives the same error, which holds no part of it.
func TestForgedAndStrayTokensAreRefusedAlike(t *testing.T) {
	t.Parallel()
	i, other := newIssuer(t), newIssuer(t)
	p := newProvider(t, oidc.Config{Issuer: i.url})
	hour := time.Hour
	at := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	good := i.sign(t, i.claims(nil))
	parts := strings.Split(good, ".")
	encode := func(v any) string {
		raw, err := json.Marshal(v)
		require.NoError(t, err)
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	for name, token := range map[string]string{
		"another audience":        i.sign(t, i.claims(map[string]any{"aud": "else"})),
		"no audience":             i.sign(t, i.claims(map[string]any{"aud": nil})),
		"several, for another":    i.sign(t, i.claims(map[string]any{"aud": []string{clientID, "else"}, "azp": "else"})),
		"several, for nobody":     i.sign(t, i.claims(map[string]any{"aud": []string{clientID, "else"}})),
		"another issuer's word":   i.sign(t, i.claims(map[string]any{"iss": other.url})),
		"another issuer's key":    other.sign(t, i.claims(nil)),
		"another issuer":          other.sign(t, other.claims(nil)),
		"expired":                 i.sign(t, i.claims(map[string]any{"exp": at(-hour), "iat": at(-hour)})),
		"no end":                  i.sign(t, i.claims(map[string]any{"exp": nil})),
		"kept for long":           i.sign(t, i.claims(map[string]any{"iat": at(-hour)})),
		"no beginning":            i.sign(t, i.claims(map[string]any{"iat": nil})),
		"issued tomorrow":         i.sign(t, i.claims(map[string]any{"iat": at(24 * hour), "exp": at(25 * hour)})),
		"not yet":                 i.sign(t, i.claims(map[string]any{"nbf": at(hour)})),
		"another sign-in's nonce": i.sign(t, i.claims(map[string]any{"nonce": oidc.Nonce("else")})),
		"no subject":              i.sign(t, i.claims(map[string]any{"sub": nil})),
		"impossible subject":      i.sign(t, i.claims(map[string]any{"sub": "a\x00b"})),
		"endless subject":         i.sign(t, i.claims(map[string]any{"sub": strings.Repeat("a", 256)})),
		"unsigned":                encode(map[string]string{"alg": "none"}) + "." + parts[1] + ".",
		"signed with its key id":  encode(map[string]string{"alg": "HS256", "kid": "k1"}) + "." + parts[1] + "." + encode("x"),
		"altered":                 parts[0] + "." + encode(i.claims(map[string]any{"sub": "eve"})) + "." + parts[2],
		"cut":                     good[:len(good)-4],
		"nothing":                 "",
		"no token":                "canary",
	} {
		_, err := p.Verify(t.Context(), token, "verifier")
		require.Equal(t, fault.Unauthenticated, fault.KindOf(err), name)
		f, _ := fault.As(err)
		require.Equal(t, "the identity provider's token is not accepted; sign in again", f.Message, name)
	}
	for _, verifier := range []string{"", "else", oidc.Nonce("verifier")} {
		_, err := p.Verify(t.Context(), good, verifier)
		require.Equal(t, fault.Unauthenticated, fault.KindOf(err), "stolen without its verifier: %q", verifier)
	}
	_, err := p.Verify(t.Context(), i.sign(t, i.claims(map[string]any{"nonce": nil})), "")
	require.NoError(t, err, "the device flow has no nonce")
}

func TestProviderThatIsDownIsUnavailable(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	p := newProvider(t, oidc.Config{Issuer: i.url})
	i.down.Store(true)
	refused := func(why string) {
		_, err := p.Verify(t.Context(), i.sign(t, i.claims(nil)), "verifier")
		require.Equal(t, fault.Unavailable, fault.KindOf(err), why)
		f, _ := fault.As(err)
		require.Contains(t, f.Message, "Sessions that exist go on")
		require.NotContains(t, f.Message, "canary")
	}
	refused("no discovery document")
	i.down.Store(false)
	oidc.Advance(p, time.Minute)
	_, err := p.Verify(t.Context(), i.sign(t, i.claims(nil)), "verifier")
	require.NoError(t, err, "it is asked again")

	fresh := newProvider(t, oidc.Config{Issuer: i.url})
	_, err = fresh.Verify(t.Context(), "x.y.z", "verifier")
	require.Equal(t, fault.Unauthenticated, fault.KindOf(err))
	i.down.Store(true)
	_, err = fresh.Verify(t.Context(), i.sign(t, i.claims(nil)), "verifier")
	require.Equal(t, fault.Unavailable, fault.KindOf(err), "no keys")
}

func TestDiscoveryOfAnotherIssuerIsRefused(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	p := newProvider(t, oidc.Config{Issuer: i.url + "/tenant"})
	_, err := p.Verify(t.Context(), i.sign(t, i.claims(nil)), "verifier")
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
}

func TestProviderAtAPrivateAddressNeedsTheOperatorsLeave(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	p, err := oidc.New(oidc.Config{Issuer: i.url, ClientID: clientID}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	_, err = p.Verify(t.Context(), i.sign(t, i.claims(nil)), "verifier")
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	require.Zero(t, i.fetched.Load(), "nothing was sent")
}

func TestHugeAnswersAndRedirectsAreCut(t *testing.T) {
	t.Parallel()
	var hops atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hops.Add(1)
		if strings.HasPrefix(r.URL.Path, "/huge") {
			_, _ = fmt.Fprintf(w, `{"issuer":%q}`, strings.Repeat("x", 4<<20))
			return
		}
		http.Redirect(w, r, r.URL.Path+"x", http.StatusFound)
	}))
	t.Cleanup(server.Close)
	for _, path := range []string{"/huge", "/around"} {
		p := newProvider(t, oidc.Config{Issuer: server.URL + path})
		_, err := p.Verify(context.Background(), "x.y.z", "")
		require.Equal(t, fault.Unavailable, fault.KindOf(err), path)
	}
	require.LessOrEqual(t, hops.Load(), int64(6))
}

func TestEmailIsTrustedOnlyWhereItMayBe(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	for name, test := range map[string]struct {
		config   oidc.Config
		claims   map[string]any
		email    string
		verified bool
	}{
		"verified":          {oidc.Config{}, nil, "alice@example.com", true},
		"verified in text":  {oidc.Config{}, map[string]any{"email_verified": "true"}, "alice@example.com", true},
		"not verified":      {oidc.Config{}, map[string]any{"email_verified": false}, "alice@example.com", false},
		"nothing said":      {oidc.Config{}, map[string]any{"email_verified": nil}, "alice@example.com", false},
		"odd":               {oidc.Config{}, map[string]any{"email_verified": "yes"}, "alice@example.com", false},
		"trusted":           {oidc.Config{TrustEmail: true}, map[string]any{"email_verified": nil}, "alice@example.com", true},
		"elsewhere":         {oidc.Config{EmailClaim: "upn", TrustEmail: true}, map[string]any{"upn": "A@Contoso.com"}, "a@contoso.com", true},
		"elsewhere, unsaid": {oidc.Config{EmailClaim: "upn"}, map[string]any{"upn": "a@contoso.com"}, "a@contoso.com", false},
		"no address":        {oidc.Config{}, map[string]any{"email": "Alice <alice@example.com>"}, "", false},
		"none":              {oidc.Config{TrustEmail: true}, map[string]any{"email": nil}, "", false},
	} {
		test.config.Issuer = i.url
		who, err := newProvider(t, test.config).Verify(t.Context(), i.sign(t, i.claims(test.claims)), "verifier")
		require.NoError(t, err, name)
		require.Equal(t, test.email, who.Email, name)
		require.Equal(t, test.verified, who.EmailVerified, name)
		if name == "no address" || name == "none" {
			continue
		}
		claim := cmp.Or(test.config.EmailClaim, "email")
		mappable := slices.ContainsFunc(who.Claims, func(c workspace.Claim) bool { return c.Name == claim })
		require.Equal(t, test.verified, mappable, "%s: what nobody vouches for maps to nothing", name)
	}
}

func TestNamesFitMembers(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	p := newProvider(t, oidc.Config{Issuer: i.url})
	for want, claims := range map[string]map[string]any{
		"A B":                    {"name": " A\n\tB "},
		"al":                     {"name": "", "preferred_username": "al"},
		"alice@example.com":      {"name": nil},
		"alice":                  {"name": nil, "email": nil},
		strings.Repeat("é", 200): {"name": strings.Repeat("é", 300)},
	} {
		who, err := p.Verify(t.Context(), i.sign(t, i.claims(claims)), "verifier")
		require.NoError(t, err)
		require.Equal(t, want, who.Name)
	}
}

func TestConfigurationThatCannotWork(t *testing.T) {
	t.Parallel()
	for _, c := range []oidc.Config{
		{Issuer: "login.example.com", ClientID: clientID},
		{Issuer: "http://login.example.com", ClientID: clientID},
		{Issuer: "ftp://127.0.0.1", ClientID: clientID},
		{Issuer: "https://a@login.example.com", ClientID: clientID},
		{Issuer: "https://login.example.com?x=1", ClientID: clientID},
		{Issuer: "https://login.example.com"},
		{Issuer: "https://login.example.com", ClientID: clientID, Scopes: []string{"email"}},
	} {
		_, err := oidc.New(c, slog.New(slog.DiscardHandler))
		require.ErrorContains(t, err, "--oidc-", "%+v", c)
	}
	_, err := oidc.New(oidc.Config{Issuer: "https://login.example.com/tenant", ClientID: clientID}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
}
