package app

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

const onceKey = "9f1c7c0e-3f0b-4c58-8a50-4b8b5d9a11aa"

func TestSameRequestMakesOneConnection(t *testing.T) {
	t.Parallel()
	b := newAPIBench(t, nowhere)
	create := func(body string) answer {
		return b.builder(t, http.MethodPost, "/v1/connections", body, "Idempotency-Key", onceKey)
	}
	answers := make([]answer, 6)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() { answers[i] = create(awsDraft("Prod AWS")) })
	}
	all.Wait()
	first := 0
	for _, a := range answers {
		require.Equal(t, http.StatusCreated, a.status, a.text)
		require.Equal(t, answers[0].decoded(t)["connection_id"], a.decoded(t)["connection_id"])
		if a.header.Get("Idempotency-Replayed") == "" {
			first++
		}
	}
	require.Equal(t, 1, first, "one request made it, the others say that they did not")
	var made int
	require.NoError(t, b.super.QueryRow(t.Context(), "select count(*) from connections").Scan(&made))
	require.Equal(t, 1, made)
	require.NoError(t, b.super.QueryRow(t.Context(), "select count(*) from audit_events where action = 'connection_created'").Scan(&made))
	require.Equal(t, 1, made)

	other := create(strings.Replace(awsDraft("Prod AWS"), canary, canary+"-changed", 1))
	require.Equal(t, http.StatusUnprocessableEntity, other.status, "another secret is another request")
	require.Contains(t, other.text, "header.Idempotency-Key")
	require.Equal(t, http.StatusUnprocessableEntity, b.builder(t, http.MethodPost, "/v1/connections", awsDraft("x"), "Idempotency-Key", "short").status)
	admin := b.call(t, b.keys[workspace.Admin], http.MethodPost, "/v1/connections", awsDraft("Another"), "Idempotency-Key", onceKey)
	require.Equal(t, http.StatusCreated, admin.status, "another caller's key is another key")

	_, err := b.super.Exec(t.Context(), "update idempotent_requests set created_at = now() - interval '25 hours'")
	require.NoError(t, err)
	require.Equal(t, http.StatusConflict, create(awsDraft("Prod AWS")).status, "forgotten after a day, and the name is taken")
	require.Equal(t, http.StatusCreated, create(awsDraft("Later")).status)

	later := fmt.Sprint(create(awsDraft("Later")).decoded(t)["connection_id"])
	require.Equal(t, http.StatusNoContent, b.builder(t, http.MethodDelete, "/v1/connections/"+later, "").status)
	require.Equal(t, http.StatusConflict, create(awsDraft("Later")).status, "what it made has been deleted")
}

func TestFailedRequestIsNotRemembered(t *testing.T) {
	t.Parallel()
	b := newAPIBench(t, nowhere)
	b.newConnection(t, "Prod AWS")
	send := func(name string) int {
		return b.builder(t, http.MethodPost, "/v1/connections", awsDraft(name), "Idempotency-Key", onceKey).status
	}
	require.Equal(t, http.StatusConflict, send("Prod AWS"))
	require.Equal(t, http.StatusCreated, send("Other"))
}

