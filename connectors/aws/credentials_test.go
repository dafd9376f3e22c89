package aws_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse-project/gatehouse/connector"
	"github.com/gatehouse-project/gatehouse/connectors/aws"
	simulator "github.com/gatehouse-project/gatehouse/simulator/aws"
)

// TestExpiredRolesAreAssumedAgain ends every role's session after a few calls
// and requires the same graph as without. The accounts are read as large ones,
// which takes many calls in each.
func TestExpiredRolesAreAssumedAgain(t *testing.T) {
	t.Parallel()
	const callsPerSession = 8
	steady := newCloud(t, people)
	expiring := newCloud(t, people, simulator.Fault{Kind: simulator.FaultExpire, Service: "iam", After: callsPerSession})
	want := discoverWith(t, aws.NewForLargeAccounts(), steady.settings(t, nil))
	got := discoverWith(t, aws.NewForLargeAccounts(), expiring.settings(t, nil))
	require.Empty(t, got.gaps)
	require.Empty(t, got.skipped)
	require.Equal(t, want.content(), got.content())
	require.NotZero(t, expiring.Faults()[0].Hits)
	require.Greater(t, expiring.Requests()["sts:AssumeRole"], steady.Requests()["sts:AssumeRole"])
}

// ambient sets the environment a worker gives the SDK, and nothing else that
// the machine may hold. Tests of it cannot run in parallel.
func ambient(t *testing.T, environment map[string]string) {
	t.Helper()
	none := filepath.Join(t.TempDir(), "none")
	require.NoError(t, os.WriteFile(none, nil, 0o600))
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "",
		"AWS_CONFIG_FILE": none, "AWS_SHARED_CREDENTIALS_FILE": none, "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_WEB_IDENTITY_TOKEN_FILE": "", "AWS_ROLE_ARN": "",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "",
	} {
		t.Setenv(name, value)
	}
	for name, value := range environment {
		t.Setenv(name, value)
	}
}

// withoutKey are settings that leave the credentials to the environment.
func (c *cloud) withoutKey(t *testing.T) connector.Settings {
	t.Helper()
	return c.settings(t, map[string]any{"auth_mode": "ambient", "access_key_id": nil, "secret_access_key": nil})
}

func TestAmbientCredentials(t *testing.T) {
	c := newCloud(t, people)
	auditor := c.Summary().Auditor
	ambient(t, map[string]string{"AWS_ACCESS_KEY_ID": auditor.AccessKeyID, "AWS_SECRET_ACCESS_KEY": auditor.SecretAccessKey})
	result, err := check(t, c.withoutKey(t))
	require.NoError(t, err)
	require.True(t, result.Sufficient)
	require.Equal(t, discover(t, c.settings(t, nil)).content(), discover(t, c.withoutKey(t)).content())
}

func TestNoAmbientCredentials(t *testing.T) {
	c := newCloud(t, people)
	ambient(t, nil)
	_, err := check(t, c.withoutKey(t))
	var e *connector.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, connector.CredentialInvalid, e.Category)
	require.Contains(t, e.Message, "environment")
}

// TestAmbientRole takes a role from what the environment provides.
func TestAmbientRole(t *testing.T) {
	c := newCloud(t, people)
	auditor := c.Summary().Auditor
	ambient(t, map[string]string{"AWS_ACCESS_KEY_ID": auditor.AccessKeyID, "AWS_SECRET_ACCESS_KEY": auditor.SecretAccessKey})
	s := c.settings(t, map[string]any{
		"auth_mode": "assume_role", "role_arn": c.Summary().AuditRoleARN, "access_key_id": nil, "secret_access_key": nil,
		"organizations_enabled": nil, "identity_center_enabled": nil,
	})
	result, err := check(t, s)
	require.NoError(t, err)
	require.Equal(t, "account", result.Target.Type)
	require.NotZero(t, c.Requests()["sts:AssumeRole"])
}
