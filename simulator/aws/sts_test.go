package aws_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/simulator/aws"
)

// anyCall makes one call to each service.
func anyCall(cfg sdk.Config) map[string]error {
	ctx, errs := context.Background(), map[string]error{}
	_, errs["sts"] = sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	_, errs["iam"] = iam.NewFromConfig(cfg).ListUsers(ctx, &iam.ListUsersInput{})
	_, errs["organizations"] = organizations.NewFromConfig(cfg).ListAccounts(ctx, &organizations.ListAccountsInput{})
	_, errs["sso"] = ssoadmin.NewFromConfig(cfg).ListInstances(ctx, &ssoadmin.ListInstancesInput{})
	_, errs["identitystore"] = identitystore.NewFromConfig(cfg).ListUsers(ctx, &identitystore.ListUsersInput{IdentityStoreId: sdk.String("d-0000000000")})
	_, errs["s3"] = s3.NewFromConfig(cfg).ListBuckets(ctx, &s3.ListBucketsInput{})
	_, errs["lambda"] = lambda.NewFromConfig(cfg).ListFunctions(ctx, &lambda.ListFunctionsInput{})
	return errs
}

func requireCodes(t *testing.T, errs map[string]error, codes map[string]string) {
	t.Helper()
	for service, code := range codes {
		requireCode(t, errs[service], code)
	}
}

func TestIdentity(t *testing.T) {
	t.Parallel()
	b := standard(t)
	out, err := sts.NewFromConfig(b.auditor()).GetCallerIdentity(context.Background(), &sts.GetCallerIdentityInput{})
	require.NoError(t, err)
	require.Equal(t, b.summary.ManagementID, *out.Account)
	require.Equal(t, "arn:aws:iam::"+b.summary.ManagementID+":user/automation/"+b.summary.Auditor.UserName, *out.Arn)

	member := b.summary.AccountIDs[1]
	out, err = sts.NewFromConfig(b.member(t, member)).GetCallerIdentity(context.Background(), &sts.GetCallerIdentityInput{})
	require.NoError(t, err)
	require.Equal(t, member, *out.Account)
	require.Equal(t, "arn:aws:sts::"+member+":assumed-role/"+b.summary.AuditRole+"/test", *out.Arn)
}

func TestWrongSecret(t *testing.T) {
	t.Parallel()
	b := standard(t)
	errs := anyCall(b.config(b.summary.Region, credentials.NewStaticCredentialsProvider(b.summary.Auditor.AccessKeyID, "wrong", "")))
	requireCodes(t, errs, map[string]string{
		"sts": "SignatureDoesNotMatch", "iam": "SignatureDoesNotMatch", "s3": "SignatureDoesNotMatch", "organizations": "InvalidSignatureException",
		"sso": "InvalidSignatureException", "identitystore": "InvalidSignatureException", "lambda": "InvalidSignatureException",
	})
}

func TestUnknownKey(t *testing.T) {
	t.Parallel()
	b := standard(t)
	errs := anyCall(b.config(b.summary.Region, credentials.NewStaticCredentialsProvider("AKIAAAAAAAAAAAAAAAAA", "wrong", "")))
	requireCodes(t, errs, map[string]string{
		"sts": "InvalidClientTokenId", "iam": "InvalidClientTokenId", "s3": "InvalidAccessKeyId", "organizations": "UnrecognizedClientException",
		"sso": "UnrecognizedClientException", "identitystore": "UnrecognizedClientException", "lambda": "UnrecognizedClientException",
	})
}

func TestExternalID(t *testing.T) {
	t.Parallel()
	b := standard(t)
	client := sts.NewFromConfig(b.auditor())
	role := "arn:aws:iam::" + b.summary.AccountIDs[1] + ":role/" + b.summary.AuditRole
	for name, given := range map[string]*string{"missing": nil, "wrong": sdk.String("somebody-elses")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := client.AssumeRole(context.Background(), &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: sdk.String("test"), ExternalId: given})
			requireCode(t, err, "AccessDenied")
		})
	}
}

func TestRolesThatCannotBeAssumed(t *testing.T) {
	t.Parallel()
	b := standard(t)
	var suspended string
	for _, account := range b.Estate().Organization.Accounts {
		if account.Suspended {
			suspended = account.ID
		}
	}
	require.NotEmpty(t, suspended)
	client := sts.NewFromConfig(b.auditor())
	for name, c := range map[string]struct{ role, code string }{
		"no such role":           {"arn:aws:iam::" + b.summary.AccountIDs[1] + ":role/NoSuchRole", "AccessDenied"},
		"wrong path":             {"arn:aws:iam::" + b.summary.AccountIDs[1] + ":role/x/" + b.summary.AuditRole, "AccessDenied"},
		"outside":                {"arn:aws:iam::999999999999:role/" + b.summary.AuditRole, "AccessDenied"},
		"suspended":              {"arn:aws:iam::" + suspended + ":role/" + b.summary.AuditRole, "AccessDenied"},
		"trusted, not permitted": {"arn:aws:iam::" + b.summary.AccountIDs[1] + ":role/OrganizationAccountAccessRole", "AccessDenied"},
		"trusts another account": {b.summary.Contractor.RoleARN, "AccessDenied"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := client.AssumeRole(context.Background(), &sts.AssumeRoleInput{RoleArn: &c.role, RoleSessionName: sdk.String("test"), ExternalId: &b.summary.ExternalID})
			requireCode(t, err, c.code)
		})
	}
	_, err := client.AssumeRole(context.Background(), &sts.AssumeRoleInput{
		RoleArn: &b.summary.AuditRoleARN, RoleSessionName: sdk.String("test"), ExternalId: &b.summary.ExternalID, DurationSeconds: sdk.Int32(7200),
	})
	requireCode(t, err, "ValidationError")
}

