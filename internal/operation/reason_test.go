package operation_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/operation"
)

// designed lists the family as it was designed; the product has added to it.
func designed() []operation.Code {
	return []operation.Code{
		"connection_missing", "connection_disabled", "consent_required", "credential_missing", "credential_invalid", "credential_expired",
		"target_mismatch", "integration_not_licensed", "operation_not_supported", "scope_invalid", "permission_denied", "throttled",
		"provider_unavailable", "network_unreachable", "contract_violation", "deadline_exceeded", "worker_lost", "cancelled", "internal",
	}
}

// declared are the codes' constants in the source, by name, so that none is left
// out of the table.
func declared(t *testing.T) map[string]operation.Code {
	t.Helper()
	source, err := os.ReadFile("reason.go")
	require.NoError(t, err)
	found := map[string]operation.Code{}
	for _, m := range regexp.MustCompile(`(?m)^\t(\w+) +Code = "(\w+)"$`).FindAllStringSubmatch(string(source), -1) {
		found[m[1]] = operation.Code(m[2])
	}
	return found
}

func TestFamilyOfReasonsIsWhole(t *testing.T) {
	t.Parallel()
	require.Subset(t, operation.Codes(), designed())
	documented, err := os.ReadFile("../../docs/gate-and-runs.md")
	require.NoError(t, err)
	for _, c := range operation.Codes() {
		require.Contains(t, string(documented), fmt.Sprintf("| `%s` | %s |", c, operation.Explain(c).Short), "documented in these words")
	}
	constants := declared(t)
	require.ElementsMatch(t, operation.Codes(), slices.Collect(maps.Values(constants)))

	// Each is given as a reason somewhere, be it as what a category stands for.
	uses := regexp.MustCompile(`operation\.(\w+)`)
	used := map[string]bool{}
	for _, dir := range []string{"../run", "../postgres", "../connection", "../job"} {
		files, err := filepath.Glob(dir + "/*.go")
		require.NoError(t, err)
		for _, f := range files {
			source, err := os.ReadFile(f)
			require.NoError(t, err)
			for _, m := range uses.FindAllSubmatch(source, -1) {
				used[string(m[1])] = used[string(m[1])] || !strings.HasSuffix(f, "_test.go")
			}
		}
	}
	for _, category := range connector.Categories() {
		for name, code := range constants {
			used[name] = used[name] || operation.FromConnector(category) == code
		}
	}
	for name := range constants {
		require.True(t, used[name], "nothing gives %s as a reason", name)
	}
	require.Equal(t, operation.Explain(operation.Internal).Short, operation.Explain("unheard of").Short)
}

func TestEveryReasonExplainsItself(t *testing.T) {
	t.Parallel()
	seen := map[string]operation.Code{}
	for _, c := range operation.Codes() {
		reason := operation.Explain(c)
		require.Equal(t, c, reason.Code)
		require.NotEmpty(t, reason.Short, c)
		require.NotEmpty(t, reason.Explanation, c)
		require.NotContains(t, seen, reason.Short, "%s says the same as %s", c, seen[reason.Short])
		seen[reason.Short] = c
		require.NotEmpty(t, operation.NextSteps(c, "conn_1"), c)
		for _, connection := range []string{"", "conn_1"} {
			for _, step := range operation.NextSteps(c, connection) {
				require.NotEmpty(t, step.Label, c)
				require.NotEmpty(t, step.ActionType, c)
				require.NotContains(t, step.Href, "{", c)
				require.NotRegexp(t, `//|/$`, step.Href, c)
				require.NotContains(t, step.Instruction(), ":", "a sanitiser would take what follows for a secret")
			}
		}
	}
}

func TestEveryCategoryHasItsOwnReason(t *testing.T) {
	t.Parallel()
	seen := map[operation.Code]connector.Category{}
	for _, c := range connector.Categories() {
		code := operation.FromConnector(c)
		require.Contains(t, designed(), code)
		require.NotContains(t, seen, code, "%s and %s", c, seen[code])
		require.Equal(t, string(c), string(code), "one word for one thing")
		seen[code] = c
	}
	require.Equal(t, operation.Internal, operation.FromConnector("something else"))
}

func TestOperationsAreRegisteredWhole(t *testing.T) {
	t.Parallel()
	for _, o := range operation.All() {
		found, err := operation.Get(o.Type)
		require.NoError(t, err)
		require.Equal(t, o, found)
		require.Contains(t, operation.Queues(), o.Queue)
		require.Positive(t, o.Deadline)
		require.NotEmpty(t, o.Capability)
		require.NotEmpty(t, o.Verb)
		require.NotEmpty(t, o.Object)
	}
	_, err := operation.Get("no.such")
	require.Error(t, err)
}
