package app

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// A filter with a name that nothing has would look like a record in which nothing
// happened; whoever mistypes one is told, in lists, in counts and in exports.
func TestAMistypedNameInAFilterIsRefusedByName(t *testing.T) {
	t.Parallel()
	b := newAPIBench(t, nowhere)
	for query, want := range map[string]string{
		"/v1/audit-events?action=connection_create":                              `"location":"query.action","message":"is no action; did you mean connection_created?"`,
		"/v1/audit-events?action=connection_create&total=1":                      `"location":"query.action"`,
		"/v1/audit-events?target_type=connections":                               `"location":"query.target_type","message":"is nothing that events are about; did you mean connection?"`,
		"/v1/audit-events/export?action=Run_Failed":                              `"location":"query.action","message":"is no action; did you mean run_failed?"`,
		"/v1/audit-events?outcome=Succeeded":                                     `"location":"query.outcome","message":"expected value to be one of \"succeeded, failed, denied\"; did you mean \"succeeded\"?"`,
		"/v1/audit-events?outcome=x":                                             `"location":"query.outcome","message":"expected value to be one of \"succeeded, failed, denied\""`,
		"/v1/connections?lifecycle=Active":                                       `did you mean \"active\"?`,
		"/v1/audit-events?since=2026-02-01T00:00:00Z&until=2026-01-01T00:00:00Z": `"location":"query.until","message":"must be later than since"`,
	} {
		got := b.call(t, b.keys[workspace.Viewer], http.MethodGet, query, "")
		require.Equal(t, http.StatusUnprocessableEntity, got.status, "%s: %s", query, got.text)
		require.Contains(t, got.text, want, query)
	}
	for _, query := range []string{"?action=connection_created", "?target_type=connection&outcome=denied", "/export?action=member_joined"} {
		got := b.call(t, b.keys[workspace.Viewer], http.MethodGet, "/v1/audit-events"+query, "")
		require.Equal(t, http.StatusOK, got.status, got.text)
	}
}
