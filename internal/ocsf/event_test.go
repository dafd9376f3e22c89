package ocsf_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/ocsf"
)

func marshal(t *testing.T, r audit.Record) (envelope, data map[string]any) {
	t.Helper()
	line, err := ocsf.Marshal(42, r)
	require.NoError(t, err)
	require.NotContains(t, string(line), "\n")
	require.NoError(t, json.Unmarshal(line, &envelope))
	data, ok := envelope["data"].(map[string]any)
	require.True(t, ok)
	return envelope, data
}

func record(a audit.Action, o audit.Outcome) audit.Record {
	return audit.Record{
		ID: 7, Scope: id.Scope{Tenant: 1, Workspace: 2}, Actor: audit.Member(3), Action: a, Outcome: o, TargetType: "connection", TargetID: "conn_4",
		Payload: json.RawMessage(`{"name":"Prod"}`), CreatedAt: time.Date(2026, 1, 31, 8, 0, 0, 123_456_000, time.UTC), Transaction: 9,
	}
}

// What the schema requires of every event, and of each class that is used.
func TestEveryActionIsAnEventOfItsClass(t *testing.T) {
	t.Parallel()
	activities := map[int][]int{3001: {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, 3002: {1, 2, 3, 4, 5, 99}, 3004: {1, 2, 3, 4}, 6003: {1, 2, 3, 4, 99}}
	required := map[int][]string{3001: {"user"}, 3002: {"user", "service"}, 3004: {"entity"}, 6003: {"actor", "api", "src_endpoint"}}
	for _, a := range audit.Actions() {
		for _, o := range []audit.Outcome{audit.Succeeded, audit.Failed, audit.Denied} {
			envelope, e := marshal(t, record(a, o))
			number := func(name string) int { return int(e[name].(float64)) }
			class, activity := number("class_uid"), number("activity_id")
			require.Contains(t, activities[class], activity, a)
			require.Equal(t, class/1000, number("category_uid"), a)
			require.Equal(t, class*100+activity, number("type_uid"), a)
			require.EqualValues(t, 1769846400123, e["time"])
			require.Contains(t, []any{1.0, 2.0, 3.0}, e["severity_id"])
			require.Equal(t, o == audit.Succeeded, e["status_id"] == 1.0)
			require.Equal(t, "1.3.0", e["metadata"].(map[string]any)["version"])
			for _, attribute := range append(required[class], "actor", "metadata", "unmapped") {
				require.NotEmpty(t, e[attribute], "%s: %s", a, attribute)
			}
			require.Equal(t, "dev.gatehouse.audit."+string(a), envelope["type"])
		}
	}
}

// Who was refused is somebody that no id names.
func TestARefusedSignInNamesWhoTried(t *testing.T) {
	t.Parallel()
	r := record(audit.SignInRefused, audit.Denied)
	r.TargetID, r.Payload = "", json.RawMessage(`{"reason":"no_access","issuer":"https://idp","subject":"248289761001","email":"ada@contoso.example"}`)
	_, e := marshal(t, r)
	require.Equal(t, map[string]any{"uid": "248289761001", "email_addr": "ada@contoso.example"}, e["user"])
	r.Payload = json.RawMessage(`{}`)
	_, e = marshal(t, r)
	require.Equal(t, map[string]any{"uid": "unknown"}, e["user"])
}

func TestEnvelopeIsACloudEvent(t *testing.T) {
	t.Parallel()
	envelope, e := marshal(t, record(audit.ConnectionCreated, audit.Succeeded))
	delete(envelope, "data")
	require.Equal(t, map[string]any{
		"specversion": "1.0", "id": "aud_7", "source": "/gatehouse/t_1/w_2/audit", "type": "dev.gatehouse.audit.connection_created", "subject": "conn_4",
		"time": "2026-01-31T08:00:00.123456Z", "datacontenttype": "application/json",
		"dataschema": "https://schema.ocsf.io/1.3.0/classes/entity_management", "sequence": "0000000000000000042",
	}, envelope)
	require.Equal(t, map[string]any{"user": map[string]any{"uid": "mem_3"}}, e["actor"])
	require.Equal(t, map[string]any{"name": "Prod"}, e["unmapped"].(map[string]any)["payload"])
	// Names of attributes are lower-case letters and digits, 20 at most.
	for name := range envelope {
		require.Equal(t, name, strings.ToLower(name))
		require.LessOrEqual(t, len(name), 20)
	}
}
