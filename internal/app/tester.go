package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	apiconnection "github.com/gatehouse-project/gatehouse/internal/api/connection"
	"github.com/gatehouse-project/gatehouse/internal/client"
	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/run"
	"github.com/gatehouse-project/gatehouse/internal/secret"
	"github.com/gatehouse-project/gatehouse/internal/workspace"
)

// Figures of a test that someone waits for.
const (
	// testWait is how long one question for the run's end is held back.
	testWait = 30 * time.Second
	// testAtMost is above the operation's own deadline, so that a test is
	// normally waited for to its end.
	testAtMost = 150 * time.Second
)

// tester has connections tested by the discovery service, as its API's client
// in the caller's own name: the integrations service may not start runs.
type tester struct {
	// discovery is the address of the discovery service.
	discovery string
	results   connection.Store
}

func newTester(discoveryURL string, results connection.Store) *tester {
	return &tester{discovery: discoveryURL, results: results}
}

var _ apiconnection.Tester = (*tester)(nil)

// Test starts a test and waits for its result.
func (t *tester) Test(ctx context.Context, caller workspace.Caller, bearer secret.Secret, c id.Connection) (connection.TestResult, error) {
	ctx, cancel := context.WithTimeout(ctx, testAtMost)
	defer cancel()
	discovery, err := client.New(t.discovery, bearer, "integrations")
	if err != nil {
		return connection.TestResult{}, fmt.Errorf("reach the discovery service: %w", err)
	}
	// A session does not name its workspace; a key has none but this.
	discovery = discovery.InWorkspace(caller.Scope.Workspace.String())
	started, err := discovery.StartOperation(ctx, string(operation.ConnectionTest), c.String())
	if err != nil {
		return connection.TestResult{}, fromDiscovery(ctx, err)
	}
	if started.Value.Run.ID == "" {
		return connection.TestResult{}, fmt.Errorf("the discovery service answered %q without a run", started.Value.Status)
	}
	ended, err := await(ctx, discovery, started.Value.Run.ID)
	if err != nil {
		return connection.TestResult{}, err
	}
	var runID id.Run
	if err := runID.UnmarshalText([]byte(ended.RunID)); err != nil {
		return connection.TestResult{}, fmt.Errorf("the discovery service named run %q: %w", ended.RunID, err)
	}
	result, err := t.results.TestOfRun(ctx, caller.Scope, runID)
	if fault.KindOf(err) != fault.NotFound {
		return result, err
	}
	// Blocked, cancelled or lost before the connector could say anything.
	why := operation.Code(ended.ReasonCode)
	if why == "" {
		why = operation.Internal
	}
	result = connection.TestResult{Connection: c, Run: runID, Reason: why, CheckedAt: ended.CreatedAt, Remediation: connection.Remedies(why, c)}
	if ended.CompletedAt != nil {
		result.CheckedAt = *ended.CompletedAt
	}
	return result, nil
}

func await(ctx context.Context, discovery *client.Client, runID string) (client.Run, error) {
	for {
		r, err := discovery.Run(ctx, runID, testWait)
		if err != nil {
			return client.Run{}, fromDiscovery(ctx, err)
		}
		if r.Value.Status == string(run.Completed) {
			return r.Value, nil
		}
	}
}

// fromDiscovery gives the discovery service's refusals the kind they had there.
func fromDiscovery(ctx context.Context, err error) error {
	var refused *client.Problem
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fault.Wrap(fault.Unavailable, err, "the test has not ended in time; see the connection's runs")
	case !errors.As(err, &refused):
		return fault.Wrap(fault.Unavailable, err, "the discovery service does not answer; try again")
	}
	kinds := map[int]fault.Kind{
		http.StatusUnauthorized: fault.Unauthenticated, http.StatusForbidden: fault.Forbidden, http.StatusNotFound: fault.NotFound,
		http.StatusConflict: fault.Conflict, http.StatusUnprocessableEntity: fault.Invalid, http.StatusServiceUnavailable: fault.Unavailable,
	}
	if refused.Status == http.StatusTooManyRequests {
		return huma.ErrorWithHeaders(huma.NewError(refused.Status, refused.Error()), http.Header{"Retry-After": {cmp.Or(refused.RetryAfter, "1")}})
	}
	kind, known := kinds[refused.Status]
	if !known {
		return fmt.Errorf("the discovery service refused a test: %w", err)
	}
	return fault.Wrap(kind, err, "%s", refused.Error())
}
