package estate

import (
	"fmt"
	"time"

	"github.com/gatehouse-project/gatehouse/simulator/aws/policy"
)

// Bucket is an S3 bucket.
type Bucket struct {
	Name    string
	Region  string
	Created time.Time
	Tags    []Tag
	Policy  *policy.Document // nil when there is none
	// Blocked says whether the bucket has a public access block, all on.
	Blocked bool
	// Public says whether the policy lets everybody in.
	Public bool
}

// Function is a Lambda function.
type Function struct {
	Name     string
	ARN      string
	Region   string
	Role     string // ARN of the execution role
	Runtime  string
	Memory   int // MiB
	Timeout  int // seconds
	Modified time.Time
	Tags     []Tag
	Policy   *policy.Document // nil when there is none
}

func (e *Estate) appBucket(account Account, app string) string {
	return e.Company.Slug + "-" + app + "-" + account.Name
}

func (e *Estate) customerExportsBucket() string { return e.Company.Slug + "-customer-exports-prod" }

func (e *Estate) place(kind string, keys ...int) string {
	if e.draw.Percent(14, kind, keys...) {
		return SecondRegion
	}
	return e.Region
}

func (e *Estate) buckets(account Account, apps []string) []Bucket {
	var buckets []Bucket
	for i, app := range apps {
		name := e.appBucket(account, app)
		b := e.bucket(account, name, i)
		b.Tags = append(b.Tags, Tag{"app", app})
		document := policy.Of(policy.Statement{
			Sid: "TLSOnly", Effect: policy.Deny, Principal: &policy.Principal{Everyone: true}, Action: policy.List{"s3:*"},
			Resource: bucketARNs(name), Condition: policy.Conditions{"Bool": {"aws:SecureTransport": {"false"}}},
		})
		if neighbour := e.Organization.Accounts[(account.Index+2+i)%len(e.Organization.Accounts)]; i%2 == 0 && neighbour.Index != account.Index {
			document.Statement = append(document.Statement, policy.Statement{
				Sid: "NeighbourReads", Effect: policy.Allow,
				Principal: &policy.Principal{AWS: policy.List{rootARN(neighbour.ID)}}, Action: policy.List{"s3:GetObject", "s3:ListBucket"}, Resource: bucketARNs(name),
			})
		}
		if i%3 != 2 {
			b.Policy = &document
		}
		buckets = append(buckets, b)
		if i == 1 && account.Stage == "prod" {
			public := e.bucket(account, e.Company.Slug+"-public-assets-"+account.Name, 100)
			public.Blocked, public.Public = false, true
			public.Policy = &policy.Document{Version: policy.Version, Statement: []policy.Statement{{
				Sid: "PublicRead", Effect: policy.Allow,
				Principal: &policy.Principal{Everyone: true}, Action: policy.List{"s3:GetObject"}, Resource: policy.List{"arn:aws:s3:::" + public.Name + "/*"},
			}}}
			buckets = append(buckets, public)
		}
	}
	return append(buckets, e.storyBuckets(account)...)
}

func (e *Estate) bucket(account Account, name string, number int) Bucket {
	return Bucket{
		Name: name, Region: e.place("bucket region", account.Index, number), Created: e.before(60, 1800, "bucket created", account.Index, number).Truncate(time.Second),
		Tags:    []Tag{{"account", account.Name}, {"classification", "internal"}},
		Blocked: e.draw.Percent(80, "bucket blocked", account.Index, number),
	}
}

func bucketARNs(name string) policy.List {
	return policy.List{"arn:aws:s3:::" + name, "arn:aws:s3:::" + name + "/*"}
}

func (e *Estate) functions(account Account, apps []string) []Function {
	var functions []Function
	for i, app := range apps {
		for j, task := range []string{"ingest", "notify", "report"}[:1+e.draw.Intn(3, "functions", account.Index, i)] {
			region := e.place("function region", account.Index, i, j)
			f := Function{
				Name: app + "-" + task, Region: region, Role: "arn:aws:iam::" + account.ID + ":role/apps/" + app + "-exec",
				Runtime: e.draw.Pick([]string{"python3.13", "nodejs22.x", "java21", "provided.al2023"}, "runtime", account.Index, i, j),
				Memory:  128 << e.draw.Intn(4, "memory", account.Index, i, j), Timeout: e.draw.Between(3, 300, "timeout", account.Index, i, j),
				Modified: e.before(1, 500, "function modified", account.Index, i, j), Tags: []Tag{{"app", app}},
			}
			f.ARN = fmt.Sprintf("arn:aws:lambda:%s:%s:function:%s", region, account.ID, f.Name)
			f.Policy = e.functionPolicy(account, f, app, i, j)
			functions = append(functions, f)
		}
	}
	return functions
}

func (e *Estate) functionPolicy(account Account, f Function, app string, i, j int) *policy.Document {
	document := policy.Document{Version: policy.Version, ID: "default"}
	switch j {
	case 0:
		document.Statement = []policy.Statement{{
			Sid: "bucket-events", Effect: policy.Allow, Principal: &policy.Principal{Service: policy.List{"s3.amazonaws.com"}},
			Action: policy.List{"lambda:InvokeFunction"}, Resource: policy.List{f.ARN},
			Condition: policy.Conditions{"StringEquals": {"AWS:SourceAccount": {account.ID}}, "ArnLike": {"AWS:SourceArn": {"arn:aws:s3:::" + e.appBucket(account, app)}}},
		}}
	case 1:
		caller := e.Organization.Accounts[(account.Index+3+i)%len(e.Organization.Accounts)]
		document.Statement = []policy.Statement{{
			Sid: "partner-invoke", Effect: policy.Allow, Principal: &policy.Principal{AWS: policy.List{rootARN(caller.ID)}},
			Action: policy.List{"lambda:InvokeFunction"}, Resource: policy.List{f.ARN},
		}}
	default:
		return nil
	}
	return &document
}
