package aws_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/simulator/aws/estate"
)

// details reads everything that GetAccountAuthorizationDetails tells.
func details(t testing.TB, cfg sdk.Config, size int32, filter ...types.EntityType) (all iam.GetAccountAuthorizationDetailsOutput, pages int) {
	t.Helper()
	pager := iam.NewGetAccountAuthorizationDetailsPaginator(iam.NewFromConfig(cfg), &iam.GetAccountAuthorizationDetailsInput{Filter: filter, MaxItems: sdk.Int32(size)})
	for pager.HasMorePages() {
		page, err := pager.NextPage(context.Background())
		require.NoError(t, err)
		all.UserDetailList = append(all.UserDetailList, page.UserDetailList...)
		all.GroupDetailList = append(all.GroupDetailList, page.GroupDetailList...)
		all.RoleDetailList = append(all.RoleDetailList, page.RoleDetailList...)
		all.Policies = append(all.Policies, page.Policies...)
		pages++
	}
	return all, pages
}

// TestAuthorizationDetailsTellTheWholeEstate compares what is answered, at
// different page sizes, with the truth.
func TestAuthorizationDetailsTellTheWholeEstate(t *testing.T) {
	t.Parallel()
	b := standard(t)
	var got estate.Counts
	for i, account := range b.activeAccounts() {
		all, pages := details(t, b.member(t, account.ID), []int32{1000, 100, 7}[i%3])
		require.Positive(t, pages)
		inv := b.Estate().Inventory(account.Index)
		require.Len(t, all.UserDetailList, len(inv.Users))
		for n, user := range all.UserDetailList {
			want := inv.Users[n]
			require.Equal(t, want.ARN, *user.Arn)
			require.Equal(t, want.ID, *user.UserId)
			require.ElementsMatch(t, want.Groups, user.GroupList)
			require.Len(t, user.Tags, len(want.Tags))
			require.Equal(t, want.Boundary != "", user.PermissionsBoundary != nil)
			require.Equal(t, want.Created, user.CreateDate.UTC())
			got.PolicyAttachments += len(user.AttachedManagedPolicies)
			got.InlinePolicies += len(user.UserPolicyList)
			got.IAMGroupMemberships += len(user.GroupList)
		}
		for _, role := range all.RoleDetailList {
			want, ok := inv.Role(*role.RoleName)
			require.True(t, ok)
			decoded, err := url.PathUnescape(*role.AssumeRolePolicyDocument)
			require.NoError(t, err)
			require.Equal(t, want.Trust.JSON(), decoded)
			require.True(t, strings.HasPrefix(*role.AssumeRolePolicyDocument, "%7B%22Version%22%3A"))
			require.NotNil(t, role.RoleLastUsed)
			require.Equal(t, want.LastUsed == nil, role.RoleLastUsed.LastUsedDate == nil)
			require.Len(t, role.InstanceProfileList, map[bool]int{true: 1}[want.InstanceProfile])
			got.PolicyAttachments += len(role.AttachedManagedPolicies)
			got.InlinePolicies += len(role.RolePolicyList)
		}
		for _, group := range all.GroupDetailList {
			got.PolicyAttachments += len(group.AttachedManagedPolicies)
			got.InlinePolicies += len(group.GroupPolicyList)
		}
		for _, p := range all.Policies {
			if strings.HasPrefix(*p.Arn, "arn:aws:iam::aws:") {
				continue
			}
			got.CustomerPolicies++
			got.PolicyVersions += len(p.PolicyVersionList)
			decoded, err := url.PathUnescape(*p.PolicyVersionList[0].Document)
			require.NoError(t, err)
			require.True(t, json.Valid([]byte(decoded)))
		}
		got.IAMUsers += len(all.UserDetailList)
		got.IAMGroups += len(all.GroupDetailList)
		got.IAMRoles += len(all.RoleDetailList)
	}
	want := b.summary.Counts
	require.Equal(t, want.IAMUsers, got.IAMUsers)
	require.Equal(t, want.IAMGroups, got.IAMGroups)
	require.Equal(t, want.IAMRoles, got.IAMRoles)
	require.Equal(t, want.CustomerPolicies, got.CustomerPolicies)
	require.Equal(t, want.PolicyVersions, got.PolicyVersions)
	require.Equal(t, want.PolicyAttachments, got.PolicyAttachments)
	require.Equal(t, want.InlinePolicies, got.InlinePolicies)
	require.Equal(t, want.IAMGroupMemberships, got.IAMGroupMemberships)
}

