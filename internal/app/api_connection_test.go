package app

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// TestConnectionHasEveryDocumentedField compares with slice 001's example.
func TestConnectionHasEveryDocumentedField(t *testing.T) {
	t.Parallel()
	b := newAPIBench(t, nowhere)
	created := b.builder(t, http.MethodPost, "/v1/connections", awsDraft("Prod AWS"))
	require.Equal(t, http.StatusCreated, created.status, created.text)
	got := created.decoded(t)
	connID := fmt.Sprint(got["connection_id"])
	require.Regexp(t, `^conn_[1-9][0-9]*$`, connID)
	require.Equal(t, "/v1/connections/"+connID, created.header.Get("Location"))
	require.Equal(t, `"1"`, created.header.Get("ETag"))
	for field, want := range map[string]any{
		"integration_id": "aws", "name": "Prod AWS", "tenant_id": "t_1", "workspace_id": b.a.Workspace.String(),
		"scope":    map[string]any{"aws_accounts": []any{"123456789012"}},
		"schedule": map[string]any{"type": "daily", "hour": 2.0, "minute": 0.0},
		"status":   "unknown", "last_run_at": nil,
		"config":    map[string]any{"access_key_id": "AKIAIOSFODNN7EXAMPLE", "region": "us-east-1"},
		"target_id": nil, "acts_as": "", "is_default": false, "lifecycle": "active", "scopes_granted": []any{}, "metadata": map[string]any{},
		"credential_type": "access_key", "last_used_at": nil, "last_connected_at": nil, "last_health_check_at": nil,
		"last_error_reason_code": "", "last_error_message": "", "version": 1.0,
	} {
		require.Contains(t, got, field)
		require.Empty(t, cmp.Diff(want, got[field]), field)
	}
	for _, field := range []string{"connector_id", "connector_version", "next_run_at", "created_at", "updated_at"} {
		require.NotEmpty(t, got[field], field)
	}
	require.NotContains(t, got, "configuration")

	read := b.builder(t, http.MethodGet, "/v1/connections/"+connID, "")
	require.Empty(t, cmp.Diff(got, read.decoded(t)))
	list := b.builder(t, http.MethodGet, "/v1/connections?integration_id=aws", "")
	require.Empty(t, cmp.Diff(map[string]any{"connections": []any{got}, "total": 1.0}, list.decoded(t)))
	require.JSONEq(t, `{"connections":[],"total":0}`, b.builder(t, http.MethodGet, "/v1/connections?integration_id=azure", "").text)
}

func TestIntegrationHasEveryDocumentedField(t *testing.T) {
	t.Parallel()
	b := newAPIBench(t, nowhere)
	list := b.builder(t, http.MethodGet, "/v1/integrations", "").decoded(t)
	entries, ok := list["integrations"].([]any)
	require.True(t, ok)
	require.NotEmpty(t, entries)
	entry, ok := entries[0].(map[string]any)
	require.True(t, ok)
	for _, field := range []string{
		"integration_id", "name", "connector_type", "provider_system", "connector_id", "version", "required_permissions",
		"emits_entities", "emits_relationships", "limits_blind_spots", "supports_test",
		"status", "contract_version", "configuration", "scope", "auth_types", "operations", "streams",
	} {
		require.NotEmpty(t, entry[field], field)
	}
	require.Empty(t, cmp.Diff(entry, b.builder(t, http.MethodGet, "/v1/integrations/aws", "").decoded(t)))
	require.Equal(t, http.StatusNotFound, b.builder(t, http.MethodGet, "/v1/integrations/none", "").status)
}

