package aws_test

import (
	"context"
	"encoding/json"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/simulator/aws/estate"
)

func TestBuckets(t *testing.T) {
	t.Parallel()
	b := standard(t)
	ctx := context.Background()
	count, policies, redirects := 0, 0, 0
	for _, account := range b.activeAccounts() {
		client := s3.NewFromConfig(b.member(t, account.ID))
		pager := s3.NewListBucketsPaginator(client, &s3.ListBucketsInput{MaxBuckets: sdk.Int32(2)})
		for pager.HasMorePages() {
			page, err := pager.NextPage(ctx)
			require.NoError(t, err)
			for _, bucket := range page.Buckets {
				want, ok := b.Estate().Inventory(account.Index).Bucket(*bucket.Name)
				require.True(t, ok)
				require.Equal(t, want.Region, *bucket.BucketRegion)
				count++
				if want.Region != b.summary.Region {
					_, err = client.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: bucket.Name})
					requireCode(t, err, "PermanentRedirect")
					redirects++
				}
				if checkBucket(t, client, *want) {
					policies++
				}
			}
		}
	}
	require.Equal(t, b.summary.Counts.Buckets, count)
	require.Equal(t, b.summary.Counts.BucketPolicies, policies)
	require.Positive(t, redirects)
}

// checkBucket reads all that is told about a bucket; it says whether there is
// a policy.
func checkBucket(t *testing.T, client *s3.Client, want estate.Bucket) bool {
	t.Helper()
	ctx := context.Background()
	location, err := client.GetBucketLocation(ctx, &s3.GetBucketLocationInput{Bucket: &want.Name})
	require.NoError(t, err)
	if want.Region == "us-east-1" {
		require.Empty(t, location.LocationConstraint)
	} else {
		require.Equal(t, want.Region, string(location.LocationConstraint))
	}
	there := func(o *s3.Options) { o.Region = want.Region }
	tags, err := client.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: &want.Name}, there)
	require.NoError(t, err)
	require.Len(t, tags.TagSet, len(want.Tags))
	block, err := client.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: &want.Name}, there)
	if want.Blocked {
		require.NoError(t, err)
		require.True(t, *block.PublicAccessBlockConfiguration.RestrictPublicBuckets)
	} else {
		requireCode(t, err, "NoSuchPublicAccessBlockConfiguration")
	}
	policy, err := client.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: &want.Name}, there)
	if want.Policy == nil {
		requireCode(t, err, "NoSuchBucketPolicy")
		return false
	}
	require.NoError(t, err)
	require.Equal(t, want.Policy.JSON(), *policy.Policy)
	status, err := client.GetBucketPolicyStatus(ctx, &s3.GetBucketPolicyStatusInput{Bucket: &want.Name}, there)
	require.NoError(t, err)
	require.Equal(t, want.Public, *status.PolicyStatus.IsPublic)
	return true
}

func TestBucketsPlainListHasNoRegion(t *testing.T) {
	t.Parallel()
	b := standard(t)
	client := s3.NewFromConfig(b.auditor(), pathStyle)
	out, err := client.ListBuckets(context.Background(), &s3.ListBucketsInput{})
	require.NoError(t, err)
	require.NotEmpty(t, out.Buckets)
	require.Nil(t, out.Buckets[0].BucketRegion)
	_, err = client.GetBucketPolicy(context.Background(), &s3.GetBucketPolicyInput{Bucket: sdk.String("no-such-bucket-anywhere")})
	requireCode(t, err, "NoSuchBucket")
}

func TestFunctions(t *testing.T) {
	t.Parallel()
	b := standard(t)
	ctx := context.Background()
	count, policies := 0, 0
	for _, account := range b.activeAccounts() {
		cfg := b.member(t, account.ID)
		for _, region := range []string{b.summary.Region, estate.SecondRegion} {
			client := lambda.NewFromConfig(cfg, func(o *lambda.Options) { o.Region = region })
			pager := lambda.NewListFunctionsPaginator(client, &lambda.ListFunctionsInput{MaxItems: sdk.Int32(2)})
			for pager.HasMorePages() {
				page, err := pager.NextPage(ctx)
				require.NoError(t, err)
				for _, function := range page.Functions {
					count++
					// By name and by ARN, which needs escaping in a path.
					_, err := client.GetPolicy(ctx, &lambda.GetPolicyInput{FunctionName: function.FunctionName})
					byARN, errByARN := client.GetPolicy(ctx, &lambda.GetPolicyInput{FunctionName: function.FunctionArn})
					if err != nil {
						requireCode(t, err, "ResourceNotFoundException")
						requireCode(t, errByARN, "ResourceNotFoundException")
						continue
					}
					require.NoError(t, errByARN)
					require.True(t, json.Valid([]byte(*byARN.Policy)))
					policies++
				}
			}
		}
	}
	require.Equal(t, b.summary.Counts.Functions, count)
	require.Equal(t, b.summary.Counts.FunctionPolicies, policies)
}
