package aws

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connector/records"
)

func (r *iamReader) addManagedPolicy(p types.ManagedPolicyDetail) {
	ref, name := entitlementRef(managedPolicyID(p, r.account)), managedPolicyName(p)
	kind := "iam_managed_policy"
	if isAWSManaged(aws.ToString(p.Arn)) {
		if r.batch.Has(ref) {
			return // attached on an earlier page too
		}
		kind = "aws_managed_policy"
	}
	var versions []string
	for _, v := range p.PolicyVersionList {
		versions = append(versions, aws.ToString(v.VersionId))
	}
	text := defaultDocument(p)
	r.batch.Once(connector.Entity{
		Ref: ref, Name: records.Name(name), Type: kind,
		Attributes: records.Attributes(map[string]any{
			"arn": aws.ToString(p.Arn), "path": aws.ToString(p.Path), "account": r.account, "description": aws.ToString(p.Description),
			"default_version": aws.ToString(p.DefaultVersionId), "versions": versions,
			"created_at": p.CreateDate, "updated_at": p.UpdateDate, "document": plainDocument(text),
		}, "document", "versions", "description"),
	})
	r.addDocument(ref, "policy "+name, text)
}

// addInline adds policies that live inside their owner; hold makes the
// relationship from the owner to each.
func (r *iamReader) addInline(owner, ownerName string, policies []types.PolicyDetail, hold func(policy connector.Ref)) {
	for _, p := range policies {
		name, text := aws.ToString(p.PolicyName), aws.ToString(p.PolicyDocument)
		ref := entitlementRef(inlineID(owner, name))
		r.batch.Entity(connector.Entity{
			Ref: ref, Name: records.Name(name), Type: "iam_inline_policy",
			Attributes: records.Attributes(map[string]any{"account": r.account, "owner": ownerName, "document": plainDocument(text)}, "document"),
		})
		hold(ref)
		r.addDocument(ref, "inline policy "+name+" of "+ownerName, text)
	}
}

// addAttached relates an owner to its attached managed policies.
func (r *iamReader) addAttached(ownerName string, policies []types.AttachedPolicy, hold func(policy connector.Ref)) {
	for _, p := range policies {
		ref, ok := attachedRef(p, r.account, r.policies)
		if !ok || isAWSManaged(aws.ToString(p.PolicyArn)) && !r.batch.Has(ref) {
			r.changed("policy " + aws.ToString(p.PolicyArn) + " of " + ownerName)
			continue
		}
		hold(ref)
	}
}

// attachedRef names an attached policy; ok is false for one that is not among
// the account's policies.
func attachedRef(p types.AttachedPolicy, account string, ids map[string]string) (ref connector.Ref, ok bool) {
	arn := aws.ToString(p.PolicyArn)
	if isAWSManaged(arn) {
		return entitlementRef(inAccountID(arn, account)), true
	}
	id, ok := ids[arn]
	return entitlementRef(id), ok
}

// changed records that the account changed while it was read, so that what was
// seen of it does not fit together.
func (r *iamReader) changed(what string) {
	r.batch.Gap(connector.Error{Category: connector.ProviderUnavailable, Message: what + " appeared while the account was read; the next run will have it", On: inAccount(r.account)})
}

func (r *iamReader) addDocument(policy connector.Ref, what, text string) {
	d, err := parseDocument(text)
	if err != nil {
		unreadable(r.batch, r.account, what, err)
		return
	}
	addStatements(r.batch, r.account, policy, d)
}

func (r *iamReader) addGroup(g types.GroupDetail) {
	id, name := aws.ToString(g.GroupId), aws.ToString(g.GroupName)
	r.batch.Entity(connector.Entity{
		Ref: entitlementRef(id), Name: records.Name(name), Type: "iam_group",
		Attributes: records.Attributes(map[string]any{"arn": aws.ToString(g.Arn), "path": aws.ToString(g.Path), "account": r.account, "created_at": g.CreateDate}),
	})
	include := func(policy connector.Ref) {
		r.batch.Relate(connector.EntitlementIncludesEntitlement, entitlementRef(id), policy)
	}
	r.addAttached(name, g.AttachedManagedPolicies, include)
	r.addInline(id, name, g.GroupPolicyList, include)
}

