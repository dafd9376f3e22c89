package worker_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/workerapi"
)

// Whoever holds a run is given leave to call, in chunks, and by declared scopes.
func TestBudgetIsGivenToWhoHoldsTheRun(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	p.start(t)
	a := p.claim(t)
	request := workerapi.BudgetRequest{Lease: lease(a), IntegrationID: "aws", Scope: "calls", Key: []string{"1"}, Want: 7}
	ask := func(edit func(*workerapi.BudgetRequest)) (int, workerapi.BudgetAnswer, string) {
		r := request
		edit(&r)
		status, body := p.do(t, p.post(workerapi.BudgetPath(a.RunID), a.Token, r))
		var answer workerapi.BudgetAnswer
		if status == http.StatusOK {
			require.NoError(t, json.Unmarshal([]byte(body), &answer))
		}
		return status, answer, body
	}
	status, answer, body := ask(func(*workerapi.BudgetRequest) {})
	require.Equal(t, http.StatusOK, status, body)
	require.Equal(t, 5, answer.Granted, "the burst")
	require.Positive(t, answer.GoodFor())
	_, answer, _ = ask(func(*workerapi.BudgetRequest) {})
	require.Zero(t, answer.Granted)
	require.Positive(t, answer.Wait())
	_, answer, _ = ask(func(r *workerapi.BudgetRequest) { r.Throttled, r.RetryAfterMilliseconds = true, 1<<62 })
	require.True(t, answer.Paused)
	require.InDelta(t, 86400, answer.Wait().Seconds(), 5, "no provider stops calls for more than a day")

	for name, bad := range map[string]func(*workerapi.BudgetRequest){
		"is no throttle scope": func(r *workerapi.BudgetRequest) { r.Scope = "other" },
		"must have 1 parts":    func(r *workerapi.BudgetRequest) { r.Key = []string{"1", "2"} },
		"is not in the catalog": func(r *workerapi.BudgetRequest) {
			r.IntegrationID = "other"
		},
		"least": func(r *workerapi.BudgetRequest) { r.Want, r.Least = 1, 2 },
		"want":  func(r *workerapi.BudgetRequest) { r.Want = 1000 },
	} {
		status, _, body := ask(bad)
		require.Equal(t, http.StatusUnprocessableEntity, status, body)
		require.Contains(t, body, name)
	}
	status, _, _ = ask(func(r *workerapi.BudgetRequest) { r.Epoch++ })
	require.Equal(t, http.StatusConflict, status)
}