func TestWrongInputNamesTheFieldAndNeverTheValue(t *testing.T) {
	t.Parallel()
	b := newAPIBench(t, nowhere)
	configuration := func(fields string) string {
		return `{"integration_id":"aws","name":"x","configuration":{` + fields + `}}`
	}
	for body, says := range map[string]string{
		`{"integration_id":"aws","name":"x","colour":"` + canary + `"}`: "body.colour",
		`{"integration_id":"` + canary + `","name":"x"}`:                "body.integration_id",
		`{"name":"x"}`: "integration_id",
		`{"integration_id":"aws","name":"x","Name":"` + canary + `"}`:                                                                    "body.Name",
		`{"integration_id":"aws","name":"","configuration":{"access_key_id":"a","secret_access_key":"` + canary + `"}}`:                  "body.name",
		configuration(`"access_key_id":"a"`):                                                                                             "body.configuration.secret_access_key",
		configuration(`"access_key_id":"a","secret_acces_key":"` + canary + `"`):                                                         "did you mean secret_access_key",
		configuration(`"access_key_id":"a","secret_access_key":["` + canary + `"]`):                                                      "body.configuration.secret_access_key",
		configuration(`"access_key_id":"a","secret_access_key":"` + canary + `","region":"Mars"`):                                        "body.configuration.region",
		configuration(`"access_key_id":"a","secret_access_key":"` + strings.Repeat(canary, 50) + `"`):                                    "body.configuration.secret_access_key",
		configuration(`"access_key_id":"a\u0000","secret_access_key":"` + canary + `"`):                                                  "NUL",
		`{"integration_id":"aws","name":"x","configuration":"` + canary + `"}`:                                                           "body.configuration",
		strings.Replace(awsDraft("x"), `"123456789012"`, `"12"`, 1):                                                                      "body.scope.aws_accounts",
		strings.Replace(awsDraft("x"), `"hour":2`, `"hour":24`, 1):                                                                       "body.schedule.hour",
		strings.Replace(awsDraft("x"), `"daily"`, `"sometimes"`, 1):                                                                      "body.schedule.type",
		strings.Replace(awsDraft("x"), `"minute":0`, `"minute":0,"timezone":"Mars/Base"`, 1):                                             "schedule.timezone",
		strings.Replace(awsDraft("x"), `"scope"`, `"metadata":{"a":`+strings.Repeat("[", 6000)+strings.Repeat("]", 6000)+`},"scope"`, 1): "",
	} {
		got := b.builder(t, http.MethodPost, "/v1/connections", body)
		if says == "" {
			require.Less(t, got.status, 500, got.text)
			continue
		}
		require.Equal(t, http.StatusUnprocessableEntity, got.status, "%s: %s", body, got.text)
		require.Contains(t, got.text, says)
	}
	require.NotContains(t, b.log.String(), canary)
	require.Equal(t, http.StatusRequestEntityTooLarge,
		b.builder(t, http.MethodPost, "/v1/connections", strings.Repeat(" ", 1<<20)+awsDraft("x")).status)
}

func TestPatchMergesAndKeepsSecrets(t *testing.T) {
	t.Parallel()
	b := newAPIBench(t, nowhere)
	connID := b.newConnection(t, "Prod AWS")
	path := "/v1/connections/" + connID
	sealed := func() (ciphertext string, version int64) {
		require.NoError(t, b.super.QueryRow(t.Context(), "select encode(ciphertext, 'hex'), version from credentials").Scan(&ciphertext, &version))
		return ciphertext, version
	}
	before, _ := sealed()

	got := b.builder(t, http.MethodPatch, path, `{"name":"Renamed","configuration":{"region":"eu-central-1"}}`)
	require.Equal(t, http.StatusOK, got.status, got.text)
	object := got.decoded(t)
	require.Equal(t, "Renamed", object["name"])
	require.Equal(t, map[string]any{"access_key_id": "AKIAIOSFODNN7EXAMPLE", "region": "eu-central-1"}, object["config"])
	require.Equal(t, map[string]any{"aws_accounts": []any{"123456789012"}}, object["scope"])
	require.Equal(t, "access_key", object["credential_type"])
	require.Equal(t, `"2"`, got.header.Get("ETag"))
	after, version := sealed()
	require.NotEqual(t, before, after, "sealed anew for the new version")
	require.Equal(t, int64(2), version)

	got = b.builder(t, http.MethodPatch, path, `{"configuration":{"secret_access_key":null}}`)
	require.Equal(t, http.StatusUnprocessableEntity, got.status, "the secret is required")
	got = b.builder(t, http.MethodPatch, path, `{"configuration":{"region":null}}`)
	require.Equal(t, http.StatusOK, got.status, got.text)
	require.Equal(t, map[string]any{"access_key_id": "AKIAIOSFODNN7EXAMPLE"}, got.decoded(t)["config"])
	got = b.builder(t, http.MethodPatch, path, `{"titel":"x"}`)
	require.Equal(t, http.StatusUnprocessableEntity, got.status)
	require.Contains(t, got.text, "body.titel")
	got = b.builder(t, http.MethodPatch, path, `{"is_default":true}`)
	require.Equal(t, http.StatusUnprocessableEntity, got.status)
	require.Contains(t, got.text, "body.is_default")
}

func TestIfMatchGuardsAChange(t *testing.T) {
	t.Parallel()
	b := newAPIBench(t, nowhere)
	path := "/v1/connections/" + b.newConnection(t, "Prod AWS")
	change := func(match string) int {
		return b.builder(t, http.MethodPatch, path, `{"lifecycle":"disabled"}`, "If-Match", match).status
	}
	require.Equal(t, http.StatusPreconditionFailed, change(`"2"`))
	require.Equal(t, http.StatusPreconditionFailed, change(`W/"1"`), "weak tags never match")
	require.Equal(t, http.StatusPreconditionFailed, change(`nonsense`))
	require.Equal(t, http.StatusOK, change(`"1"`))
	require.Equal(t, http.StatusPreconditionFailed, change(`"1"`))
	require.Equal(t, http.StatusOK, change(`*`))
}

