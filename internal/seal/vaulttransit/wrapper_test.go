package vaulttransit

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/seal"
	"github.com/gatehouse-project/gatehouse/internal/seal/sealtest"
)

// engine is a transit engine, written from Vault's documentation of
// /transit/encrypt/:name and /transit/decrypt/:name and of its error statuses.
type engine struct {
	*httptest.Server
	aead  cipher.AEAD
	token atomic.Value
	fail  atomic.Pointer[failure]
}

type failure struct {
	status int
	said   string
}

const goodToken = "hvs.CAESIJ-token"

func startEngine(t testing.TB) *engine {
	t.Helper()
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	block, err := aes.NewCipher(key)
	require.NoError(t, err)
	e := &engine{}
	e.token.Store(goodToken)
	e.aead, err = cipher.NewGCM(block)
	require.NoError(t, err)
	e.Server = httptest.NewServer(http.HandlerFunc(e.serve))
	t.Cleanup(e.Close)
	return e
}

func (e *engine) serve(w http.ResponseWriter, r *http.Request) {
	refuse := func(status int, said ...string) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]any{"errors": said})
	}
	if f := e.fail.Load(); f != nil {
		refuse(f.status, f.said)
		return
	}
	if r.Header.Get("X-Vault-Token") != e.token.Load() || r.Header.Get("X-Vault-Namespace") != "team/a" {
		refuse(http.StatusForbidden, "permission denied")
		return
	}
	var in struct {
		Plaintext  string `json:"plaintext"`
		Ciphertext string `json:"ciphertext"`
		Data       string `json:"associated_data"`
	}
	if json.NewDecoder(r.Body).Decode(&in) != nil {
		refuse(http.StatusBadRequest, "failed to parse JSON input")
		return
	}
	bound, err := base64.StdEncoding.DecodeString(in.Data)
	if err != nil {
		refuse(http.StatusBadRequest, "failed to base64-decode associated_data")
		return
	}
	switch r.URL.Path {
	case "/v1/secure/transit/encrypt/gatehouse":
		plaintext, err := base64.StdEncoding.DecodeString(in.Plaintext)
		if err != nil {
			refuse(http.StatusBadRequest, "failed to base64-decode plaintext")
			return
		}
		nonce := make([]byte, e.aead.NonceSize())
		_, _ = rand.Read(nonce)
		text := "vault:v1:" + base64.StdEncoding.EncodeToString(e.aead.Seal(nonce, nonce, plaintext, bound))
		_ = json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"ciphertext": text, "key_version": 1}})
	case "/v1/secure/transit/decrypt/gatehouse":
		raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(in.Ciphertext, "vault:v1:"))
		if err != nil || len(raw) < e.aead.NonceSize() {
			refuse(http.StatusBadRequest, "invalid ciphertext: could not decode base64")
			return
		}
		opened, err := e.aead.Open(nil, raw[:e.aead.NonceSize()], raw[e.aead.NonceSize():], bound)
		if err != nil {
			refuse(http.StatusBadRequest, "cipher: message authentication failed")
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"plaintext": base64.StdEncoding.EncodeToString(opened)}})
	default:
		refuse(http.StatusNotFound)
	}
}

func (e *engine) wrapper(t testing.TB, key string) (w *Wrapper, tokenFile string) {
	t.Helper()
	tokenFile = filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(tokenFile, []byte(goodToken+"\n"), 0o600))
	w, err := New(Config{Key: key, Address: e.URL, Namespace: "team/a", TokenFile: tokenFile})
	require.NoError(t, err)
	w.client.SetMaxRetries(0)
	return w, tokenFile
}

func TestContract(t *testing.T) {
	t.Parallel()
	w, _ := startEngine(t).wrapper(t, "secure/transit/gatehouse")
	require.Equal(t, "team/a/secure/transit/gatehouse", w.KeyID())
	sealtest.Contract(t, w, 128)
}

