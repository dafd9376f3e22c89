package estate

import (
	"slices"
	"strconv"
	"time"

	"github.com/gatehouse-project/gatehouse/simulator/aws/policy"
	"github.com/gatehouse-project/gatehouse/simulator/enterprise/chance"
)

// PermissionSet is a template that Identity Center turns into a role in every
// account where it is assigned.
type PermissionSet struct {
	ID          string // ps-…
	Name        string
	Description string
	Created     time.Time
	Session     time.Duration
	AWSManaged  []string            // ARNs
	Customer    []CustomerReference // policies of the account, by name
	Inline      *policy.Document    // nil when there is none
	// Boundary limits the role: an ARN of AWS, or the name of a policy of
	// the account. At most one of the two is set.
	BoundaryARN       string
	BoundaryReference *CustomerReference
}

// CustomerReference names a policy that must exist in every account.
type CustomerReference struct{ Path, Name string }

// standardSets are the permission sets that each account has access groups
// for, in the order in which they come first among all permission sets.
var standardSets = []string{"AdministratorAccess", "PowerUser", "Developer", "ReadOnly", "Billing", "DataAnalyst", "SecurityAudit", "SupportAccess"}

// payrollSet is what the contract analysts get on the data account.
const payrollSet = "PayrollMigration"

func (e *Estate) permissionSets(c *IdentityCenter) []PermissionSet {
	managed := func(names ...string) []string {
		arns := make([]string, len(names))
		for i, name := range names {
			arns[i] = AWSPolicyARN(name)
		}
		return arns
	}
	boundary := &CustomerReference{Path: boundaryPath, Name: boundaryPolicy}
	all := policy.List{"*"}
	payroll := bucketARNs(e.PayrollBucket())
	document := func(statements ...policy.Statement) *policy.Document {
		d := policy.Of(statements...)
		return &d
	}
	sets := []PermissionSet{
		{Name: "AdministratorAccess", Description: "Everything, for the platform team", AWSManaged: managed("AdministratorAccess"), Session: time.Hour},
		{Name: "PowerUser", Description: "Everything but identities", AWSManaged: managed("PowerUserAccess"), Session: 4 * time.Hour},
		{
			Name: "Developer", Description: "Day-to-day work", AWSManaged: managed("PowerUserAccess"), Customer: []CustomerReference{{"/", taggedPolicy}}, BoundaryReference: boundary, Session: 8 * time.Hour,
			Inline: document(policy.Statement{Sid: "NoSensitiveStores", Effect: policy.Deny, Action: policy.List{"s3:*"}, Resource: payroll}),
		},
		{
			Name: "ReadOnly", Description: "Look, do not touch", AWSManaged: managed("ReadOnlyAccess"), Session: 8 * time.Hour,
			Inline: document(policy.Statement{Sid: "NoObjects", Effect: policy.Deny, Action: policy.List{"s3:GetObject*"}, NotResource: policy.List{"arn:aws:s3:::*-public-assets-*/*"}}),
		},
		{Name: "Billing", Description: "Invoices and budgets", AWSManaged: managed("Billing"), Session: 2 * time.Hour},
		{
			Name: "DataAnalyst", Description: "Queries over the lake", AWSManaged: managed("DataScientist"), BoundaryReference: boundary, Session: 8 * time.Hour,
			Inline: document(
				policy.Statement{Effect: policy.Allow, Action: policy.List{"s3:GetObject", "s3:ListBucket"}, Resource: bucketARNs(e.customerExportsBucket())},
				policy.Statement{Effect: policy.Deny, Action: policy.List{"s3:*"}, Resource: payroll}),
		},
		{Name: "SecurityAudit", Description: "Reviews by the security team", AWSManaged: managed("SecurityAudit", "ViewOnlyAccess"), Session: 4 * time.Hour},
		{Name: "SupportAccess", Description: "Customer cases", AWSManaged: managed("SupportUser"), Customer: []CustomerReference{{"/", officePolicy}}, Session: 8 * time.Hour},
		{
			Name: payrollSet, Description: "Payroll migration, contract analysts", Session: 4 * time.Hour, BoundaryARN: AWSPolicyARN("PowerUserAccess"),
			Inline: document(
				policy.Statement{Sid: "ReadExports", Effect: policy.Allow, Action: policy.List{"s3:GetObject", "s3:ListBucket"}, Resource: payroll},
				policy.Statement{Sid: "NeverDelete", Effect: policy.Deny, Action: policy.List{"s3:Delete*"}, Resource: all}),
		},
	}
	for i := range min(2+e.Company.Founders()/500, 90) {
		word := []string{"Release", "Incident", "Migration", "Analytics", "Partner", "Mobile"}[i%6]
		sets = append(sets, PermissionSet{
			Name: word + "Access" + strconv.Itoa(i+1), Description: word + " work of one team", Session: 8 * time.Hour,
			AWSManaged: managed("ViewOnlyAccess"), Customer: []CustomerReference{{"/", taggedPolicy}},
			Inline: document(policy.Statement{
				Effect: policy.Allow, Action: policy.List{"cloudformation:*", "lambda:*"}, Resource: all,
				Condition: policy.Conditions{"StringEquals": {"aws:ResourceTag/owner": {"${aws:PrincipalTag/team}"}}},
			}),
		})
	}
	for i := range sets {
		sets[i].ID = "ps-" + e.draw.Letters(16, chance.Hex, "permission set", i)
		sets[i].Created = c.Created.Add(time.Duration(i+1) * 31 * time.Hour)
	}
	return sets
}

