package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/audit"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/postgres"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

// secretive is the connector as its next version might be: with a secret that
// nobody has entered yet, without a stream, or without discovery.
type secretive struct {
	graphConnector
	change func(*connector.Manifest)
}

func (c secretive) Manifest() connector.Manifest {
	m := c.graphConnector.Manifest()
	c.change(&m)
	return m
}

// What was asked to follow a run is started only if a start would be: each
// prerequisite that has gone meanwhile blocks it, and says so.
func TestARunFollowsOnlyWhereItCouldStart(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*connector.Manifest)
		input  string
		want   operation.Code
		detail string
	}{
		"nothing has changed": {change: func(*connector.Manifest) {}},
		"a secret is needed now": {
			change: func(m *connector.Manifest) {
				m.Configuration = []byte(`{"type": "object", "additionalProperties": false, "required": ["key"],
					"properties": {"key": {"type": "string", "title": "Key", "writeOnly": true}}}`)
			},
			want: operation.CredentialMissing, detail: "nothing is stored as key",
		},
		"it is not offered any more": {
			change: func(m *connector.Manifest) { m.Operations = []string{string(operation.ConnectionTest)} },
			want:   operation.OperationNotSupported, detail: "aws offers connection.test",
		},
		"its stream has gone": {
			change: func(m *connector.Manifest) { m.Streams = m.Streams[1:] }, input: `{"streams": ["alpha"]}`,
			want: operation.ScopeInvalid, detail: `"alpha" is no stream of aws`,
		},
		"the integration has gone": {want: operation.OperationNotSupported, detail: "no integration aws any more"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDiscovery(t)
			var connectors []connector.Connector
			if test.change != nil {
				connectors = append(connectors, secretive{change: test.change})
			}
			catalog, err := integration.NewCatalog(connectors)
			require.NoError(t, err)
			a := admission(d.scope, d.connect(t, d.scope))
			if test.input != "" {
				a.Input = []byte(test.input)
			}
			first := d.admit(t, a)
			require.Equal(t, run.Accepted, first.Status)
			h := d.claim(t)
			require.Equal(t, run.Deduped, d.admit(t, a).Status)
			_, err = postgres.NewRuns(d.db, 1, catalog, d.queue.jobs()).Fail(t.Context(), h.fence, failing())
			require.NoError(t, err, "what is under way may end")

			runs, err := d.runs.List(t.Context(), d.scope, run.Filter{Limit: 10})
			require.NoError(t, err)
			require.Len(t, runs, 2)
			if test.want == "" {
				require.Equal(t, run.Queued, runs[0].Status)
				return
			}
			require.Equal(t, run.Blocked, runs[0].Outcome)
			require.Equal(t, test.want, runs[0].Reason)
			require.Contains(t, string(runs[0].Context), `"detail"`)
			require.Contains(t, d.text(t, `select context->>'detail' from runs where run_id = $1`, runs[0].ID), test.detail)
			require.Equal(t, 1, d.number(t, `select count(*) from audit_events where action = $1`, audit.RunBlocked))
		})
	}
}

// text looks behind row-level security.
func (d *discovery) text(tb testing.TB, sql string, args ...any) (s string) {
	tb.Helper()
	require.NoError(tb, d.super.QueryRow(tb.Context(), sql, args...).Scan(&s))
	return s
}