func TestProblemsAreToldApart(t *testing.T) {
	t.Parallel()
	e := startEngine(t)
	w, _ := e.wrapper(t, "secure/transit/gatehouse")
	for _, c := range []struct {
		failure
		problem seal.Problem
		says    string
	}{
		{failure{http.StatusForbidden, "permission denied"}, seal.Denied, "allow update on secure/transit/encrypt/gatehouse"},
		{failure{http.StatusNotFound, "no handler for route"}, seal.Missing, "check mount, key name and namespace"},
		{failure{http.StatusBadRequest, "encryption key not found"}, seal.Missing, "there is no such key"},
		{failure{http.StatusServiceUnavailable, "Vault is sealed"}, seal.Unreachable, "it is sealed"},
		{failure{http.StatusTooManyRequests, "rate limit"}, seal.Unreachable, "try again"},
		{failure{http.StatusBadRequest, "associated_data not supported for this key type"}, seal.Unusable, "aes256-gcm96"},
		{failure{http.StatusBadRequest, "ciphertext version is disallowed by policy (too old)"}, seal.Unusable, "min_decryption_version"},
		{failure{http.StatusBadRequest, "canary"}, seal.Failed, "refuses"},
	} {
		e.fail.Store(&c.failure)
		_, err := w.Wrap(t.Context(), sealtest.DataKey(), sealtest.Binding())
		sealtest.Problem(t, err, c.problem, c.says)
		require.NotContains(t, err.Error(), "canary")
		require.NotContains(t, err.Error(), goodToken)
	}
	e.fail.Store(nil)
	other, _ := e.wrapper(t, "secure/transit/other")
	_, err := other.Wrap(t.Context(), sealtest.DataKey(), sealtest.Binding())
	sealtest.Problem(t, err, seal.Missing, "check mount")
	e.Close()
	_, err = w.Wrap(t.Context(), sealtest.DataKey(), sealtest.Binding())
	sealtest.Problem(t, err, seal.Unreachable, "check that this process reaches Vault")
}

func TestTokenIsReadAtEveryCall(t *testing.T) {
	t.Parallel()
	e := startEngine(t)
	w, file := e.wrapper(t, "secure/transit/gatehouse")
	wrapped, err := w.Wrap(t.Context(), sealtest.DataKey(), sealtest.Binding())
	require.NoError(t, err)
	e.token.Store("hvs.renewed")
	_, err = w.Unwrap(t.Context(), wrapped, w.KeyID(), sealtest.Binding())
	sealtest.Problem(t, err, seal.Denied, "the token must be valid")
	require.NoError(t, os.WriteFile(file, []byte("hvs.renewed"), 0o600))
	_, err = w.Unwrap(t.Context(), wrapped, w.KeyID(), sealtest.Binding())
	require.NoError(t, err)
	require.NoError(t, os.Remove(file))
	_, err = w.Unwrap(t.Context(), wrapped, w.KeyID(), sealtest.Binding())
	sealtest.Problem(t, err, seal.Misconfigured, "token file cannot be read")
}

func TestAnswersThatAreNotVaults(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "{}", `{"data":{}}`, `{"data":{"ciphertext":7}}`, `{"data":{"ciphertext":"plain","plaintext":"%%"}}`, `<html>`} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }))
		t.Cleanup(server.Close)
		w, err := New(Config{Key: "transit/gatehouse", Address: server.URL})
		require.NoError(t, err)
		w.client.SetMaxRetries(0)
		_, err = w.Wrap(t.Context(), sealtest.DataKey(), sealtest.Binding())
		require.Error(t, err, body)
		opened, err := w.Unwrap(t.Context(), []byte("vault:v1:"+strings.Repeat("A", 80)), w.KeyID(), sealtest.Binding())
		require.Error(t, err, body)
		require.Nil(t, opened)
	}
}

func TestOnlyKeysAreAccepted(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"", "gatehouse", "/gatehouse", "transit/", "transit/../sys/seal", "transit/a?b", "transit/a b", "https://vault/transit/a"} {
		_, err := New(Config{Key: key})
		require.ErrorContains(t, err, "does not name a transit key", key)
	}
}

// FuzzUnwrap gives any wrapped key to an engine that answers.
func FuzzUnwrap(f *testing.F) {
	w, _ := startEngine(f).wrapper(f, "secure/transit/gatehouse")
	wrapped, err := w.Wrap(f.Context(), sealtest.DataKey(), sealtest.Binding())
	require.NoError(f, err)
	f.Add(string(wrapped))
	f.Add("")
	f.Add("vault:v1:")
	f.Add("vault:v1:AAAA")
	f.Add("vault:v999999999999:" + strings.Repeat("A", 80))
	f.Fuzz(func(t *testing.T, given string) {
		opened, err := w.Unwrap(t.Context(), []byte(given), w.KeyID(), sealtest.Binding())
		if err != nil {
			require.Nil(t, opened)
			return
		}
		require.Equal(t, sealtest.DataKey(), opened)
	})
}
