package run_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/run"
)

func TestSafeMessageNamesThePermissionOnce(t *testing.T) {
	t.Parallel()
	for want, e := range map[string]connector.Error{
		"cannot list: missing iam:ListUsers on account 1": {Message: "cannot list", Permission: "iam:ListUsers", On: "account 1"},
		"missing iam:ListUsers on account 1":              {Message: "missing iam:ListUsers", Permission: "iam:ListUsers", On: "account 1"},
		"account 1 lacks iam:ListUsers":                   {Message: "account 1 lacks iam:ListUsers", Permission: "iam:ListUsers", On: "account 1"},
		"cannot list: missing iam:ListUsers":              {Message: "cannot list", Permission: "iam:ListUsers"},
		"cannot list":                                     {Message: "cannot list", On: "account 1"},
	} {
		require.Equal(t, want, run.SafeMessage(&e))
	}
}

// testStore holds one connection test and keeps how it ends.
type testStore struct {
	run.LeaseStore
	end    run.Ending
	report run.TestReport
}

func (s *testStore) Current(context.Context, run.Fence) (run.Run, error) {
	return run.Run{Operation: operation.ConnectionTest, Worker: "worker-1"}, nil
}

func (s *testStore) FinishTest(_ context.Context, _ run.Fence, end run.Ending, t run.TestReport) (run.Run, error) {
	s.end, s.report = end, t
	return run.Run{}, nil
}

func TestASufficientCheckNamesItsOrganisation(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"", strings.Repeat("x", 1025)} {
		store := &testStore{}
		check := connector.CheckResult{Sufficient: true, Target: connector.Target{ID: target}}
		_, err := (&run.Leases{Store: store}).Finish(t.Context(), run.Fence{}, run.Report{Check: &check})
		require.NoError(t, err)
		require.Equal(t, run.Failed, store.end.Outcome)
		require.Equal(t, operation.ContractViolation, store.end.Reason)
		require.False(t, store.report.Success)
		require.NotEmpty(t, store.report.Remediation)
	}
	store := &testStore{}
	check := connector.CheckResult{Sufficient: true, Target: connector.Target{ID: "o-1"}}
	_, err := (&run.Leases{Store: store}).Finish(t.Context(), run.Fence{}, run.Report{Check: &check})
	require.NoError(t, err)
	require.Equal(t, run.Succeeded, store.end.Outcome)
	require.Equal(t, "o-1", store.report.Reached.Target.ID)
}

// Whoever may not see the organisation is told which permission that takes.
func TestACheckThatMayNotSeeItsOrganisationSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	store := &testStore{}
	remedy := connector.Remediation{Category: connector.RemedyPermissions, Message: "Missing organizations:DescribeOrganization in the organisation", Action: "Add it."}
	check := connector.CheckResult{
		Sufficient: true, Remediation: []connector.Remediation{remedy},
		Streams: []connector.StreamOutlook{{Stream: "organization", Coverage: connector.Partial, Missing: []string{"organizations:DescribeOrganization"}}},
	}
	_, err := (&run.Leases{Store: store}).Finish(t.Context(), run.Fence{}, run.Report{Check: &check})
	require.NoError(t, err)
	require.Equal(t, operation.PermissionDenied, store.end.Reason)
	require.Contains(t, store.end.Failure.Message, "which organisation")
	require.Equal(t, []string{remedy.Message}, store.end.Failure.Details)
	require.False(t, store.report.Success)
	require.Nil(t, store.report.Reached)
	require.Equal(t, check.Remediation, store.report.Remediation)
	require.Equal(t, check.Streams, store.report.Outlook)
}
