package policy_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connectors/aws/policy"
	"github.com/gatehouse-project/gatehouse/test/moto"
)

const (
	motoHome  = moto.ManagementAccount
	motoArn   = "arn:aws:iam::" + motoHome + ":"
	motoUser  = "ann"
	motoRole  = "Loader"
	motoOther = "Other"
	motoGroup = "team"
)

// motoCloud is an imitation of AWS that enforces IAM, with one user in one
// group, one role, another role to look at or take on, and two buckets.
type motoCloud struct {
	url   string
	ctx   context.Context
	admin *iam.Client
	// answers remembers whether the last answer was a refusal: moto words those
	// of IAM in a form that the SDK finds no code in, and some have no text.
	answers *refusals
	user    sdk.Config
}

type refusals struct{ refused bool }

func (r *refusals) Do(request *http.Request) (*http.Response, error) {
	r.refused = false
	answer, err := http.DefaultClient.Do(request)
	if err != nil || answer.StatusCode != http.StatusForbidden {
		return answer, err
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return answer, err
	}
	if len(body) > 0 && !bytes.Contains(body, []byte("AccessDenied")) {
		return answer, errors.New("refused for another reason: " + string(body))
	}
	r.refused = true
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return answer, nil
}

func newMotoCloud(t *testing.T) *motoCloud {
	t.Helper()
	m := &motoCloud{url: moto.Start(t), ctx: t.Context(), answers: &refusals{}}
	anybody := m.config("AKIAADMIN", "x", "")
	m.admin = iam.NewFromConfig(anybody)
	must := func(_ any, err error) {
		t.Helper()
		require.NoError(t, err)
	}
	for _, bucket := range []string{"logs", "data"} {
		must(m.objects(anybody).CreateBucket(m.ctx, &s3.CreateBucketInput{Bucket: sdk.String(bucket)}))
	}
	must(m.admin.CreateGroup(m.ctx, &iam.CreateGroupInput{GroupName: sdk.String(motoGroup)}))
	must(m.admin.CreateUser(m.ctx, &iam.CreateUserInput{UserName: sdk.String(motoUser)}))
	must(m.admin.AddUserToGroup(m.ctx, &iam.AddUserToGroupInput{UserName: sdk.String(motoUser), GroupName: sdk.String(motoGroup)}))
	for _, role := range []string{motoRole, motoOther} {
		must(m.admin.CreateRole(m.ctx, &iam.CreateRoleInput{RoleName: sdk.String(role), AssumeRolePolicyDocument: sdk.String(trusting(`"*"`, ""))}))
	}
	key, err := m.admin.CreateAccessKey(m.ctx, &iam.CreateAccessKeyInput{UserName: sdk.String(motoUser)})
	require.NoError(t, err)
	m.user = m.config(*key.AccessKey.AccessKeyId, *key.AccessKey.SecretAccessKey, "")
	return m
}

// trusting is a trust policy with one statement about a principal.
func trusting(principal, more string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":` + principal + `}` + more + `}]}`
}

func (m *motoCloud) config(key, secret, token string) sdk.Config {
	return sdk.Config{
		HTTPClient: m.answers, Region: "us-east-1", BaseEndpoint: sdk.String(m.url),
		Credentials: credentials.NewStaticCredentialsProvider(key, secret, token), RetryMaxAttempts: 1,
	}
}

func (m *motoCloud) objects(c sdk.Config) *s3.Client {
	return s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true })
}

// enforce switches the enforcement on or off.
func (m *motoCloud) enforce(t require.TestingT, on bool) {
	after := "inf"
	if on {
		after = "0"
	}
	request, err := http.NewRequestWithContext(m.ctx, http.MethodPost, m.url+"/moto-api/reset-auth", strings.NewReader(after))
	require.NoError(t, err)
	answer, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
}

// session takes a role on, while nothing is enforced.
func (m *motoCloud) session(t require.TestingT, role, name string, with *string) sdk.Config {
	given, err := sts.NewFromConfig(m.config("AKIAADMIN", "x", "")).AssumeRole(m.ctx, &sts.AssumeRoleInput{RoleArn: sdk.String(role), RoleSessionName: sdk.String(name), Policy: with})
	require.NoError(t, err)
	return m.config(*given.Credentials.AccessKeyId, *given.Credentials.SecretAccessKey, *given.Credentials.SessionToken)
}

// decided is what became of a call that returned err.
func (m *motoCloud) decided(t require.TestingT, err error) policy.Decision {
	if m.answers.refused {
		return policy.Denied
	}
	var other smithy.APIError
	if err != nil && !errors.As(err, &other) {
		require.NoError(t, err)
	}
	return policy.Allowed // even when what was asked for is not there
}