func TestPatchIsAMergePatch(t *testing.T) {
	t.Parallel()
	b := newAPIBench(t, nowhere)
	path := "/v1/connections/" + b.newConnection(t, "Prod AWS")
	patch := func(body string) answer {
		return b.builder(t, http.MethodPatch, path, body, "Content-Type", "application/merge-patch+json")
	}
	changed := func(body string) map[string]any {
		t.Helper()
		got := patch(body)
		require.Equal(t, http.StatusOK, got.status, got.text)
		return got.decoded(t)
	}
	require.Equal(t, map[string]any{"a": 1.0, "b": map[string]any{"c": 2.0}}, changed(`{"metadata":{"a":1,"b":{"c":2}}}`)["metadata"])
	require.Equal(t, map[string]any{"a": 1.0, "b": map[string]any{"d": 3.0}}, changed(`{"metadata":{"b":{"c":null,"d":3}}}`)["metadata"])
	require.Equal(t, map[string]any{}, changed(`{"metadata":null}`)["metadata"])
	require.Equal(t, map[string]any{}, changed(`{"scope":{"aws_accounts":null}}`)["scope"])
	require.Equal(t, map[string]any{"type": "daily", "hour": 3.0, "minute": 0.0}, changed(`{"schedule":{"hour":3}}`)["schedule"])
	require.Equal(t, map[string]any{"type": "hourly", "minute": 0.0}, changed(`{"schedule":{"type":"hourly"}}`)["schedule"])
	cron := changed(`{"schedule":{"type":"cron","cron":"30 2 * * 1-5","timezone":"Europe/Paris"}}`)
	require.Equal(t, map[string]any{"type": "cron", "cron": "30 2 * * 1-5", "timezone": "Europe/Paris"}, cron["schedule"])
	require.NotEmpty(t, cron["next_run_at"])
	spread := changed(`{"schedule":{"type":"hourly","cron":null,"spread_minutes":0}}`)
	require.Equal(t, map[string]any{"type": "hourly", "minute": 0.0, "timezone": "Europe/Paris", "spread_minutes": 0.0}, spread["schedule"])
	require.Regexp(t, `T\d\d:00:00Z$`, spread["next_run_at"])
	require.NotContains(t, changed(`{"schedule":{"spread_minutes":null}}`)["schedule"], "spread_minutes")
	manual := changed(`{"schedule":null}`)
	require.Equal(t, map[string]any{"type": "manual"}, manual["schedule"])
	require.Nil(t, manual["next_run_at"])

	for body, want := range map[string][]string{
		`{"name":null}`: {`"/name"`},
		`{"name":"","schedule":{"type":"daily","hour":7,"weekday":2},"configuration":{"regoin":"x","access_key_id":null},"scope":{"accounts":[]}}`: {
			`"/name"`, `"/schedule/weekday"`, `"/configuration/regoin"`, `"/configuration/access_key_id"`, `"/scope/accounts"`,
		},
		`{"schedule":{"cron":"61 * * * *","type":"cron"}}`:   {`"/schedule/cron"`},
		`{"schedule":{"type":"daily","spread_minutes":721}}`: {`"/schedule/spread_minutes"`},
		`{"target_id":"tgt_99"}`:                             {`"/target_id"`},
		`{"target_id":"conn_1"}`:                             {`"/target_id"`},
		`{"lifecycle":"needs_consent"}`:                      {`"/lifecycle"`},
	} {
		got := patch(body)
		require.Equal(t, http.StatusUnprocessableEntity, got.status, "%s: %s", body, got.text)
		for _, pointer := range want {
			require.Contains(t, got.text, `"pointer":`+pointer, body)
		}
	}
	require.Equal(t, http.StatusUnsupportedMediaType, b.builder(t, http.MethodPatch, path, `{}`, "Content-Type", "text/plain").status)
}

func TestChangeWithoutConfigurationLeavesTheCredentialAlone(t *testing.T) {
	t.Parallel()
	b := newAPIBench(t, nowhere)
	path := "/v1/connections/" + b.newConnection(t, "Prod AWS")
	ciphertext := func() (text string) {
		require.NoError(t, b.super.QueryRow(t.Context(), "select encode(ciphertext, 'hex') from credentials").Scan(&text))
		return text
	}
	before := ciphertext()
	require.Equal(t, http.StatusOK, b.builder(t, http.MethodPatch, path, `{"name":"Renamed","lifecycle":"disabled"}`).status)
	require.Equal(t, before, ciphertext(), "no key service is asked for a new name")
	require.Equal(t, http.StatusOK, b.builder(t, http.MethodPatch, path, `{"configuration":{"region":"eu-west-1"}}`).status, "and what was sealed before still opens")
	require.NotEqual(t, before, ciphertext())
}