func TestDetailsFilterAndLimits(t *testing.T) {
	t.Parallel()
	b := standard(t)
	cfg := b.auditor()
	all, _ := details(t, cfg, 50, types.EntityTypeRole)
	require.Empty(t, all.UserDetailList)
	require.Empty(t, all.Policies)
	require.NotEmpty(t, all.RoleDetailList)
	all, _ = details(t, cfg, 1000, types.EntityTypeAWSManagedPolicy)
	require.Len(t, all.Policies, len(estate.AWSManagedPolicies()))
	_, err := iam.NewFromConfig(cfg).GetAccountAuthorizationDetails(context.Background(), &iam.GetAccountAuthorizationDetailsInput{MaxItems: sdk.Int32(1001)})
	requireCode(t, err, "ValidationError")
	_, err = iam.NewFromConfig(cfg).ListUsers(context.Background(), &iam.ListUsersInput{Marker: sdk.String("nonsense")})
	requireCode(t, err, "ValidationError")
}

func TestShortPagesAreTruncated(t *testing.T) {
	t.Parallel()
	b := standard(t)
	short := 0
	for _, account := range b.activeAccounts() {
		pager := iam.NewListRolesPaginator(iam.NewFromConfig(b.member(t, account.ID)), &iam.ListRolesInput{MaxItems: sdk.Int32(4)})
		seen := map[string]bool{}
		for pager.HasMorePages() {
			page, err := pager.NextPage(context.Background())
			require.NoError(t, err)
			for _, role := range page.Roles {
				require.False(t, seen[*role.Arn])
				require.Empty(t, role.Tags)
				seen[*role.Arn] = true
			}
			if page.IsTruncated && len(page.Roles) < 4 {
				short++
			}
		}
		require.Len(t, seen, len(b.Estate().Inventory(account.Index).Roles))
	}
	require.Positive(t, short)
}

func TestCredentialReport(t *testing.T) {
	t.Parallel()
	b := standard(t)
	ctx, client := context.Background(), iam.NewFromConfig(b.auditor())
	_, err := client.GetCredentialReport(ctx, &iam.GetCredentialReportInput{})
	requireCode(t, err, "ReportNotPresent")
	started, err := client.GenerateCredentialReport(ctx, &iam.GenerateCredentialReportInput{})
	require.NoError(t, err)
	require.Equal(t, types.ReportStateTypeStarted, started.State)
	complete, err := client.GenerateCredentialReport(ctx, &iam.GenerateCredentialReportInput{})
	require.NoError(t, err)
	require.Equal(t, types.ReportStateTypeComplete, complete.State)
	report, err := client.GetCredentialReport(ctx, &iam.GetCredentialReportInput{})
	require.NoError(t, err)
	rows, err := csv.NewReader(bytes.NewReader(report.Content)).ReadAll()
	require.NoError(t, err)
	inv := b.Estate().Inventory(0)
	require.Len(t, rows, len(inv.Users)+2)
	require.Len(t, rows[0], 22)
	require.Equal(t, "<root_account>", rows[1][0])
	for i, user := range inv.Users {
		require.Equal(t, user.ARN, rows[i+2][1])
		require.Equal(t, user.Console != nil, rows[i+2][3] == "true")
		require.Equal(t, len(user.Keys) > 0 && user.Keys[0].LastUsed != nil, rows[i+2][10] != "N/A")
	}
}