// motoCall is a request that can be made for real and decided.
type motoCall struct {
	action, resource string
	make             func(m *motoCloud, c sdk.Config) error
	// external is the external id that is given, or nil.
	external *string
}

func motoCalls() []motoCall {
	about := func(action string, do func(ctx context.Context, c *iam.Client) error) motoCall {
		return motoCall{action: action, resource: "*", make: func(m *motoCloud, c sdk.Config) error { return do(m.ctx, iam.NewFromConfig(c)) }}
	}
	calls := []motoCall{
		about("iam:ListUsers", func(ctx context.Context, c *iam.Client) error {
			_, err := c.ListUsers(ctx, &iam.ListUsersInput{})
			return err
		}),
		about("iam:ListRoles", func(ctx context.Context, c *iam.Client) error {
			_, err := c.ListRoles(ctx, &iam.ListRolesInput{})
			return err
		}),
		about("iam:ListGroups", func(ctx context.Context, c *iam.Client) error {
			_, err := c.ListGroups(ctx, &iam.ListGroupsInput{})
			return err
		}),
		about("iam:GetAccountSummary", func(ctx context.Context, c *iam.Client) error {
			_, err := c.GetAccountSummary(ctx, &iam.GetAccountSummaryInput{})
			return err
		}),
		{action: "iam:GetRole", resource: motoArn + "role/" + motoOther, make: func(m *motoCloud, c sdk.Config) error {
			_, err := iam.NewFromConfig(c).GetRole(m.ctx, &iam.GetRoleInput{RoleName: sdk.String(motoOther)})
			return err
		}},
		{action: "iam:ListRolePolicies", resource: motoArn + "role/" + motoRole, make: func(m *motoCloud, c sdk.Config) error {
			_, err := iam.NewFromConfig(c).ListRolePolicies(m.ctx, &iam.ListRolePoliciesInput{RoleName: sdk.String(motoRole)})
			return err
		}},
		{action: "s3:ListBucket", resource: "arn:aws:s3:::logs", make: func(m *motoCloud, c sdk.Config) error {
			_, err := m.objects(c).ListObjects(m.ctx, &s3.ListObjectsInput{Bucket: sdk.String("logs")})
			return err
		}},
	}
	for _, at := range [][2]string{{"logs", "a"}, {"logs", "c"}, {"data", "b"}} {
		calls = append(calls, motoGet(at[0], at[1]), motoCall{action: "s3:DeleteObject", resource: "arn:aws:s3:::" + at[0] + "/" + at[1], make: func(m *motoCloud, c sdk.Config) error {
			_, err := m.objects(c).DeleteObject(m.ctx, &s3.DeleteObjectInput{Bucket: &at[0], Key: &at[1]})
			return err
		}})
	}
	return calls
}

func motoGet(bucket, key string) motoCall {
	return motoCall{action: "s3:GetObject", resource: "arn:aws:s3:::" + bucket + "/" + key, make: func(m *motoCloud, c sdk.Config) error {
		_, err := m.objects(c).GetObject(m.ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
		return err
	}}
}

// motoAssume takes a role on.
func motoAssume(role string, externalID *string) motoCall {
	return motoCall{action: "sts:AssumeRole", resource: role, external: externalID, make: func(m *motoCloud, c sdk.Config) error {
		_, err := sts.NewFromConfig(c).AssumeRole(m.ctx, &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: sdk.String("s"), ExternalId: externalID})
		return err
	}}
}

// requestOf is the request as we decide it: by the user or a session of the
// role, with all of the context known.
func (c motoCall) requestOf(session bool) policy.Request {
	r := policy.Request{Action: c.action, Resource: c.resource}
	r.Context = policy.Context{}.With("aws:SourceIp", "127.0.0.1").With("aws:PrincipalAccount", motoHome).WithoutOthers("")
	if session {
		r.Caller = policy.Caller{Kind: policy.Session, ARN: motoArn + "role/" + motoRole, Account: motoHome, SessionName: "s"}
		return r
	}
	r.Caller = policy.Caller{Kind: policy.User, ARN: motoArn + "user/" + motoUser, Account: motoHome}
	r.Context = r.Context.With("aws:username", motoUser)
	return r
}

func text(t require.TestingT, statements ...object) string {
	raw, err := json.Marshal(object{"Version": "2012-10-17", "Statement": statements})
	require.NoError(t, err)
	return string(raw)
}
