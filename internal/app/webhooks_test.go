package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/webhook"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// connect makes a connection by the API and returns its public id.
func (b *hookBench) connect(t *testing.T, name string) string {
	t.Helper()
	got := b.call(t, b.keys[workspace.Admin], http.MethodPost, "/v1/connections", strings.ReplaceAll(awsDraft("{n}"), "{n}", name))
	require.Equal(t, http.StatusCreated, got.status, got.text)
	made, _ := got.decoded(t)["connection_id"].(string)
	return made
}

// inWorkspace makes a change as a service does, or takes it back.
func (b *hookBench) inWorkspace(t *testing.T, role string, commits bool, change string) {
	t.Helper()
	tx, err := b.database.Pool(role).Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), fmt.Sprintf(`set local gatehouse.workspace_id = '%d'`, int64(b.a.Workspace)))
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), change)
	require.NoError(t, err)
	if commits {
		require.NoError(t, tx.Commit(t.Context()))
		return
	}
	require.NoError(t, tx.Rollback(t.Context()))
}

// payload is a delivery's body, read strictly.
func payload(t *testing.T, d delivered, data any) (p webhook.Payload) {
	t.Helper()
	for _, into := range []any{&p, data} {
		from := json.RawMessage(d.body)
		if into == data {
			from = p.Data
		}
		decoder := json.NewDecoder(bytes.NewReader(from))
		decoder.DisallowUnknownFields()
		require.NoError(t, decoder.Decode(into), "%s", d.body)
	}
	return p
}

// Each event arrives once, signed so that another library agrees, with all that
// the documentation promises and nothing secret.
func TestEventsOfAConnectionArriveSigned(t *testing.T) {
	t.Parallel()
	b, r := newHookBench(t), newReceiver(t)
	b.hook(t, b.admin(t), r, webhook.EventTypes()...)
	conn := b.connect(t, "prod")
	require.Equal(t, http.StatusOK, b.call(t, b.keys[workspace.Admin], http.MethodPatch, "/v1/connections/"+conn, `{"name":"renamed"}`).status)
	b.inWorkspace(t, "svc_discovery", true, `update connections set status = 'degraded', last_error_reason_code = 'throttled'`)
	require.Equal(t, http.StatusNoContent, b.call(t, b.keys[workspace.Admin], http.MethodDelete, "/v1/connections/"+conn, "").status)
	b.deliver(t)
	var types []webhook.EventType
	for _, d := range r.all() {
		var data webhook.ConnectionData
		p := payload(t, d, &data)
		types = append(types, p.Type)
		require.Equal(t, conn, data.ConnectionID.String())
		require.Equal(t, b.a.Workspace, p.WorkspaceID)
		require.Equal(t, 1, p.Version)
		require.Equal(t, p.ID.String(), d.header.Get("Webhook-Id"))
		require.Equal(t, "application/json", d.header.Get("Content-Type"))
		if p.Type == webhook.ConnectionHealthChanged {
			require.Equal(t, "unknown degraded throttled", data.FormerStatus+" "+data.Status+" "+data.ReasonCode)
		}
		require.NotContains(t, string(d.body), canary)
	}
	require.ElementsMatch(t, []webhook.EventType{
		webhook.ConnectionCreated, webhook.ConnectionUpdated, webhook.ConnectionHealthChanged, webhook.ConnectionDeleted,
	}, types)
	b.due(t)
	b.deliver(t)
	require.Len(t, r.all(), len(types), "what was received is not sent again")
}

func TestFailedDeliveryIsRetriedUnderTheSameID(t *testing.T) {
	t.Parallel()
	b, r := newHookBench(t), newReceiver(t)
	hook := b.hook(t, b.admin(t), r, webhook.ConnectionCreated)
	b.connect(t, "prod")
	want := []time.Duration{
		5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
	}
	r.answers(status(http.StatusInternalServerError))
	for _, pause := range want {
		b.deliver(t)
		d := b.deliveries(t, b.admin(t), hook.ID)[0]
		require.Equal(t, webhook.Pending, d.Status)
		require.Equal(t, http.StatusInternalServerError, d.LastStatus)
		require.Equal(t, "the endpoint answered 500", d.Problem, "and not what it said")
		least, most := d.LastAttemptAt.Add(pause), d.LastAttemptAt.Add(pause+pause/10+AttemptSlack)
		require.WithinRange(t, *d.NextAttemptAt, least, most, "after %d attempts", d.Attempts)
		b.due(t)
	}
	b.deliver(t)
	d := b.deliveries(t, b.admin(t), hook.ID)[0]
	require.Equal(t, webhook.Failed, d.Status)
	require.Equal(t, len(want)+1, d.Attempts)
	require.Nil(t, d.NextAttemptAt)
	got := r.all()
	require.Len(t, got, len(want)+1)
	for _, again := range got {
		require.Equal(t, got[0].header.Get("Webhook-Id"), again.header.Get("Webhook-Id"))
		require.Equal(t, got[0].body, again.body)
	}

	// A replay begins the retries anew, and ends them with a success.
	replayed, err := b.service.Replay(t.Context(), b.admin(t), hook.ID, d.ID)
	require.NoError(t, err)
	require.Equal(t, webhook.Pending, replayed.Status)
	r.answers(nil)
	b.deliver(t)
	d = b.deliveries(t, b.admin(t), hook.ID)[0]
	require.Equal(t, webhook.Succeeded, d.Status)
	require.Empty(t, d.Problem)
	require.Equal(t, got[0].header.Get("Webhook-Id"), r.all()[len(got)].header.Get("Webhook-Id"))
	seen, err := b.service.Get(t.Context(), b.admin(t), hook.ID)
	require.NoError(t, err)
	require.Nil(t, seen.FailingSince, "a success ends the failing")
}

