package postgres_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/run"
	"github.com/gatehouse-project/gatehouse/internal/webhook"
)

// sealedSecret is a secret as the cipher would leave it.
func sealedSecret(version int64) connection.Sealed {
	return connection.Sealed{
		Version: version, Algorithm: "AES-256-GCM", Wrapper: "local", KMSKeyID: "local:1", WrappedKey: []byte("wrapped"),
		Nonce: make([]byte, 12), Ciphertext: []byte("sealed"), SchemaVersion: "1",
	}
}

func hookEvent(a audit.Action) audit.Event {
	return audit.Event{Actor: audit.System("test"), Action: a, Outcome: audit.Succeeded, TargetType: "webhook", TargetID: "wh_1", Payload: map[string]any{}}
}

// webhookDeeds are the actions on endpoints, each in turn.
func webhookDeeds(t *testing.T, p *plane) []deed {
	ctx := t.Context()
	store := p.webhooks
	draft := webhook.Endpoint{Scope: p.a, URL: "https://hooks.example.com", Events: []webhook.EventType{webhook.RunCompleted}, SecretVersion: 1}
	var err error
	draft.ID, err = store.NextID(ctx)
	require.NoError(t, err)
	var pinged webhook.Delivery
	var claimed []webhook.Ref
	return []deed{
		{action: audit.WebhookCreated, in: p.super, do: func() error {
			_, err := store.Create(ctx, draft, sealedSecret(1), hookEvent(audit.WebhookCreated))
			return err
		}},
		{action: audit.WebhookEdited, in: p.super, do: func() error {
			_, err := store.Update(ctx, p.a, draft.ID, func(e *webhook.Endpoint) error { e.Description = "edited"; return nil }, hookEvent(audit.WebhookEdited))
			return err
		}},
		{action: audit.WebhookSecretRotated, in: p.super, do: func() error {
			_, err := store.Rotate(ctx, p.a, draft.ID, sealedSecret(2), time.Hour, hookEvent(audit.WebhookSecretRotated))
			return err
		}},
		{action: audit.WebhookPinged, in: p.super, do: func() (err error) {
			pinged, err = store.Ping(ctx, p.a, draft.ID, hookEvent(audit.WebhookPinged))
			return err
		}},
		{action: audit.WebhookReplayed, in: p.super, do: func() error {
			if _, err := store.Replay(ctx, p.a, draft.ID, pinged.ID, hookEvent(audit.WebhookReplayed)); err != nil {
				return err
			}
			// In hand, for the next deed.
			var err error
			claimed, err = store.Claim(ctx, 1)
			return err
		}},
		{action: audit.WebhookDisabled, in: p.super, do: func() error {
			j, ok, err := store.Load(ctx, claimed[0])
			require.NoError(t, err)
			require.True(t, ok)
			return store.Finish(ctx, j, webhook.Ending{Status: 410, Problem: "the endpoint answered 410", Gone: true}, hookEvent(audit.WebhookDisabled))
		}},
		{action: audit.WebhookDeleted, in: p.super, do: func() error {
			return store.Delete(ctx, p.a, draft.ID, hookEvent(audit.WebhookDeleted))
		}},
	}
}

// hooked is a data plane whose workspace has an endpoint for everything.
type hooked struct {
	*discovery
	events *postgres.WebhookEvents
	store  *postgres.Webhooks
	// integrationURL is the database for the integrations service.
	integrationURL string
}

func newHooked(t *testing.T) *hooked {
	t.Helper()
	base := databases.New(t)
	db, err := postgres.Open(t.Context(), postgres.Config{URL: base.URL("svc_integration"), Service: "test"})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	d := openDiscovery(t, base.URL("svc_discovery"), base.SuperuserPool())
	d.exec(t, `insert into webhook_endpoints (workspace_id, url, event_types) values ($1, 'https://hooks.example.com', $2)`, d.scope.Workspace, webhook.EventTypes())
	return &hooked{discovery: d, events: postgres.NewWebhookEvents(d.db), store: postgres.NewWebhooks(db, 1), integrationURL: base.URL("svc_integration")}
}

// told are the events of runs, by type and in order.
func (h *hooked) told(t *testing.T) (types []string, data []json.RawMessage) {
	t.Helper()
	rows, err := h.super.Query(t.Context(), `select e.event_type, e.data from webhook_events e
		join webhook_deliveries d using (workspace_id, event_id) where e.event_type like 'run.%' or e.event_type like 'access.%' order by e.event_id`)
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var kind string
		var of json.RawMessage
		require.NoError(t, rows.Scan(&kind, &of))
		types, data = append(types, kind), append(data, of)
	}
	require.NoError(t, rows.Err())
	return types, data
}

func (h *hooked) tell(t *testing.T, r id.Run) {
	t.Helper()
	for range 2 {
		require.NoError(t, h.events.TellRun(t.Context(), run.Ref{Scope: h.scope, Run: r}))
	}
}

