package estate

import (
	"slices"

	"github.com/gatehouse-project/gatehouse/simulator/aws/policy"
	"github.com/gatehouse-project/gatehouse/simulator/enterprise/chance"
)

// ServiceControlPolicy is an organisation's policy and what it is attached to.
type ServiceControlPolicy struct {
	ID          string // p-…
	Name        string
	Description string
	AWSManaged  bool
	Document    policy.Document
	Targets     []string // identifiers of root, units and accounts
}

func (e *Estate) serviceControlPolicies(o Organization) []ServiceControlPolicy {
	everything := []string{o.RootID}
	for _, unit := range o.Units {
		everything = append(everything, unit.ID)
	}
	for _, account := range o.Accounts {
		everything = append(everything, account.ID)
	}
	all := policy.List{"*"}
	policies := []ServiceControlPolicy{
		{
			ID: "p-FullAWSAccess", Name: "FullAWSAccess", Description: "Allows access to every operation", AWSManaged: true, Targets: everything,
			Document: policy.Of(policy.Statement{Effect: policy.Allow, Action: all, Resource: all}),
		},
		{
			Name: "deny-leaving-organization", Description: "Accounts stay in the organization", Targets: []string{o.RootID},
			Document: policy.Of(policy.Statement{Sid: "StayHere", Effect: policy.Deny, Action: policy.List{"organizations:LeaveOrganization"}, Resource: all}),
		},
		{
			Name: "approved-regions-only", Description: "Workloads run where data may be kept", Targets: []string{o.Units[unitWorkloads].ID},
			Document: policy.Of(policy.Statement{
				Sid: "ApprovedRegions", Effect: policy.Deny, Resource: all,
				NotAction: policy.List{"iam:*", "organizations:*", "sts:*", "support:*", "route53:*", "cloudfront:*", "s3:ListAllMyBuckets", "s3:GetBucketLocation"},
				Condition: policy.Conditions{"StringNotEquals": {"aws:RequestedRegion": {e.Region, SecondRegion}}},
			}),
		},
		{
			Name: "protect-audit-trail", Description: "Nobody stops logging", Targets: []string{o.Units[unitSecurity].ID, o.Units[unitProduction].ID},
			Document: policy.Of(policy.Statement{
				Sid: "ProtectTrail", Effect: policy.Deny, Resource: all,
				Action: policy.List{"cloudtrail:StopLogging", "cloudtrail:DeleteTrail", "config:StopConfigurationRecorder", "guardduty:DeleteDetector"},
			}),
		},
		{
			Name: "regulated-data-guardrails", Description: "Regulated data stays private and encrypted", Targets: []string{o.Units[unitRegulated].ID},
			Document: policy.Of(
				policy.Statement{
					Sid: "NoPublicBuckets", Effect: policy.Deny, Action: policy.List{"s3:PutBucketPublicAccessBlock", "s3:PutBucketAcl"}, Resource: all,
					Condition: policy.Conditions{"ArnNotLike": {"aws:PrincipalArn": {"arn:aws:iam::*:role/platform/StorageAdministrator"}}},
				},
				policy.Statement{Sid: "NoNewUsers", Effect: policy.Deny, Action: policy.List{"iam:CreateUser", "iam:CreateAccessKey"}, Resource: all}),
		},
		{
			Name: "sandbox-guardrails", Description: "Sandboxes hold no production data", Targets: []string{o.Units[unitSandbox].ID},
			Document: policy.Of(policy.Statement{
				Sid: "NoPeering", Effect: policy.Deny, Resource: all,
				Action: policy.List{"ec2:AcceptVpcPeeringConnection", "ram:AcceptResourceShareInvitation", "sts:AssumeRoleWithSAML"},
			}),
		},
		{
			Name: "quarantine", Description: "Closed accounts do nothing", Targets: []string{o.Units[unitSuspended].ID},
			Document: policy.Of(policy.Statement{Sid: "Nothing", Effect: policy.Deny, Action: all, Resource: all}),
		},
	}
	for i := range policies {
		if policies[i].ID == "" {
			policies[i].ID = "p-" + e.draw.Letters(8, chance.LowerAlphanumeric, "service control policy", i)
		}
	}
	return policies
}

// PolicyARN is that of a service control policy.
func (o Organization) PolicyARN(p ServiceControlPolicy) string {
	if p.AWSManaged {
		return "arn:aws:organizations::aws:policy/service_control_policy/" + p.ID
	}
	return "arn:aws:organizations::" + o.Management().ID + ":policy/" + o.ID + "/service_control_policy/" + p.ID
}

// ControlsOn lists, level by level from the account up to the root, the
// documents that limit an account. The management account has none: service
// control policies do not apply to it.
func (o Organization) ControlsOn(account Account) [][]policy.Document {
	if account.Index == managementAccount {
		return nil
	}
	var levels [][]policy.Document
	for _, target := range o.Path(account) {
		var level []policy.Document
		for _, p := range o.Policies {
			if slices.Contains(p.Targets, target) {
				level = append(level, p.Document)
			}
		}
		levels = append(levels, level)
	}
	return levels
}
