package app

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/egress"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/secret"
	"github.com/gatehouse-project/gatehouse/internal/webhook"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// hookBench is the API, and webhooks that may be on this machine. Rounds are made
// by the tests, so that nothing waits for a clock.
type hookBench struct {
	*apiBench
	webhooks
	policy egress.Policy
}

func newHookBench(t *testing.T) *hookBench {
	t.Helper()
	b := &hookBench{apiBench: newAPIBench(t, nowhere), policy: egress.Policy{AllowPrivate: true}}
	b.webhooks = b.under(t, b.protection)
	return b
}

// under makes webhooks of a process with these keys.
func (b *hookBench) under(t *testing.T, protection KeySettings) webhooks {
	t.Helper()
	db, err := postgres.Open(t.Context(), postgres.Config{URL: b.database.URL("svc_integration"), Service: "test", MaxConns: 8})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	k, err := openKeys(t.Context(), db, protection)
	require.NoError(t, err)
	hooks, err := newWebhooks(db, 1, k, b.policy, newMetrics(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return hooks
}

func (b *hookBench) caller(t *testing.T, key secret.Secret) workspace.Caller {
	t.Helper()
	c, err := workspace.Authenticate(t.Context(), b.store, workspace.Credentials{Token: key.RevealString()})
	require.NoError(t, err)
	return c
}

func (b *hookBench) admin(t *testing.T) workspace.Caller { return b.caller(t, b.keys[workspace.Admin]) }

// hook makes an endpoint at a receiver.
func (b *hookBench) hook(t *testing.T, by workspace.Caller, r *receiver, types ...webhook.EventType) webhook.Endpoint {
	t.Helper()
	made, plain, err := b.service.Create(t.Context(), by, webhook.Draft{URL: r.url + "/in?token=canary", Events: types})
	require.NoError(t, err)
	r.learn(t, plain)
	return made
}

// deliver makes rounds until nothing is due.
func (b *hookBench) deliver(t *testing.T) {
	t.Helper()
	for {
		n, err := b.deliverer.Round(t.Context())
		require.NoError(t, err)
		if n == 0 {
			return
		}
	}
}

// due has what waits for its next attempt wait no more.
func (b *hookBench) due(t *testing.T) {
	t.Helper()
	b.run(t, `update webhook_deliveries set next_attempt_at = clock_timestamp() where status = 'pending'`)
}

func (b *hookBench) run(t *testing.T, sql string, args ...any) {
	t.Helper()
	_, err := b.super.Exec(t.Context(), sql, args...)
	require.NoError(t, err)
}

func (b *hookBench) count(t *testing.T, sql string, args ...any) (n int) {
	t.Helper()
	require.NoError(t, b.super.QueryRow(t.Context(), sql, args...).Scan(&n))
	return n
}

// deliveries returns the newest first.
func (b *hookBench) deliveries(t *testing.T, by workspace.Caller, w id.Webhook) []webhook.Delivery {
	t.Helper()
	found, err := b.service.Deliveries(t.Context(), by, w, webhook.Filter{Limit: 100})
	require.NoError(t, err)
	return found
}

// delivered is one request that a receiver got.
type delivered struct {
	header http.Header
	body   []byte
}

// receiver is an endpoint that checks signatures with a library that is not ours.
type receiver struct {
	url    string
	answer func(w http.ResponseWriter, r *http.Request)

	mu      sync.Mutex
	secrets []*standardwebhooks.Webhook
	got     []delivered
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.mu.Lock()
		r.got = append(r.got, delivered{req.Header, body})
		secrets, answer := r.secrets, r.answer
		r.mu.Unlock()
		for _, s := range secrets {
			if err := s.Verify(body, req.Header); err != nil {
				http.Error(w, err.Error(), http.StatusUnauthorized)
				return
			}
		}
		if answer != nil {
			answer(w, req)
		}
	}))
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

// learn makes the receiver refuse what is not signed with the secret, too.
func (r *receiver) learn(t *testing.T, plain secret.Secret) {
	t.Helper()
	w, err := standardwebhooks.NewWebhook(plain.RevealString())
	require.NoError(t, err)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.secrets = append(r.secrets, w)
}

// forget makes the receiver know only its newest secret.
func (r *receiver) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.secrets = r.secrets[len(r.secrets)-1:]
}

func (r *receiver) answers(fn func(w http.ResponseWriter, r *http.Request)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = fn
}

func (r *receiver) all() []delivered {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]delivered(nil), r.got...)
}

func status(code int, header ...string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, "the receiver's own words")
	}
}

// stopped is a context that ends when told.
func stopped(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithCancel(t.Context())
}
