package worker_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/workerapi"
)

// Whoever knows what a claim was to be known by may give it up, with the fleet's
// token and no other.
func TestAClaimIsAbandonedByItsLease(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	p.start(t)
	claim := workerapi.ClaimRequest{Worker: "w", Queues: []string{"discovery"}, LeaseID: strings.Repeat("0a", 16)}
	status, body := p.do(t, p.post(workerapi.ClaimPath, fleetToken, claim))
	require.Equal(t, http.StatusOK, status, body)
	var a workerapi.Assignment
	require.NoError(t, json.Unmarshal([]byte(body), &a))
	require.Equal(t, claim.LeaseID, a.LeaseID)
	abandon := func(token, lease string) int {
		status, _ := p.do(t, p.post(workerapi.AbandonPath, token, workerapi.Abandon{LeaseID: lease}))
		return status
	}
	require.Equal(t, http.StatusUnauthorized, abandon(a.Token, claim.LeaseID))
	require.Equal(t, http.StatusUnprocessableEntity, abandon(fleetToken, "xyz"))
	require.Equal(t, http.StatusNoContent, abandon(fleetToken, strings.Repeat("0b", 16)), "of a lease that nobody has")
	status, _ = p.do(t, p.post(workerapi.HeartbeatPath(a.RunID), a.Token, workerapi.Heartbeat{Lease: lease(a)}))
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, http.StatusNoContent, abandon(fleetToken, claim.LeaseID))
	status, _ = p.do(t, p.post(workerapi.HeartbeatPath(a.RunID), a.Token, workerapi.Heartbeat{Lease: lease(a)}))
	require.Equal(t, http.StatusConflict, status)
	again := p.claim(t)
	require.Equal(t, a.RunID, again.RunID)
	require.Equal(t, 1, again.Attempt, "it was no attempt")
	status, _ = p.do(t, p.post(workerapi.ClaimPath, fleetToken, workerapi.ClaimRequest{Worker: "w", Queues: []string{"discovery"}, LeaseID: "short"}))
	require.Equal(t, http.StatusUnprocessableEntity, status)
}
