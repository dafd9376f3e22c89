package aws_test

import (
	"context"
	"encoding/json"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/simulator/aws"
)

// walk descends from a parent and collects accounts and units; it counts the
// empty pages that had a next one.
func walk(t *testing.T, client *organizations.Client, parent string, accounts map[string]string, units map[string]string) (empty int) {
	t.Helper()
	ctx := context.Background()
	members := organizations.NewListAccountsForParentPaginator(client, &organizations.ListAccountsForParentInput{ParentId: &parent})
	for members.HasMorePages() {
		page, err := members.NextPage(ctx)
		require.NoError(t, err)
		if len(page.Accounts) == 0 && page.NextToken != nil {
			empty++
		}
		for _, account := range page.Accounts {
			require.NotContains(t, accounts, *account.Id)
			accounts[*account.Id] = parent
		}
	}
	below := organizations.NewListOrganizationalUnitsForParentPaginator(client, &organizations.ListOrganizationalUnitsForParentInput{ParentId: &parent})
	for below.HasMorePages() {
		page, err := below.NextPage(ctx)
		require.NoError(t, err)
		if len(page.OrganizationalUnits) == 0 && page.NextToken != nil {
			empty++
		}
		for _, unit := range page.OrganizationalUnits {
			units[*unit.Id] = parent
			empty += walk(t, client, *unit.Id, accounts, units)
		}
	}
	return empty
}

func TestTheTreeIsWhole(t *testing.T) {
	t.Parallel()
	b := setup(t, aws.Options{People: 12_000, Seed: 2}) // 64 accounts: several pages
	ctx, client := context.Background(), organizations.NewFromConfig(b.auditor())
	roots, err := client.ListRoots(ctx, &organizations.ListRootsInput{})
	require.NoError(t, err)
	accounts, units := map[string]string{}, map[string]string{}
	require.Positive(t, walk(t, client, *roots.Roots[0].Id, accounts, units), "no empty page with a token")
	require.Len(t, accounts, b.summary.Counts.Accounts)
	require.Len(t, units, b.summary.Counts.OrganizationalUnits)

	listed := 0
	pager := organizations.NewListAccountsPaginator(client, &organizations.ListAccountsInput{MaxResults: sdk.Int32(20)})
	for pager.HasMorePages() {
		page, err := pager.NextPage(ctx)
		require.NoError(t, err)
		for _, account := range page.Accounts {
			parents, err := client.ListParents(ctx, &organizations.ListParentsInput{ChildId: account.Id})
			require.NoError(t, err)
			require.Equal(t, accounts[*account.Id], *parents.Parents[0].Id)
			require.False(t, account.JoinedTimestamp.IsZero())
			listed++
		}
	}
	require.Equal(t, len(accounts), listed)
	_, err = client.ListAccounts(ctx, &organizations.ListAccountsInput{MaxResults: sdk.Int32(21)})
	requireCode(t, err, "InvalidInputException")
	_, err = client.ListParents(ctx, &organizations.ListParentsInput{ChildId: sdk.String("123456789012")})
	requireCode(t, err, "ChildNotFoundException")
}

func TestControlPolicies(t *testing.T) {
	t.Parallel()
	b := standard(t)
	ctx, client := context.Background(), organizations.NewFromConfig(b.auditor())
	attached := map[string]int{}
	pager := organizations.NewListPoliciesPaginator(client, &organizations.ListPoliciesInput{Filter: types.PolicyTypeServiceControlPolicy})
	count := 0
	for pager.HasMorePages() {
		page, err := pager.NextPage(ctx)
		require.NoError(t, err)
		for _, p := range page.Policies {
			count++
			described, err := client.DescribePolicy(ctx, &organizations.DescribePolicyInput{PolicyId: p.Id})
			require.NoError(t, err)
			require.True(t, json.Valid([]byte(*described.Policy.Content)))
			targets := organizations.NewListTargetsForPolicyPaginator(client, &organizations.ListTargetsForPolicyInput{PolicyId: p.Id})
			for targets.HasMorePages() {
				page, err := targets.NextPage(ctx)
				require.NoError(t, err)
				for _, target := range page.Targets {
					attached[*target.TargetId]++
				}
			}
		}
	}
	require.Equal(t, b.summary.Counts.ServicePolicies, count)
	for target, want := range attached {
		out, err := client.ListPoliciesForTarget(ctx, &organizations.ListPoliciesForTargetInput{TargetId: &target, Filter: types.PolicyTypeServiceControlPolicy})
		require.NoError(t, err)
		require.Len(t, out.Policies, want)
	}
	none, err := client.ListPolicies(ctx, &organizations.ListPoliciesInput{Filter: types.PolicyTypeTagPolicy})
	require.NoError(t, err)
	require.Empty(t, none.Policies)
	_, err = client.DescribePolicy(ctx, &organizations.DescribePolicyInput{PolicyId: sdk.String("p-00000000")})
	requireCode(t, err, "PolicyNotFoundException")
}
