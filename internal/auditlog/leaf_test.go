package auditlog_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/auditlog"
	"github.com/gatehouse-project/gatehouse/internal/id"
)

func sample() audit.Record {
	return audit.Record{
		ID: 7, Scope: id.Scope{Tenant: 1, Workspace: 2}, Actor: audit.Member(3), Action: audit.ConnectionCreated, Outcome: audit.Succeeded,
		TargetType: "connection", TargetID: "conn_4", Payload: json.RawMessage(`{"name": "Prod <AWS>", "n": 1.50}`),
		CreatedAt: time.Date(2026, 1, 31, 8, 0, 0, 123_456_000, time.UTC), Transaction: 4711,
	}
}

// The form is documented: an auditor can write it with other tools.
func TestLeafIsAsDocumented(t *testing.T) {
	t.Parallel()
	leaf, err := auditlog.Leaf(sample())
	require.NoError(t, err)
	require.Equal(t, "gatehouse.audit.v1\n"+
		`{"action":"connection_created","actor_id":"mem_3","actor_kind":"member","created_at":"2026-01-31T08:00:00.123456Z","event_id":"aud_7",`+
		`"outcome":"succeeded","payload":{"n":1.50,"name":"Prod <AWS>"},"target_id":"conn_4","target_type":"connection","tenant_id":"t_1","transaction":"4711","workspace_id":"w_2"}`, string(leaf))
}

// A column that the leaf lacks could be changed unseen, also one that is added
// to the record later.
func TestEveryColumnIsInTheLeaf(t *testing.T) {
	t.Parallel()
	original, err := auditlog.LeafHash(sample())
	require.NoError(t, err)
	for path, change := range changes(reflect.ValueOf(sample()), "") {
		r := sample()
		change(reflect.ValueOf(&r).Elem())
		hash, err := auditlog.LeafHash(r)
		require.NoError(t, err, path)
		require.NotEqual(t, original, hash, "%s can be changed unseen", path)
	}
}

// changes returns a change of every field, in the fields of fields, too.
func changes(v reflect.Value, path string, index ...int) map[string]func(reflect.Value) {
	found := map[string]func(reflect.Value){}
	for i := range v.NumField() {
		name, at := path+"."+v.Type().Field(i).Name, append(append([]int{}, index...), i)
		field := v.Field(i)
		switch value := field.Interface().(type) {
		case time.Time:
			found[name] = func(r reflect.Value) { r.FieldByIndex(at).Set(reflect.ValueOf(value.Add(time.Microsecond))) }
		case json.RawMessage:
			found[name] = func(r reflect.Value) {
				r.FieldByIndex(at).Set(reflect.ValueOf(json.RawMessage(`{"name": "Prod <AWS>", "n": 1.5}`)))
			}
		default:
			switch field.Kind() {
			case reflect.Struct:
				for k, c := range changes(field, name, at...) {
					found[k] = c
				}
			case reflect.String:
				found[name] = func(r reflect.Value) { r.FieldByIndex(at).SetString(field.String() + "x") }
			case reflect.Int64:
				found[name] = func(r reflect.Value) { r.FieldByIndex(at).SetInt(field.Int() + 1) }
			case reflect.Uint64:
				found[name] = func(r reflect.Value) { r.FieldByIndex(at).SetUint(field.Uint() + 1) }
			default:
				panic("a kind of column that this test does not know: " + name)
			}
		}
	}
	return found
}

// What passes through the API's JSON has the same leaf: spaces, order of names
// and escapes do not count, contents do.
func TestLeafSurvivesTheWayThroughJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		payload := rapid.MapOf(rapid.String(), rapid.OneOf(
			rapid.Custom(func(t *rapid.T) any { return rapid.String().Draw(t, "s") }),
			rapid.Custom(func(t *rapid.T) any {
				return json.Number(rapid.StringMatching(`-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,20})?`).Draw(t, "n"))
			}),
			rapid.Just[any](nil), rapid.Just[any](true),
		)).Draw(rt, "payload")
		plain, err := json.Marshal(payload)
		require.NoError(rt, err)
		r := sample()
		r.Payload = plain
		want, err := auditlog.LeafHash(r)
		require.NoError(rt, err)
		indented, err := json.MarshalIndent(json.RawMessage(plain), "", "\t")
		require.NoError(rt, err)
		r.Payload = indented
		got, err := auditlog.LeafHash(r)
		require.NoError(rt, err)
		require.Equal(rt, want, got)
	})
	r := sample()
	r.Payload = json.RawMessage(`{"n":1e400,"name":"Prod \u003cAWS\u003e"}`)
	leaf, err := auditlog.Leaf(r)
	require.NoError(t, err)
	require.Contains(t, string(leaf), `{"n":1e400,"name":"Prod <AWS>"}`, "numbers stay, escapes do not")
}
