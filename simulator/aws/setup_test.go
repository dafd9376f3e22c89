package aws_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/simulator/aws"
	"github.com/gatehouse-project/gatehouse/simulator/aws/estate"
)

// bundle is a simulator that answers, and what is in it.
type bundle struct {
	*aws.Simulator
	url     string
	summary estate.Summary
}

func setup(t testing.TB, options aws.Options) bundle {
	t.Helper()
	simulator, err := aws.New(options)
	require.NoError(t, err)
	server := httptest.NewServer(simulator.Handler())
	t.Cleanup(server.Close)
	return bundle{Simulator: simulator, url: server.URL, summary: simulator.Summary()}
}

// standard is an organisation of 1,000 people: nine accounts, one suspended.
func standard(t *testing.T) bundle {
	t.Helper()
	return setup(t, aws.Options{People: 1000, Seed: 1})
}

// plainBody hides the WriterTo of the SDK's request bodies. Once closed, it
// answers io.EOF as an error, and the SDK closes a body as soon as an answer
// begins; when that is sooner than net/http has finished writing, which only
// a server on the same machine manages, the connection is torn down while the
// answer is read.
type plainBody struct{ next http.RoundTripper }

func (p plainBody) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r = r.Clone(r.Context())
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return p.next.RoundTrip(r)
}

// config signs with credentials, in a region, and never retries. It is made by
// hand so that nothing of the machine's own AWS settings gets in.
func (b bundle) config(region string, provider sdk.CredentialsProvider) sdk.Config {
	return sdk.Config{
		Region: region, BaseEndpoint: sdk.String(b.url), Credentials: provider,
		HTTPClient: &http.Client{Transport: plainBody{http.DefaultTransport}},
		Retryer:    func() sdk.Retryer { return sdk.NopRetryer{} },
	}
}

// auditor signs as the user of the management account.
func (b bundle) auditor() sdk.Config {
	return b.config(b.summary.Region, credentials.NewStaticCredentialsProvider(b.summary.Auditor.AccessKeyID, b.summary.Auditor.SecretAccessKey, ""))
}

// member signs as the audit role of an account.
func (b bundle) member(t testing.TB, accountID string) sdk.Config {
	t.Helper()
	out, err := sts.NewFromConfig(b.auditor()).AssumeRole(context.Background(), &sts.AssumeRoleInput{
		RoleArn:         sdk.String("arn:aws:iam::" + accountID + ":role/" + b.summary.AuditRole),
		RoleSessionName: sdk.String("test"), ExternalId: sdk.String(b.summary.ExternalID),
	})
	require.NoError(t, err)
	return b.config(b.summary.Region, credentials.NewStaticCredentialsProvider(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken))
}

// activeAccounts are those that let the audit role in.
func (b bundle) activeAccounts() []estate.Account {
	var active []estate.Account
	for _, account := range b.Estate().Organization.Accounts {
		if !account.Suspended {
			active = append(active, account)
		}
	}
	return active
}

// requireCode checks the code of an API error.
func requireCode(t *testing.T, err error, code string) smithy.APIError {
	t.Helper()
	var apiError smithy.APIError
	require.ErrorAs(t, err, &apiError)
	require.Equal(t, code, apiError.ErrorCode(), apiError.ErrorMessage())
	return apiError
}
