package aws

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCredentialReport(t *testing.T) {
	t.Parallel()
	report, err := parseReport([]byte("user,arn,password_enabled,password_last_used,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_2_active,access_key_2_last_rotated,a_new_column\n" +
		"<root_account>,arn:aws:iam::123456789012:root,not_supported,no_information,true,false,N/A,N/A,false,N/A,x\n" +
		"Alice,arn:aws:iam::123456789012:user/Alice,true,2026-01-02T03:04:05+00:00,false,true,2025-01-01T00:00:00+00:00,N/A,false,N/A\n"))
	require.NoError(t, err)

	fields := map[string]any{}
	report.describe("alice", fields)
	require.Equal(t, "2026-01-02T03:04:05+00:00", fields["console_last_used_at"])
	require.Equal(t, true, fields["console_access"])
	require.Equal(t, false, fields["mfa_active"])
	require.Equal(t, []map[string]any{{"active": true, "rotated_at": "2025-01-01T00:00:00+00:00"}}, fields["access_keys"])

	root := map[string]any{}
	report.describe(rootRow, root)
	require.Equal(t, true, root["mfa_active"])
	require.NotContains(t, root, "access_keys")

	unknown := map[string]any{}
	report.describe("nobody", unknown)
	require.Empty(t, unknown)
}

func TestCredentialReportRefusesOtherTables(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "name,arn\nx,y\n", "user,arn\n\"unfinished"} {
		_, err := parseReport([]byte(text))
		require.Error(t, err, "%q", text)
	}
}
