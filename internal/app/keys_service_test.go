package app

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/keyring"
	"github.com/gatehouse-project/gatehouse/internal/run"
	"github.com/gatehouse-project/gatehouse/test/kms"
)

// startKMS starts a key service, and lets the AWS SDK find credentials. A test
// that calls it does not run in parallel.
func startKMS(t *testing.T) (service *kms.Server, key string) {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
	service, err := kms.Start()
	require.NoError(t, err)
	t.Cleanup(service.Close)
	return service, "awskms:" + kms.KeyARN + "?endpoint=" + service.URL
}

// TestKeyServiceIsCalledOnceForEachUse counts calls on the way of a connection
// from its creation to its deletion.
func TestKeyServiceIsCalledOnceForEachUse(t *testing.T) {
	service, key := startKMS(t)
	b := newTestBenchUnder(t, KeySettings{Write: key})
	require.NoFileExists(t, b.keyFile)
	calls := func(wantEncrypts, wantDecrypts int, why string) {
		t.Helper()
		encrypts, decrypts := service.Calls()
		require.Equal(t, [2]int{wantEncrypts, wantDecrypts}, [2]int{encrypts, decrypts}, why)
		service.Reset()
	}
	calls(0, 0, "a start asks nothing")
	connID := b.newConnection(t, "Prod AWS")
	calls(1, 0, "a write wraps once")
	require.Equal(t, http.StatusOK, b.builder(t, http.MethodGet, "/v1/connections/"+connID, "").status)
	require.Equal(t, http.StatusOK, b.builder(t, http.MethodGet, "/v1/connections", "").status)
	calls(0, 0, "reading a connection needs no key")

	var disclosed json.RawMessage
	done := b.work(t, func(_ run.Assignment, token run.Token) run.Report {
		service.Reset()
		disclosed = b.disclose(t, token)
		return run.Report{Check: &connector.CheckResult{Target: connector.Target{ID: "1", Name: "Prod", Type: "account"}, Sufficient: true}}
	})
	require.Equal(t, http.StatusOK, b.builder(t, http.MethodPost, "/v1/connections/"+connID+"/test", "").status)
	done()
	require.Contains(t, string(disclosed), canary)
	calls(0, 1, "a disclosure unwraps once")

	edited := b.builder(t, http.MethodPatch, "/v1/connections/"+connID, `{"configuration":{"region":"eu-west-1"}}`)
	require.Equal(t, http.StatusOK, edited.status, edited.text)
	calls(1, 1, "an edit reads the old secrets and wraps once")
	require.Equal(t, http.StatusNoContent, b.builder(t, http.MethodDelete, "/v1/connections/"+connID, "").status)
	calls(0, 0, "a deletion needs no key")
}

func TestKeyServiceThatIsDownStopsWhatNeedsItAndNothingElse(t *testing.T) {
	service, key := startKMS(t)
	b := newAPIBenchUnder(t, KeySettings{Write: key}, nil, nowhere)
	connID := b.newConnection(t, "Prod AWS")
	service.Refuse("KMSInternalException", http.StatusInternalServerError)
	refused := b.builder(t, http.MethodPost, "/v1/connections", awsDraft("Another"))
	require.Equal(t, http.StatusServiceUnavailable, refused.status, refused.text)
	require.NotContains(t, refused.text, kms.KeyARN, "which key it is is the operator's business")
	require.NotContains(t, refused.text, canary)
	require.Contains(t, b.log.String(), kms.KeyARN, "who reads the log finds the reason")
	require.NotContains(t, b.log.String(), canary)
	require.Equal(t, http.StatusOK, b.builder(t, http.MethodGet, "/v1/connections/"+connID, "").status)
	service.Refuse("", 0)
	b.newConnection(t, "Another")
}

// TestLocalToKMS moves credentials to a key service that fails on the way.
func TestLocalToKMS(t *testing.T) {
	service, key := startKMS(t)
	b := newAPIBench(t, nowhere)
	url := b.database.URL("svc_integration")
	for _, name := range []string{"a", "b", "c"} {
		b.newConnection(t, name)
	}
	c := KeysConfig{DatabaseURL: url, Keys: KeySettings{Write: key, Open: []string{"local:" + b.keyFile}}}
	service.Refuse("AccessDeniedException", http.StatusBadRequest)
	_, err := RewrapKeys(t.Context(), c, func(int64, int64) {})
	require.ErrorContains(t, err, "does not work")
	require.ErrorContains(t, err, "must allow kms:Encrypt")
	checked, err := CheckKeys(t.Context(), c)
	require.NoError(t, err)
	require.ErrorContains(t, checked[0].Err, "access denied")
	require.NoError(t, checked[1].Err)
	service.Refuse("", 0)
	service.Reset()
	result, err := RewrapKeys(t.Context(), c, func(int64, int64) {})
	require.NoError(t, err)
	require.Equal(t, keyring.Result{Moved: 3}, result)
	encrypts, decrypts := service.Calls()
	require.Equal(t, [2]int{4, 2}, [2]int{encrypts, decrypts}, "one for each credential, and a check before")

	service.Refuse("DisabledException", http.StatusBadRequest)
	_, err = RewrapKeys(t.Context(), KeysConfig{DatabaseURL: url, Keys: KeySettings{Write: "local:" + b.keyFile, Open: []string{key}}}, func(int64, int64) {})
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	require.ErrorContains(t, err, "it is disabled; enable it again", "an operator is told why")
	service.Refuse("", 0)
	result, err = RewrapKeys(t.Context(), KeysConfig{DatabaseURL: url, Keys: KeySettings{Write: "local:" + b.keyFile, Open: []string{key}}}, func(int64, int64) {})
	require.NoError(t, err)
	require.Equal(t, keyring.Result{Moved: 3}, result, "and back")
}
