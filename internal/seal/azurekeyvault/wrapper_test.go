package azurekeyvault

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/seal"
	"github.com/gatehouse-project/gatehouse/internal/seal/sealtest"
)

// vault is a Key Vault with one RSA key, written from the REST reference of
// wrapKey, unwrapKey and of the vault's authentication challenge.
type vault struct {
	*httptest.Server
	key  *rsa.PrivateKey
	fail atomic.Pointer[failure]
}

type failure struct {
	status      int
	code, inner string
}

const version = "78deebed173b48e48f55abf87ed4cf71"

func startVault(t testing.TB) *vault {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	v := &vault{key: key}
	v.Server = httptest.NewTLSServer(http.HandlerFunc(v.serve))
	t.Cleanup(v.Close)
	return v
}

func (v *vault) serve(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer good" {
		w.Header().Set("WWW-Authenticate", `Bearer authorization="https://login.microsoftonline.com/tenant", resource="https://vault.azure.net"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	refuse := func(f failure) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(f.status)
		_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{
			"code": f.code, "message": "canary: the vault's own words", "innererror": map[string]string{"code": f.inner},
		}})
	}
	if f := v.fail.Load(); f != nil {
		refuse(*f)
		return
	}
	var in struct {
		Algorithm string `json:"alg"`
		Value     string `json:"value"`
	}
	if json.NewDecoder(r.Body).Decode(&in) != nil || in.Algorithm != "RSA-OAEP-256" {
		refuse(failure{http.StatusBadRequest, "BadParameter", ""})
		return
	}
	value, err := base64.RawURLEncoding.DecodeString(in.Value)
	if err != nil {
		refuse(failure{http.StatusBadRequest, "BadParameter", ""})
		return
	}
	var result []byte
	switch r.URL.Path {
	case "/keys/gatehouse/" + version + "/wrapkey":
		result, err = rsa.EncryptOAEP(sha256.New(), rand.Reader, &v.key.PublicKey, value, nil)
	case "/keys/gatehouse/" + version + "/unwrapkey":
		result, err = rsa.DecryptOAEP(sha256.New(), nil, v.key, value, nil)
	default:
		refuse(failure{http.StatusNotFound, "KeyNotFound", ""})
		return
	}
	if err != nil {
		refuse(failure{http.StatusBadRequest, "BadParameter", ""})
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{"kid": v.URL + "/keys/gatehouse/" + version, "value": base64.RawURLEncoding.EncodeToString(result)})
}

type signIn struct{}

func (signIn) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "good", ExpiresOn: time.Now().Add(time.Hour)}, nil
}

func (v *vault) wrapper(t testing.TB, name string) *Wrapper {
	t.Helper()
	w, err := newWith(Config{KeyURL: v.URL + "/keys/" + name + "/" + version}, signIn{}, &azkeys.ClientOptions{
		ClientOptions:                        azcore.ClientOptions{Transport: v.Client(), Retry: policy.RetryOptions{MaxRetries: -1}},
		DisableChallengeResourceVerification: true,
	})
	require.NoError(t, err)
	return w
}

func TestContract(t *testing.T) {
	t.Parallel()
	sealtest.Contract(t, startVault(t).wrapper(t, "gatehouse"), 128)
}

func TestProblemsAreToldApart(t *testing.T) {
	t.Parallel()
	v := startVault(t)
	w := v.wrapper(t, "gatehouse")
	for _, c := range []struct {
		failure
		problem seal.Problem
		says    string
	}{
		{failure{http.StatusForbidden, "Forbidden", "ForbiddenByRbac"}, seal.Denied, "needs wrapKey on the key"},
		{failure{http.StatusForbidden, "Forbidden", "ForbiddenByFirewall"}, seal.Denied, "firewall"},
		{failure{http.StatusForbidden, "Forbidden", "KeyDisabled"}, seal.Unusable, "is disabled"},
		{failure{http.StatusNotFound, "KeyNotFound", ""}, seal.Missing, "check vault, name and version"},
		{failure{http.StatusTooManyRequests, "Throttled", ""}, seal.Unreachable, "try again"},
		{failure{http.StatusServiceUnavailable, "ServiceUnavailable", ""}, seal.Unreachable, "try again"},
		{failure{http.StatusConflict, "Conflict", ""}, seal.Failed, "Conflict"},
	} {
		v.fail.Store(&c.failure)
		_, err := w.Wrap(t.Context(), sealtest.DataKey(), sealtest.Binding())
		sealtest.Problem(t, err, c.problem, c.says)
		require.NotContains(t, err.Error(), "canary")
	}
	v.fail.Store(nil)
	_, err := v.wrapper(t, "other").Wrap(t.Context(), sealtest.DataKey(), sealtest.Binding())
	sealtest.Problem(t, err, seal.Missing, "there is no such key")
	v.Close()
	_, err = w.Wrap(t.Context(), sealtest.DataKey(), sealtest.Binding())
	sealtest.Problem(t, err, seal.Unreachable, "reaches the vault")
}

func TestOnlyVersionsOfKeysAreAccepted(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"", "https://x.vault.azure.net", "https://x.vault.azure.net/keys/k", "http://x.vault.azure.net/keys/k/1", "https://x.vault.azure.net/secrets/k/1",
		"https://x.vault.azure.net/keys/../1",
	} {
		_, err := New(Config{KeyURL: url})
		require.ErrorContains(t, err, "not the identifier of a version of a key", url)
	}
}

// FuzzUnwrap gives any wrapped key to a vault that answers.
func FuzzUnwrap(f *testing.F) {
	w := startVault(f).wrapper(f, "gatehouse")
	wrapped, err := w.Wrap(f.Context(), sealtest.DataKey(), sealtest.Binding())
	require.NoError(f, err)
	f.Add(wrapped)
	f.Add([]byte{})
	f.Add(make([]byte, 256))
	f.Add(wrapped[:255])
	f.Fuzz(func(t *testing.T, given []byte) {
		opened, err := w.Unwrap(t.Context(), given, w.KeyID(), sealtest.Binding())
		if err != nil {
			require.Nil(t, opened)
			return
		}
		require.Equal(t, sealtest.DataKey(), opened)
	})
}
