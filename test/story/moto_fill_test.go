package story

import (
	"archive/zip"
	"bytes"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/test/moto"
)

// motoAccount is one account of moto, by AWS's own SDK.
type motoAccount struct {
	id        string
	iam       *iam.Client
	buckets   *s3.Client
	functions *lambda.Client
}

// motoCloud is an organisation in moto with two accounts that are read and one
// that is not.
type motoCloud struct {
	url                         string
	organizations               *organizations.Client
	management, member, outside motoAccount
	unit                        string
	// key is the access key of the user for Gatehouse.
	key iamtypes.AccessKey
}

const motoRegion, entranceRole = "us-east-1", "OrganizationAccountAccessRole"

func motoConfig(url, id, secret, token string) aws.Config {
	return aws.Config{Region: motoRegion, BaseEndpoint: aws.String(url), Credentials: credentials.NewStaticCredentialsProvider(id, secret, token)}
}

func newMotoAccount(id string, c aws.Config) motoAccount {
	return motoAccount{
		id: id, iam: iam.NewFromConfig(c), functions: lambda.NewFromConfig(c),
		buckets: s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true }),
	}
}

// newMotoCloud fills a moto_server.
func newMotoCloud(t *testing.T) *motoCloud {
	t.Helper()
	m := &motoCloud{url: moto.Start(t)}
	c := motoConfig(m.url, "AKIAUNKNOWNTOMOTO", "secret", "")
	m.organizations = organizations.NewFromConfig(c)
	m.management = newMotoAccount(moto.ManagementAccount, c)
	m.fillOrganization(t, sts.NewFromConfig(c))
	m.fillManagement(t)
	m.fillMember(t)
	return m
}

// fillOrganization makes an organisation, a unit, an account in it and one
// beside it.
func (m *motoCloud) fillOrganization(t *testing.T, gate *sts.Client) {
	api, ctx := m.organizations, t.Context()
	_, err := api.CreateOrganization(ctx, &organizations.CreateOrganizationInput{FeatureSet: orgtypes.OrganizationFeatureSetAll})
	require.NoError(t, err)
	roots, err := api.ListRoots(ctx, &organizations.ListRootsInput{})
	require.NoError(t, err)
	require.Len(t, roots.Roots, 1)
	unit, err := api.CreateOrganizationalUnit(ctx, &organizations.CreateOrganizationalUnitInput{ParentId: roots.Roots[0].Id, Name: aws.String("Workloads")})
	require.NoError(t, err)
	m.unit = aws.ToString(unit.OrganizationalUnit.Id)
	enter := func(name string) motoAccount {
		made, err := api.CreateAccount(ctx, &organizations.CreateAccountInput{AccountName: aws.String(name), Email: aws.String(name + "@example.com")})
		require.NoError(t, err)
		id := aws.ToString(made.CreateAccountStatus.AccountId)
		in, err := gate.AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::" + id + ":role/" + entranceRole), RoleSessionName: aws.String("fill")})
		require.NoError(t, err)
		return newMotoAccount(id, motoConfig(m.url, aws.ToString(in.Credentials.AccessKeyId), aws.ToString(in.Credentials.SecretAccessKey), aws.ToString(in.Credentials.SessionToken)))
	}
	m.member, m.outside = enter("member"), enter("outside")
	_, err = api.MoveAccount(ctx, &organizations.MoveAccountInput{AccountId: aws.String(m.member.id), SourceParentId: roots.Roots[0].Id, DestinationParentId: aws.String(m.unit)})
	require.NoError(t, err)
}

