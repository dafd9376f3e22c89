package aws

import (
	"cmp"
	"encoding/xml"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gatehouse-project/gatehouse/simulator/aws/estate"
)

const s3Namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

func (s *Simulator) s3Operations() operations {
	inRegion := func(next func(c *call, b *estate.Bucket) (any, *apiError)) operation {
		return func(c *call) (any, *apiError) {
			bucket, failure := s.bucketOf(c)
			if failure != nil {
				return nil, failure
			}
			if bucket.Region != c.region {
				return nil, &apiError{"PermanentRedirect", 301, "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint."}
			}
			return next(c, bucket)
		}
	}
	return operations{
		"ListBuckets":           s.listBuckets,
		"GetBucketLocation":     s.getBucketLocation,
		"GetBucketPolicy":       inRegion(s.getBucketPolicy),
		"GetBucketPolicyStatus": inRegion(s.getBucketPolicyStatus),
		"GetPublicAccessBlock":  inRegion(s.getPublicAccessBlock),
		"GetBucketTagging":      inRegion(s.getBucketTagging),
	}
}

// s3Operation tells operation and bucket from a request, whose bucket is in
// the path or, on a host name, its first label.
func s3Operation(r *http.Request) (name, bucket string) {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if label, rest, ok := strings.Cut(r.Host, "."); ok && bucket == "" && strings.HasPrefix(rest, "localhost") {
		bucket = label
	}
	if r.Method != http.MethodGet || key != "" {
		return r.Method + " object", bucket
	}
	if bucket == "" {
		return "ListBuckets", ""
	}
	query := r.URL.Query()
	for parameter, operation := range map[string]string{
		"location": "GetBucketLocation", "policy": "GetBucketPolicy", "policyStatus": "GetBucketPolicyStatus",
		"publicAccessBlock": "GetPublicAccessBlock", "tagging": "GetBucketTagging",
	} {
		if query.Has(parameter) {
			return operation, bucket
		}
	}
	return "ListObjects", bucket
}

// bucketOf finds the bucket of a call. A bucket of another account exists,
// but nothing about it is told.
func (s *Simulator) bucketOf(c *call) (*estate.Bucket, *apiError) {
	if bucket, ok := s.inventory(c).Bucket(c.bucket); ok {
		c.bucketRegion = bucket.Region
		return bucket, nil
	}
	for _, account := range s.Estate().Organization.Accounts {
		if !strings.HasSuffix(c.bucket, account.Name) && !strings.HasSuffix(c.bucket, "-exports-prod") {
			continue
		}
		if _, ok := s.Estate().Inventory(account.Index).Bucket(c.bucket); ok {
			return nil, c.service.denied.with("Access Denied")
		}
	}
	return nil, &apiError{"NoSuchBucket", 404, "The specified bucket does not exist"}
}

// Pages of ListBuckets (S3 API Reference).
const maxBuckets = 10000

func (s *Simulator) listBuckets(c *call) (any, *apiError) {
	query := c.request.URL.Query()
	size := maxBuckets
	if given := query.Get("max-buckets"); given != "" {
		parsed, err := strconv.Atoi(given)
		if err != nil || parsed < 1 || parsed > maxBuckets {
			return nil, &apiError{"InvalidArgument", 400, "Argument max-buckets must be an integer between 1 and 10000"}
		}
		size = parsed
	}
	prefix, region := query.Get("prefix"), query.Get("bucket-region")
	var buckets []estate.Bucket
	for _, bucket := range s.inventory(c).Buckets {
		if strings.HasPrefix(bucket.Name, prefix) && (region == "" || bucket.Region == region) {
			buckets = append(buckets, bucket)
		}
	}
	p, err := cut("buckets/"+c.caller.account.ID+"/"+region+"/"+prefix, query.Get("continuation-token"), len(buckets), size)
	if err != nil {
		return nil, &apiError{"InvalidArgument", 400, "The continuation token provided is incorrect"}
	}
	// The region is only told to those who use a parameter of the paged form.
	paged := hasAny(query, "max-buckets", "prefix", "bucket-region", "continuation-token")
	return s3Answer("ListAllMyBucketsResult", func(x *xmlDocument) {
		x.element("Owner", func() { x.text("ID", strings.Repeat(c.caller.account.ID, 6)[:64]) })
		x.element("Buckets", func() {
			for _, bucket := range buckets[p.from:p.to] {
				x.element("Bucket", func() {
					x.text("Name", bucket.Name)
					x.text("CreationDate", bucket.Created.Format("2006-01-02T15:04:05.000Z"))
					x.text("BucketArn", "arn:aws:s3:::"+bucket.Name)
					if paged {
						x.text("BucketRegion", bucket.Region)
					}
				})
			}
		})
		x.optional("Prefix", prefix)
		x.optional("ContinuationToken", p.next)
	}), nil
}

func hasAny(query url.Values, names ...string) bool {
	for _, name := range names {
		if query.Has(name) {
			return true
		}
	}
	return false
}

func s3Answer(root string, content func(x *xmlDocument)) *xmlDocument {
	x := &xmlDocument{}
	x.b.WriteString(xml.Header + "<" + root + ` xmlns="` + s3Namespace + `">`)
	content(x)
	x.b.WriteString("</" + root + ">")
	return x
}

// getBucketLocation answers from any region; us-east-1 is written as nothing.
func (s *Simulator) getBucketLocation(c *call) (any, *apiError) {
	bucket, failure := s.bucketOf(c)
	if failure != nil {
		return nil, failure
	}
	return s3Answer("LocationConstraint", func(x *xmlDocument) {
		if bucket.Region != "us-east-1" {
			x.b.WriteString(bucket.Region)
		}
	}), nil
}

func (s *Simulator) getBucketPolicy(_ *call, b *estate.Bucket) (any, *apiError) {
	if b.Policy == nil {
		return nil, &apiError{"NoSuchBucketPolicy", 404, "The bucket policy does not exist"}
	}
	return rawJSON(b.Policy.JSON()), nil
}

func (s *Simulator) getBucketPolicyStatus(_ *call, b *estate.Bucket) (any, *apiError) {
	if b.Policy == nil {
		return nil, &apiError{"NoSuchBucketPolicy", 404, "The bucket policy does not exist"}
	}
	return s3Answer("PolicyStatus", func(x *xmlDocument) {
		x.text("IsPublic", cmp.Or(map[bool]string{true: "TRUE"}[b.Public], "FALSE"))
	}), nil
}

func (s *Simulator) getPublicAccessBlock(_ *call, b *estate.Bucket) (any, *apiError) {
	if !b.Blocked {
		return nil, &apiError{"NoSuchPublicAccessBlockConfiguration", 404, "The public access block configuration was not found"}
	}
	return s3Answer("PublicAccessBlockConfiguration", func(x *xmlDocument) {
		for _, name := range []string{"BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"} {
			x.boolean(name, true)
		}
	}), nil
}

func (s *Simulator) getBucketTagging(_ *call, b *estate.Bucket) (any, *apiError) {
	if len(b.Tags) == 0 {
		return nil, &apiError{"NoSuchTagSet", 404, "The TagSet does not exist"}
	}
	return s3Answer("Tagging", func(x *xmlDocument) {
		x.element("TagSet", func() {
			for _, tag := range b.Tags {
				x.element("Tag", func() {
					x.text("Key", tag.Key)
					x.text("Value", tag.Value)
				})
			}
		})
	}), nil
}
