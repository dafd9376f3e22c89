package aws_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connectors/aws"
	simulator "github.com/gatehouse-project/gatehouse/simulator/aws"
)

// TestPlanSaysWhetherItIsComplete requires that a plan which lacks accounts
// because nobody may list them does not let them seem to be out of scope.
func TestPlanSaysWhetherItIsComplete(t *testing.T) {
	t.Parallel()
	deny := func(operation string) *cloud {
		return newCloud(t, people, simulator.Fault{Kind: simulator.FaultDeny, Service: "organizations", Operation: operation})
	}
	whole, unlisted, undescribed := newCloud(t, people), deny("ListAccounts"), deny("DescribeOrganization")
	scoped := func(c *cloud) connector.Settings {
		s := c.settings(t, nil)
		s.Scope = []byte(`{"aws_accounts":["` + c.Summary().Sensitive.AccountID + `"]}`)
		return s
	}
	alone := map[string]any{"organizations_enabled": nil, "identity_center_enabled": nil}
	for name, test := range map[string]struct {
		settings connector.Settings
		complete bool
	}{
		"the organisation":                   {whole.settings(t, nil), true},
		"its accounts are not listed":        {unlisted.settings(t, nil), false},
		"it is not described":                {undescribed.settings(t, nil), false},
		"accounts by name":                   {scoped(whole), true},
		"accounts by name, none to list":     {scoped(unlisted), true},
		"one account":                        {whole.settings(t, alone), true},
		"one account, nobody asks the other": {unlisted.settings(t, alone), true},
		"a member's role cannot be assumed":  {whole.settings(t, map[string]any{"external_id": "another"}), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			session, err := aws.New().Open(t.Context(), test.settings)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, session.Close()) })
			plan, err := session.Plan(t.Context())
			require.NoError(t, err)
			require.NotEmpty(t, plan.Partitions)
			require.Equal(t, test.complete, plan.Complete)
			if name == "a member's role cannot be assumed" {
				require.True(t, slices.ContainsFunc(plan.Partitions, func(p connector.Partition) bool { return p.Skip != nil }), "it is in the plan all the same")
			}
		})
	}
}