func TestDeleteLeavesNoSecretAndSaysSo(t *testing.T) {
	t.Parallel()
	b := newAPIBench(t, nowhere)
	path := "/v1/connections/" + b.newConnection(t, "Prod AWS")
	got := b.builder(t, http.MethodDelete, path, "")
	require.Equal(t, http.StatusNoContent, got.status)
	require.Empty(t, got.text)
	require.Equal(t, http.StatusNotFound, b.builder(t, http.MethodGet, path, "").status)
	require.Equal(t, http.StatusNotFound, b.builder(t, http.MethodDelete, path, "").status)
	var left int
	require.NoError(t, b.super.QueryRow(t.Context(), "select count(*) from credentials").Scan(&left))
	require.Zero(t, left)
}

func TestNameTakenIsAConflict(t *testing.T) {
	t.Parallel()
	b := newAPIBench(t, nowhere)
	b.newConnection(t, "Prod AWS")
	got := b.builder(t, http.MethodPost, "/v1/connections", awsDraft("Prod AWS"))
	require.Equal(t, http.StatusConflict, got.status)
	require.Contains(t, got.text, "exists already")
}

func TestListsContinueWhereTheyStopped(t *testing.T) {
	t.Parallel()
	b := newAPIBench(t, nowhere)
	var want []string
	for i := range 5 {
		want = append(want, b.newConnection(t, fmt.Sprint("number ", i)))
	}
	var got []string
	path := "/v1/connections?limit=2"
	for cursor := any(""); cursor != nil; {
		page := b.builder(t, http.MethodGet, path+"&cursor="+fmt.Sprint(cursor), "").decoded(t)
		list, _ := page["connections"].([]any)
		require.LessOrEqual(t, len(list), 2)
		for _, item := range list {
			object, _ := item.(map[string]any)
			got = append(got, fmt.Sprint(object["connection_id"]))
		}
		cursor = page["next_cursor"]
	}
	require.Equal(t, want, got)
}

// TestEveryActionLeavesOneEvent follows a connection and a key through their
// lives in the audit log.
func TestEveryActionLeavesOneEvent(t *testing.T) {
	t.Parallel()
	b := newAPIBench(t, nowhere)
	connID := b.newConnection(t, "Prod AWS")
	path := "/v1/connections/" + connID
	b.builder(t, http.MethodPatch, path, `{"name":"Renamed"}`)
	b.builder(t, http.MethodPatch, path, `{"name":""}`)
	require.Equal(t, http.StatusOK, b.builder(t, http.MethodPatch, path, `{"configuration":{"region":"eu-west-1","secret_access_key":"`+canary+`"}}`).status)
	b.builder(t, http.MethodDelete, path, "")
	got := b.builder(t, http.MethodGet, "/v1/audit-events?target_type=connection&target_id="+connID, "").decoded(t)
	events, _ := got["audit_events"].([]any)
	var actions []string
	for _, e := range events {
		object, _ := e.(map[string]any)
		actions = append(actions, fmt.Sprint(object["action"]))
		for _, field := range []string{"event_id", "tenant_id", "workspace_id", "actor_id", "target_type", "target_id", "created_at", "outcome", "actor_kind"} {
			require.NotEmpty(t, object[field], field)
		}
		require.Contains(t, object, "payload")
	}
	require.Equal(t, []string{"connection_deleted", "connection_edited", "connection_edited", "connection_created"}, actions)
	replaced, _ := events[1].(map[string]any)
	require.Equal(t, map[string]any{"changed": []any{"configuration"}, "secret_fields": []any{"secret_access_key"}, "version": 3.0}, replaced["payload"])
	require.NotContains(t, fmt.Sprint(events), canary)
}

func TestKeyIsShownOnceAndEndsAtOnce(t *testing.T) {
	t.Parallel()
	b := newAPIBench(t, nowhere)
	admin := b.keys[workspace.Admin]
	made := b.call(t, admin, http.MethodPost, "/v1/api-keys", `{"name":"ci","role":"viewer","expires_at":"2999-01-01T00:00:00Z"}`)
	require.Equal(t, http.StatusCreated, made.status, made.text)
	object := made.decoded(t)
	key := fmt.Sprint(object["key"])
	require.Regexp(t, `^gk_[0-9]+_`, key)
	require.Equal(t, http.StatusOK, b.builder(t, http.MethodGet, "/v1/connections", "", "Authorization", "Bearer "+key).status)
	require.NotContains(t, b.call(t, admin, http.MethodGet, "/v1/api-keys", "").text, key)
	require.NotContains(t, b.log.String(), key)

	revoked := b.call(t, admin, http.MethodDelete, "/v1/api-keys/"+fmt.Sprint(object["member_id"]), "")
	require.Equal(t, http.StatusNoContent, revoked.status)
	require.Equal(t, http.StatusUnauthorized, b.builder(t, http.MethodGet, "/v1/connections", "", "Authorization", "Bearer "+key).status)
	for _, body := range []string{`{"name":"x","role":"tenant_admin"}`, `{"name":"x","role":"viewer","expires_at":"2001-01-01T00:00:00Z"}`, `{"name":" ","role":"viewer"}`} {
		require.Equal(t, http.StatusUnprocessableEntity, b.call(t, admin, http.MethodPost, "/v1/api-keys", body).status, body)
	}
}
