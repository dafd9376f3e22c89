package aws_test

import (
	"context"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	storetypes "github.com/aws/aws-sdk-go-v2/service/identitystore/types"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/simulator/aws/estate"
)

func TestPermissionSetsAndAssignments(t *testing.T) {
	t.Parallel()
	b := standard(t)
	ctx, client := context.Background(), ssoadmin.NewFromConfig(b.auditor())
	instances, err := client.ListInstances(ctx, &ssoadmin.ListInstancesInput{})
	require.NoError(t, err)
	require.Len(t, instances.Instances, 1)
	instance := instances.Instances[0].InstanceArn

	sets := 0
	pager := ssoadmin.NewListPermissionSetsPaginator(client, &ssoadmin.ListPermissionSetsInput{InstanceArn: instance, MaxResults: sdk.Int32(3)})
	for pager.HasMorePages() {
		page, err := pager.NextPage(ctx)
		require.NoError(t, err)
		for _, arn := range page.PermissionSets {
			checkPermissionSet(t, client, b.Estate().Center.PermissionSets[sets], instance, arn)
			sets++
		}
	}
	require.Equal(t, b.summary.Counts.PermissionSets, sets)

	provisioned, assignments := 0, 0
	for _, account := range b.summary.AccountIDs {
		out, err := client.ListPermissionSetsProvisionedToAccount(ctx, &ssoadmin.ListPermissionSetsProvisionedToAccountInput{InstanceArn: instance, AccountId: &account})
		require.NoError(t, err)
		for _, set := range out.PermissionSets {
			provisioned++
			accounts, err := client.ListAccountsForProvisionedPermissionSet(ctx, &ssoadmin.ListAccountsForProvisionedPermissionSetInput{InstanceArn: instance, PermissionSetArn: &set})
			require.NoError(t, err)
			require.Contains(t, accounts.AccountIds, account)
			pager := ssoadmin.NewListAccountAssignmentsPaginator(client, &ssoadmin.ListAccountAssignmentsInput{InstanceArn: instance, PermissionSetArn: &set, AccountId: &account})
			for pager.HasMorePages() {
				page, err := pager.NextPage(ctx)
				require.NoError(t, err)
				assignments += len(page.AccountAssignments)
			}
		}
	}
	require.Equal(t, b.summary.Counts.ProvisionedSets, provisioned)
	require.Equal(t, b.summary.Counts.Assignments, assignments)
}

func checkPermissionSet(t *testing.T, client *ssoadmin.Client, want estate.PermissionSet, instance *string, arn string) {
	t.Helper()
	ctx := context.Background()
	described, err := client.DescribePermissionSet(ctx, &ssoadmin.DescribePermissionSetInput{InstanceArn: instance, PermissionSetArn: &arn})
	require.NoError(t, err)
	require.Equal(t, want.Name, *described.PermissionSet.Name)
	managed, err := client.ListManagedPoliciesInPermissionSet(ctx, &ssoadmin.ListManagedPoliciesInPermissionSetInput{InstanceArn: instance, PermissionSetArn: &arn})
	require.NoError(t, err)
	require.Len(t, managed.AttachedManagedPolicies, len(want.AWSManaged))
	customer, err := client.ListCustomerManagedPolicyReferencesInPermissionSet(ctx, &ssoadmin.ListCustomerManagedPolicyReferencesInPermissionSetInput{InstanceArn: instance, PermissionSetArn: &arn})
	require.NoError(t, err)
	require.Len(t, customer.CustomerManagedPolicyReferences, len(want.Customer))
	inline, err := client.GetInlinePolicyForPermissionSet(ctx, &ssoadmin.GetInlinePolicyForPermissionSetInput{InstanceArn: instance, PermissionSetArn: &arn})
	require.NoError(t, err)
	require.Equal(t, want.Inline == nil, *inline.InlinePolicy == "")
	boundary, err := client.GetPermissionsBoundaryForPermissionSet(ctx, &ssoadmin.GetPermissionsBoundaryForPermissionSetInput{InstanceArn: instance, PermissionSetArn: &arn})
	if want.BoundaryARN == "" && want.BoundaryReference == nil {
		requireCode(t, err, "ResourceNotFoundException")
		return
	}
	require.NoError(t, err)
	require.Equal(t, want.BoundaryReference != nil, boundary.PermissionsBoundary.CustomerManagedPolicyReference != nil)
}

