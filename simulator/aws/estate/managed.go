package estate

import (
	"strings"
	"time"

	"github.com/gatehouse-project/gatehouse/simulator/aws/policy"
)

// managedByAWS describes one policy that AWS keeps: its name, its path and
// what it allows on every resource. Long documents are shortened.
type managedByAWS struct {
	name    string
	path    string
	version string
	allow   string // actions, separated by spaces
}

// awsManaged is a selection of the AWS-managed policies, in order of name
// (AWS Managed Policy Reference).
func awsManaged() []managedByAWS {
	return []managedByAWS{
		{"AWSLambdaBasicExecutionRole", "/service-role/", "v1", "logs:CreateLogGroup logs:CreateLogStream logs:PutLogEvents"},
		{"AWSOrganizationsServiceTrustPolicy", "/aws-service-role/", "v2", "iam:CreateServiceLinkedRole iam:DeleteRole"},
		{"AWSSSOServiceRolePolicy", "/aws-service-role/", "v17", "iam:AttachRolePolicy iam:CreateRole iam:DeleteRole iam:PutRolePolicy iam:UpdateSAMLProvider"},
		{"AWSSupportServiceRolePolicy", "/aws-service-role/", "v40", "ec2:Describe* s3:ListAllMyBuckets support:*"},
		{"AWSTrustedAdvisorServiceRolePolicy", "/aws-service-role/", "v13", "ec2:Describe* iam:GetAccountSummary s3:GetBucketPolicy"},
		{"AdministratorAccess", "/", "v1", "*"},
		{"AmazonDynamoDBReadOnlyAccess", "/", "v14", "dynamodb:BatchGetItem dynamodb:Describe* dynamodb:GetItem dynamodb:List* dynamodb:Query dynamodb:Scan"},
		{"AmazonEC2FullAccess", "/", "v5", "autoscaling:* cloudwatch:* ec2:* elasticloadbalancing:*"},
		{"AmazonEC2ReadOnlyAccess", "/", "v4", "autoscaling:Describe* cloudwatch:Describe* cloudwatch:GetMetricStatistics ec2:Describe* elasticloadbalancing:Describe*"},
		{"AmazonRDSReadOnlyAccess", "/", "v7", "cloudwatch:GetMetricStatistics ec2:Describe* logs:DescribeLogStreams logs:GetLogEvents rds:Describe* rds:ListTagsForResource"},
		{"AmazonS3FullAccess", "/", "v2", "s3:* s3-object-lambda:*"},
		{"AmazonS3ReadOnlyAccess", "/", "v3", "s3:Describe* s3:Get* s3:List* s3-object-lambda:Get* s3-object-lambda:List*"},
		{"AmazonSSMManagedInstanceCore", "/", "v2", "ec2messages:* ssm:GetDocument ssm:UpdateInstanceInformation ssmmessages:*"},
		{"AutoScalingServiceRolePolicy", "/aws-service-role/", "v8", "ec2:CreateTags ec2:RunInstances ec2:TerminateInstances elasticloadbalancing:Register*"},
		{"Billing", "/job-function/", "v12", "aws-portal:*Billing aws-portal:*Usage budgets:* ce:* cur:* payments:*"},
		{"CloudWatchReadOnlyAccess", "/", "v11", "cloudwatch:Describe* cloudwatch:Get* cloudwatch:List* logs:Describe* logs:FilterLogEvents logs:Get*"},
		{"DataScientist", "/job-function/", "v9", "athena:* cloudwatch:* glue:Get* redshift:* s3:Get* s3:List* sagemaker:*"},
		{"ElasticLoadBalancingServiceRolePolicy", "/aws-service-role/", "v7", "ec2:AssignIpv6Addresses ec2:CreateSecurityGroup ec2:Describe*"},
		{"IAMFullAccess", "/", "v2", "iam:* organizations:DescribeAccount organizations:DescribeOrganization organizations:ListPolicies"},
		{"IAMReadOnlyAccess", "/", "v4", "iam:GenerateCredentialReport iam:GenerateServiceLastAccessedDetails iam:Get* iam:List* iam:SimulateCustomPolicy iam:SimulatePrincipalPolicy"},
		{"IAMUserChangePassword", "/", "v2", "iam:ChangePassword iam:GetAccountPasswordPolicy"},
		{"PowerUserAccess", "/", "v5", ""},
		{"ReadOnlyAccess", "/", "v150", "cloudtrail:Get* cloudtrail:Describe* cloudtrail:List* dynamodb:Describe* dynamodb:GetItem dynamodb:List* dynamodb:Query ec2:Describe* " +
			"iam:Generate* iam:Get* iam:List* iam:Simulate* identitystore:Describe* identitystore:List* kms:Describe* kms:Get* kms:List* lambda:Get* lambda:List* " +
			"organizations:Describe* organizations:List* rds:Describe* rds:List* s3:Get* s3:List* sso:Describe* sso:Get* sso:List* sts:GetAccessKeyInfo sts:GetCallerIdentity tag:Get*"},
		{"SecurityAudit", "/", "v60", "access-analyzer:Get* access-analyzer:List* cloudtrail:Describe* cloudtrail:Get* cloudtrail:List* config:Describe* config:Get* ec2:Describe* " +
			"iam:GenerateCredentialReport iam:GenerateServiceLastAccessedDetails iam:Get* iam:List* iam:SimulateCustomPolicy iam:SimulatePrincipalPolicy " +
			"identitystore:Describe* identitystore:List* kms:Describe* kms:GetKeyPolicy kms:List* lambda:GetFunctionConfiguration lambda:GetPolicy lambda:List* " +
			"organizations:Describe* organizations:List* s3:GetAccountPublicAccessBlock s3:GetBucket* s3:GetEncryptionConfiguration s3:ListAllMyBuckets " +
			"sso:Describe* sso:Get* sso:List* tag:GetResources"},
		{"SupportUser", "/job-function/", "v7", "cloudformation:Describe* cloudwatch:Describe* ec2:Describe* logs:Describe* rds:Describe* s3:ListAllMyBuckets support:*"},
		{"ViewOnlyAccess", "/job-function/", "v20", "ec2:Describe* iam:GetAccountSummary iam:List* lambda:List* rds:Describe* s3:GetBucketLocation s3:ListAllMyBuckets s3:ListBucket"},
	}
}

