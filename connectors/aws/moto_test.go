package aws_test

import (
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/test/moto"
)

// TestMoto compares what is emitted with what was put into an implementation
// that knows nothing of ours.
func TestMoto(t *testing.T) {
	t.Parallel()
	url := moto.Start(t)
	cfg := sdk.Config{Region: "us-east-1", BaseEndpoint: sdk.String(url), Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret", "")}
	api, buckets := iam.NewFromConfig(cfg), s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	ctx := t.Context()
	do := func(_ any, err error) {
		t.Helper()
		require.NoError(t, err)
	}

	alice, err := api.CreateUser(ctx, &iam.CreateUserInput{UserName: sdk.String("alice")})
	require.NoError(t, err)
	group, err := api.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: sdk.String("Analysts")})
	require.NoError(t, err)
	do(api.AddUserToGroup(ctx, &iam.AddUserToGroupInput{UserName: sdk.String("alice"), GroupName: sdk.String("Analysts")}))
	read, err := api.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: sdk.String("read"), Path: sdk.String("/data/"), PolicyDocument: sdk.String(
		`{"Version":"2012-10-17","Statement":[{"Sid":"Read","Effect":"Allow","Action":["s3:Get*"],"Resource":"arn:aws:s3:::company-*/*"}]}`)})
	require.NoError(t, err)
	do(api.AttachGroupPolicy(ctx, &iam.AttachGroupPolicyInput{GroupName: sdk.String("Analysts"), PolicyArn: read.Policy.Arn}))
	role, err := api.CreateRole(ctx, &iam.CreateRoleInput{RoleName: sdk.String("Loader"), AssumeRolePolicyDocument: sdk.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/alice"},"Action":"sts:AssumeRole"}]}`)})
	require.NoError(t, err)
	do(api.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: sdk.String("Loader"), PolicyArn: sdk.String("arn:aws:iam::aws:policy/AmazonS3FullAccess")}))
	for _, name := range []string{"company-data", "other"} {
		do(buckets.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: sdk.String(name)}))
	}

	g := discover(t, settings(t, map[string]any{"access_key_id": "AKIATEST", "secret_access_key": "secret", "region": "us-east-1", "endpoint_url": url}))
	require.Empty(t, g.gaps)
	require.Empty(t, g.skipped)
	account := func(id *string) connector.Ref {
		return connector.Ref{Kind: connector.Account, ID: sdk.ToString(id)}
	}
	bucket := func(name string) connector.Ref {
		return connector.Ref{Kind: connector.Resource, ID: "arn:aws:s3:::" + name}
	}
	require.Contains(t, g.entities, connector.Ref{Kind: connector.Entitlement, ID: sdk.ToString(group.Group.GroupId)})
	for _, r := range g.relationships {
		require.Contains(t, g.entities, r.From, "%s starts nowhere", r.Kind)
		require.Contains(t, g.entities, r.To, "%s ends nowhere", r.Kind)
	}
	require.True(t, g.reaches(account(alice.User.UserId), bucket("company-data")), "by group and policy")
	require.True(t, g.reaches(account(alice.User.UserId), bucket("other")), "by the role and AWS's own policy")
	require.True(t, g.reaches(account(role.Role.RoleId), bucket("other")))
	require.False(t, g.reaches(account(role.Role.RoleId), account(alice.User.UserId)))
}
