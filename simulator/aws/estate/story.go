package estate

import (
	"github.com/gatehouse-project/gatehouse/simulator/aws/policy"
	"github.com/gatehouse-project/gatehouse/simulator/enterprise/chance"
)

// Whatever the seed, one contractor reaches the payroll exports in two ways.
// As an IAM user: user, group, policy, role of another account, bucket. As a
// user of Identity Center: group, permission set, role of the data account,
// bucket.
const (
	groupContractorMigration = "ContractorsDataMigration"
	migrationPolicy          = "AssumeDataMigration"
	migrationRole            = "DataMigrationRunner"
	migrationPath            = "/migration/"
)

// The identity that is meant for reading the estate.
const (
	// AuditorUser is a user of the management account with SecurityAudit.
	AuditorUser = "access-auditor"
	// AuditRole exists in every account; the auditor may assume it with
	// ExternalID.
	AuditRole = "AccessAuditRole"
)

// ExternalID is what the trust policies of the audit roles ask for.
func (e *Estate) ExternalID() string {
	return e.Company.Slug + "-" + e.draw.Letters(20, chance.LowerAlphanumeric, "audit external id")
}

// PayrollBucket is the name of a bucket that is plainly sensitive.
func (e *Estate) PayrollBucket() string { return e.Company.Slug + "-payroll-exports-prod" }

func (e *Estate) migrationRoleARN() string {
	return "arn:aws:iam::" + e.Organization.Accounts[dataAccount].ID + ":role" + migrationPath + migrationRole
}

func (e *Estate) storyPolicies(account Account) []ManagedPolicy {
	if account.Index != developmentAccount {
		return nil
	}
	return []ManagedPolicy{e.customerPolicy(account, migrationPath, migrationPolicy, "Lets the migration team run jobs on the data platform", policy.Of(
		policy.Statement{Sid: "RunMigration", Effect: policy.Allow, Action: policy.List{"sts:AssumeRole"}, Resource: policy.List{e.migrationRoleARN()}}))}
}

func (e *Estate) storyGroups(account Account) []Group {
	if account.Index != developmentAccount {
		return nil
	}
	g := Group{e.identity(account, "group", "/contractors/", groupContractorMigration)}
	g.Attached = []string{AWSPolicyARN("ViewOnlyAccess"), customerPolicyARN(account, migrationPath, migrationPolicy)}
	return []Group{g}
}

func (e *Estate) storyRoles(account Account) []Role {
	if account.Index != dataAccount {
		return nil
	}
	trust := trustAWS(policy.Conditions{"StringEquals": {"aws:PrincipalOrgID": {e.Organization.ID}}}, rootARN(e.Organization.Accounts[developmentAccount].ID))
	runner := e.role(account, migrationPath, migrationRole, "Moves payroll and customer exports", trust)
	payroll, customers := "arn:aws:s3:::"+e.PayrollBucket(), "arn:aws:s3:::"+e.customerExportsBucket()
	runner.Inline = []InlinePolicy{{"move-exports", policy.Of(
		policy.Statement{Sid: "Read", Effect: policy.Allow, Action: policy.List{"s3:GetObject", "s3:ListBucket"}, Resource: policy.List{payroll, payroll + "/*", customers, customers + "/*"}},
		policy.Statement{Sid: "Write", Effect: policy.Allow, Action: policy.List{"s3:PutObject"}, Resource: policy.List{payroll + "/migrated/*"}},
		policy.Statement{Sid: "Keep", Effect: policy.Deny, Action: policy.List{"s3:DeleteObject*"}, Resource: policy.List{payroll + "/*"}})}}
	storage := e.role(account, "/platform/", "StorageAdministrator", "Keeps the buckets of the data platform", trustAWS(
		policy.Conditions{"Bool": {"aws:MultiFactorAuthPresent": {"true"}}}, rootARN(account.ID)), AWSPolicyARN("AmazonS3FullAccess"))
	return []Role{runner, storage}
}

func (e *Estate) storyBuckets(account Account) []Bucket {
	if account.Index != dataAccount {
		return nil
	}
	payroll := e.bucket(account, e.PayrollBucket(), 1000)
	payroll.Region, payroll.Blocked = e.Region, true
	payroll.Tags = []Tag{{"account", account.Name}, {"classification", "restricted"}, {"contains", "salaries"}}
	guarded := policy.Of(
		policy.Statement{
			Sid: "TLSOnly", Effect: policy.Deny, Principal: &policy.Principal{Everyone: true}, Action: policy.List{"s3:*"},
			Resource: bucketARNs(payroll.Name), Condition: policy.Conditions{"Bool": {"aws:SecureTransport": {"false"}}},
		},
		policy.Statement{
			Sid: "InsideOnly", Effect: policy.Deny, Principal: &policy.Principal{Everyone: true}, Action: policy.List{"s3:GetObject"},
			Resource: policy.List{"arn:aws:s3:::" + payroll.Name + "/*"}, Condition: policy.Conditions{"StringNotEquals": {"aws:PrincipalOrgID": {e.Organization.ID}}},
		},
		policy.Statement{
			Sid: "MigrationReads", Effect: policy.Allow, Principal: &policy.Principal{AWS: policy.List{e.migrationRoleARN()}},
			Action: policy.List{"s3:GetObject", "s3:ListBucket"}, Resource: bucketARNs(payroll.Name),
		})
	payroll.Policy = &guarded

	customers := e.bucket(account, e.customerExportsBucket(), 1001)
	customers.Region, customers.Blocked = e.Region, true
	customers.Tags = []Tag{{"account", account.Name}, {"classification", "confidential"}}
	shared := policy.Of(policy.Statement{
		Sid: "VendorReads", Effect: policy.Allow, Principal: &policy.Principal{AWS: policy.List{rootARN(e.outsideAccount(1))}},
		Action: policy.List{"s3:GetObject"}, Resource: policy.List{"arn:aws:s3:::" + customers.Name + "/shared/*"},
	})
	customers.Policy = &shared
	return []Bucket{payroll, customers}
}

func (e *Estate) auditor(account Account) User {
	u := User{Identity: e.identity(account, "user", "/automation/", AuditorUser), Person: -1}
	u.Tags = []Tag{{"kind", "service"}, {"owner", "security"}}
	u.Attached = []string{AWSPolicyARN("SecurityAudit")}
	u.Inline = []InlinePolicy{{"assume-audit-roles", policy.Of(
		policy.Statement{Effect: policy.Allow, Action: policy.List{"sts:AssumeRole"}, Resource: policy.List{"arn:aws:iam::*:role/" + AuditRole}})}}
	return u
}

func (e *Estate) auditRole(account Account) Role {
	conditions := policy.Conditions{"StringEquals": {"sts:ExternalId": {e.ExternalID()}}}
	return e.role(account, "/", AuditRole, "Reads who can reach what", trustAWS(conditions, rootARN(e.Organization.Management().ID)), AWSPolicyARN("SecurityAudit"))
}
