package reference_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/internal/fault"
	"github.com/gatehouse-project/gatehouse/internal/id"
	"github.com/gatehouse-project/gatehouse/internal/integration"
	"github.com/gatehouse-project/gatehouse/internal/reference"
	"github.com/gatehouse-project/gatehouse/test/moto"
)

const canary = "canary-kept-elsewhere"

// scope is of the workspace whose references are resolved.
var scope = id.Scope{Workspace: 3}

func resolver(t *testing.T, allow ...string) *reference.Resolver {
	t.Helper()
	r, err := reference.New(allow)
	require.NoError(t, err)
	return r
}

func ref(t *testing.T, text string) integration.Reference {
	t.Helper()
	r, err := integration.ParseReference(text)
	require.NoError(t, err)
	return r
}

// refuse demands that a reference is not resolved, with a public reason that
// holds nothing of the secret.
func refuse(t *testing.T, r *reference.Resolver, text, says string) {
	t.Helper()
	found, err := r.Resolve(t.Context(), scope, ref(t, text))
	require.True(t, found.IsZero())
	f, ok := fault.As(err)
	require.True(t, ok, "%s: %v", text, err)
	require.Contains(t, f.Message, says, text)
	require.NotContains(t, err.Error(), canary)
}

func TestNothingIsAllowedAtFirst(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"env:PATH", "file:/etc/passwd", "awssm:arn:aws:secretsmanager:eu-west-1:111122223333:secret:x"} {
		require.Error(t, resolver(t).Allowed(scope, ref(t, text)))
		refuse(t, resolver(t), text, "does not allow")
	}
}

func TestTheListIsTakenAtItsWord(t *testing.T) {
	t.Parallel()
	r := resolver(t, "w_3=env:EXACT", "w_3=env:GATEHOUSE_*", "*=file:/run/secrets/", "w_3=file:/etc/one", "w_3=awssm:arn:aws:secretsmanager:eu-west-1:111122223333:secret:gatehouse/*")
	for text, allowed := range map[string]bool{
		"env:EXACT": true, "env:EXACTLY": false, "env:GATEHOUSE_AWS": true, "env:AWS": false, "env:XGATEHOUSE_AWS": false,
		"file:/run/secrets/a": true, "file:/run/secrets/a/b": true, "file:/run/secrets": false, "file:/run/secretsx/a": false,
		"file:/run/secrets/../../etc/shadow": false, "file:/run/secrets/./a": false, "file:run/secrets/a": false, "file://run/secrets/a": false,
		"file:/etc/one": true, "file:/etc/one/x": false, "file:/etc/two": false, "file:EXACT": false,
		"awssm:arn:aws:secretsmanager:eu-west-1:111122223333:secret:gatehouse/aws-AbCdEf#key": true,
		"awssm:arn:aws:secretsmanager:eu-west-1:111122223333:secret:other#gatehouse/":         false,
	} {
		require.Equal(t, allowed, r.Allowed(scope, ref(t, text)) == nil, text)
	}
	for _, text := range []string{"", "env:", "env:*", "env:A*B", "file:secrets/", "file:/run/*", "vault:x", "*", "awssm:*"} {
		_, err := reference.New([]string{"w_3=" + text})
		require.Error(t, err, text)
	}
}