// set finds the position of a permission set by name.
func (c *IdentityCenter) set(name string) int {
	return slices.IndexFunc(c.PermissionSets, func(s PermissionSet) bool { return s.Name == name })
}

// InstanceARN is that of the instance.
func (c *IdentityCenter) InstanceARN() string { return "arn:aws:sso:::instance/" + c.InstanceID }

// SetARN is that of a permission set.
func (c *IdentityCenter) SetARN(set int) string {
	return "arn:aws:sso:::permissionSet/" + c.InstanceID + "/" + c.PermissionSets[set].ID
}

// SetByARN finds the position of a permission set.
func (c *IdentityCenter) SetByARN(arn string) (int, bool) {
	for i := range c.PermissionSets {
		if c.SetARN(i) == arn {
			return i, true
		}
	}
	return 0, false
}

// Provisioned lists the positions of the permission sets that exist in an
// account as roles: those assigned to anyone there.
func (c *IdentityCenter) Provisioned(account int) []int {
	var sets []int
	for _, assignment := range c.Assignments[account] {
		if !slices.Contains(sets, assignment.PermissionSet) {
			sets = append(sets, assignment.PermissionSet)
		}
	}
	slices.Sort(sets)
	return sets
}

// reservedRoles are the permission sets as roles of the account. In us-east-1
// the path has no region (IAM Identity Center User Guide, "Referencing
// permission sets in resource policies").
func (e *Estate) reservedRoles(account Account) []Role {
	c := e.Center
	path := "/aws-reserved/sso.amazonaws.com/"
	if c.Region != "us-east-1" {
		path += c.Region + "/"
	}
	trust := policy.Of(policy.Statement{
		Effect: policy.Allow,
		Principal: &policy.Principal{Federated: policy.List{"arn:aws:iam::" + account.ID + ":saml-provider/AWSSSO_" +
			e.draw.Letters(16, chance.Hex, "saml provider", account.Index) + "_DO_NOT_DELETE"}},
		Action:    policy.List{"sts:AssumeRoleWithSAML", "sts:TagSession"},
		Condition: policy.Conditions{"StringEquals": {"SAML:aud": {"https://signin.aws.amazon.com/saml"}}},
	})
	var roles []Role
	for _, at := range c.Provisioned(account.Index) {
		set := c.PermissionSets[at]
		r := e.role(account, path, "AWSReservedSSO_"+set.Name+"_"+e.draw.Letters(16, chance.Hex, "reserved role", account.Index, at), set.Description, trust, set.AWSManaged...)
		for _, reference := range set.Customer {
			r.Attached = append(slices.Clip(r.Attached), customerPolicyARN(account, reference.Path, reference.Name))
		}
		if set.Inline != nil {
			r.Inline = []InlinePolicy{{"AwsSSOInlinePolicy", *set.Inline}}
		}
		r.Boundary = set.BoundaryARN
		if reference := set.BoundaryReference; reference != nil {
			r.Boundary = customerPolicyARN(account, reference.Path, reference.Name)
		}
		r.MaxSession = 12 * time.Hour
		roles = append(roles, r)
	}
	return roles
}