// Each end of a run is one event, however often its job runs, and a discovery
// that changed something is one more.
func TestEndsOfRunsAreEventsOnce(t *testing.T) {
	t.Parallel()
	h := newHooked(t)
	c := h.connect(t, h.scope)
	first := h.discover(t, h.scope, c, whole("alpha", "", accounts("a", "b")))
	h.tell(t, first.ID)
	h.tell(t, h.discover(t, h.scope, c, whole("alpha", "", accounts("a", "b"))).ID)
	blocked, err := h.runs.Block(t.Context(), admission(h.scope, c), operation.CredentialMissing, accepted())
	require.NoError(t, err)
	h.tell(t, blocked.ID)
	going := h.begin(t, h.scope, c)
	h.tell(t, going.Run.ID)

	types, data := h.told(t)
	require.Equal(t, []string{"run.completed", "access.changed", "run.completed", "run.blocked"}, types)
	var completed, refused webhook.RunData
	require.NoError(t, json.Unmarshal(data[0], &completed))
	require.Equal(t, first.ID, completed.RunID)
	require.Equal(t, "succeeded", completed.Outcome)
	require.EqualValues(t, 2, completed.Counts["entities_new"])
	require.NoError(t, json.Unmarshal(data[3], &refused))
	require.Equal(t, "credential_missing", refused.ReasonCode)
	var changed webhook.AccessData
	require.NoError(t, json.Unmarshal(data[1], &changed))
	require.Equal(t, c, changed.ConnectionID)

	ended := h.beginTest(t, h.connect(t, h.scope)).finishTest(t, connector.CheckResult{Sufficient: true, Target: reached("o-test").Target})
	var tested webhook.TestedData
	var raw json.RawMessage
	require.NoError(t, h.super.QueryRow(t.Context(), `select data from webhook_events where event_type = 'connection.tested'`).Scan(&raw))
	require.NoError(t, json.Unmarshal(raw, &tested))
	require.Equal(t, ended.ID, tested.RunID)
	require.Equal(t, "success", tested.Status)
}

// An event that nobody asked for is not kept, nor is one for a disabled endpoint.
func TestEventsAreKeptForThoseWhoAsked(t *testing.T) {
	t.Parallel()
	h := newHooked(t)
	h.exec(t, `update webhook_endpoints set event_types = '{connection.deleted}'`)
	end := func() {
		blocked, err := h.runs.Block(t.Context(), admission(h.scope, h.connect(t, h.scope)), operation.CredentialMissing, accepted())
		require.NoError(t, err)
		h.tell(t, blocked.ID)
	}
	end()
	require.Zero(t, h.number(t, `select count(*) from webhook_events`))
	h.exec(t, `update webhook_endpoints set event_types = '{run.blocked}', disabled_at = now(), disabled_reason = 'requested'`)
	end()
	require.Zero(t, h.number(t, `select count(*) from webhook_events`))
	h.exec(t, `update webhook_endpoints set disabled_at = null, disabled_reason = null`)
	end()
	require.Equal(t, 1, h.number(t, `select count(*) from webhook_events`))
}

func TestWorkspaceHasAtMostSoManyWebhooks(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	create := func(scope id.Scope) error {
		w, err := p.webhooks.NextID(t.Context())
		require.NoError(t, err)
		_, err = p.webhooks.Create(t.Context(), webhook.Endpoint{ID: w, Scope: scope, URL: "https://hooks.example.com", Events: webhook.EventTypes()},
			sealedSecret(1), hookEvent(audit.WebhookCreated))
		return err
	}
	const over = 5
	done := make(chan error, webhook.MaxEndpoints+over)
	for range cap(done) {
		go func() { done <- create(p.a) }()
	}
	refused := 0
	for range cap(done) {
		if err := <-done; err != nil {
			require.Equal(t, fault.Conflict, fault.KindOf(err))
			refused++
		}
	}
	require.Equal(t, over, refused)
	require.NoError(t, create(p.b), "another workspace's do not count")
}

// Old events go with their deliveries; one that is still on its way stays.
func TestOldEventsAreForgotten(t *testing.T) {
	t.Parallel()
	h := newHooked(t)
	for range 3 {
		blocked, err := h.runs.Block(t.Context(), admission(h.scope, h.connect(t, h.scope)), operation.CredentialMissing, accepted())
		require.NoError(t, err)
		h.tell(t, blocked.ID)
	}
	h.exec(t, `update webhook_events set occurred_at = now() - $1::interval where event_id < (select max(event_id) from webhook_events)`, webhook.KeptFor+time.Minute)
	h.exec(t, `update webhook_deliveries set status = 'failed', next_attempt_at = null, completed_at = now() where event_id = (select min(event_id) from webhook_events)`)
	require.NoError(t, h.store.Forget(t.Context()))
	require.Equal(t, 2, h.number(t, `select count(*) from webhook_events`))
	require.Equal(t, 2, h.number(t, `select count(*) from webhook_deliveries where status = 'pending'`))

	// Written while its endpoint was switched off, which it therefore never reaches.
	h.exec(t, `update webhook_endpoints set disabled_at = now(), disabled_reason = 'gone'`)
	require.NoError(t, h.store.Forget(t.Context()))
	require.Equal(t, 1, h.number(t, `select count(*) from webhook_events`))
}