// fillManagement makes, in the management account: Ana, an analyst, Cleo, an
// analyst who may not see reports, and Ben, an engineer who may take a role in
// the member account, within a boundary.
func (m *motoCloud) fillManagement(t *testing.T) {
	a := m.management
	a.bucket(t, "reports", "")
	a.bucket(t, "payroll", statement("Allow", `"s3:GetObject"`, "arn:aws:s3:::payroll/*", `"Sid":"Loader","Principal":{"AWS":"arn:aws:iam::`+m.member.id+`:role/Loader"},`))

	reading := a.policy(t, "read-reports", statement("Allow", `"s3:GetObject"`, "arn:aws:s3:::payroll/*", ""))
	a.version(t, reading, statement("Allow", `["s3:GetObject","s3:ListBucket"]`, "arn:aws:s3:::reports*", ""))
	a.group(t, "Analysts", []string{reading}, nil)
	a.group(t, "Engineers", nil, map[string]string{
		"take-roles": statement("Allow", `"sts:AssumeRole"`, "arn:aws:iam::"+m.member.id+":role/Loader", ""),
	})
	a.group(t, "Nobody", nil, nil)
	limit := a.policy(t, "limit", statement("Allow", `["s3:*","sts:*"]`, "*", ""))

	a.user(t, "ana", "", []string{"Analysts"}, nil, nil)
	a.user(t, "cleo", "", []string{"Analysts"}, nil, map[string]string{"not-reports": statement("Deny", `"s3:*"`, "arn:aws:s3:::reports*", "")})
	a.user(t, "ben", limit, []string{"Engineers"}, []string{"arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}, nil)
	a.user(t, "idle", "", nil, nil, nil)
	a.user(t, "gatehouse", "", nil, []string{"arn:aws:iam::aws:policy/SecurityAudit"}, nil)
	key, err := a.iam.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: aws.String("gatehouse")})
	require.NoError(t, err)
	m.key = *key.AccessKey

	publisher := a.role(t, "Publisher", "", `{"Service":"lambda.amazonaws.com"}`, "", nil, map[string]string{
		"publish": statement("Allow", `"s3:PutObject"`, "arn:aws:s3:::reports/*", ""),
	})
	a.function(t, "publish", publisher)
}

// fillMember makes, in the member account: a role that the management account
// may give to its own people, one that Ana takes on a condition, and a user.
func (m *motoCloud) fillMember(t *testing.T) {
	a := m.member
	a.bucket(t, "archive", "")
	limit := a.policy(t, "limit", statement("Allow", `"s3:*"`, "*", ""))
	a.role(t, "Loader", limit, `{"AWS":"arn:aws:iam::`+m.management.id+`:root"}`, "", nil, map[string]string{
		"load": statement("Allow", `"s3:*"`, "arn:aws:s3:::archive*", ""),
	})
	a.role(t, "Backup", "", `{"AWS":"arn:aws:iam::`+m.management.id+`:user/ana"}`, `{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`,
		[]string{"arn:aws:iam::aws:policy/AmazonS3FullAccess"}, nil)
	a.user(t, "dora", "", nil, nil, nil)
	m.outside.user(t, "nobody-reads-me", "", nil, nil, nil)
}

// statement is a policy of one statement; more are fields before the others.
func statement(effect, actions, resource, more string) string {
	return `{"Version":"2012-10-17","Statement":[{` + more + `"Effect":"` + effect + `","Action":` + actions + `,"Resource":"` + resource + `"}]}`
}

func (a motoAccount) policy(t *testing.T, name, document string) (arn string) {
	t.Helper()
	made, err := a.iam.CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: aws.String(name), PolicyDocument: aws.String(document)})
	require.NoError(t, err)
	return aws.ToString(made.Policy.Arn)
}

// version gives a policy another text, which is in force from then on.
func (a motoAccount) version(t *testing.T, arn, document string) {
	t.Helper()
	_, err := a.iam.CreatePolicyVersion(t.Context(), &iam.CreatePolicyVersionInput{PolicyArn: aws.String(arn), PolicyDocument: aws.String(document), SetAsDefault: true})
	require.NoError(t, err)
}

