package postgres_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/webhook"
)

// Deliveries of one endpoint that all learn at once that it is gone switch it off
// once, and none fails because of another.
func TestDeliveriesThatEndAtOnceSwitchAnEndpointOffOnce(t *testing.T) {
	t.Parallel()
	h := newHooked(t)
	endpoints, err := h.store.List(t.Context(), h.scope, 0, 1)
	require.NoError(t, err)
	w := endpoints[0].ID
	enable := func(e *webhook.Endpoint) error { e.DisabledAt, e.DisabledReason = nil, ""; return nil }
	for range 5 {
		for range 4 {
			_, err := h.store.Ping(t.Context(), h.scope, w, hookEvent(audit.WebhookPinged))
			require.NoError(t, err)
		}
		refs, err := h.store.Claim(t.Context(), 4)
		require.NoError(t, err)
		require.Len(t, refs, 4)
		jobs := make([]webhook.Job, len(refs))
		for i, r := range refs {
			var ok bool
			jobs[i], ok, err = h.store.Load(t.Context(), r)
			require.NoError(t, err)
			require.True(t, ok)
		}
		errs := make([]error, len(jobs))
		var all sync.WaitGroup
		for i, j := range jobs {
			all.Go(func() {
				gone := webhook.Ending{Status: 410, Problem: "the endpoint answered 410", Gone: true}
				errs[i] = h.store.Finish(context.WithoutCancel(t.Context()), j, gone, hookEvent(audit.WebhookDisabled))
			})
		}
		all.Wait()
		for _, err := range errs {
			require.NoError(t, err)
		}
		found, err := h.store.Get(t.Context(), h.scope, w)
		require.NoError(t, err)
		require.Equal(t, webhook.Gone, found.DisabledReason)
		require.Zero(t, h.number(t, `select count(*) from webhook_deliveries where status = 'pending'`))
		_, err = h.store.Update(t.Context(), h.scope, w, enable, hookEvent(audit.WebhookEdited))
		require.NoError(t, err)
	}
	require.Equal(t, 5, h.number(t, `select count(*) from audit_events where action = $1`, audit.WebhookDisabled))
}
