package estate

import "github.com/gatehouse-project/gatehouse/simulator/aws/policy"

// Group is an IAM group.
type Group struct{ Identity }

// IAM groups that every account has.
const (
	groupAdministrators = "Administrators"
	groupDevelopers     = "Developers"
	groupReaders        = "ReadOnlyUsers"
	groupSupport        = "Support"
	groupData           = "DataEngineers"
	groupBilling        = "Billing"
	groupContractors    = "Contractors"
	groupAutomation     = "Automation"
)

func (e *Estate) groups(account Account) []Group {
	group := func(path, name string, attached []string, inline ...InlinePolicy) Group {
		identity := e.identity(account, "group", path, name)
		identity.Attached, identity.Inline = attached, inline
		return Group{identity}
	}
	own := func(name string) string { return customerPolicyARN(account, "/", name) }
	groups := []Group{
		group("/", groupAdministrators, []string{AWSPolicyARN("AdministratorAccess"), own(mfaPolicy)}),
		group("/", groupDevelopers, []string{AWSPolicyARN("PowerUserAccess"), own(mfaPolicy), own(selfPolicy)}, developerLimits()),
		group("/", groupReaders, []string{AWSPolicyARN("ReadOnlyAccess"), own(selfPolicy)}, noSecrets()),
		group("/", groupSupport, []string{AWSPolicyARN("SupportUser"), AWSPolicyARN("CloudWatchReadOnlyAccess")}),
		group("/", groupData, []string{AWSPolicyARN("DataScientist"), own(selfPolicy)}, InlinePolicy{"query-lake", e.lakeDocument()}),
		group("/", groupBilling, []string{AWSPolicyARN("Billing")}),
		group("/contractors/", groupContractors, []string{AWSPolicyARN("ViewOnlyAccess"), own(officePolicy), own(selfPolicy)}),
		group("/automation/", groupAutomation, []string{own(taggedPolicy)}),
	}
	return append(groups, e.storyGroups(account)...)
}

func developerLimits() InlinePolicy {
	return InlinePolicy{"developer-limits", policy.Of(
		policy.Statement{Sid: "NoUserKeys", Effect: policy.Deny, Action: policy.List{"iam:CreateAccessKey", "iam:CreateUser"}, NotResource: policy.List{"arn:aws:iam::*:user/${aws:username}"}})}
}

func noSecrets() InlinePolicy {
	return InlinePolicy{"no-secrets", policy.Of(
		policy.Statement{Sid: "NoSecretValues", Effect: policy.Deny, Action: policy.List{"secretsmanager:GetSecretValue", "ssm:GetParameter*", "kms:Decrypt"}, Resource: policy.List{"*"}})}
}

func (e *Estate) lakeDocument() policy.Document {
	bucket := "arn:aws:s3:::" + e.customerExportsBucket()
	return policy.Of(
		policy.Statement{Effect: policy.Allow, Action: policy.List{"athena:*", "glue:Get*"}, Resource: policy.List{"*"}},
		policy.Statement{Effect: policy.Allow, Action: policy.List{"s3:GetObject", "s3:ListBucket"}, Resource: policy.List{bucket, bucket + "/aggregated/*"}})
}