// Whoever builds in one workspace cannot have what is meant for another.
func TestRulesAreOfAWorkspace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "aws"), []byte(canary), 0o600))
	theirs := ref(t, "file:"+filepath.Join(dir, "aws"))
	r := resolver(t, "w_3=file:"+dir+"/", "*=env:SHARED")
	other := id.Scope{Workspace: 4}
	require.NoError(t, r.Allowed(scope, theirs))
	require.Error(t, r.Allowed(other, theirs))
	_, err := r.Resolve(t.Context(), other, theirs)
	require.ErrorContains(t, err, "does not allow")
	require.NoError(t, r.Allowed(other, ref(t, "env:SHARED")))
	for _, text := range []string{"env:PROD_*", "=env:A", "3=env:A", "w_0=env:A", "w_*=env:A", "m_3=env:A", "w_3", "env:A=w_3"} {
		_, err := reference.New([]string{text})
		require.ErrorContains(t, err, "does not begin with the workspace", text)
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	outside, dir := t.TempDir(), t.TempDir()
	write := func(path, text string) {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	write(filepath.Join(outside, "shadow"), canary)
	write(filepath.Join(dir, "good"), canary+"\r\n")
	write(filepath.Join(dir, "empty"), "\n")
	write(filepath.Join(dir, "binary"), "\xff\xfe")
	write(filepath.Join(dir, "large"), strings.Repeat("x", 64<<10+1))
	require.NoError(t, os.Symlink("good", filepath.Join(dir, "inside")))
	require.NoError(t, os.Symlink(filepath.Join(outside, "shadow"), filepath.Join(dir, "escape")))
	require.NoError(t, os.Symlink(outside, filepath.Join(dir, "out")))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "sub"), 0o700))

	r := resolver(t, "w_3=file:"+dir+"/")
	for _, name := range []string{"good", "inside"} {
		found, err := r.Resolve(t.Context(), scope, ref(t, "file:"+filepath.Join(dir, name)))
		require.NoError(t, err, name)
		require.Equal(t, canary, found.RevealString())
	}
	for name, says := range map[string]string{
		"none": "is not there", "empty": "is empty", "binary": "no text", "large": "not a file of at most", "sub": "not a file",
		"escape": "cannot be read", "out/shadow": "cannot be read",
	} {
		refuse(t, r, "file:"+filepath.Join(dir, name), says)
	}
	found, err := resolver(t, "w_3=file:"+filepath.Join(dir, "good")).Resolve(t.Context(), scope, ref(t, "file:"+filepath.Join(dir, "good")))
	require.NoError(t, err)
	require.Equal(t, canary, found.RevealString())
}

func TestEnvironment(t *testing.T) {
	t.Setenv("GATEHOUSE_TEST_SECRET", canary)
	t.Setenv("GATEHOUSE_TEST_EMPTY", "")
	r := resolver(t, "*=env:GATEHOUSE_TEST_*")
	found, err := r.Resolve(t.Context(), scope, ref(t, "env:GATEHOUSE_TEST_SECRET"))
	require.NoError(t, err)
	require.Equal(t, canary, found.RevealString())
	refuse(t, r, "env:GATEHOUSE_TEST_EMPTY", "is empty")
	refuse(t, r, "env:GATEHOUSE_TEST_NOT_SET", "is not set")
}

func TestSecretsManager(t *testing.T) {
	url := moto.Start(t)
	t.Setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", url)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
	api := secretsmanager.New(secretsmanager.Options{
		Region: "eu-west-1", BaseEndpoint: sdk.String(url), Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret", ""),
	})
	put := func(name, text string) string {
		made, err := api.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: sdk.String(name), SecretString: sdk.String(text)})
		require.NoError(t, err)
		return "awssm:" + sdk.ToString(made.ARN)
	}
	plain, object := put("gatehouse/plain", canary), put("gatehouse/object", `{"key":"`+canary+`","number":7}`)
	r := resolver(t, "*=awssm:arn:aws:secretsmanager:eu-west-1:123456789012:secret:*")
	for _, text := range []string{plain, object + "#key"} {
		found, err := r.Resolve(t.Context(), scope, ref(t, text))
		require.NoError(t, err)
		require.Equal(t, canary, found.RevealString())
	}
	refuse(t, r, object+"#number", "no JSON object with that key")
	refuse(t, r, object+"#other", "no JSON object with that key")
	refuse(t, r, plain+"#key", "no JSON object with that key")
	refuse(t, r, "awssm:arn:aws:secretsmanager:eu-west-1:123456789012:secret:none", "no such secret")
}
