package operation_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/internal/operation"
)

// codes lists the family as the design does.
func codes() []operation.Code {
	return []operation.Code{
		"connection_missing", "connection_disabled", "consent_required", "credential_missing", "credential_invalid", "credential_expired",
		"target_mismatch", "integration_not_licensed", "operation_not_supported", "scope_invalid", "permission_denied", "throttled",
		"provider_unavailable", "network_unreachable", "contract_violation", "deadline_exceeded", "worker_lost", "cancelled", "internal",
	}
}

func TestEveryReasonExplainsItself(t *testing.T) {
	t.Parallel()
	seen := map[string]operation.Code{}
	for _, c := range codes() {
		reason := operation.Explain(c)
		require.Equal(t, c, reason.Code)
		require.NotEmpty(t, reason.Short, c)
		require.NotEmpty(t, reason.Explanation, c)
		require.NotContains(t, seen, reason.Short, "%s says the same as %s", c, seen[reason.Short])
		seen[reason.Short] = c
		if c != operation.Cancelled {
			require.NotEmpty(t, operation.NextSteps(c, "conn_1"), c)
		}
		for _, connection := range []string{"", "conn_1"} {
			for _, step := range operation.NextSteps(c, connection) {
				require.NotEmpty(t, step.Label, c)
				require.NotEmpty(t, step.ActionType, c)
			}
		}
	}
}

func TestEveryCategoryHasItsOwnReason(t *testing.T) {
	t.Parallel()
	seen := map[operation.Code]connector.Category{}
	for _, c := range connector.Categories() {
		code := operation.FromConnector(c)
		require.Contains(t, codes(), code)
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
