package story

import (
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"
)

// listing is what moto itself says it holds, by the calls that list one kind of
// thing each. The connector uses none of those for IAM.
type listing struct {
	// things are named by type and a name that is unique within it.
	things map[thing]bool
	// held are the groups and policies of users, roles and groups.
	held map[holding]bool
	// boundaries are the permissions boundaries of users and roles.
	boundaries map[thing]string
	// versions are the versions of policies, and texts the ones in force.
	versions map[thing][]string
	texts    map[thing]string
}

type thing struct{ kind, name string }

type holding struct{ holder, held thing }

// inlineName names a policy by its owner, as no list of policies does.
func inlineName(owner, policy string) thing {
	return thing{"iam_inline_policy", owner + " " + policy}
}

// managed names an attached policy; one of AWS's own counts once per account.
func (a motoAccount) managed(arn string) thing {
	if strings.HasPrefix(arn, "arn:aws:iam::aws:") {
		return thing{"aws_managed_policy", a.id + " " + arn}
	}
	return thing{"iam_managed_policy", arn}
}

func (m *motoCloud) list(t *testing.T) *listing {
	t.Helper()
	l := &listing{things: map[thing]bool{}, held: map[holding]bool{}, boundaries: map[thing]string{}, versions: map[thing][]string{}, texts: map[thing]string{}}
	accounts, err := m.organizations.ListAccounts(t.Context(), &organizations.ListAccountsInput{})
	require.NoError(t, err)
	require.Len(t, accounts.Accounts, 3)
	for _, a := range accounts.Accounts {
		l.things[thing{"aws_account", aws.ToString(a.Id)}] = true
	}
	l.things[thing{"organizational_unit", m.unit}] = true
	for _, a := range []motoAccount{m.management, m.member} {
		a.listPolicies(t, l)
		a.listGroups(t, l)
		a.listUsers(t, l)
		a.listRoles(t, l)
		a.listResources(t, l)
	}
	return l
}

func (a motoAccount) listPolicies(t *testing.T, l *listing) {
	own, err := a.iam.ListPolicies(t.Context(), &iam.ListPoliciesInput{Scope: iamtypes.PolicyScopeTypeLocal})
	require.NoError(t, err)
	for _, p := range own.Policies {
		policy := a.managed(aws.ToString(p.Arn))
		l.things[policy] = true
		versions, err := a.iam.ListPolicyVersions(t.Context(), &iam.ListPolicyVersionsInput{PolicyArn: p.Arn})
		require.NoError(t, err)
		for _, v := range versions.Versions {
			l.versions[policy] = append(l.versions[policy], aws.ToString(v.VersionId))
		}
		inForce, err := a.iam.GetPolicyVersion(t.Context(), &iam.GetPolicyVersionInput{PolicyArn: p.Arn, VersionId: p.DefaultVersionId})
		require.NoError(t, err)
		text, err := url.QueryUnescape(aws.ToString(inForce.PolicyVersion.Document))
		require.NoError(t, err)
		l.texts[policy] = text
	}
}

func (a motoAccount) listGroups(t *testing.T, l *listing) {
	groups, err := a.iam.ListGroups(t.Context(), &iam.ListGroupsInput{})
	require.NoError(t, err)
	for _, g := range groups.Groups {
		group := thing{"iam_group", aws.ToString(g.GroupId)}
		l.things[group] = true
		attached, err := a.iam.ListAttachedGroupPolicies(t.Context(), &iam.ListAttachedGroupPoliciesInput{GroupName: g.GroupName})
		require.NoError(t, err)
		inline, err := a.iam.ListGroupPolicies(t.Context(), &iam.ListGroupPoliciesInput{GroupName: g.GroupName})
		require.NoError(t, err)
		a.holds(l, group, aws.ToString(g.GroupName), attached.AttachedPolicies, inline.PolicyNames)
		members, err := a.iam.GetGroup(t.Context(), &iam.GetGroupInput{GroupName: g.GroupName})
		require.NoError(t, err)
		for _, u := range members.Users {
			l.held[holding{thing{"iam_user", aws.ToString(u.UserId)}, group}] = true
		}
	}
}

func (a motoAccount) listUsers(t *testing.T, l *listing) {
	users, err := a.iam.ListUsers(t.Context(), &iam.ListUsersInput{})
	require.NoError(t, err)
	for _, u := range users.Users {
		user := thing{"iam_user", aws.ToString(u.UserId)}
		l.things[user] = true
		one, err := a.iam.GetUser(t.Context(), &iam.GetUserInput{UserName: u.UserName})
		require.NoError(t, err)
		l.bound(user, one.User.PermissionsBoundary)
		attached, err := a.iam.ListAttachedUserPolicies(t.Context(), &iam.ListAttachedUserPoliciesInput{UserName: u.UserName})
		require.NoError(t, err)
		inline, err := a.iam.ListUserPolicies(t.Context(), &iam.ListUserPoliciesInput{UserName: u.UserName})
		require.NoError(t, err)
		a.holds(l, user, aws.ToString(u.UserName), attached.AttachedPolicies, inline.PolicyNames)
	}
}

func (a motoAccount) listRoles(t *testing.T, l *listing) {
	roles, err := a.iam.ListRoles(t.Context(), &iam.ListRolesInput{})
	require.NoError(t, err)
	for _, r := range roles.Roles {
		role := thing{"iam_role", aws.ToString(r.RoleId)}
		l.things[role] = true
		one, err := a.iam.GetRole(t.Context(), &iam.GetRoleInput{RoleName: r.RoleName})
		require.NoError(t, err)
		l.bound(role, one.Role.PermissionsBoundary)
		attached, err := a.iam.ListAttachedRolePolicies(t.Context(), &iam.ListAttachedRolePoliciesInput{RoleName: r.RoleName})
		require.NoError(t, err)
		inline, err := a.iam.ListRolePolicies(t.Context(), &iam.ListRolePoliciesInput{RoleName: r.RoleName})
		require.NoError(t, err)
		a.holds(l, role, aws.ToString(r.RoleName), attached.AttachedPolicies, inline.PolicyNames)
	}
}

func (a motoAccount) listResources(t *testing.T, l *listing) {
	buckets, err := a.buckets.ListBuckets(t.Context(), &s3.ListBucketsInput{})
	require.NoError(t, err)
	for _, b := range buckets.Buckets {
		l.things[thing{"s3_bucket", "arn:aws:s3:::" + aws.ToString(b.Name)}] = true
	}
	functions, err := a.functions.ListFunctions(t.Context(), &lambda.ListFunctionsInput{})
	require.NoError(t, err)
	for _, f := range functions.Functions {
		l.things[thing{"lambda_function", aws.ToString(f.FunctionArn)}] = true
	}
}

// holds notes the policies of a user, role or group. AWS's own are shown for
// the accounts that use them.
func (a motoAccount) holds(l *listing, holder thing, name string, attached []iamtypes.AttachedPolicy, inline []string) {
	for _, p := range attached {
		policy := a.managed(aws.ToString(p.PolicyArn))
		l.things[policy] = true
		l.held[holding{holder, policy}] = true
	}
	for _, p := range inline {
		policy := inlineName(name, p)
		l.things[policy] = true
		l.held[holding{holder, policy}] = true
	}
}

func (l *listing) bound(holder thing, boundary *iamtypes.AttachedPermissionsBoundary) {
	if boundary != nil {
		l.boundaries[holder] = aws.ToString(boundary.PermissionsBoundaryArn)
	}
}