// AttemptSlack is how long an attempt on this machine may take.
const AttemptSlack = webhook.AttemptTimeout

func TestEndpointIsLeftAloneForAsLongAsItAsks(t *testing.T) {
	t.Parallel()
	b, r := newHookBench(t), newReceiver(t)
	hook := b.hook(t, b.admin(t), r, webhook.ConnectionCreated)
	b.connect(t, "prod")
	for header, least := range map[string]time.Duration{"7200": 2 * time.Hour, "999999999": 24 * time.Hour, "nonsense": 0} {
		r.answers(status(http.StatusServiceUnavailable, "Retry-After", header))
		b.due(t)
		b.deliver(t)
		d := b.deliveries(t, b.admin(t), hook.ID)[0]
		require.GreaterOrEqual(t, d.NextAttemptAt.Sub(*d.LastAttemptAt), least, header)
		require.Less(t, d.NextAttemptAt.Sub(*d.LastAttemptAt), 25*time.Hour, header)
	}
}

// A process that is stopped in the middle of an attempt loses nothing: the claim
// runs out, and the event comes again under its id.
func TestAttemptThatIsCutOffIsMadeAgain(t *testing.T) {
	t.Parallel()
	b, r := newHookBench(t), newReceiver(t)
	hook := b.hook(t, b.admin(t), r, webhook.ConnectionCreated)
	b.connect(t, "prod")
	ctx, stop := stopped(t)
	r.answers(func(_ http.ResponseWriter, req *http.Request) {
		stop()
		<-req.Context().Done()
	})
	_, err := b.deliverer.Round(ctx)
	require.Error(t, err)
	r.answers(nil)
	b.deliver(t)
	require.Len(t, r.all(), 1, "it is still in hand")
	require.Equal(t, webhook.Pending, b.deliveries(t, b.admin(t), hook.ID)[0].Status)

	b.run(t, `update webhook_deliveries set claimed_until = clock_timestamp() - interval '1 second'`)
	b.deliver(t)
	got := r.all()
	require.Len(t, got, 2)
	require.Equal(t, got[0].header.Get("Webhook-Id"), got[1].header.Get("Webhook-Id"))
	require.Equal(t, webhook.Succeeded, b.deliveries(t, b.admin(t), hook.ID)[0].Status)
}

func TestBothSecretsSignForADay(t *testing.T) {
	t.Parallel()
	b, r := newHookBench(t), newReceiver(t)
	hook := b.hook(t, b.admin(t), r, webhook.ConnectionCreated)
	_, fresh, err := b.service.RotateSecret(t.Context(), b.admin(t), hook.ID)
	require.NoError(t, err)
	r.learn(t, fresh) // the receiver now wants both
	b.connect(t, "prod")
	b.deliver(t)
	require.Equal(t, webhook.Succeeded, b.deliveries(t, b.admin(t), hook.ID)[0].Status)
	require.Len(t, strings.Fields(r.all()[0].header.Get("Webhook-Signature")), 2)

	b.run(t, `update webhook_secrets set expires_at = clock_timestamp() where expires_at is not null`)
	b.connect(t, "second")
	b.deliver(t)
	require.Equal(t, http.StatusUnauthorized, b.deliveries(t, b.admin(t), hook.ID)[0].LastStatus, "the former one signs no more")
	r.forget()
	b.due(t)
	b.deliver(t)
	require.Equal(t, webhook.Succeeded, b.deliveries(t, b.admin(t), hook.ID)[0].Status)
}

