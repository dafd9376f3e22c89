package aws

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
)

const stepBuckets = "buckets"

// answer is a resource's policy text, or why it cannot be had.
type answer struct {
	text string
	err  error
}

// The ways that asking for a resource's policy ends, as an attribute of it.
const (
	policyRead       = "read"
	policyNone       = "none"
	policyDenied     = "denied"
	policyUnreadable = "unreadable"
)

func (a answer) status() string {
	switch {
	case a.err != nil:
		return policyDenied
	case strings.TrimSpace(a.text) == "":
		return policyNone
	case plainDocument(a.text) == nil:
		return policyUnreadable
	}
	return policyRead
}

// readS3 emits the account's buckets and, per statement of their policies, an
// entitlement and who holds it.
func (s *session) readS3(ctx context.Context, account string, from records.Place, b *records.Writer) error {
	arns, whole := []string{}, from.Marker == ""
	err := s.eachBucketPage(ctx, account, from.Marker, func(token string, client *s3.Client, buckets []types.Bucket) error {
		if err := b.At(records.Place{Step: stepBuckets, Marker: token}); err != nil {
			return err
		}
		policies, err := s.bucketPolicies(ctx, client, account, buckets)
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

// bucketPolicies asks for the policies of a page of buckets side by side. A
// missing permission on one bucket is part of its answer; another failure ends
// all.
func (s *session) bucketPolicies(ctx context.Context, client *s3.Client, account string, buckets []types.Bucket) ([]answer, error) {
	answers := make([]answer, len(buckets))
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(policyConcurrency)
	for i, bucket := range buckets {
		group.Go(func() error {
			text, err := s.bucketPolicy(gctx, client, account, bucket)
			if _, denied := isDenied(err); err != nil && !denied {
				return err
			}
			answers[i] = answer{text, err}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, contextFirst(ctx, err)
	}
	return answers, nil
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
