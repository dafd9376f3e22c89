package postgres_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/webhook"
)

// Whoever is held up after a claim, until somebody else has claimed the delivery,
// has nothing to do any more, and what it says of its attempt counts for nothing:
// not against the endpoint, and not as the later attempt.
func TestAStalledSenderCountsNoAttemptTwice(t *testing.T) {
	t.Parallel()
	h := newHooked(t)
	endpoints, err := h.store.List(t.Context(), h.scope, 0, 1)
	require.NoError(t, err)
	w := endpoints[0].ID
	_, err = h.store.Ping(t.Context(), h.scope, w, hookEvent(audit.WebhookPinged))
	require.NoError(t, err)
	claim := func() webhook.Ref {
		refs, err := h.store.Claim(t.Context(), 1)
		require.NoError(t, err)
		require.Len(t, refs, 1)
		return refs[0]
	}
	stalled := claim()
	before, ok, err := h.store.Load(t.Context(), stalled)
	require.NoError(t, err)
	require.True(t, ok)
	h.exec(t, `update webhook_deliveries set claimed_until = now() - interval '1 second'`)
	later := claim()
	require.Equal(t, []int{1, 2}, []int{stalled.Attempt, later.Attempt})

	_, ok, err = h.store.Load(t.Context(), stalled)
	require.NoError(t, err)
	require.False(t, ok, "somebody else has it in hand")
	pause := time.Minute
	failed := webhook.Ending{Status: 500, Problem: "the endpoint answered 500", Retry: &pause}
	require.NoError(t, h.store.Finish(t.Context(), before, failed, hookEvent(audit.WebhookDisabled)))
	require.Zero(t, h.number(t, `select failures from webhook_endpoints`))
	require.Equal(t, 1, h.number(t, `select count(*) from webhook_deliveries where status = 'pending' and claimed_until is not null and step = 0`))

	j, ok, err := h.store.Load(t.Context(), later)
	require.NoError(t, err)
	require.True(t, ok)
	require.NoError(t, h.store.Finish(t.Context(), j, webhook.Ending{Status: 200}, hookEvent(audit.WebhookDisabled)))
	require.Equal(t, 2, h.number(t, `select attempts from webhook_deliveries where status = 'succeeded'`))
}

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

// An endpoint that is deleted while an attempt is prepared is there with its
// secrets or not at all: there is never something to send and nothing to sign with.
func TestADeliveryIsLoadedWithItsSecretsOrNotAtAll(t *testing.T) {
	t.Parallel()
	h := newHooked(t)
	h.exec(t, `insert into encryption_keys (wrapper, key_id) values ('local', 'local:1') on conflict do nothing`)
	h.exec(t, `delete from webhook_endpoints`)
	for range 30 {
		endpoint := webhook.Endpoint{Scope: h.scope, URL: "https://hooks.example.com", Events: []webhook.EventType{webhook.RunCompleted}, SecretVersion: 1}
		var err error
		endpoint.ID, err = h.store.NextID(t.Context())
		require.NoError(t, err)
		_, err = h.store.Create(t.Context(), endpoint, sealedSecret(1), hookEvent(audit.WebhookCreated))
		require.NoError(t, err)
		_, err = h.store.Ping(t.Context(), h.scope, endpoint.ID, hookEvent(audit.WebhookPinged))
		require.NoError(t, err)
		refs, err := h.store.Claim(t.Context(), 1)
		require.NoError(t, err)
		require.Len(t, refs, 1)

		var deleted error
		var deleting sync.WaitGroup
		deleting.Go(func() {
			deleted = h.store.Delete(context.WithoutCancel(t.Context()), h.scope, endpoint.ID, hookEvent(audit.WebhookDeleted))
		})
		for ok := true; ok; {
			var j webhook.Job
			j, ok, err = h.store.Load(t.Context(), refs[0])
			require.NoError(t, err)
			require.True(t, !ok || len(j.Secrets) == 1)
		}
		deleting.Wait()
		require.NoError(t, deleted)
	}
}

// A workspace whose endpoints all hang has some deliveries in hand, however many
// wait, and leaves the rest of the senders to the others.
func TestAWorkspaceDoesNotTakeAllSenders(t *testing.T) {
	t.Parallel()
	h := newHooked(t)
	other := h.newScope(t)
	const endpoints, each, atOnce, most = 10, 6, 4, 8
	h.exec(t, `insert into webhook_endpoints (workspace_id, url, event_types)
		select $1::bigint, 'https://hang.example.com/' || n, $3::text[] from generate_series(2, $4::integer) n
		union all select $2::bigint, 'https://hooks.example.com', $3::text[]`, h.scope.Workspace, other.Workspace, webhook.EventTypes(), endpoints)
	h.exec(t, `with made as (
			insert into webhook_events (workspace_id, event_type, data)
			select w, 'webhook.ping', '{}' from unnest(array[$1, $2]::bigint[]) w, generate_series(1, $3::integer)
			returning workspace_id, event_id)
		insert into webhook_deliveries (workspace_id, endpoint_id, event_id)
		select e.workspace_id, e.endpoint_id, m.event_id from webhook_endpoints e join made m using (workspace_id)`,
		h.scope.Workspace, other.Workspace, each)

	claimed := map[id.Workspace]int{}
	for {
		refs, err := h.store.Claim(t.Context(), atOnce)
		require.NoError(t, err)
		if len(refs) == 0 {
			break
		}
		for _, r := range refs {
			claimed[r.Scope.Workspace]++
		}
	}
	require.Less(t, claimed[h.scope.Workspace], most+atOnce)
	require.GreaterOrEqual(t, claimed[h.scope.Workspace], most)
	require.Equal(t, 4, claimed[other.Workspace], "as many as one endpoint may have")
}
