package awskms_test

import (
	"bytes"
	"context"
	"net/http"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	service "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/seal"
	"github.com/gatehouse-project/gatehouse/internal/seal/awskms"
	"github.com/gatehouse-project/gatehouse/internal/seal/sealtest"
	"github.com/gatehouse-project/gatehouse/test/kms"
	"github.com/gatehouse-project/gatehouse/test/moto"
)

// withCredentials gives the SDK's default chain something to find. Tests that
// call it do not run in parallel.
func withCredentials(t *testing.T) {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
}

func start(t *testing.T) *kms.Server {
	t.Helper()
	s, err := kms.Start()
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

func open(t *testing.T, arn, url string) *awskms.Wrapper {
	t.Helper()
	w, err := awskms.New(t.Context(), awskms.Config{KeyARN: arn, Endpoint: url})
	require.NoError(t, err)
	return w
}

func TestContractOnOurOwnService(t *testing.T) {
	withCredentials(t)
	s := start(t)
	w := open(t, kms.KeyARN, s.URL)
	sealtest.Contract(t, w, 64)
	s.Reset()
	wrapped, err := w.Wrap(t.Context(), sealtest.DataKey(), sealtest.Binding())
	require.NoError(t, err)
	_, err = w.Unwrap(t.Context(), wrapped, w.KeyID(), sealtest.Binding())
	require.NoError(t, err)
	encrypts, decrypts := s.Calls()
	require.Equal(t, [2]int{1, 1}, [2]int{encrypts, decrypts}, "one call each")
	_, err = open(t, kms.OtherKeyARN, s.URL).Unwrap(t.Context(), wrapped, kms.OtherKeyARN, sealtest.Binding())
	require.ErrorIs(t, err, seal.ErrDamaged, "another key does not open it")
}

// TestContractOnMoto tries an implementation that knows nothing of ours.
func TestContractOnMoto(t *testing.T) {
	withCredentials(t)
	url := moto.Start(t)
	api := service.New(service.Options{
		Region: "eu-west-1", BaseEndpoint: sdk.String(url), Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret", ""),
	})
	made, err := api.CreateKey(t.Context(), &service.CreateKeyInput{})
	require.NoError(t, err)
	w := open(t, sdk.ToString(made.KeyMetadata.Arn), url)
	sealtest.Contract(t, w, 64)

	wrapped, err := w.Wrap(t.Context(), sealtest.DataKey(), sealtest.Binding())
	require.NoError(t, err)
	_, err = api.Decrypt(t.Context(), &service.DecryptInput{CiphertextBlob: wrapped})
	require.Error(t, err, "without its context KMS does not decrypt")

	_, err = open(t, "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000", url).
		Wrap(t.Context(), sealtest.DataKey(), sealtest.Binding())
	sealtest.Problem(t, err, seal.Missing, "check account, region and id")
}

func TestProblemsAreToldApart(t *testing.T) {
	withCredentials(t)
	s := start(t)
	w := open(t, kms.KeyARN, s.URL)
	for code, want := range map[string]struct {
		status  int
		problem seal.Problem
		says    string
	}{
		"AccessDeniedException":       {http.StatusBadRequest, seal.Denied, "must allow kms:Encrypt"},
		"DisabledException":           {http.StatusBadRequest, seal.Unusable, "it is disabled; enable it again"},
		"KMSInvalidStateException":    {http.StatusBadRequest, seal.Unusable, "pending deletion"},
		"InvalidKeyUsageException":    {http.StatusBadRequest, seal.Unusable, "symmetric key"},
		"NotFoundException":           {http.StatusBadRequest, seal.Missing, "there is no such key"},
		"UnrecognizedClientException": {http.StatusBadRequest, seal.Denied, "does not accept the credentials"},
		"KMSInternalException":        {http.StatusInternalServerError, seal.Unreachable, "try again"},
		"SomethingNew":                {http.StatusServiceUnavailable, seal.Unreachable, "try again"},
		"SomethingElse":               {http.StatusBadRequest, seal.Failed, "SomethingElse"},
	} {
		s.Refuse(code, want.status)
		_, err := w.Wrap(t.Context(), sealtest.DataKey(), sealtest.Binding())
		sealtest.Problem(t, err, want.problem, want.says)
		require.NotContains(t, err.Error(), "canary", "what the service says is not passed on")
		require.ErrorContains(t, err, kms.KeyARN)
	}
	s.Refuse("", 0)
	s.Close()
	_, err := w.Wrap(t.Context(), sealtest.DataKey(), sealtest.Binding())
	sealtest.Problem(t, err, seal.Unreachable, "does not answer")
}

func TestWithoutCredentialsTheOperatorIsTold(t *testing.T) {
	withCredentials(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	_, err := open(t, kms.KeyARN, "http://127.0.0.1:1").Wrap(t.Context(), sealtest.DataKey(), sealtest.Binding())
	sealtest.Problem(t, err, seal.Misconfigured, "no credentials")
}

func TestOnlyKeysAreAccepted(t *testing.T) {
	t.Parallel()
	for _, arn := range []string{
		"", "0b5c1b0c-2c1e-4d0e-9b7e-0a6f2f6a1c11", "alias/gatehouse", "arn:aws:kms:eu-west-1:111122223333:alias/gatehouse",
		"arn:aws:s3:::bucket", kms.KeyARN + "\n", "arn:aws:kms:eu-west-1:1111:key/1",
	} {
		_, err := awskms.New(t.Context(), awskms.Config{KeyARN: arn})
		require.ErrorContains(t, err, "not the ARN of a KMS key", arn)
	}
	_, err := awskms.New(t.Context(), awskms.Config{KeyARN: "arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab"})
	require.NoError(t, err)
}

// FuzzUnwrap gives any wrapped key and key id to a key service that answers.
func FuzzUnwrap(f *testing.F) {
	f.Setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
	f.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	s, err := kms.Start()
	require.NoError(f, err)
	f.Cleanup(s.Close)
	w, err := awskms.New(context.Background(), awskms.Config{KeyARN: kms.KeyARN, Endpoint: s.URL})
	require.NoError(f, err)
	wrapped, err := w.Wrap(context.Background(), sealtest.DataKey(), sealtest.Binding())
	require.NoError(f, err)
	f.Add(wrapped, kms.KeyARN)
	f.Add([]byte{}, kms.KeyARN)
	f.Add(wrapped[:12], kms.KeyARN)
	f.Add(wrapped, kms.OtherKeyARN)
	f.Fuzz(func(t *testing.T, given []byte, keyID string) {
		opened, err := w.Unwrap(t.Context(), given, keyID, sealtest.Binding())
		if err != nil {
			require.Nil(t, opened)
			return
		}
		require.True(t, bytes.Equal(wrapped, given))
		require.Equal(t, sealtest.DataKey(), opened)
	})
}