func TestCredentialsOfOneUser(t *testing.T) {
	t.Parallel()
	b := standard(t)
	data := b.Estate().Inventory(2)
	ctx, client := context.Background(), iam.NewFromConfig(b.member(t, data.Account.ID))
	for _, user := range data.Users {
		keys, err := client.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: &user.Name})
		require.NoError(t, err)
		require.Len(t, keys.AccessKeyMetadata, len(user.Keys))
		for i, key := range keys.AccessKeyMetadata {
			used, err := client.GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: key.AccessKeyId})
			require.NoError(t, err)
			require.Equal(t, user.Name, *used.UserName)
			require.Equal(t, user.Keys[i].LastUsed == nil, used.AccessKeyLastUsed.LastUsedDate == nil)
		}
		_, err = client.GetLoginProfile(ctx, &iam.GetLoginProfileInput{UserName: &user.Name})
		if user.Console == nil {
			requireCode(t, err, "NoSuchEntity")
		} else {
			require.NoError(t, err)
		}
		devices, err := client.ListMFADevices(ctx, &iam.ListMFADevicesInput{UserName: &user.Name})
		require.NoError(t, err)
		require.Len(t, devices.MFADevices, map[bool]int{true: 1}[user.MFA != nil])
	}
}

func TestPoliciesGroupsAndSummary(t *testing.T) {
	t.Parallel()
	b := standard(t)
	ctx, client := context.Background(), iam.NewFromConfig(b.auditor())
	inv := b.Estate().Inventory(0)
	local, err := client.ListPolicies(ctx, &iam.ListPoliciesInput{Scope: types.PolicyScopeTypeLocal, MaxItems: sdk.Int32(1000)})
	require.NoError(t, err)
	require.Len(t, local.Policies, len(inv.Policies))
	for _, p := range local.Policies {
		version, err := client.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: p.Arn, VersionId: p.DefaultVersionId})
		require.NoError(t, err)
		require.True(t, version.PolicyVersion.IsDefaultVersion)
	}
	managed, err := client.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: sdk.String(estate.AWSPolicyARN("AdministratorAccess"))})
	require.NoError(t, err)
	require.Equal(t, "v1", *managed.Policy.DefaultVersionId)
	_, err = client.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: sdk.String("arn:aws:iam::aws:policy/NoSuchPolicy")})
	requireCode(t, err, "NoSuchEntity")
	attached, err := client.ListPolicies(ctx, &iam.ListPoliciesInput{OnlyAttached: true, Scope: types.PolicyScopeTypeAws})
	require.NoError(t, err)
	for _, p := range attached.Policies {
		require.Positive(t, *p.AttachmentCount)
	}

	members := 0
	groups, err := client.ListGroups(ctx, &iam.ListGroupsInput{})
	require.NoError(t, err)
	for _, group := range groups.Groups {
		out, err := client.GetGroup(ctx, &iam.GetGroupInput{GroupName: group.GroupName, MaxItems: sdk.Int32(1000)})
		require.NoError(t, err)
		members += len(out.Users)
	}
	want := 0
	for _, user := range inv.Users {
		want += len(user.Groups)
	}
	require.Equal(t, want, members)

	summary, err := client.GetAccountSummary(ctx, &iam.GetAccountSummaryInput{})
	require.NoError(t, err)
	require.Equal(t, int32(len(inv.Users)), summary.SummaryMap["Users"])
	aliases, err := client.ListAccountAliases(ctx, &iam.ListAccountAliasesInput{})
	require.NoError(t, err)
	require.Equal(t, []string{inv.Alias}, aliases.AccountAliases)
	_, err = client.GetAccountPasswordPolicy(ctx, &iam.GetAccountPasswordPolicyInput{})
	requireCode(t, err, "InvalidAction")
}
