package estate

import (
	"fmt"
	"time"

	"github.com/gatehouse-project/gatehouse/simulator/aws/policy"
)

// ManagedPolicy is a policy with versions, of the customer or of AWS.
type ManagedPolicy struct {
	Name        string
	Path        string
	ID          string
	ARN         string
	Description string
	Created     time.Time
	Updated     time.Time
	AWS         bool
	Tags        []Tag
	Versions    []PolicyVersion // newest first; at most five, as IAM keeps
}

// PolicyVersion is one of them.
type PolicyVersion struct {
	ID       string // v1, v2, …
	Document policy.Document
	Created  time.Time
	Default  bool
}

// DefaultVersion is the version in force.
func (p ManagedPolicy) DefaultVersion() PolicyVersion {
	for _, version := range p.Versions {
		if version.Default {
			return version
		}
	}
	return PolicyVersion{}
}

// Customer-managed policies that every account has.
const (
	boundaryPolicy = "WorkforceBoundary" // under boundaryPath
	mfaPolicy      = "RequireMFA"
	selfPolicy     = "ManageOwnCredentials"
	officePolicy   = "OfficeNetworkOnly"
	taggedPolicy   = "TeamScopedCompute"
	boundaryPath   = "/boundaries/"
)

func customerPolicyARN(account Account, path, name string) string {
	return "arn:aws:iam::" + account.ID + ":policy" + path + name
}

func boundaryARN(account Account) string {
	return customerPolicyARN(account, boundaryPath, boundaryPolicy)
}

func (e *Estate) policies(account Account, apps []string) []ManagedPolicy {
	made := []ManagedPolicy{
		e.customerPolicy(account, boundaryPath, boundaryPolicy, "The most that anyone may be given outside the platform team", boundaryDocument()),
		e.customerPolicy(account, "/", mfaPolicy, "Nothing but enrolling a device without a second factor", mfaDocument()),
		e.customerPolicy(account, "/", selfPolicy, "Everyone keeps their own password and keys", selfDocument()),
		e.customerPolicy(account, "/", officePolicy, "No access from outside the offices", officeDocument()),
		e.customerPolicy(account, "/", taggedPolicy, "Teams run the machines that carry their tag", taggedDocument()),
	}
	for _, app := range apps {
		made = append(made,
			e.customerPolicy(account, "/apps/", app+"-read", "Read what "+app+" stores", e.appReadDocument(account, app)),
			e.customerPolicy(account, "/apps/", app+"-write", "Change what "+app+" stores", e.appWriteDocument(account, app)),
			e.customerPolicy(account, "/apps/", app+"-deploy", "Release "+app, e.appDeployDocument(account, app)))
	}
	return append(made, e.storyPolicies(account)...)
}

// customerPolicy gives a document its history: up to four earlier versions,
// of which now and then an older one was set back as the default.
func (e *Estate) customerPolicy(account Account, path, name, description string, document policy.Document) ManagedPolicy {
	p := ManagedPolicy{
		Name: name, Path: path, Description: description, ARN: customerPolicyARN(account, path, name),
		ID: e.uniqueID(prefixPolicy, name, account.Index), Created: e.before(400, 1900, "policy created/"+name, account.Index),
		Tags: []Tag{{"owner", "platform"}},
	}
	newest := e.draw.Between(1, 7, "policy versions/"+name, account.Index)
	inForce := newest
	if newest > 1 && e.draw.Percent(15, "policy set back/"+name, account.Index) {
		inForce = newest - 1
	}
	for n := newest; n > max(0, newest-5); n-- {
		version := PolicyVersion{
			ID: fmt.Sprintf("v%d", n), Document: document, Default: n == inForce,
			Created: p.Created.Add(time.Duration(n-1) * 47 * time.Hour),
		}
		if n != inForce {
			version.Document = withoutLastStatement(document)
		}
		p.Versions = append(p.Versions, version)
	}
	p.Updated = p.Versions[0].Created
	return p
}

// withoutLastStatement is what an older version looks like.
func withoutLastStatement(document policy.Document) policy.Document {
	if len(document.Statement) < 2 {
		return document
	}
	document.Statement = document.Statement[:len(document.Statement)-1]
	return document
}

func boundaryDocument() policy.Document {
	all := policy.List{"*"}
	return policy.Of(
		policy.Statement{Sid: "Workloads", Effect: policy.Allow, NotAction: policy.List{"iam:*", "organizations:*", "account:*", "kms:ScheduleKeyDeletion"}, Resource: all},
		policy.Statement{Sid: "OwnCredentials", Effect: policy.Allow, Action: policy.List{"iam:Get*", "iam:List*", "iam:ChangePassword"}, Resource: all},
		policy.Statement{Sid: "NoNetworkEdges", Effect: policy.Deny, Action: policy.List{"ec2:CreateVpcPeeringConnection", "directconnect:*"}, Resource: all})
}

