package policy_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connectors/aws/policy"
	"github.com/gatehouse-project/gatehouse/test/moto"
)

// motoUsers times 10 requests times motoRounds is how many decisions are
// compared.
const (
	motoUsers  = 20
	motoRounds = 10
)

// refusals remembers what the last refused answer said: moto words the errors of
// IAM in a form that the SDK finds no code in.
type refusals struct{ last string }

func (r *refusals) Do(request *http.Request) (*http.Response, error) {
	r.last = ""
	answer, err := http.DefaultClient.Do(request)
	if err != nil || answer.StatusCode != http.StatusForbidden {
		return answer, err
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return answer, err
	}
	r.last = string(body)
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return answer, nil
}

// TestAgreesWithMoto lets users with generated policies call an imitation of AWS
// that enforces IAM, and decides the same requests. What is generated keeps to
// what moto implements by AWS's rules: Action and NotAction, Resource, allow and
// deny, own, attached and group policies. What it implements otherwise stands in
// docs/effective-access.md.
func TestAgreesWithMoto(t *testing.T) {
	t.Parallel()
	url, ctx := moto.Start(t), t.Context()
	random := rand.New(rand.NewPCG(7, 11)) //nolint:gosec // the same every time
	enforce := func(after string) {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/moto-api/reset-auth", bytes.NewBufferString(after))
		require.NoError(t, err)
		answer, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
	}
	answers := &refusals{}
	config := func(key, secret string) sdk.Config {
		return sdk.Config{HTTPClient: answers, Region: "us-east-1", BaseEndpoint: sdk.String(url), Credentials: credentials.NewStaticCredentialsProvider(key, secret, ""), RetryMaxAttempts: 1}
	}
	objects := func(c sdk.Config) *s3.Client {
		return s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true })
	}
	admin := iam.NewFromConfig(config("AKIAADMIN", "x"))
	_, err := objects(config("AKIAADMIN", "x")).CreateBucket(ctx, &s3.CreateBucketInput{Bucket: sdk.String("logs")})
	require.NoError(t, err)
	_, err = objects(config("AKIAADMIN", "x")).CreateBucket(ctx, &s3.CreateBucketInput{Bucket: sdk.String("data")})
	require.NoError(t, err)
	_, err = admin.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: sdk.String("team")})
	require.NoError(t, err)
	keys := make([]sdk.Config, motoUsers)
	for i := range motoUsers {
		name := sdk.String(fmt.Sprint("user", i))
		_, err := admin.CreateUser(ctx, &iam.CreateUserInput{UserName: name})
		require.NoError(t, err)
		key, err := admin.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: name})
		require.NoError(t, err)
		keys[i] = config(*key.AccessKey.AccessKeyId, *key.AccessKey.SecretAccessKey)
		if i%2 == 0 {
			_, err = admin.AddUserToGroup(ctx, &iam.AddUserToGroupInput{UserName: name, GroupName: sdk.String("team")})
			require.NoError(t, err)
		}
	}
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	document := func() string {
		var statements []object
		for range 1 + random.IntN(3) {
			element := pick("Action", "Action", "Action", "NotAction")
			statements = append(statements, object{
				"Effect": pick("Allow", "Allow", "Allow", "Deny"),
				element: []string{
					pick("*", "iam:*", "s3:*", "iam:List*", "s3:Get*", "iam:ListUsers", "s3:*Object"),
					pick("iam:ListRoles", "iam:*Groups", "s3:GetObject", "s3:PutObject", "iam:Get*"),
				},
				"Resource": []string{pick("*", "*", "arn:aws:s3:::logs/*", "arn:aws:s3:::*/a", "arn:aws:s3:::data/b"), pick("arn:aws:s3:::logs/a", "arn:aws:iam::1:user/x")},
			})
		}
		text, err := json.Marshal(object{"Version": "2012-10-17", "Statement": statements})
		require.NoError(t, err)
		return string(text)
	}
	group, decided := "", map[policy.Decision]int{}
	for round := range motoRounds {
		enforce("inf")
		texts := make([]string, motoUsers)
		group = document()
		_, err := admin.PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{GroupName: sdk.String("team"), PolicyName: sdk.String("p"), PolicyDocument: sdk.String(group)})
		require.NoError(t, err)
		for i := range texts {
			texts[i] = document()
			_, err := admin.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: sdk.String(fmt.Sprint("user", i)), PolicyName: sdk.String("p"), PolicyDocument: sdk.String(texts[i])})
			require.NoError(t, err)
		}
		enforce("0")
		for i, c := range keys {
			policies := layerOf(t, texts[i])
			if i%2 == 0 {
				policies = layerOf(t, texts[i], group)
			}
			compare := func(action, resource string, err error) {
				var refused smithy.APIError
				want := policy.Allowed
				if answers.last != "" {
					require.Contains(t, answers.last, "<Code>AccessDenied</Code>")
					want = policy.Denied
				} else if err != nil && (!errors.As(err, &refused) || refused.ErrorCode() != "NoSuchKey") {
					require.NoError(t, err)
				}
				got := policy.Evaluate(policy.Request{
					Caller: policy.Caller{Kind: policy.User, ARN: "arn:aws:iam::123456789012:user/" + fmt.Sprint("user", i), Account: "123456789012"},
					Action: action, Resource: resource, Context: policy.Context{}.WithoutOthers(""),
				}, policy.Layers{Identity: policies, ResourceAccount: "123456789012"})
				require.Equal(t, want, got.Decision, "round %d, %s on %s by %s and %s", round, action, resource, texts[i], group)
				decided[got.Decision]++
			}
			api, store := iam.NewFromConfig(c), objects(c)
			_, err := api.ListUsers(ctx, &iam.ListUsersInput{})
			compare("iam:ListUsers", "*", err)
			_, err = api.ListRoles(ctx, &iam.ListRolesInput{})
			compare("iam:ListRoles", "*", err)
			_, err = api.ListGroups(ctx, &iam.ListGroupsInput{})
			compare("iam:ListGroups", "*", err)
			_, err = api.GetAccountSummary(ctx, &iam.GetAccountSummaryInput{})
			compare("iam:GetAccountSummary", "*", err)
			for _, at := range [][2]string{{"logs", "a"}, {"logs", "c"}, {"data", "b"}} {
				_, err = store.GetObject(ctx, &s3.GetObjectInput{Bucket: &at[0], Key: &at[1]})
				compare("s3:GetObject", "arn:aws:s3:::"+at[0]+"/"+at[1], err)
				_, err = store.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &at[0], Key: &at[1]})
				compare("s3:DeleteObject", "arn:aws:s3:::"+at[0]+"/"+at[1], err)
			}
		}
	}
	t.Logf("%v", decided)
	require.Equal(t, motoUsers*motoRounds*10, decided[policy.Allowed]+decided[policy.Denied])
	require.Greater(t, decided[policy.Allowed], 200)
	require.Greater(t, decided[policy.Denied], 200)
}
