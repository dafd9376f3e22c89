package aws

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
)

const stepBuckets = "buckets"

// readS3 emits the account's buckets and, per statement of their policies, an
// entitlement and who holds it.
func (s *session) readS3(ctx context.Context, account string, from records.Place, b *records.Writer) error {
	arns, whole := []string{}, from.Marker == ""
	err := s.eachBucketPage(ctx, account, from.Marker, func(token string, client *s3.Client, buckets []types.Bucket) error {
		if err := b.At(records.Place{Step: stepBuckets, Marker: token}); err != nil {
			return err
		}
		policies, err := sideBySide(ctx, buckets, func(ctx context.Context, bucket types.Bucket) (string, error) {
			return s.bucketPolicy(ctx, client, account, bucket)
		})
		if err != nil {
			return err
		}
		for i, bucket := range buckets {
			arn := s.bucketARN(aws.ToString(bucket.Name))
			arns = append(arns, arn)
			if err := s.addBucket(ctx, b, account, bucket, policies[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return gapOrFail(b, err)
	}
	if whole {
		s.inventory.keepBuckets(account, arns)
	}
	return nil
}

// bucketPolicy returns the text of a bucket's policy, empty when it has none
// or was deleted meanwhile.
func (s *session) bucketPolicy(ctx context.Context, client *s3.Client, account string, bucket types.Bucket) (string, error) {
	name := aws.ToString(bucket.Name)
	out, err := client.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: aws.String(name)}, func(o *s3.Options) {
		// S3 answers for a bucket only in the bucket's own region.
		if region := aws.ToString(bucket.BucketRegion); region != "" {
			o.Region = region
		}
	})
	switch {
	case err == nil:
		return aws.ToString(out.Policy), nil
	case hasCode(err, "NoSuchBucketPolicy", "NoSuchBucket"):
		return "", nil
	}
	return "", classify(ctx, err, "bucket "+name+" in "+inAccount(account))
}

func (s *session) addBucket(ctx context.Context, b *records.Writer, account string, bucket types.Bucket, policy answer) error {
	name := aws.ToString(bucket.Name)
	arn := s.bucketARN(name)
	b.Entity(connector.Entity{
		Ref: resourceRef(arn), Name: records.Name(name), Type: "s3_bucket",
		Attributes: records.Attributes(map[string]any{
			"arn": arn, "account": account, "region": aws.ToString(bucket.BucketRegion), "created_at": bucket.CreationDate,
			"policy": plainDocument(policy.text), "policy_status": policy.status(),
		}, "policy"),
	})
	b.Relate(connector.BoundaryContains, boundaryRef(account), resourceRef(arn))
	if e, denied := isDenied(policy.err); denied {
		b.Gap(*e)
		return nil
	}
	if strings.TrimSpace(policy.text) == "" {
		return nil
	}
	return s.addResourcePolicy(ctx, b, account, resourcePolicy{resource: arn, name: name, kind: "s3_bucket_policy_statement"}, policy.text)
}

// contextFirst prefers the caller's own cancellation over the failure that it
// caused in one of several calls.
func contextFirst(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