func TestIdentityStore(t *testing.T) {
	t.Parallel()
	b := standard(t)
	ctx, client, store := context.Background(), identitystore.NewFromConfig(b.auditor()), &b.summary.StoreID
	users := map[string]bool{}
	userPager := identitystore.NewListUsersPaginator(client, &identitystore.ListUsersInput{IdentityStoreId: store, MaxResults: sdk.Int32(100)})
	for userPager.HasMorePages() {
		page, err := userPager.NextPage(ctx)
		require.NoError(t, err)
		for _, user := range page.Users {
			require.NotEmpty(t, user.Emails)
			users[*user.UserId] = true
		}
	}
	require.Len(t, users, b.summary.Counts.DirectoryUsers)

	memberships := 0
	groupPager := identitystore.NewListGroupsPaginator(client, &identitystore.ListGroupsInput{IdentityStoreId: store})
	groups := 0
	for groupPager.HasMorePages() {
		page, err := groupPager.NextPage(ctx)
		require.NoError(t, err)
		for _, group := range page.Groups {
			groups++
			members := identitystore.NewListGroupMembershipsPaginator(client, &identitystore.ListGroupMembershipsInput{IdentityStoreId: store, GroupId: group.GroupId})
			for members.HasMorePages() {
				page, err := members.NextPage(ctx)
				require.NoError(t, err)
				for _, membership := range page.GroupMemberships {
					member, ok := membership.MemberId.(*storetypes.MemberIdMemberUserId)
					require.True(t, ok)
					require.True(t, users[member.Value])
					memberships++
				}
			}
		}
	}
	require.Equal(t, b.summary.Counts.DirectoryGroups, groups)
	require.Equal(t, b.summary.Counts.DirectoryMemberships, memberships)

	contractor := &b.summary.Contractor.DirectoryUserID
	described, err := client.DescribeUser(ctx, &identitystore.DescribeUserInput{IdentityStoreId: store, UserId: contractor})
	require.NoError(t, err)
	require.Equal(t, b.summary.Contractor.Email, *described.Emails[0].Value)
	theirs, err := client.ListGroupMembershipsForMember(ctx, &identitystore.ListGroupMembershipsForMemberInput{
		IdentityStoreId: store, MemberId: &storetypes.MemberIdMemberUserId{Value: *contractor},
	})
	require.NoError(t, err)
	names := map[string]bool{}
	for _, membership := range theirs.GroupMemberships {
		group, err := client.DescribeGroup(ctx, &identitystore.DescribeGroupInput{IdentityStoreId: store, GroupId: membership.GroupId})
		require.NoError(t, err)
		names[*group.DisplayName] = true
	}
	require.True(t, names["contractors-analytics"])
	_, err = client.DescribeUser(ctx, &identitystore.DescribeUserInput{IdentityStoreId: store, UserId: sdk.String("00000000-0000-4000-8000-000000000000")})
	requireCode(t, err, "ResourceNotFoundException")
	_, err = client.ListUsers(ctx, &identitystore.ListUsersInput{IdentityStoreId: store, MaxResults: sdk.Int32(101)})
	requireCode(t, err, "ValidationException")
}

func TestOtherRegionsHaveNoInstance(t *testing.T) {
	t.Parallel()
	b := standard(t)
	cfg := b.config("ap-south-1", credentials.NewStaticCredentialsProvider(b.summary.Auditor.AccessKeyID, b.summary.Auditor.SecretAccessKey, ""))
	out, err := ssoadmin.NewFromConfig(cfg).ListInstances(context.Background(), &ssoadmin.ListInstancesInput{})
	require.NoError(t, err)
	require.Empty(t, out.Instances)
	_, err = identitystore.NewFromConfig(cfg).ListGroups(context.Background(), &identitystore.ListGroupsInput{IdentityStoreId: &b.summary.StoreID})
	requireCode(t, err, "ResourceNotFoundException")
}