func (a motoAccount) group(t *testing.T, name string, attached []string, inline map[string]string) {
	t.Helper()
	_, err := a.iam.CreateGroup(t.Context(), &iam.CreateGroupInput{GroupName: aws.String(name)})
	require.NoError(t, err)
	for _, arn := range attached {
		_, err := a.iam.AttachGroupPolicy(t.Context(), &iam.AttachGroupPolicyInput{GroupName: aws.String(name), PolicyArn: aws.String(arn)})
		require.NoError(t, err)
	}
	for policy, document := range inline {
		_, err := a.iam.PutGroupPolicy(t.Context(), &iam.PutGroupPolicyInput{GroupName: aws.String(name), PolicyName: aws.String(policy), PolicyDocument: aws.String(document)})
		require.NoError(t, err)
	}
}

func (a motoAccount) user(t *testing.T, name, boundary string, groups, attached []string, inline map[string]string) {
	t.Helper()
	input := &iam.CreateUserInput{UserName: aws.String(name)}
	if boundary != "" {
		input.PermissionsBoundary = aws.String(boundary)
	}
	_, err := a.iam.CreateUser(t.Context(), input)
	require.NoError(t, err)
	for _, group := range groups {
		_, err := a.iam.AddUserToGroup(t.Context(), &iam.AddUserToGroupInput{UserName: aws.String(name), GroupName: aws.String(group)})
		require.NoError(t, err)
	}
	for _, arn := range attached {
		_, err := a.iam.AttachUserPolicy(t.Context(), &iam.AttachUserPolicyInput{UserName: aws.String(name), PolicyArn: aws.String(arn)})
		require.NoError(t, err)
	}
	for policy, document := range inline {
		_, err := a.iam.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{UserName: aws.String(name), PolicyName: aws.String(policy), PolicyDocument: aws.String(document)})
		require.NoError(t, err)
	}
}

func (a motoAccount) role(t *testing.T, name, boundary, principal, condition string, attached []string, inline map[string]string) (arn string) {
	t.Helper()
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":` + principal
	if condition != "" {
		trust += `,"Condition":` + condition
	}
	input := &iam.CreateRoleInput{RoleName: aws.String(name), AssumeRolePolicyDocument: aws.String(trust + "}]}")}
	if boundary != "" {
		input.PermissionsBoundary = aws.String(boundary)
	}
	made, err := a.iam.CreateRole(t.Context(), input)
	require.NoError(t, err)
	for _, arn := range attached {
		_, err := a.iam.AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: aws.String(name), PolicyArn: aws.String(arn)})
		require.NoError(t, err)
	}
	for policy, document := range inline {
		_, err := a.iam.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String(name), PolicyName: aws.String(policy), PolicyDocument: aws.String(document)})
		require.NoError(t, err)
	}
	return aws.ToString(made.Role.Arn)
}

func (a motoAccount) bucket(t *testing.T, name, policy string) {
	t.Helper()
	_, err := a.buckets.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String(name)})
	require.NoError(t, err)
	if policy != "" {
		_, err = a.buckets.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String(name), Policy: aws.String(policy)})
		require.NoError(t, err)
	}
}

func (a motoAccount) function(t *testing.T, name, role string) {
	t.Helper()
	var code bytes.Buffer
	archive := zip.NewWriter(&code)
	file, err := archive.Create("index.py")
	require.NoError(t, err)
	_, err = file.Write([]byte("def handler(event, context): pass\n"))
	require.NoError(t, err)
	require.NoError(t, archive.Close())
	_, err = a.functions.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: aws.String(name), Role: aws.String(role), Runtime: lambdatypes.RuntimePython312, Handler: aws.String("index.handler"),
		Code: &lambdatypes.FunctionCode{ZipFile: code.Bytes()},
	})
	require.NoError(t, err)
	_, err = a.functions.AddPermission(t.Context(), &lambda.AddPermissionInput{
		FunctionName: aws.String(name), StatementId: aws.String("everyday"), Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("events.amazonaws.com"),
	})
	require.NoError(t, err)
}
