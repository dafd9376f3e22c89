package conformance

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// onboard takes a session from its start to its end, which requests that are drawn
// one by one would not: the bootstrap of a verified connection is blocked at first,
// because the connection was switched off, and resumed.
func (a *actor) onboard(t *testing.T, c *count) {
	t.Helper()
	begun := a.counted(t, c, "start-onboarding", nil, node{"integration_id": "aws"})
	session := map[string]string{"session_id": fmt.Sprint(begun["session_id"])}
	a.counted(t, c, "pick-onboarding-connection", session, node{"connection_id": a.connection})
	test := a.counted(t, c, "start-onboarding-operation", map[string]string{"session_id": session["session_id"], "operation": "connection.test"}, nil)
	a.await(t, test)

	connection := map[string]string{"connection_id": a.connection}
	a.counted(t, c, "update-connection", connection, node{"lifecycle": "disabled"})
	blocked := a.counted(t, c, "start-onboarding-bootstrap", session, node{"connection_id": a.connection, "selected_operations": []any{"discovery.run", "connection.test"}})
	require.Equal(t, "blocked", blocked["status"])
	require.Equal(t, "stopped", object(blocked["session"])["status"])
	require.Nil(t, blocked["accepted_operation"])
	a.counted(t, c, "update-connection", connection, node{"lifecycle": "active"})
	resumed := a.counted(t, c, "resume-onboarding", session, nil)
	require.Equal(t, "accepted", resumed["status"])
	require.Equal(t, []any{"connection.test"}, resumed["pending_operations"])
	a.await(t, resumed)
	for {
		s := object(a.must(t, "get-onboarding", session, nil))
		if s["status"] != "bootstrapping" {
			require.Equal(t, "completed", s["status"], "%v", s)
			return
		}
		a.must(t, "get-run", map[string]string{"run_id": fmt.Sprint(lastRun(s))}, nil, pair{"wait", "1s"})
	}
}

// lastRun is of the last operation of a session that has one.
func lastRun(session node) (run any) {
	for _, each := range list(session["operations"]) {
		if r := object(each)["run_id"]; r != nil {
			run = r
		}
	}
	return run
}

// await returns when the run of a start has ended.
func (a *actor) await(t *testing.T, start node) {
	t.Helper()
	run := map[string]string{"run_id": fmt.Sprint(object(start["run"])["id"])}
	for {
		r := object(a.must(t, "get-run", run, nil, pair{"wait", "30s"}))
		if r["status"] == "completed" {
			require.Equal(t, "succeeded", r["outcome"], "%v", r)
			return
		}
	}
}
