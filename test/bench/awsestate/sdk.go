package awsestate

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// AWS's largest pages.
const (
	detailPage    = 1000
	directoryPage = 100
)

// Decode reads, with the SDK alone, the pages that hold nearly all of the
// organisation's objects: each account's IAM, and the users, groups and
// memberships of Identity Center. It returns how many objects they hold.
func (e *Estate) Decode(ctx context.Context) (objects int, err error) {
	base := aws.Config{
		Region: e.summary.Region, BaseEndpoint: aws.String(e.url), HTTPClient: httpClient{e.playback},
		Credentials: credentials.NewStaticCredentialsProvider(e.summary.Auditor.AccessKeyID, e.summary.Auditor.SecretAccessKey, ""),
	}
	for _, account := range e.accounts {
		n, err := e.decodeAccount(ctx, base, account)
		if err != nil {
			return 0, fmt.Errorf("account %s: %w", account, err)
		}
		objects += n
	}
	n, err := e.decodeDirectory(ctx, identitystore.NewFromConfig(base))
	return objects + n, err
}

func (e *Estate) decodeAccount(ctx context.Context, cfg aws.Config, account string) (objects int, err error) {
	if account != e.summary.ManagementID {
		role := "arn:aws:iam::" + account + ":role/" + e.summary.AuditRole
		cfg.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), role, func(o *stscreds.AssumeRoleOptions) {
			o.RoleSessionName, o.ExternalID = "bench", aws.String(e.summary.ExternalID)
		}))
	}
	pages := iam.NewGetAccountAuthorizationDetailsPaginator(iam.NewFromConfig(cfg), &iam.GetAccountAuthorizationDetailsInput{
		MaxItems: aws.Int32(detailPage),
		Filter:   []types.EntityType{types.EntityTypeLocalManagedPolicy, types.EntityTypeGroup, types.EntityTypeUser, types.EntityTypeRole},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return 0, err
		}
		for _, u := range page.UserDetailList {
			objects += 1 + len(u.GroupList) + len(u.AttachedManagedPolicies) + len(u.UserPolicyList)
		}
		for _, g := range page.GroupDetailList {
			objects += 1 + len(g.AttachedManagedPolicies) + len(g.GroupPolicyList)
		}
		for _, r := range page.RoleDetailList {
			objects += 1 + len(r.AttachedManagedPolicies) + len(r.RolePolicyList)
		}
		objects += len(page.Policies)
	}
	return objects, nil
}

func (e *Estate) decodeDirectory(ctx context.Context, client *identitystore.Client) (objects int, err error) {
	users := identitystore.NewListUsersPaginator(client, &identitystore.ListUsersInput{
		IdentityStoreId: aws.String(e.summary.StoreID), MaxResults: aws.Int32(directoryPage),
	})
	for users.HasMorePages() {
		page, err := users.NextPage(ctx)
		if err != nil {
			return 0, fmt.Errorf("users: %w", err)
		}
		objects += len(page.Users)
	}
	groups := identitystore.NewListGroupsPaginator(client, &identitystore.ListGroupsInput{
		IdentityStoreId: aws.String(e.summary.StoreID), MaxResults: aws.Int32(directoryPage),
	})
	for groups.HasMorePages() {
		page, err := groups.NextPage(ctx)
		if err != nil {
			return 0, fmt.Errorf("groups: %w", err)
		}
		objects += len(page.Groups)
		for _, g := range page.Groups {
			members := identitystore.NewListGroupMembershipsPaginator(client, &identitystore.ListGroupMembershipsInput{
				IdentityStoreId: aws.String(e.summary.StoreID), GroupId: g.GroupId, MaxResults: aws.Int32(directoryPage),
			})
			for members.HasMorePages() {
				page, err := members.NextPage(ctx)
				if err != nil {
					return 0, fmt.Errorf("memberships: %w", err)
				}
				objects += len(page.GroupMemberships)
			}
		}
	}
	return objects, nil
}
