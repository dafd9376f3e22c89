package surface_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/connection"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/operation"
	"github.com/gatehouse-project/gatehouse/internal/run"
	"github.com/gatehouse-project/gatehouse/internal/surface"
)

// update rewrites the golden files: go test ./internal/surface -update
var update = flag.Bool("update", false, "rewrite golden files")

// contract holds a value to a schema of testdata/contract.json: the schemas of the
// dispatch gate's contract, which allow more fields than they name. Here no others
// are allowed, so that none is misspelt.
func contract(t *testing.T, schema string, value any) {
	t.Helper()
	f, err := os.Open("testdata/contract.json")
	require.NoError(t, err)
	defer f.Close()
	doc, err := jsonschema.UnmarshalJSON(f)
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("contract.json", doc))
	compiled, err := c.Compile("contract.json#/schemas/" + schema)
	require.NoError(t, err)
	raw, err := json.Marshal(value)
	require.NoError(t, err)
	var plain any
	require.NoError(t, json.Unmarshal(raw, &plain))
	require.NoError(t, compiled.Validate(plain), string(raw))
}

// golden compares a value with what was reviewed.
func golden(t *testing.T, name string, value any) {
	t.Helper()
	got, err := json.MarshalIndent(value, "", "  ")
	require.NoError(t, err)
	path := filepath.Join("testdata", name+".json")
	if *update {
		require.NoError(t, os.WriteFile(path, append(got, '\n'), 0o644)) //nolint:gosec // a file of the repository
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got)+"\n")
}

func at(minute int) time.Time { return time.Date(2026, 2, 6, 10, minute, 0, 0, time.UTC) }

func prod() *connection.Connection {
	return &connection.Connection{ID: 7, Name: "Prod", Integration: "microsoft", Target: &connection.Target{ID: 3, Name: "Contoso"}}
}

// discovering is a run of a discovery in a worker's hands.
func discovering() run.Run {
	until := at(1)
	return run.Run{
		ID: 12, Operation: operation.DiscoveryRun, Connection: 7, ConnectionName: "Prod", Integration: "microsoft", Target: 3,
		Status: run.Running, Outcome: run.Pending, CreatedAt: at(0), LeaseUntil: &until,
	}
}

func blockedBy(why operation.Code) run.Run {
	r := discovering()
	r.Status, r.Outcome, r.Reason, r.LeaseUntil = run.Completed, run.Blocked, why, nil
	return r
}

func TestAnswersAreTheContracts(t *testing.T) {
	t.Parallel()
	for name, result := range map[string]run.StartResult{
		"accepted": {
			Status: run.Accepted, Operation: operation.GroupsSync, Verb: "Sync", Object: "groups of Contoso", Message: "Sync groups of Contoso: accepted, waiting for a worker.",
			Connection: prod(), Run: run.Run{ID: 12, Status: run.Queued}, Actions: []run.Action{{Label: "View run", Href: "/v1/runs/run_12", Kind: "view_run"}},
		},
		"deduped": {
			Status: run.Deduped, Operation: operation.DiscoveryRun, Verb: "Discover", Object: "access of Prod", Message: "m", Short: "Already under way",
			Connection: prod(), Run: discovering(), NextSteps: []operation.NextStep{{Label: "Follow", Href: "/v1/runs/run_12", ActionType: operation.ActView}},
		},
		"scope_busy": {
			Status: run.ScopeBusy, Operation: operation.RestoreExecute, Verb: "Restore", Object: "policies of Contoso", Message: "m", Short: "Something else",
			Connection: prod(), Run: discovering(), NextSteps: []operation.NextStep{{Label: "Cancel it", Href: "/v1/runs/run_12/cancel", ActionType: operation.ActCancel}},
		},
		"blocked": {
			Status: run.StartBlocked, Operation: operation.PolicyBackup, Verb: "Back up", Object: "policies of Contoso", Message: "m", Short: "No credentials",
			Reason: operation.CredentialMissing, Connection: prod(), Run: blockedBy(operation.CredentialMissing), NextSteps: operation.NextSteps(operation.CredentialMissing, "conn_7"),
		},
		"blocked_without_connection": {
			Status: run.StartBlocked, Operation: operation.PolicyBackup, Verb: "Back up", Object: "policies", Message: "m", Short: "No connection",
			Reason: operation.ConnectionMissing, Run: run.Run{ID: 13, Status: run.Completed}, NextSteps: operation.NextSteps(operation.ConnectionMissing, ""),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shown := surface.Started(result)
			contract(t, "ProviderStartOutcome", shown)
			golden(t, "start_"+name, shown)

			all := surface.Bootstrapped(result, []operation.Type{operation.RoleDefinitionsSync, operation.PolicyBackup})
			contract(t, "OnboardingBootstrapStartOutcome", all)
			require.Equal(t, []string{"directory.role_definitions.sync", "policy.backup"}, all.PendingOperations)
			require.Equal(t, result.Status == run.Accepted, all.AcceptedOperation != nil)
			contract(t, "OnboardingBootstrapStartOutcome", surface.Bootstrapped(result, nil))
		})
	}
}

func TestRunDetailsAreTheContracts(t *testing.T) {
	t.Parallel()
	failed := blockedBy(operation.PermissionDenied)
	failed.Outcome, failed.Failure = run.Failed, &run.Failure{Message: "no"}
	restore := discovering()
	restore.Operation, restore.Status, restore.LeaseUntil = operation.RestoreExecute, run.Queued, nil
	backup := discovering()
	backup.Operation = operation.PolicyBackup
	for name, r := range map[string]run.Run{
		"running": discovering(), "failed": failed, "blocked": blockedBy(operation.ConsentRequired), "restore": restore, "backup": backup,
		"without_connection": {ID: 9, Operation: operation.DiscoveryRun, Status: run.Completed, Outcome: run.Blocked, Reason: operation.ConnectionMissing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			contract(t, "ProviderBackedRunDetail", surface.Detail(r))
			golden(t, "detail_"+name, surface.Detail(r))
		})
	}
}

// Whoever started a run, its reason is told in the same words, and a blocked start
// says what its run says later.
func TestTranslationIsTheSameForEveryInitiator(t *testing.T) {
	t.Parallel()
	for _, why := range operation.Codes() {
		told := map[run.Initiator]surface.ProviderBackedRunDetail{}
		for _, by := range []run.Initiator{run.ByUser, run.BySchedule, run.BySystem} {
			r := blockedBy(why)
			r.Initiator, r.InitiatedBy = by, id.Member(len(told))
			told[by] = surface.Detail(r)
			require.Equal(t, told[run.ByUser], told[by], "%s by %s", why, by)
		}
		shown := told[run.ByUser]
		require.Equal(t, operation.Explain(why).Short, *shown.ShortReason)
		require.Len(t, shown.NextSteps, len(operation.NextSteps(why, "conn_7")))
		started := surface.Started(run.StartResult{Status: run.StartBlocked, Short: operation.Explain(why).Short, NextSteps: operation.NextSteps(why, "conn_7")})
		require.Equal(t, started.NextSteps, shown.NextSteps)
		require.Equal(t, started.ShortReason, shown.ShortReason)
		for _, step := range shown.NextSteps {
			if step.Href != nil {
				require.Regexp(t, `^/admin/[a-z-]+(/7(/actions/connection\.test/start)?)?$`, *step.Href, "%s: a link of a surface", why)
			}
		}
	}
}
