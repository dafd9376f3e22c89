package auditsink_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/auditsink"
	"github.com/gatehouse-project/gatehouse/internal/secret"
)

const webhookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="

func events(texts ...string) (all [][]byte) {
	for _, text := range texts {
		all = append(all, []byte(text))
	}
	return all
}

func TestWebhookIsSignedAsStandardWebhooksSay(t *testing.T) {
	t.Parallel()
	key, err := base64.StdEncoding.DecodeString(webhookSecret[len("whsec_"):])
	require.NoError(t, err)
	taken := make(chan []map[string]any, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(r.Header.Get("Webhook-Id") + "." + r.Header.Get("Webhook-Timestamp") + "." + string(body)))
		if r.Header.Get("Webhook-Signature") != "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)) || r.Header.Get("Webhook-Id") != "aud-1" {
			http.Error(w, "signature", http.StatusUnauthorized)
			return
		}
		var batch []map[string]any
		if err := json.Unmarshal(body, &batch); err != nil || r.Header.Get("Content-Type") != "application/cloudevents-batch+json" {
			http.Error(w, "body", http.StatusBadRequest)
			return
		}
		taken <- batch
	}))
	t.Cleanup(server.Close)
	hook, err := auditsink.NewWebhook(server.URL+"/in?token=canary", secret.FromString(webhookSecret+"\n"), http.DefaultTransport)
	require.NoError(t, err)
	require.NoError(t, hook.Deliver(t.Context(), "aud-1", events(`{"n":1}`, `{"n":2}`)))
	require.Equal(t, []map[string]any{{"n": 1.0}, {"n": 2.0}}, <-taken)
	server.Close()
	err = hook.Deliver(t.Context(), "aud-1", events(`{"n":1}`))
	require.Error(t, err)
	require.NotContains(t, err.Error(), "canary")
}

func TestOnlyAnAnswerOfTheTwoHundredsIsReceipt(t *testing.T) {
	t.Parallel()
	for _, status := range []int{301, 302, 307, 400, 404, 410, 429, 500, 503} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://127.0.0.1:1/")
			w.WriteHeader(status)
		}))
		t.Cleanup(server.Close)
		hook, err := auditsink.NewWebhook(server.URL, secret.FromString(webhookSecret), http.DefaultTransport)
		require.NoError(t, err)
		require.ErrorContains(t, hook.Deliver(t.Context(), "aud-1", events(`{}`)), "the webhook answered")
	}
}

func TestWebhookSettingsAreChecked(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "ftp://host/", "https://", "https://user:pass@host/", "host/path"} {
		_, err := auditsink.NewWebhook(address, secret.FromString(webhookSecret), http.DefaultTransport)
		require.ErrorContains(t, err, "address", address)
	}
	for _, key := range []string{"", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c2hvcnQ=", "whsec_!!!"} {
		_, err := auditsink.NewWebhook("https://host/", secret.FromString(key), http.DefaultTransport)
		require.ErrorContains(t, err, "openssl rand", key)
	}
}

func TestFileTakesATornLineAway(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	sink := &auditsink.File{Path: path}
	require.NoError(t, sink.Deliver(t.Context(), "a", events(`{"n":1}`)))
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = file.WriteString(`{"n":2`)
	require.NoError(t, err)
	require.NoError(t, file.Close())
	require.NoError(t, sink.Deliver(t.Context(), "b", events(`{"n":2}`, `{"n":3}`)))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n", string(text))
	require.NoError(t, os.Rename(path, path+".1"))
	require.NoError(t, sink.Deliver(t.Context(), "c", events(`{"n":4}`)))
	require.FileExists(t, path)
	require.Error(t, (&auditsink.File{Path: filepath.Join(path, "below")}).Deliver(t.Context(), "d", events(`{}`)))
}
