package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// operation is an operation as the OpenAPI document describes it.
type operationInDocument struct {
	id, method, path string
	// need is its x-capability; open says that it takes no credentials.
	need string
	open bool
}

// operations reads the document that a server serves.
func operations(t *testing.T, document string) (all []operationInDocument) {
	t.Helper()
	var d struct {
		Paths map[string]map[string]struct {
			OperationID string                `json:"operationId"`
			Capability  string                `json:"x-capability"`
			Security    []map[string][]string `json:"security"`
		} `json:"paths"`
	}
	require.NoError(t, json.Unmarshal([]byte(document), &d))
	for path, methods := range d.Paths {
		for method, o := range methods {
			all = append(all, operationInDocument{o.OperationID, strings.ToUpper(method), path, o.Capability, len(o.Security) == 0})
		}
	}
	slices.SortFunc(all, func(a, b operationInDocument) int { return strings.Compare(a.id, b.id) })
	return all
}

// TestEveryOperationKeepsToTheRoleTable calls each operation of the document with
// every role, by key and by session, as an admin of another workspace, and with
// credentials that are not good. What each needs is read from the document; how to
// call it is in the table of walkCalls, in which no operation may be missing.
func TestEveryOperationKeepsToTheRoleTable(t *testing.T) {
	t.Parallel()
	calls := walkCalls()
	all := operations(t, newWalk(t).documentText(t))
	require.Greater(t, len(all), 45)
	for _, o := range all {
		call, known := calls[o.id]
		require.True(t, known, "%s %s (%s) has no line in walkCalls: say how it is called, so that its roles are tested", o.method, o.path, o.id)
		delete(calls, o.id)
		if !o.open {
			needs := append([]string{"member", "credentials"}, text(workspace.Capabilities())...)
			require.Contains(t, needs, o.need, "%s says what it needs", o.id)
		}
		t.Run(o.id, func(t *testing.T) {
			t.Parallel()
			newWalk(t).walk(t, o, call)
		})
	}
	require.Empty(t, calls, "these are no operations")
}

func text[T ~string](values []T) (texts []string) {
	for _, v := range values {
		texts = append(texts, string(v))
	}
	return texts
}

// walk calls one operation as everybody.
func (w *walker) walk(t *testing.T, o operationInDocument, call walkCall) {
	for _, who := range w.everybody(t) {
		path, body := call.prepare(t, w, o.path, who.name)
		want, names := who.expected(o, call)
		before := w.digest(t)
		denied := w.denials(t)
		got := w.call(t, who.token, o.method, path, body, who.header...)
		require.Equal(t, want, got.status, "%s as %s: %s", o.id, who.name, got.text)
		if want == http.StatusForbidden {
			require.Contains(t, got.text, names, "the capability is named")
			denied++
		}
		if want == http.StatusUnauthorized && who.ended {
			denied++
		}
		require.Equal(t, denied, w.denials(t), "%s as %s: denied attempts are recorded, nothing else is", o.id, who.name)
		if want >= http.StatusBadRequest && want != call.want {
			require.Equal(t, before, w.digest(t), "%s as %s: a refused attempt changes nothing", o.id, who.name)
		}
	}
	require.NotContains(t, w.log.String(), canary)
}

// expected is the status that the role table gives somebody, and for a refusal
// the capability that is named.
func (who walkingCaller) expected(o operationInDocument, call walkCall) (status int, names string) {
	switch {
	case o.open:
		return call.want, ""
	case who.stranger:
		return http.StatusUnauthorized, ""
	case o.need == "credentials" && call.sessionsOnly && !who.session:
		return http.StatusNotFound, ""
	case o.need == "credentials", o.need == "member":
		return call.want, ""
	case !who.role.Has(workspace.Capability(o.need)):
		return http.StatusForbidden, o.need
	case who.foreign && call.named:
		return http.StatusNotFound, ""
	case who.role == workspace.TenantAdmin && call.named && !strings.HasPrefix(o.path, "/v1/tenant/"):
		return http.StatusNotFound, "" // what belongs to a workspace does not exist at the tenant level
	case who.role == workspace.TenantAdmin && call.tenantWant != 0:
		return call.tenantWant, ""
	}
	return call.want, ""
}

// digest tells whether anything is stored differently: rows of every table but the
// audit events, without when credentials were last used.
func (w *walker) digest(t *testing.T) string {
	t.Helper()
	var tables []string
	rows, err := w.super.Query(t.Context(), `select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where n.nspname in ('public', 'river', 'staging') and c.relkind = 'r' and c.relname not in ('audit_events', 'idempotency_keys')
			and c.relname not like 'river%' and c.relname not like 'audit\_%' order by 1`)
	require.NoError(t, err)
	for rows.Next() {
		var table string
		require.NoError(t, rows.Scan(&table))
		tables = append(tables, fmt.Sprintf("select '%s', count(*), sum(hashtextextended((to_jsonb(r) - 'last_used_at')::text, 0)) from %s r", table, table))
	}
	require.NoError(t, rows.Err())
	var sum string
	require.NoError(t, w.super.QueryRow(t.Context(), "select string_agg(u::text, ' ') from ("+strings.Join(tables, " union all ")+") u").Scan(&sum))
	return sum
}