func TestGoneEndpointIsDisabledAtOnce(t *testing.T) {
	t.Parallel()
	b, r := newHookBench(t), newReceiver(t)
	hook := b.hook(t, b.admin(t), r, webhook.ConnectionCreated)
	r.answers(status(http.StatusGone))
	b.connect(t, "prod")
	b.deliver(t)
	seen, err := b.service.Get(t.Context(), b.admin(t), hook.ID)
	require.NoError(t, err)
	require.Equal(t, webhook.Gone, seen.DisabledReason)
	b.connect(t, "second")
	require.Len(t, b.deliveries(t, b.admin(t), hook.ID), 1, "nothing is kept for it")
	_, err = b.service.Ping(t.Context(), b.admin(t), hook.ID)
	require.Equal(t, fault.Conflict, fault.KindOf(err))
}

// Five days of nothing but failures switch an endpoint off; admins are told, and
// what it missed can be replayed.
func TestLongFailureDisables(t *testing.T) {
	t.Parallel()
	b, r := newHookBench(t), newReceiver(t)
	hook := b.hook(t, b.admin(t), r, webhook.ConnectionCreated)
	r.answers(status(http.StatusBadGateway))
	b.connect(t, "prod")
	enabled := func() bool {
		seen, err := b.service.Get(t.Context(), b.admin(t), hook.ID)
		require.NoError(t, err)
		return seen.DisabledAt == nil
	}
	b.deliver(t)
	b.run(t, `update webhook_endpoints set failing_since = now() - interval '6 days'`)
	b.due(t)
	b.deliver(t)
	require.True(t, enabled(), "two failures in six days are few")
	b.run(t, `update webhook_endpoints set failures = 9, failing_since = now() - interval '4 days'`)
	b.due(t)
	b.deliver(t)
	require.True(t, enabled(), "four days are not long")
	b.run(t, `update webhook_endpoints set failing_since = now() - interval '5 days'`)
	b.connect(t, "second")
	b.due(t)
	b.deliver(t)
	require.False(t, enabled())
	for _, d := range b.deliveries(t, b.admin(t), hook.ID) {
		require.Equal(t, webhook.Failed, d.Status)
	}
	require.Equal(t, 1, b.count(t, `select count(*) from audit_events where action = 'webhook_disabled' and payload->>'reason' = 'failing'`))
	admins := b.count(t, `select count(*) from members where workspace_id = $1 and role = 'admin'`, b.a.Workspace)
	require.Equal(t, admins, b.count(t, `select count(*) from notifications n join members m using (workspace_id, member_id)
		where n.kind = 'webhook_disabled' and m.role = 'admin' and n.workspace_id = $1`, b.a.Workspace))
	require.Equal(t, admins, b.count(t, `select count(*) from notifications`))

	r.answers(nil)
	yes := true
	back, err := b.service.Update(t.Context(), b.admin(t), hook.ID, webhook.Patch{Enabled: &yes})
	require.NoError(t, err)
	require.Zero(t, back.Failures)
	n, err := b.service.ReplaySince(t.Context(), b.admin(t), hook.ID, time.Now().Add(-time.Hour), false)
	require.NoError(t, err)
	require.Equal(t, 2, n)
	b.deliver(t)
	for _, d := range b.deliveries(t, b.admin(t), hook.ID) {
		require.Equal(t, webhook.Succeeded, d.Status)
	}
}

func TestEventsStayInTheirWorkspace(t *testing.T) {
	t.Parallel()
	b, here, there := newHookBench(t), newReceiver(t), newReceiver(t)
	mine := b.hook(t, b.admin(t), here, webhook.EventTypes()...)
	other := b.hook(t, b.caller(t, b.foreign), there, webhook.EventTypes()...)
	b.connect(t, "prod")
	b.deliver(t)
	require.Len(t, here.all(), 1)
	require.Empty(t, there.all())
	ctx := t.Context()
	foreign := b.caller(t, b.foreign)
	d := b.deliveries(t, b.admin(t), mine.ID)[0]
	for name, attempt := range map[string]func(w id.Webhook) error{
		"get":    func(w id.Webhook) error { _, err := b.service.Get(ctx, foreign, w); return err },
		"update": func(w id.Webhook) error { _, err := b.service.Update(ctx, foreign, w, webhook.Patch{}); return err },
		"delete": func(w id.Webhook) error { return b.service.Delete(ctx, foreign, w) },
		"rotate": func(w id.Webhook) error { _, _, err := b.service.RotateSecret(ctx, foreign, w); return err },
		"ping":   func(w id.Webhook) error { _, err := b.service.Ping(ctx, foreign, w); return err },
		"deliveries": func(w id.Webhook) error {
			_, err := b.service.Deliveries(ctx, foreign, w, webhook.Filter{Limit: 1})
			return err
		},
		"replay": func(w id.Webhook) error { _, err := b.service.Replay(ctx, foreign, w, d.ID); return err },
		"all": func(w id.Webhook) error {
			_, err := b.service.ReplaySince(ctx, foreign, w, time.Time{}, true)
			return err
		},
	} {
		require.Equal(t, fault.NotFound, fault.KindOf(attempt(mine.ID)), name)
	}
	_, err := b.service.Replay(ctx, foreign, other.ID, d.ID)
	require.Equal(t, fault.NotFound, fault.KindOf(err), "another endpoint's delivery")
}