func TestWhoeverIsTooLateIsToldThePresentVersion(t *testing.T) {
	t.Parallel()
	b := newAPIBench(t, nowhere)
	path := "/v1/connections/" + b.newConnection(t, "Prod AWS")
	tag := b.builder(t, http.MethodGet, path, "").header.Get("ETag")
	require.Equal(t, http.StatusOK, b.builder(t, http.MethodPatch, path, `{"name":"A"}`, "If-Match", tag).status)
	for _, late := range []answer{
		b.builder(t, http.MethodPatch, path, `{"name":"B"}`, "If-Match", tag),
		b.builder(t, http.MethodDelete, path, "", "If-Match", tag),
		b.builder(t, http.MethodPost, path+"/make-default", "", "If-Match", tag),
	} {
		require.Equal(t, http.StatusPreconditionFailed, late.status, late.text)
		require.Equal(t, `"2"`, late.header.Get("ETag"))
	}
	statuses := make([]int, 8)
	var all sync.WaitGroup
	for i := range statuses {
		all.Go(func() {
			statuses[i] = b.builder(t, http.MethodPatch, path, fmt.Sprintf(`{"metadata":{"n":%d}}`, i), "If-Match", `"2"`).status
		})
	}
	all.Wait()
	won := 0
	for _, s := range statuses {
		if s == http.StatusOK {
			won++
			continue
		}
		require.Equal(t, http.StatusPreconditionFailed, s)
	}
	require.Equal(t, 1, won)
	require.Equal(t, http.StatusNoContent, b.builder(t, http.MethodDelete, path, "", "If-Match", `"3"`).status)
}

func TestTargetsAreNamedAndListed(t *testing.T) {
	t.Parallel()
	b := newAPIBench(t, nowhere)
	_, err := b.super.Exec(t.Context(), `
		insert into targets (workspace_id, provider_system, provider_target_id, target_type, name)
		values ($1, 'aws', 'o-1', 'organization', 'Contoso'), ($1, 'azure', 'guid', 'tenant', 'Contoso'), ($2, 'aws', 'o-2', 'organization', 'hidden')`,
		b.a.Workspace, b.b.Workspace)
	require.NoError(t, err)
	list := b.builder(t, http.MethodGet, "/v1/targets?provider_system=aws", "").decoded(t)
	require.EqualValues(t, 1, list["total"])
	require.Equal(t, http.StatusOK, b.builder(t, http.MethodGet, "/v1/targets/tgt_1", "").status)
	require.Equal(t, http.StatusNotFound, b.builder(t, http.MethodGet, "/v1/targets/tgt_3", "").status, "another workspace's")

	draft := func(name, extra string) answer {
		return b.builder(t, http.MethodPost, "/v1/connections", strings.Replace(awsDraft(name), `"scope"`, extra+`,"scope"`, 1))
	}
	one := draft("one", `"target_id":"tgt_1","is_default":true`)
	require.Equal(t, http.StatusCreated, one.status, one.text)
	two := draft("two", `"target_id":"tgt_1"`)
	require.Equal(t, http.StatusCreated, two.status, two.text)
	for _, wrong := range []string{`"target_id":"tgt_2"`, `"target_id":"tgt_3"`, `"target_id":"tgt_9223372036854775808"`, `"is_default":true`} {
		require.Equal(t, http.StatusUnprocessableEntity, draft("x", wrong).status, wrong)
	}
	moved := b.builder(t, http.MethodPost, fmt.Sprintf("/v1/connections/%s/make-default", two.decoded(t)["connection_id"]), "")
	require.Equal(t, http.StatusOK, moved.status, moved.text)
	require.Equal(t, true, moved.decoded(t)["is_default"])
	defaults := b.builder(t, http.MethodGet, "/v1/connections?default=true&target_id=tgt_1", "").decoded(t)
	require.EqualValues(t, 1, defaults["total"])
	path := fmt.Sprintf("/v1/connections/%s", one.decoded(t)["connection_id"])
	require.Equal(t, http.StatusUnprocessableEntity, b.builder(t, http.MethodPatch, path, `{"target_id":"tgt_2"}`).status)
	require.Equal(t, http.StatusOK, b.builder(t, http.MethodPatch, path, `{"target_id":"tgt_1"}`).status)
}

func TestDeletionLeavesEventsReadableAndTheNameFree(t *testing.T) {
	t.Parallel()
	b := newAPIBench(t, nowhere)
	connID := b.newConnection(t, "Prod AWS")
	require.Equal(t, http.StatusNoContent, b.builder(t, http.MethodDelete, "/v1/connections/"+connID, "").status)
	events := b.builder(t, http.MethodGet, "/v1/audit-events?target_type=connection&target_id="+connID, "").decoded(t)
	require.Len(t, events["audit_events"], 2)
	require.NotEqual(t, connID, b.newConnection(t, "Prod AWS"))
	require.EqualValues(t, 1, b.builder(t, http.MethodGet, "/v1/connections", "").decoded(t)["total"])
}