func (r *iamReader) addUser(u types.UserDetail) {
	id, name := aws.ToString(u.UserId), aws.ToString(u.UserName)
	fields := map[string]any{
		"arn": aws.ToString(u.Arn), "path": aws.ToString(u.Path), "account": r.account, "created_at": u.CreateDate,
		"permissions_boundary": boundaryOf(u.PermissionsBoundary), "permissions_boundary_id": r.boundaryID(name, u.PermissionsBoundary), "tags": tagsOf(u.Tags),
	}
	r.report.describe(strings.ToLower(name), fields)
	addIdentity(r.batch, connector.Entity{Ref: accountRef(id), Name: records.Name(name), Type: "iam_user", Attributes: records.Attributes(fields, "tags")}, "iam_user")
	r.contain(id)
	assign := func(e connector.Ref) { r.batch.Relate(connector.AccountAssignedEntitlement, accountRef(id), e) }
	for _, group := range u.GroupList {
		groupID, ok := r.groups[strings.ToLower(group)]
		if !ok {
			r.changed("group " + group + " of " + name)
			continue
		}
		assign(entitlementRef(groupID))
	}
	r.addAttached(name, u.AttachedManagedPolicies, assign)
	r.addInline(id, name, u.UserPolicyList, assign)
}

func (r *iamReader) addRole(role types.RoleDetail) {
	id, name := aws.ToString(role.RoleId), aws.ToString(role.RoleName)
	fields := map[string]any{
		"arn": aws.ToString(role.Arn), "path": aws.ToString(role.Path), "account": r.account, "created_at": role.CreateDate,
		"permissions_boundary": boundaryOf(role.PermissionsBoundary), "permissions_boundary_id": r.boundaryID(name, role.PermissionsBoundary), "tags": tagsOf(role.Tags),
		"trust_policy": plainDocument(aws.ToString(role.AssumeRolePolicyDocument)),
	}
	if used := role.RoleLastUsed; used != nil {
		fields["last_used_at"], fields["last_used_region"] = used.LastUsedDate, aws.ToString(used.Region)
	}
	var profiles []string
	for _, p := range role.InstanceProfileList {
		profiles = append(profiles, aws.ToString(p.InstanceProfileName))
	}
	fields["instance_profiles"] = profiles
	r.batch.Entity(connector.Entity{Ref: accountRef(id), Name: records.Name(name), Type: "iam_role", Attributes: records.Attributes(fields, "trust_policy", "tags")})
	r.contain(id)
	assign := func(e connector.Ref) { r.batch.Relate(connector.AccountAssignedEntitlement, accountRef(id), e) }
	r.addAttached(name, role.AttachedManagedPolicies, assign)
	r.addInline(id, name, role.RolePolicyList, assign)
}

// addRoot adds the account's root user, who may do everything and appears in
// no list of users.
func (r *iamReader) addRoot() {
	fields := map[string]any{"account": r.account, "arn": "arn:" + r.session.configuration.Partition + ":iam::" + r.account + ":root"}
	r.report.describe(rootRow, fields)
	addIdentity(r.batch, connector.Entity{Ref: accountRef(r.account), Name: "root of " + r.account, Type: "aws_account_root", Attributes: records.Attributes(fields)}, "aws_account_root")
	r.contain(r.account)
}

func (r *iamReader) contain(account string) {
	r.batch.Relate(connector.BoundaryContains, boundaryRef(r.account), accountRef(account))
}

func boundaryOf(b *types.AttachedPermissionsBoundary) string {
	if b == nil {
		return ""
	}
	return aws.ToString(b.PermissionsBoundaryArn)
}

// boundaryID is the id of the policy that is the boundary of a user or role.
func (r *iamReader) boundaryID(owner string, b *types.AttachedPermissionsBoundary) string {
	if b == nil {
		return ""
	}
	ref, ok := attachedRef(types.AttachedPolicy{PolicyArn: b.PermissionsBoundaryArn}, r.account, r.policies)
	if !ok || isAWSManaged(aws.ToString(b.PermissionsBoundaryArn)) && !r.batch.Has(ref) {
		r.changed("permissions boundary " + boundaryOf(b) + " of " + owner)
		return ""
	}
	return ref.ID
}

func tagsOf(tags []types.Tag) map[string]string {
	m := make(map[string]string, len(tags))
	for _, t := range tags {
		m[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return m
}