// TestEachCommitIsOneEventAndNoRollbackIs changes connections as the services'
// roles do, and takes some of it back.
func TestEachCommitIsOneEventAndNoRollbackIs(t *testing.T) {
	t.Parallel()
	b, r := newHookBench(t), newReceiver(t)
	hook := b.hook(t, b.admin(t), r, webhook.EventTypes()...)
	b.connect(t, "changing")
	b.run(t, `delete from webhook_events`)
	pools := map[string]string{
		`update connections set version = version + 1`: "svc_integration",
		`update connections set status = (case status when 'degraded' then 'healthy' else 'degraded' end)::connection_status`: "svc_discovery",
		`update connections set last_used_at = now()`: "",
	}
	want := 0
	rapid.Check(t, func(rt *rapid.T) {
		for range rapid.IntRange(1, 4).Draw(rt, "transactions") {
			change := rapid.SampledFrom([]string{
				`update connections set version = version + 1`,
				`update connections set status = (case status when 'degraded' then 'healthy' else 'degraded' end)::connection_status`,
				`update connections set last_used_at = now()`,
			}).Draw(rt, "change")
			role, commits := pools[change], rapid.Bool().Draw(rt, "commits")
			if role == "" {
				role = "svc_integration"
			} else if commits {
				want++
			}
			b.inWorkspace(t, role, commits, change)
		}
		require.Equal(rt, want, b.count(t, `select count(*) from webhook_deliveries where endpoint_id = $1`, hook.ID))
	})
	b.deliver(t)
	ids := map[string]bool{}
	for _, d := range r.all() {
		ids[d.header.Get("Webhook-Id")] = true
	}
	require.Len(t, r.all(), want)
	require.Len(t, ids, want)
}

// No event is lost or doubled for an endpoint when several processes deliver.
func TestProcessesShareDeliveries(t *testing.T) {
	t.Parallel()
	b, r := newHookBench(t), newReceiver(t)
	hook := b.hook(t, b.admin(t), r, webhook.ConnectionUpdated)
	b.connect(t, "changing")
	const events = 60
	for range events {
		b.inWorkspace(t, "svc_integration", true, `update connections set version = version + 1`)
	}
	done := make(chan error, 3)
	for range cap(done) {
		go func() {
			var err error
			for err == nil && len(r.all()) < events {
				_, err = b.deliverer.Round(t.Context())
			}
			done <- err
		}()
	}
	for range cap(done) {
		require.NoError(t, <-done)
	}
	require.Len(t, r.all(), events)
	require.Len(t, b.deliveries(t, b.admin(t), hook.ID), events)
}

// Over HTTP: an operator who did not allow it gets no endpoint on this machine,
// a secret is in one answer, and a delivery is replayed by its address.
func TestDeliveriesAreReplayed(t *testing.T) {
	t.Parallel()
	b, r := newHookBench(t), newReceiver(t)
	admin := b.keys[workspace.Admin]
	refused := b.call(t, admin, http.MethodPost, "/v1/webhooks", `{"url":"`+r.url+`","event_types":["run.completed"]}`)
	require.Equal(t, http.StatusUnprocessableEntity, refused.status)
	hook := b.hook(t, b.admin(t), r, webhook.ConnectionCreated)
	require.NotContains(t, b.call(t, admin, http.MethodGet, "/v1/webhooks", "").text, "whsec_")
	b.connect(t, "prod")
	b.deliver(t)
	list := b.call(t, admin, http.MethodGet, "/v1/webhooks/"+hook.ID.String()+"/deliveries?status=succeeded", "")
	found, _ := list.decoded(t)["deliveries"].([]any)
	require.Len(t, found, 1, list.text)
	first, _ := found[0].(map[string]any)
	path := fmt.Sprintf("/v1/webhooks/%s/deliveries/%s/replay", hook.ID, first["delivery_id"])
	require.Equal(t, http.StatusAccepted, b.call(t, admin, http.MethodPost, path, "").status)
	b.deliver(t)
	got := r.all()
	require.Len(t, got, 2)
	require.Equal(t, got[0].header.Get("Webhook-Id"), got[1].header.Get("Webhook-Id"))
}