// TestTheContractorWalksThePath shows that the path of the story is real: the
// policies let the contractor's own key through.
func TestTheContractorWalksThePath(t *testing.T) {
	t.Parallel()
	b := standard(t)
	key := b.summary.Contractor.Credential
	cfg := b.config(b.summary.Region, credentials.NewStaticCredentialsProvider(key.AccessKeyID, key.SecretAccessKey, ""))
	out, err := sts.NewFromConfig(cfg).AssumeRole(context.Background(), &sts.AssumeRoleInput{RoleArn: &b.summary.Contractor.RoleARN, RoleSessionName: sdk.String("job-1")})
	require.NoError(t, err)
	require.Equal(t, b.summary.Sensitive.AccountID, (*out.AssumedRoleUser.Arn)[len("arn:aws:sts::"):][:12])
	_, err = iam.NewFromConfig(cfg).GetAccountAuthorizationDetails(context.Background(), &iam.GetAccountAuthorizationDetailsInput{})
	require.Contains(t, requireCode(t, err, "AccessDenied").ErrorMessage(), "because no ")
}

// TestSessionsExpire moves the simulator's clock by the length of a session.
// Only S3 tolerates a clock as wrong as that.
func TestSessionsExpire(t *testing.T) {
	t.Parallel()
	var offset atomic.Int64
	b := setup(t, aws.Options{People: 10, Seed: 3, Clock: func() time.Time { return time.Now().Add(time.Duration(offset.Load())) }})
	offset.Store(int64(-4 * time.Minute))
	out, err := sts.NewFromConfig(b.auditor()).AssumeRole(context.Background(), &sts.AssumeRoleInput{
		RoleArn: &b.summary.AuditRoleARN, RoleSessionName: sdk.String("test"), ExternalId: &b.summary.ExternalID, DurationSeconds: sdk.Int32(900),
	})
	require.NoError(t, err)
	session := b.config(b.summary.Region, credentials.NewStaticCredentialsProvider(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken))
	require.NoError(t, anyCall(session)["s3"])
	offset.Store(int64(12 * time.Minute))
	requireCode(t, anyCall(session)["s3"], "ExpiredToken")

	offset.Store(0)
	require.NoError(t, anyCall(session)["iam"])
	withoutToken := b.config(b.summary.Region, credentials.NewStaticCredentialsProvider(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, ""))
	requireCode(t, anyCall(withoutToken)["iam"], "InvalidClientTokenId")
}

func TestWrongClock(t *testing.T) {
	t.Parallel()
	b := setup(t, aws.Options{People: 10, Seed: 3, Clock: func() time.Time { return time.Now().Add(24 * time.Hour) }})
	requireCodes(t, anyCall(b.auditor()), map[string]string{
		"sts": "SignatureDoesNotMatch", "iam": "SignatureDoesNotMatch", "organizations": "InvalidSignatureException", "s3": "RequestTimeTooSkewed",
	})
}

func TestMembersSeeOnlyTheirOwn(t *testing.T) {
	t.Parallel()
	b := standard(t)
	ctx, cfg := context.Background(), b.member(t, b.summary.AccountIDs[1])
	_, err := organizations.NewFromConfig(cfg).ListAccounts(ctx, &organizations.ListAccountsInput{})
	requireCode(t, err, "AccessDeniedException")
	described, err := organizations.NewFromConfig(cfg).DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{})
	require.NoError(t, err)
	require.Equal(t, b.summary.OrganizationID, *described.Organization.Id)
	_, err = ssoadmin.NewFromConfig(cfg).ListPermissionSets(ctx, &ssoadmin.ListPermissionSetsInput{InstanceArn: &b.summary.InstanceARN})
	requireCode(t, err, "AccessDeniedException")
	_, err = identitystore.NewFromConfig(cfg).ListUsers(ctx, &identitystore.ListUsersInput{IdentityStoreId: &b.summary.StoreID})
	requireCode(t, err, "AccessDeniedException")
	_, err = s3.NewFromConfig(b.member(t, b.summary.AccountIDs[2]), pathStyle).GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: &b.summary.Sensitive.Name})
	requireCode(t, err, "AccessDenied")
}

func pathStyle(o *s3.Options) { o.UsePathStyle = true }