// AWSManagedPolicies lists the policies that AWS keeps, by name.
func AWSManagedPolicies() []ManagedPolicy {
	described := awsManaged()
	policies := make([]ManagedPolicy, len(described))
	for i, d := range described {
		policies[i] = d.policy(i)
	}
	return policies
}

// AWSPolicyARN is the ARN of one of them.
func AWSPolicyARN(name string) string {
	for _, d := range awsManaged() {
		if d.name == name {
			return d.arn()
		}
	}
	return "arn:aws:iam::aws:policy/" + name
}

func awsManagedPolicy(arn string) (*ManagedPolicy, bool) {
	for i, d := range awsManaged() {
		if d.arn() == arn {
			p := d.policy(i)
			return &p, true
		}
	}
	return nil, false
}

func (d managedByAWS) arn() string { return "arn:aws:iam::aws:policy" + d.path + d.name }

func (d managedByAWS) policy(position int) ManagedPolicy {
	all := policy.List{"*"}
	document := policy.Of(policy.Statement{Effect: policy.Allow, Action: strings.Fields(d.allow), Resource: all})
	if d.name == "PowerUserAccess" {
		document = policy.Of(
			policy.Statement{Effect: policy.Allow, NotAction: policy.List{"iam:*", "organizations:*", "account:*"}, Resource: all},
			policy.Statement{Effect: policy.Allow, Action: policy.List{"iam:CreateServiceLinkedRole", "iam:ListRoles", "organizations:DescribeOrganization"}, Resource: all})
	}
	created := time.Date(2015, time.February, 6, 18, 39, 46, 0, time.UTC)
	updated := time.Date(2025, time.March, 1+position, 16, 30, 0, 0, time.UTC)
	return ManagedPolicy{
		Name: d.name, Path: d.path, ARN: d.arn(), ID: "ANPA" + managedID(d.name), Created: created, Updated: updated, AWS: true,
		Description: "Provided by AWS", Versions: []PolicyVersion{{ID: d.version, Document: document, Created: updated, Default: true}},
	}
}

// managedID is the same in every estate, as it is in every real account.
func managedID(name string) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	id := make([]byte, 17)
	hash := uint64(14695981039346656037)
	for i := range id {
		for _, b := range []byte(name) {
			hash = (hash ^ uint64(b)) * 1099511628211
		}
		id[i] = letters[hash>>59]
	}
	return string(id)
}
