package gcpkms

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/gatehouse-project/gatehouse/internal/seal"
	"github.com/gatehouse-project/gatehouse/internal/seal/sealtest"
)

const keyOfTest = "projects/example/locations/europe-west1/keyRings/gatehouse/cryptoKeys/credentials"

// service is Cloud KMS with one key, written from the REST reference of
// projects.locations.keyRings.cryptoKeys.encrypt and decrypt.
type service struct {
	*httptest.Server
	aead cipher.AEAD
	fail atomic.Pointer[failure]
	// spoil changes an answer on its way.
	spoil atomic.Pointer[func(answer map[string]any)]
}

type failure struct {
	code   int
	status string
}

func startService(t testing.TB) *service {
	t.Helper()
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	block, err := aes.NewCipher(key)
	require.NoError(t, err)
	s := &service{}
	s.aead, err = cipher.NewGCM(block)
	require.NoError(t, err)
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

func (s *service) serve(w http.ResponseWriter, r *http.Request) {
	refuse := func(f failure) {
		w.WriteHeader(f.code)
		_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"code": f.code, "status": f.status, "message": "canary: its own words"}})
	}
	if f := s.fail.Load(); f != nil {
		refuse(*f)
		return
	}
	if r.Header.Get("Authorization") != "Bearer good" {
		refuse(failure{http.StatusUnauthorized, "UNAUTHENTICATED"})
		return
	}
	var in struct {
		Plaintext        []byte `json:"plaintext"`
		Ciphertext       []byte `json:"ciphertext"`
		Data             []byte `json:"additionalAuthenticatedData"`
		PlaintextCRC32C  string `json:"plaintextCrc32c"`
		CiphertextCRC32C string `json:"ciphertextCrc32c"`
		DataCRC32C       string `json:"additionalAuthenticatedDataCrc32c"`
	}
	name, operation, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v1/"), ":")
	if json.NewDecoder(r.Body).Decode(&in) != nil || in.DataCRC32C != checksum(in.Data) {
		refuse(failure{http.StatusBadRequest, "INVALID_ARGUMENT"})
		return
	}
	if name != keyOfTest {
		refuse(failure{http.StatusNotFound, "NOT_FOUND"})
		return
	}
	answer := map[string]any{}
	switch operation {
	case "encrypt":
		nonce := make([]byte, s.aead.NonceSize())
		_, _ = rand.Read(nonce)
		ciphertext := s.aead.Seal(nonce, nonce, in.Plaintext, in.Data)
		answer = map[string]any{
			"name": keyOfTest + "/cryptoKeyVersions/1", "ciphertext": ciphertext, "ciphertextCrc32c": checksum(ciphertext),
			"verifiedPlaintextCrc32c": in.PlaintextCRC32C == checksum(in.Plaintext), "verifiedAdditionalAuthenticatedDataCrc32c": true,
		}
	case "decrypt":
		if len(in.Ciphertext) < s.aead.NonceSize() || in.CiphertextCRC32C != checksum(in.Ciphertext) {
			refuse(failure{http.StatusBadRequest, "INVALID_ARGUMENT"})
			return
		}
		plaintext, err := s.aead.Open(nil, in.Ciphertext[:s.aead.NonceSize()], in.Ciphertext[s.aead.NonceSize():], in.Data)
		if err != nil {
			refuse(failure{http.StatusBadRequest, "INVALID_ARGUMENT"})
			return
		}
		answer = map[string]any{"plaintext": plaintext, "plaintextCrc32c": checksum(plaintext)}
	}
	if spoil := s.spoil.Load(); spoil != nil {
		(*spoil)(answer)
	}
	_ = json.NewEncoder(w).Encode(answer)
}

func (s *service) wrapper(t testing.TB, key string) *Wrapper {
	t.Helper()
	w, err := newWith(Config{Key: key, Endpoint: s.URL}, oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "good"}), http.DefaultTransport)
	require.NoError(t, err)
	return w
}

func TestContract(t *testing.T) {
	t.Parallel()
	sealtest.Contract(t, startService(t).wrapper(t, keyOfTest), 128)
}

