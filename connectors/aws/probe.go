package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
)

// The probes ask for the smallest page of each operation. What AWS has none of
// (no bucket, no function, no group) leaves the permission for one of them
// untested.

func (c *check) probeOrganization(ctx context.Context) error {
	const on = "the organisation"
	client := c.session.clients.organizations()
	roots, err := client.ListRoots(ctx, &organizations.ListRootsInput{MaxResults: aws.Int32(1)})
	if err := c.note(classify(ctx, err, on), streamOrganization); err != nil {
		return err
	}
	if err == nil && len(roots.Roots) > 0 {
		root := roots.Roots[0].Id
		_, err := client.ListOrganizationalUnitsForParent(ctx, &organizations.ListOrganizationalUnitsForParentInput{ParentId: root, MaxResults: aws.Int32(1)})
		if err := c.note(classify(ctx, err, on), streamOrganization); err != nil {
			return err
		}
		_, err = client.ListAccountsForParent(ctx, &organizations.ListAccountsForParentInput{ParentId: root, MaxResults: aws.Int32(1)})
		if err := c.note(classify(ctx, err, on), streamOrganization); err != nil {
			return err
		}
	}
	_, err = client.ListAccounts(ctx, &organizations.ListAccountsInput{MaxResults: aws.Int32(1)})
	return c.note(classify(ctx, err, on), streamOrganization)
}

// probeControls asks for AWS's own policy, which every organisation with
// policies has.
func (c *check) probeControls(ctx context.Context) error {
	const on = "the organisation"
	client := c.session.clients.organizations()
	list := &organizations.ListPoliciesInput{Filter: types.PolicyTypeServiceControlPolicy}
	policies, err := client.ListPolicies(ctx, list)
	for err == nil && len(policies.Policies) == 0 && policies.NextToken != nil { // a page may be empty before the last
		list.NextToken = policies.NextToken
		policies, err = client.ListPolicies(ctx, list)
	}
	if hasCode(err, notWithPolicies()...) {
		policies, err = &organizations.ListPoliciesOutput{}, nil
	}
	if failed := c.note(classify(ctx, err, on), streamControls); failed != nil || err != nil || len(policies.Policies) == 0 {
		return failed
	}
	id := policies.Policies[0].Id
	_, err = client.DescribePolicy(ctx, &organizations.DescribePolicyInput{PolicyId: id})
	if err := c.note(classify(ctx, err, on), streamControls); err != nil {
		return err
	}
	_, err = client.ListTargetsForPolicy(ctx, &organizations.ListTargetsForPolicyInput{PolicyId: id, MaxResults: aws.Int32(1)})
	return c.note(classify(ctx, err, on), streamControls)
}

func (c *check) probeIdentityCenter(ctx context.Context) error {
	s := c.session
	instance, err := s.identityCenter(ctx)
	if err != nil {
		return c.note(err, streamIdentityCenter)
	}
	on := "identity store " + instance.store
	store := s.clients.identityStore()
	_, err = store.ListUsers(ctx, &identitystore.ListUsersInput{IdentityStoreId: aws.String(instance.store), MaxResults: aws.Int32(1)})
	if err := c.note(classify(ctx, err, on), streamIdentityCenter); err != nil {
		return err
	}
	groups, err := store.ListGroups(ctx, &identitystore.ListGroupsInput{IdentityStoreId: aws.String(instance.store), MaxResults: aws.Int32(1)})
	if err := c.note(classify(ctx, err, on), streamIdentityCenter); err != nil {
		return err
	}
	if err == nil && len(groups.Groups) > 0 {
		_, err := store.ListGroupMemberships(ctx, &identitystore.ListGroupMembershipsInput{
			IdentityStoreId: aws.String(instance.store), GroupId: groups.Groups[0].GroupId, MaxResults: aws.Int32(1),
		})
		if err := c.note(classify(ctx, err, on), streamIdentityCenter); err != nil {
			return err
		}
	}
	me, err := s.whoAmI(ctx)
	if err != nil {
		return err
	}
	return c.probePermissionSets(ctx, instance, me.account)
}

func (c *check) probePermissionSets(ctx context.Context, instance *ssoInstance, account string) error {
	s := c.session
	sets, err := s.provisionedSets(ctx, instance, account)
	if failed := c.note(err, streamPermissionSets); failed != nil || err != nil || len(sets) == 0 {
		return failed
	}
	_, err = s.permissionSetName(ctx, instance, sets[0])
	if err := c.note(err, streamPermissionSets); err != nil {
		return err
	}
	_, err = s.clients.ssoAdmin().ListAccountAssignments(ctx, &ssoadmin.ListAccountAssignmentsInput{
		InstanceArn: aws.String(instance.arn), AccountId: aws.String(account), PermissionSetArn: aws.String(sets[0]), MaxResults: aws.Int32(1),
	})
	return c.note(classify(ctx, err, inAccount(account)), streamPermissionSets)
}

func (c *check) probeAccount(ctx context.Context, account string) error {
	cfg, err := c.session.enter(ctx, account)
	if err != nil {
		return c.note(err, streamIAM)
	}
	on := inAccount(account)
	client := iamClient(cfg)
	_, err = client.GetAccountAuthorizationDetails(ctx, &iam.GetAccountAuthorizationDetailsInput{MaxItems: aws.Int32(1)})
	if err := c.note(classify(ctx, err, on), streamIAM); err != nil {
		return err
	}
	_, err = client.GenerateCredentialReport(ctx, &iam.GenerateCredentialReportInput{})
	if err := c.note(classify(ctx, err, on), streamIAM); err != nil {
		return err
	}
	// That there is no finished report yet is an answer, not a refusal.
	if _, err = client.GetCredentialReport(ctx, &iam.GetCredentialReportInput{}); !hasCode(err, "ReportNotPresent", "ReportInProgress", "ReportExpired") {
		if err := c.note(classify(ctx, err, on), streamIAM); err != nil {
			return err
		}
	}
	if err := c.probeBuckets(ctx, cfg, account); err != nil {
		return err
	}
	return c.probeFunctions(ctx, cfg, account)
}

func (c *check) probeBuckets(ctx context.Context, cfg aws.Config, account string) error {
	client := s3Client(cfg)
	buckets, err := client.ListBuckets(ctx, &s3.ListBucketsInput{MaxBuckets: aws.Int32(1)})
	if err != nil {
		return c.note(classify(ctx, err, inAccount(account)), streamS3)
	}
	if len(buckets.Buckets) == 0 {
		return nil
	}
	_, err = c.session.bucketPolicy(ctx, client, account, buckets.Buckets[0])
	return c.note(err, streamS3)
}

func (c *check) probeFunctions(ctx context.Context, cfg aws.Config, account string) error {
	client := lambdaClient(cfg)
	functions, err := client.ListFunctions(ctx, &lambda.ListFunctionsInput{MaxItems: aws.Int32(1)})
	if err != nil {
		return c.note(classify(ctx, err, inAccount(account)), streamLambda)
	}
	if len(functions.Functions) == 0 {
		return nil
	}
	_, err = functionPolicy(ctx, client, account, functions.Functions[0])
	return c.note(err, streamLambda)
}
