package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// The most AWS sends per page (S3 and Lambda API references).
const (
	bucketPageSize   = 1000
	functionPageSize = 50
)

// inventory is the ARNs of one account's resources that grants are expanded to.
type inventory struct {
	buckets, functions []string
}

// inventoryCache keeps the parts of inventories that the s3 and lambda streams
// have read whole, so that grants need not list them again.
type inventoryCache struct {
	buckets, functions map[string][]string
	held               int
}

// maxInventoryEntries bounds the ARNs a session remembers, about 20 MB.
const maxInventoryEntries = 100_000

func (c *inventoryCache) keepBuckets(account string, arns []string) {
	c.keep(&c.buckets, account, arns)
}

func (c *inventoryCache) keepFunctions(account string, arns []string) {
	c.keep(&c.functions, account, arns)
}

func (c *inventoryCache) keep(in *map[string][]string, account string, arns []string) {
	if c.held+len(arns) > maxInventoryEntries {
		return
	}
	if *in == nil {
		*in = map[string][]string{}
	}
	c.held += len(arns) - len((*in)[account])
	(*in)[account] = arns
}

// eachBucketPage hands over an account's buckets page by page, each with the
// token it was asked for by.
func (s *session) eachBucketPage(ctx context.Context, account, token string, visit func(token string, client *s3.Client, buckets []s3types.Bucket) error) error {
	cfg, err := s.enter(ctx, account)
	if err != nil {
		return err
	}
	client := s3Client(cfg)
	for {
		input := &s3.ListBucketsInput{MaxBuckets: aws.Int32(bucketPageSize)}
		if token != "" {
			input.ContinuationToken = aws.String(token)
		}
		out, err := client.ListBuckets(ctx, input)
		if err != nil {
			return classify(ctx, err, inAccount(account))
		}
		if err := visit(token, client, out.Buckets); err != nil {
			return err
		}
		if token = aws.ToString(out.ContinuationToken); token == "" {
			return nil
		}
	}
}

// eachFunctionPage is eachBucketPage for Lambda functions of the region.
func (s *session) eachFunctionPage(ctx context.Context, account, marker string, visit func(marker string, client *lambda.Client, out *lambda.ListFunctionsOutput) error) error {
	cfg, err := s.enter(ctx, account)
	if err != nil {
		return err
	}
	client := lambdaClient(cfg)
	for {
		input := &lambda.ListFunctionsInput{MaxItems: aws.Int32(functionPageSize)}
		if marker != "" {
			input.Marker = aws.String(marker)
		}
		out, err := client.ListFunctions(ctx, input)
		if err != nil {
			return classify(ctx, err, inAccount(account))
		}
		if err := visit(marker, client, out); err != nil {
			return err
		}
		if marker = aws.ToString(out.NextMarker); marker == "" {
			return nil
		}
	}
}

// bucketARNs lists the account's buckets, from what the s3 stream has read if
// it was read in this session.
func (s *session) bucketARNs(ctx context.Context, account string) ([]string, error) {
	if arns, ok := s.inventory.buckets[account]; ok {
		return arns, nil
	}
	arns := []string{}
	err := s.eachBucketPage(ctx, account, "", func(_ string, _ *s3.Client, buckets []s3types.Bucket) error {
		for _, b := range buckets {
			arns = append(arns, s.bucketARN(aws.ToString(b.Name)))
		}
		return nil
	})
	if err == nil {
		s.inventory.keepBuckets(account, arns)
	}
	return arns, err
}

func (s *session) functionARNs(ctx context.Context, account string) ([]string, error) {
	if arns, ok := s.inventory.functions[account]; ok {
		return arns, nil
	}
	arns := []string{}
	err := s.eachFunctionPage(ctx, account, "", func(_ string, _ *lambda.Client, out *lambda.ListFunctionsOutput) error {
		for _, f := range out.Functions {
			arns = append(arns, aws.ToString(f.FunctionArn))
		}
		return nil
	})
	if err == nil {
		s.inventory.keepFunctions(account, arns)
	}
	return arns, err
}

// bucketARN names a bucket; S3 bucket names are unique within a partition.
func (s *session) bucketARN(name string) string {
	return "arn:" + s.configuration.Partition + ":s3:::" + name
}