func TestProblemsAreToldApart(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.wrapper(t, keyOfTest)
	for _, c := range []struct {
		failure
		problem seal.Problem
		says    string
	}{
		{failure{http.StatusForbidden, "PERMISSION_DENIED"}, seal.Denied, "CryptoKey Encrypter/Decrypter"},
		{failure{http.StatusUnauthorized, "UNAUTHENTICATED"}, seal.Denied, "access denied"},
		{failure{http.StatusBadRequest, "FAILED_PRECONDITION"}, seal.Unusable, "disabled or destroyed"},
		{failure{http.StatusNotFound, "NOT_FOUND"}, seal.Missing, "check project"},
		{failure{http.StatusTooManyRequests, "RESOURCE_EXHAUSTED"}, seal.Unreachable, "try again"},
		{failure{http.StatusServiceUnavailable, "UNAVAILABLE"}, seal.Unreachable, "try again"},
		{failure{http.StatusBadRequest, "INVALID_ARGUMENT"}, seal.Failed, "INVALID_ARGUMENT"},
	} {
		s.fail.Store(&c.failure)
		_, err := w.Wrap(t.Context(), sealtest.DataKey(), sealtest.Binding())
		sealtest.Problem(t, err, c.problem, c.says)
		require.NotContains(t, err.Error(), "canary")
	}
	s.fail.Store(nil)
	s.Close()
	_, err := w.Wrap(t.Context(), sealtest.DataKey(), sealtest.Binding())
	sealtest.Problem(t, err, seal.Unreachable, "reaches Cloud KMS")
}

// TestWhatChangedOnTheWayIsNotStored spoils answers as a broken proxy would.
func TestWhatChangedOnTheWayIsNotStored(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.wrapper(t, keyOfTest)
	wrapped, err := w.Wrap(t.Context(), sealtest.DataKey(), sealtest.Binding())
	require.NoError(t, err)
	for name, spoil := range map[string]func(map[string]any){
		"ciphertext": func(a map[string]any) { a["ciphertext"] = []byte("something else") },
		"plaintext arrived changed": func(a map[string]any) {
			a["verifiedPlaintextCrc32c"] = false
		},
		"data arrived changed": func(a map[string]any) { a["verifiedAdditionalAuthenticatedDataCrc32c"] = false },
		"no ciphertext":        func(a map[string]any) { delete(a, "ciphertext") },
	} {
		s.spoil.Store(&spoil)
		_, err := w.Wrap(t.Context(), sealtest.DataKey(), sealtest.Binding())
		sealtest.Problem(t, err, seal.Unreachable, "changed on the way")
		require.Error(t, err, name)
	}
	other := func(a map[string]any) { a["plaintext"] = make([]byte, seal.DataKeyBytes) }
	s.spoil.Store(&other)
	_, err = w.Unwrap(t.Context(), wrapped, w.KeyID(), sealtest.Binding())
	sealtest.Problem(t, err, seal.Unreachable, "changed on the way")
}

func TestOnlyKeysAreAccepted(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"", "credentials", keyOfTest + "/cryptoKeyVersions/1", "projects/../x", "https://cloudkms.googleapis.com/v1/" + keyOfTest} {
		_, err := New(t.Context(), Config{Key: key})
		require.ErrorContains(t, err, "not the name of a key of Cloud KMS", key)
	}
	_, err := newWith(Config{Key: keyOfTest, Endpoint: "kms"}, nil, nil)
	require.ErrorContains(t, err, "not the URL of Cloud KMS")
}

// FuzzUnwrap gives any wrapped key to a service that answers.
func FuzzUnwrap(f *testing.F) {
	w := startService(f).wrapper(f, keyOfTest)
	wrapped, err := w.Wrap(f.Context(), sealtest.DataKey(), sealtest.Binding())
	require.NoError(f, err)
	f.Add(wrapped)
	f.Add([]byte{})
	f.Add(wrapped[:12])
	f.Fuzz(func(t *testing.T, given []byte) {
		opened, err := w.Unwrap(t.Context(), given, w.KeyID(), sealtest.Binding())
		if err != nil {
			require.Nil(t, opened)
			return
		}
		require.Equal(t, sealtest.DataKey(), opened)
	})
}
