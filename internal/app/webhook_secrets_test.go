package app

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/webhook"
)

// Only what is sealed is stored, and it moves from key to key with all else.
func TestSecretsOfWebhooksAreSealedAndMove(t *testing.T) {
	t.Parallel()
	b, r := newHookBench(t), newReceiver(t)
	made, plain, err := b.service.Create(t.Context(), b.admin(t), webhook.Draft{URL: r.url, Events: []webhook.EventType{webhook.ConnectionCreated}})
	require.NoError(t, err)
	r.learn(t, plain)
	_, fresh, err := b.service.RotateSecret(t.Context(), b.admin(t), made.ID)
	require.NoError(t, err)
	r.learn(t, fresh)
	for _, text := range []string{plain.RevealString(), fresh.RevealString()} {
		for _, part := range []string{text, text[len("whsec_"):]} {
			require.Zero(t, b.count(t, `select count(*) from webhook_secrets where position(convert_to($1, 'UTF8') in ciphertext || wrapped_key || nonce) > 0`, part))
			require.Zero(t, b.count(t, `select count(*) from audit_events where position($1 in payload::text) > 0`, part))
			require.NotContains(t, b.log.String(), part)
		}
	}
	require.Equal(t, 2, b.count(t, `select count(*) from webhook_secrets where kms_key_id like 'local:%'`))

	next := filepath.Join(t.TempDir(), "next.key")
	_, err = CreateKey(next)
	require.NoError(t, err)
	both := KeySettings{Write: "local:" + next, Open: []string{b.protection.Write}}
	result, err := RewrapKeys(t.Context(), KeysConfig{DatabaseURL: b.database.URL("svc_integration"), Keys: both}, func(int64, int64) {})
	require.NoError(t, err)
	require.EqualValues(t, 2, result.Moved)
	require.Zero(t, result.Left)
	again, err := RewrapKeys(t.Context(), KeysConfig{DatabaseURL: b.database.URL("svc_integration"), Keys: both}, func(int64, int64) {})
	require.NoError(t, err)
	require.Zero(t, again.Moved)

	b.webhooks = b.under(t, KeySettings{Write: "local:" + next})
	_, err = b.service.Ping(t.Context(), b.admin(t), made.ID)
	require.NoError(t, err)
	b.deliver(t)
	require.Equal(t, webhook.Succeeded, b.deliveries(t, b.admin(t), made.ID)[0].Status, "both secrets open under the new key alone")
}

// A secret that does not open is our failure and not the endpoint's.
func TestDamagedSecretDoesNotCountAgainstTheEndpoint(t *testing.T) {
	t.Parallel()
	b, r := newHookBench(t), newReceiver(t)
	hook := b.hook(t, b.admin(t), r, webhook.ConnectionCreated)
	b.connect(t, "prod")
	b.run(t, `update webhook_secrets set ciphertext = set_byte(ciphertext, 0, get_byte(ciphertext, 0) # 1)`)
	b.deliver(t)
	d := b.deliveries(t, b.admin(t), hook.ID)[0]
	require.Equal(t, webhook.Pending, d.Status)
	require.Contains(t, d.Problem, "could not be signed")
	require.Empty(t, r.all())
	seen, err := b.service.Get(t.Context(), b.admin(t), hook.ID)
	require.NoError(t, err)
	require.Zero(t, seen.Failures)
}