func mfaDocument() policy.Document {
	return policy.Of(policy.Statement{
		Sid: "DenyAllExceptEnrolment", Effect: policy.Deny,
		NotAction: policy.List{"iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:GetUser", "iam:ListMFADevices", "iam:ListVirtualMFADevices", "iam:ResyncMFADevice", "sts:GetSessionToken"},
		Resource:  policy.List{"*"}, Condition: policy.Conditions{"BoolIfExists": {"aws:MultiFactorAuthPresent": {"false"}}},
	})
}

func selfDocument() policy.Document {
	return policy.Of(policy.Statement{
		Sid: "OwnUser", Effect: policy.Allow,
		Action:   policy.List{"iam:ChangePassword", "iam:CreateAccessKey", "iam:DeleteAccessKey", "iam:GetUser", "iam:ListAccessKeys", "iam:UpdateAccessKey"},
		Resource: policy.List{"arn:aws:iam::*:user/${aws:username}", "arn:aws:iam::*:user/*/${aws:username}"},
	})
}

func officeDocument() policy.Document {
	return policy.Of(policy.Statement{
		Sid: "OfficesOnly", Effect: policy.Deny, Action: policy.List{"*"}, Resource: policy.List{"*"},
		Condition: policy.Conditions{"NotIpAddress": {"aws:SourceIp": {"192.0.2.0/24", "198.51.100.0/25"}}, "Bool": {"aws:ViaAWSService": {"false"}}},
	})
}

func taggedDocument() policy.Document {
	return policy.Of(
		policy.Statement{
			Sid: "OwnTeam", Effect: policy.Allow, Action: policy.List{"ec2:RebootInstances", "ec2:StartInstances", "ec2:StopInstances"},
			Resource:  policy.List{"arn:aws:ec2:*:*:instance/*"},
			Condition: policy.Conditions{"StringEquals": {"aws:ResourceTag/team": {"${aws:PrincipalTag/team}"}}},
		},
		policy.Statement{Sid: "Look", Effect: policy.Allow, Action: policy.List{"ec2:Describe*"}, Resource: policy.List{"*"}})
}

func (e *Estate) appReadDocument(account Account, app string) policy.Document {
	bucket := "arn:aws:s3:::" + e.appBucket(account, app)
	return policy.Of(
		policy.Statement{Sid: "ListStore", Effect: policy.Allow, Action: policy.List{"s3:ListBucket"}, Resource: policy.List{bucket}},
		policy.Statement{Sid: "ReadStore", Effect: policy.Allow, Action: policy.List{"s3:GetObject", "s3:GetObjectVersion"}, Resource: policy.List{bucket + "/*"}},
		policy.Statement{Sid: "HomeFolders", Effect: policy.Allow, Action: policy.List{"s3:*"}, Resource: policy.List{bucket + "/home/${aws:username}/*"}})
}

func (e *Estate) appWriteDocument(account Account, app string) policy.Document {
	bucket := "arn:aws:s3:::" + e.appBucket(account, app)
	return policy.Of(
		policy.Statement{
			Sid: "ChangeStore", Effect: policy.Allow, Action: policy.List{"s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"}, Resource: policy.List{bucket + "/*"},
			Condition: policy.Conditions{"StringEquals": {"aws:PrincipalOrgID": {e.Organization.ID}}},
		},
		policy.Statement{
			Sid: "EncryptedOnly", Effect: policy.Deny, Action: policy.List{"s3:PutObject"}, Resource: policy.List{bucket + "/*"},
			Condition: policy.Conditions{"StringNotEquals": {"s3:x-amz-server-side-encryption": {"aws:kms"}}},
		},
		policy.Statement{Sid: "KeepLedger", Effect: policy.Deny, Action: policy.List{"s3:DeleteObject"}, Resource: policy.List{bucket + "/ledger/*"}})
}

func (e *Estate) appDeployDocument(account Account, app string) policy.Document {
	functions := "arn:aws:lambda:" + e.Region + ":" + account.ID + ":function:" + app + "-*"
	return policy.Of(
		policy.Statement{Sid: "Release", Effect: policy.Allow, Action: policy.List{"lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration", "lambda:PublishVersion"}, Resource: policy.List{functions}},
		policy.Statement{
			Sid: "PassExecutionRole", Effect: policy.Allow, Action: policy.List{"iam:PassRole"}, Resource: policy.List{"arn:aws:iam::" + account.ID + ":role/apps/" + app + "-*"},
			Condition: policy.Conditions{"StringEquals": {"iam:PassedToService": {"lambda.amazonaws.com"}}},
		},
		policy.Statement{Sid: "Stacks", Effect: policy.Allow, Action: policy.List{"cloudformation:*"}, NotResource: policy.List{"arn:aws:cloudformation:*:*:stack/baseline-*"}})
}
